"""Working only where there is something to do: on the CPU, where every pixel costs, in a window of each map."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from torch import Tensor

ALIGNMENT_PX = 8
"""Windows begin and end at multiples of this, so that the coarser scales have whole pixels in them."""


def window(active: Tensor, margin: int, alignment: int = ALIGNMENT_PX) -> tuple[slice, slice] | None:
    """Rows and columns of the active pixels of some maps and of what surrounds them.

    Args:
        active: ``[M, H, W]`` bool.
        margin: how many pixels around the active ones belong to the window at least; less at the maps' edges.
        alignment: rows and columns begin and end at multiples of this, or with the map.

    Returns:
        All rows and columns if the maps are not on the CPU; None if nothing is active.
    """
    height, width = active.shape[-2:]
    if active.device.type != "cpu":
        return (slice(0, height), slice(0, width)) if bool(active.any()) else None
    seen = active[0] if len(active) == 1 else active.any(0)
    x, y, across, down = cv2.boundingRect(seen.numpy().view(np.uint8))
    if not across:
        return None
    return _aligned(y, y + down, margin, alignment, height), _aligned(x, x + across, margin, alignment, width)


def windows(active: Tensor, margin: int) -> Iterator[tuple[slice, slice, slice]]:
    """What to work on of ``[M, H, W]`` maps: on the CPU map by map, elsewhere all at once; see :func:`window`."""
    step = 1 if active.device.type == "cpu" else len(active)
    for first in range(0, len(active), step):
        maps = slice(first, first + step)
        found = window(active[maps], margin)
        if found is not None:
            yield maps, *found


def _aligned(start: int, stop: int, margin: int, alignment: int, end: int) -> slice:
    return slice(
        max(0, start - margin) // alignment * alignment, min(end, stop + margin + -(stop + margin) % alignment)
    )
