"""Prompts as an artist would place them, made from a known mask by a stated rule, so that seeders can be measured."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask

_DEEP = 0.6
_SHAKE = 0.02
_SLIGHT = 0.1
_WORTH = 0.005

Point = tuple[float, float]


@dataclass(frozen=True)
class Placed:
    """Include points, exclude points (x, y) and box (x0, y0, x1, y1), in pixels of the frame."""

    include: tuple[Point, ...] = ()
    exclude: tuple[Point, ...] = ()
    box: tuple[float, float, float, float] | None = None


def one_point(truth: Mask, chance: np.random.Generator) -> Placed:
    """A click well inside: any pixel at least 0.6 times as deep as the deepest."""
    return Placed(include=(_deep(truth, _depth(truth), chance),))


def points(truth: Mask, chance: np.random.Generator) -> Placed:
    """A click well inside each third of the height that holds a tenth of the mask: for a person chest, hip and leg."""
    rows = np.flatnonzero(truth.any(axis=1))
    edges = np.linspace(rows[0], rows[-1] + 1, 4).round().astype(int)
    depth = _depth(truth)
    placed = []
    for top, bottom in pairwise(edges):
        third = np.zeros_like(truth)
        third[top:bottom] = truth[top:bottom]
        if third.sum() > _SLIGHT * truth.sum():
            placed.append(_deep(third, depth, chance))
    return Placed(include=tuple(placed))


def box(truth: Mask, chance: np.random.Generator) -> Placed:
    """The smallest box, each side off by up to 2 % of the box's width or height."""
    x, y, width, height = cv2.boundingRect(truth.astype(np.uint8))
    left, top, right, bottom = chance.uniform(-_SHAKE, _SHAKE, 4)
    frame_height, frame_width = truth.shape
    return Placed(
        box=(
            max(0.0, x + left * width),
            max(0.0, y + top * height),
            min(float(frame_width), x + width * (1 + right)),
            min(float(frame_height), y + height * (1 + bottom)),
        )
    )


def box_and_points(truth: Mask, chance: np.random.Generator) -> Placed:
    """:func:`box` and :func:`points` together."""
    return Placed(include=points(truth, chance).include, box=box(truth, chance).box)


def corrected(given: Placed, truth: Mask, found: Mask) -> Placed:
    """The prompt and a click into the middle of the largest missed and of the largest false part.

    A part smaller than 0.5 % of the mask is left as it is.
    """
    include, exclude = list(given.include), list(given.exclude)
    for wrong, clicks in ((truth & ~found, include), (found & ~truth, exclude)):
        _, parts, stats, _ = cv2.connectedComponentsWithStats(wrong.astype(np.uint8), connectivity=8)
        if len(stats) < 2:
            continue
        largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
        if stats[largest, cv2.CC_STAT_AREA] >= _WORTH * truth.sum():
            depth = _depth(parts == largest)
            y, x = np.unravel_index(depth.argmax(), depth.shape)
            clicks.append((float(x), float(y)))
    return Placed(tuple(include), tuple(exclude), given.box)


def _depth(mask: Mask) -> NDArray[np.float32]:
    """Distance of each pixel to the nearest outside, the picture's rim counted as outside."""
    padded = np.pad(mask.astype(np.uint8), 1)
    return np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1], np.float32)


def _deep(part: Mask, depth: NDArray[np.float32], chance: np.random.Generator) -> Point:
    inside = np.where(part, depth, 0)
    rows, columns = np.nonzero(inside >= _DEEP * inside.max())
    chosen = int(chance.integers(len(rows)))
    return float(columns[chosen]), float(rows[chosen])
