"""Where a mask leaves room for a matte: the band round its outline and how far to trust the mask within it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask

_GRIP = 1.0
_GRIP_POWER = 6
_SLACK = 1e-4


@dataclass(frozen=True)
class Band:
    """What is to be solved for one mask, cut out of the picture.

    Attributes:
        box: rows and columns of the picture that the other attributes cover.
        opaque: ``[h, w]`` bool, surely inside.
        unknown: ``[h, w]`` bool, to be solved; everything else is surely outside.
        guess: ``[h, w]`` float32 in {0, 1}, the mask.
        trust: ``[h, w]`` float32 > 0, the weight of ``guess`` against the matting Laplacian.
    """

    box: tuple[slice, slice]
    opaque: Mask
    unknown: Mask
    guess: FloatArray
    trust: FloatArray


def band_px(size_hw: tuple[int, int]) -> int:
    """Half the width of the band: 1/45 of the short side, at least 4 px, which is what a tracked outline is off by."""
    return max(4, round(min(size_hw) / 45))


def band_around(mask: Mask, others: Mask, radius_px: int) -> Band:
    """Draw the band of one mask.

    The trust in the mask rises with the sixth power of the depth: none at the outline, so that the picture decides
    there, and strong at the band's edges, so that a good outline is not smeared by a wide band. Inside a limb thinner
    than the band the depth counts in parts of the limb's own half width.

    Args:
        mask: ``[H, W]`` bool, not empty.
        others: ``[H, W]`` bool, what belongs to other instances; deeper than ``radius_px`` in it the matte is zero.
        radius_px: half the width of the band.
    """
    box = _box_of(mask, radius_px + 2)
    inside, taken = mask[box], others[box]
    depth = _depth(inside)
    outside = cv2.distanceTransform((~inside).astype(np.uint8), cv2.DIST_L2, 5)
    square = np.ones((2 * radius_px + 1,) * 2, np.uint8)
    thickness = np.clip(cv2.dilate(depth, square), 1, radius_px)
    share = np.where(inside, depth / thickness, outside / radius_px)
    opaque = inside & (depth > radius_px)
    foreign = taken & (_depth(taken) > radius_px)
    return Band(
        box=box,
        opaque=opaque,
        unknown=(outside <= radius_px) & ~opaque & ~foreign,
        guess=inside.astype(np.float32),
        trust=(_SLACK + _GRIP * np.minimum(share, 1) ** _GRIP_POWER).astype(np.float32),
    )


def _box_of(mask: Mask, margin: int) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return slice(max(0, y - margin), y + height + margin), slice(max(0, x - margin), x + width + margin)


def _depth(mask: Mask) -> FloatArray:
    """Distance to the outside in pixels; the picture goes on beyond its border, so a border is not an outline."""
    grown = np.pad(mask.astype(np.uint8), 1, mode="edge")
    depth: FloatArray = cv2.distanceTransform(grown, cv2.DIST_L2, 5)[1:-1, 1:-1].astype(np.float32)
    return depth
