"""Learned matters from their files of weights; importing this module does not import PyTorch."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matting.errors import CheckpointError
from matting.fingerprint import file_fingerprint
from matting.inference.allocator import give_back
from matting.inference.matter import Matter, Scope
from matting.weights import file_of

MOST_INSTANCES = 254
"""All that a document can hold."""
SCOPES = {
    "msg-vim": Scope(block=10, most_instances=MOST_INSTANCES),
    "lite": Scope(block=10, most_instances=MOST_INSTANCES),
    "maggie-image": Scope(most_instances=10),
    "maggie-video": Scope(around=1, carries=True, most_instances=10),
}
"""By network, what its alphas depend on."""
SHORT_SIDES: dict[str, int | None] = {"msg-vim": 576, "lite": 288, "maggie-image": 576, "maggie-video": 576}
"""The size the networks work at unless somebody asks for another: what MaGGIe's authors evaluate at, and what keeps
MSG-VIM, which they run at the source's size, usable on 1080p; lite learnt at 288."""


PRECISIONS = ("fp32", "bf16", "fp16")
"""What a network's products may be computed in. Nothing takes less than fp32 unasked: in bf16 mattes of the reference
cases move by 0.003 to 0.02 on average and by up to 1 in single pixels (``matteo benchmark networks --precision``)."""


VERSIONS = {"lite": 3}
"""Of what we do with a network's mattes; 1 where nothing is said. Lite's second looks at people through windows,
its third settles in fewer steps."""


def learned_name(kind: str, fingerprint: str, short_side: int | None, precision: str = "fp32") -> str:
    """The name of a learned matter: the network, our version of it, the weights, the size and precision it works at."""
    method = f"{kind}/{VERSIONS.get(kind, 1)}"
    return f"{method}:{fingerprint[:16]}:{short_side or 'source'}{'' if precision == 'fp32' else ':' + precision}"


def release() -> None:
    """Give back what networks that nobody holds any more took; the C library and PyTorch keep memory for later."""
    gc.collect()
    give_back()
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.cuda.empty_cache()


def load(
    id_or_path: str | Path,
    device: str = "auto",
    short_side: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
    precision: str = "fp32",
) -> Matter:
    """The matter whose weights a file holds.

    Args:
        id_or_path: a file of MSG-VIM, MaGGIe or lite, or the id of an installed model.
        device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:k``.
        short_side: at which the network works; None for the source's own size. Larger sources are scaled down for
            it and their alphas up again.
        tell: gets a sentence on the device, precision and size, and on what was changed when memory ran out.
        precision: one of :data:`PRECISIONS`.

    Raises:
        CheckpointError: no such file, or none of these networks.
        UnavailableError: the model is not installed.
        DeviceError: there is no such device.
    """
    import torch

    from matting.inference import device as devices
    from matting.networks import checkpoints
    from matting.networks.folding import folded
    from matting.networks.lite import Lite
    from matting.networks.maggie import MaGGIe
    from matting.networks.msg_vim import MsgVim
    from matting.networks.on_device import described

    path = file_of(id_or_path)
    place = devices.choose(device)
    network = checkpoints.network_from(path)
    kind = checkpoints.kind_of(network.state_dict()) or ""
    if kind not in SCOPES:
        raise CheckpointError(f"{path} holds the weights of {kind}, which makes no mattes.")
    # Memory in the order of pixels, not of channels, is what the convolutions want on either kind of device.
    network = folded(network).to(memory_format=torch.channels_last)
    name = learned_name(kind, file_fingerprint(path), short_side, precision)
    placed: devices.Placed[Any] = devices.Placed(network, place, tell, devices.precision_named(precision))
    computed_in = str(placed.precision).removeprefix("torch.")
    size = "the source's size" if short_side is None else f"a short side of {short_side} px"
    plan = f"{kind} works on {described(placed.device)} in {computed_in} at {size}"
    if isinstance(network, MsgVim | Lite):
        from matting.inference.lite import LiteMatter
        from matting.inference.msg_vim import MsgVimMatter, pixels_for

        pixels = pixels_for(devices.budget_bytes(placed.device), placed.device.type)
        tell(f"{plan}, {pixels / 1e6:.1f} megapixels at a time; mattes are delivered at the source's size.")
        if isinstance(network, Lite):
            return LiteMatter(placed, name, short_side, pixels)
        return MsgVimMatter(placed, name, short_side, pixels)
    tell(f"{plan}; mattes are delivered at the source's size.")
    assert isinstance(network, MaGGIe)
    from matting.inference.maggie import MaggieMatter

    return MaggieMatter(placed, name, short_side)
