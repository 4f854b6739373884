"""Who is matted together with whom, and in which part of the picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from statistics import fmean
from typing import TypeAlias

import numpy as np

from matting.arrays import FloatArray, Mask
from matting.inference.matter import Guided

Box: TypeAlias = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels, half-open."""
MARGIN_PX = 32


def box_of(mask: Mask) -> Box:
    """The box round what is set in ``[H, W]``, which must not be empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def region(boxes: Iterable[Box], size_hw: tuple[int, int]) -> Box:
    """The part of the picture that holds all boxes and some surroundings: an eighth of the short side all round.

    The whole picture where there is no box at all.
    """
    height, width = size_hw
    corners = np.array(list(boxes)).reshape(-1, 4)
    if not len(corners):
        return 0, 0, width, height
    margin = max(MARGIN_PX, min(size_hw) // 8)
    x0, y0 = (int(side) for side in np.maximum(corners[:, :2].min(axis=0) - margin, 0))
    x1, y1 = (int(side) for side in np.minimum(corners[:, 2:].max(axis=0) + margin, (width, height)))
    return x0, y0, x1, y1


def cropped(step: Guided, box: Box) -> Guided:
    """The part of a frame and its masks that lies in the box."""
    x0, y0, x1, y1 = box
    return Guided(step.frame[y0:y1, x0:x1], step.masks[:, y0:y1, x0:x1])


def uncropped(alphas: FloatArray, box: Box, size_hw: tuple[int, int]) -> FloatArray:
    """``[N, h, w]`` of the box as ``[N, H, W]`` of the picture, zero outside."""
    x0, y0, x1, y1 = box
    whole = np.zeros((len(alphas), *size_hw), np.float32)
    whole[:, y0:y1, x0:x1] = alphas
    return whole


def neighbours(boxes: Mapping[int, Box], instance_id: int, reach: int) -> tuple[int, ...]:
    """The instances that come within twice ``reach`` pixels of this one or of one another of them, ascending."""
    found, queue = {instance_id}, [instance_id]
    while queue:
        x0, y0, x1, y1 = boxes[queue.pop()]
        for other, (a0, b0, a1, b1) in boxes.items():
            apart = max(a0 - x1, x0 - a1, b0 - y1, y0 - b1)
            if other not in found and apart <= 2 * reach:
                found.add(other)
                queue.append(other)
    return tuple(sorted(found))


def parties(ids: Iterable[int], boxes: Iterable[Mapping[int, Box]], most: int) -> list[tuple[int, ...]]:
    """All instances in groups of at most ``most``, so that those who stand side by side are together.

    Args:
        ids: everybody.
        boxes: where they are in each part of the range.
        most: the largest group.

    Returns:
        Groups of about equal size from left to right, ids ascending in each; who is never seen comes first.
    """
    places: dict[int, list[int]] = {instance_id: [] for instance_id in ids}
    for part in boxes:
        for instance_id, (x0, _, x1, _) in part.items():
            places[instance_id].append(x0 + x1)
    order = sorted(places, key=lambda i: (fmean(places[i]) if places[i] else -1.0, i))
    count = -(-len(order) // most) if order else 0
    cuts = [len(order) * place // count for place in range(count + 1)] if count else []
    return [tuple(sorted(order[a:b])) for a, b in pairwise(cuts)]
