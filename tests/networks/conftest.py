"""Networks filled with weights by formula, one for all tests of a session."""

from __future__ import annotations

import pytest
from formula_weights import formula_weights
from golden_files import golden_layout
from torch import Tensor

from matting.networks import create
from matting.networks.checkpoints import convert
from matting.networks.msg_vim import MsgVim


@pytest.fixture(scope="session")
def msg_vim_weights() -> dict[str, Tensor]:
    """What a public checkpoint of MSG-VIM would hold."""
    return formula_weights(golden_layout("msg_vim"))


@pytest.fixture(scope="session")
def msg_vim(msg_vim_weights: dict[str, Tensor]) -> MsgVim:
    network = create("msg-vim", faithful=True)
    assert isinstance(network, MsgVim)
    network.load_state_dict(convert("msg-vim", msg_vim_weights))
    return network
