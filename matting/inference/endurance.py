"""Whether memory grows while a matter works: the real streaming path on a long clip of tiny pictures."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np
import psutil
import torch

from matting.inference.allocator import give_back
from matting.inference.device import Placed, choose
from matting.inference.maggie import MaggieMatter
from matting.inference.matter import Guided, Matter
from matting.inference.msg_vim import MsgVimMatter
from matting.inference.windowed import WINDOW
from matting.networks import create
from matting.networks.folding import folded
from matting.networks.maggie import MaGGIe
from matting.networks.msg_vim import MsgVim

SIZE_PX = 64
"""Side of the pictures: growth with the number of windows does not depend on it."""
READINGS = 10
_MIB = 1 << 20


class Reading(NamedTuple):
    """This process's resident memory in MiB after so many windows.

    Attributes:
        windows: done so far.
        resident_mib: as it is, with what the C library keeps for later.
        held_mib: after the C library was told to give that back, which only glibc can; elsewhere the same.
    """

    windows: int
    resident_mib: float
    held_mib: float


def memory_over_windows(kind: str, windows: int) -> list[Reading]:
    """The memory of this process after equal shares of so many windows; run it in a process of its own.

    Args:
        kind: one of :data:`matting.networks.KINDS`; its weights are random.
        windows: how many the network sees: ten frames each for MSG-VIM, one new frame each for MaGGIe.

    Returns:
        :data:`READINGS` of them.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = folded(create(kind)).to(memory_format=torch.channels_last)
    assert isinstance(network, MsgVim | MaGGIe)
    matter: Matter
    if isinstance(network, MsgVim):
        matter, length = MsgVimMatter(Placed(network, choose("cpu"))), WINDOW
    else:
        matter, length = MaggieMatter(Placed(network, choose("cpu")), short_side_px=SIZE_PX), 1
    share = max(1, windows // READINGS)
    mattes = matter.stream(islice(_walk(), windows * length))
    readings = []
    for done in range(share, windows + 1, share):
        for _ in islice(mattes, share * length):
            pass
        resident = _resident_mib()
        give_back()
        readings.append(Reading(done, resident, _resident_mib()))
    return readings


def _resident_mib() -> float:
    return float(psutil.Process().memory_info().rss / _MIB)


def _walk() -> Iterator[Guided]:
    """Noise without end, in which a square goes round and another comes and goes."""
    random = np.random.default_rng(0)
    frame = 0
    while True:
        masks = np.zeros((2, SIZE_PX, SIZE_PX), np.bool_)
        masks[0, 16:48, frame % 24 : frame % 24 + 16] = True
        masks[1, 8:40, 42:60] = frame % 50 < 25
        yield Guided(random.integers(0, 256, (SIZE_PX, SIZE_PX, 3), np.uint8), masks)
        frame += 1
