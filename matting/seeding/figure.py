"""Where a figure can be expected from a few points and a box, before any colour is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray

_STRONGEST, _WEAKEST = 1.8, -3.0
_REPELLED = 4.0
_HEAD_SHARE, _FOOT_SHARE = 0.07, 0.04
_CLOSEST, _CLOSER = 0.5, 0.07
_STOUT = 0.22

Point = tuple[int, int]
Box = tuple[int, int, int, int]


def expect_figure(
    size_hw: tuple[int, int], include: Sequence[Point], exclude: Sequence[Point], box: Box | None
) -> FloatArray:
    """Log-odds that a pixel belongs to the figure.

    The points are joined by the shortest tree, which is taken for the figure's spine and limbs. A box is taken to be
    touched by the figure at its top and bottom, so the tree is drawn out to both.

    Args:
        size_hw: of the picture.
        include: (x, y) on the figure; may be empty if there is a box.
        exclude: (x, y) off the figure; it is less likely round them.
        box: (x0, y0, x1, y1) round the figure.

    Returns:
        ``[H, W]`` float32, from +1.8 on the tree to -3 far away, and up to 4 less round exclude points.
    """
    bones = _bones(include, box, size_hw)
    blank = np.ones(size_hw, np.uint8)
    for start, end in bones:
        cv2.line(blank, start, end, 0, 1)
    girth_px = _girth_px(include, box, size_hw)
    odds = _STRONGEST * (1 - cv2.distanceTransform(blank, cv2.DIST_L2, 5) / girth_px)
    if exclude:
        blank[:] = 1
        for x, y in exclude:
            blank[y, x] = 0
        odds = np.maximum(odds, _WEAKEST)
        odds -= _REPELLED * np.maximum(0, 1 - cv2.distanceTransform(blank, cv2.DIST_L2, 5) / girth_px)
    expected: FloatArray = np.maximum(odds, _WEAKEST - _REPELLED if exclude else _WEAKEST).astype(np.float32)
    return expected


def _bones(include: Sequence[Point], box: Box | None, size_hw: tuple[int, int]) -> list[tuple[Point, Point]]:
    points = list(include)
    if box:
        x0, y0, x1, y1 = box
        head, foot = y0 + round(_HEAD_SHARE * (y1 - y0)), y1 - 1 - round(_FOOT_SHARE * (y1 - y0))
        points = points or [((x0 + x1) // 2, (y0 + y1) // 2)]
        highest, lowest = min(points, key=lambda p: p[1]), max(points, key=lambda p: p[1])
        points += [(highest[0], min(head, highest[1])), (lowest[0], max(foot, lowest[1]))]
    elif len(points) == 1:
        # One point is most often on the chest; a body reaches up a little and down a lot.
        (x, y), height = points[0], size_hw[0]
        points += [(x, max(0, y - height // 12)), (x, min(height - 1, y + height // 5))]
    return _shortest_tree(points)


def _shortest_tree(points: Sequence[Point]) -> list[tuple[Point, Point]]:
    """Prim's minimum spanning tree; a single point is joined to itself."""
    joined, left = [points[0]], list(points[1:])
    bones = [(points[0], points[0])]
    while left:
        start, end = min(((a, b) for a in joined for b in left), key=lambda pair: float(np.hypot(*_minus(*pair))))
        bones.append((start, end))
        joined.append(end)
        left.remove(end)
    return bones


def _minus(a: Point, b: Point) -> NDArray[np.int64]:
    return np.subtract(a, b)


def _girth_px(include: Sequence[Point], box: Box | None, size_hw: tuple[int, int]) -> float:
    """How far from the tree the figure is as likely as not; the more points, the closer their tree follows it."""
    if box:
        width, height = box[2] - box[0], box[3] - box[1]
        closeness = max(_CLOSEST, 1 - _CLOSER * (len(include) - 1))
        return max(2.0, closeness * min(0.30 * width, _STOUT * height))
    spread = np.ptp(np.array(include), axis=0).max() if len(include) > 1 else 0.25 * size_hw[0]
    return max(2.0, 0.20 * float(spread), 0.02 * size_hw[0])
