"""Learned matters from their files of weights; importing this module does not import PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matting.errors import CheckpointError
from matting.inference.matter import Matter, Scope

MOST_INSTANCES = 254
"""All that a document can hold."""
SCOPES = {
    "msg-vim": Scope(block=10, most_instances=MOST_INSTANCES),
    "maggie-image": Scope(most_instances=10),
    "maggie-video": Scope(around=1, carries=True, most_instances=10),
}
"""By network, what its alphas depend on."""
SHORT_SIDES: dict[str, int | None] = {"msg-vim": 576, "maggie-image": 576, "maggie-video": 576}
"""The size the networks work at unless somebody asks for another: what MaGGIe's authors evaluate at, and what keeps
MSG-VIM, which they run at the source's size, usable on 1080p."""


def learned_name(kind: str, fingerprint: str, short_side: int | None) -> str:
    """The name of a learned matter: the network, our version of it, the weights and the size it works at."""
    return f"{kind}/1:{fingerprint[:16]}:{short_side or 'source'}"


def load(
    id_or_path: str | Path,
    device: str = "auto",
    short_side: int | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Matter:
    """The matter whose weights a file holds.

    Args:
        id_or_path: a file in the public layout of MSG-VIM or MaGGIe.
        device: ``auto`` (CUDA where there is one), ``cpu``, ``cuda`` or ``cuda:k``.
        short_side: at which the network works; None for the source's own size. Larger sources are scaled down for
            it and their alphas up again.
        tell: gets a sentence on the device, precision and size, and on what was changed when memory ran out.

    Raises:
        CheckpointError: no such file, or none of these networks.
        DeviceError: there is no such device.
    """
    from matting.networks import checkpoints

    path = Path(id_or_path)
    content = checkpoints.read(path)
    kind = checkpoints.kind_of(content)
    if kind is None:
        raise CheckpointError(f"{path} holds none of the networks that Matteo knows: {', '.join(SCOPES)}.")
    raise NotImplementedError(kind)
