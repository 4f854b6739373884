"""People by what moves in front of a background that stays.

The background of a frame is the middle value of its neighbours once the camera's own motion is taken out of them
(Cucchiara et al., "Detecting Moving Objects, Ghosts, and Shadows in Video Streams", PAMI 2003, take the same median).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.finding.proposal import Box, Proposal, clipped

FEWEST = 4
"""Fewer neighbours do not outvote a person who is on half of them."""
_LEAST_DIFFERENCE = 18.0
"""Of 255, the largest of the three colours: below this compression and shadows move, too."""
_NOISE_FACTOR = 4.0
_LEAST_AREA = 0.0008
_LEAST_BESIDE = 0.1
"""Of the largest moving part: beside somebody in front of the camera, scraps are sleeves and shadows."""
_MOST_AREA = 0.5
_SLIMMEST, _BROADEST = 0.18, 1.1
"""Width over height of what may be one person."""
_FULLNESS = 0.3
"""Share of its box that a person fills."""
_MARGIN = 0.06
_SCORE = 0.3


@dataclass(frozen=True)
class Movement:
    """What moves on a frame.

    Attributes:
        mask: ``[h, w]`` bool at a working size.
        scale: pixels of the mask per pixel of the frame.
    """

    mask: Mask
    scale: float

    def share(self, box: Box) -> float:
        """How much of a box of the frame moves, in [0, 1]."""
        x0, y0, x1, y1 = (round(side * self.scale) for side in box)
        part = self.mask[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
        return float(part.mean()) if part.size else 0.0


def movement(frame: NDArray[np.uint8], neighbours: Sequence[FloatArray], scale: float) -> Movement | None:
    """What differs from the background that the neighbours show.

    Args:
        frame: ``[h, w, 3]`` uint8 RGB, at working size.
        neighbours: each ``[h, w, 3]`` float32, of 255, brought to where the camera is on the frame; NaN where they do
            not show the place.
        scale: working pixels per pixel of the clip.

    Returns:
        None when there are fewer than :data:`FEWEST` neighbours, or the background cannot be told: nearly everything
        moves.
    """
    if len(neighbours) < FEWEST:
        return None
    stack = np.sort(np.stack(neighbours), axis=0)  # NaN sorts to the end, which nanmedian is too slow for
    known = (~np.isnan(stack[..., :1])).sum(axis=0)
    middle = np.take_along_axis(stack, np.maximum(known - 1, 0)[None] // 2, axis=0)[0]
    off = np.abs(frame.astype(np.float32) - middle).max(axis=2)
    usable = known[..., 0] >= FEWEST
    if not usable.any():
        return None
    noise = float(np.median(off[usable]))
    if noise > _LEAST_DIFFERENCE:
        return None
    threshold = max(_LEAST_DIFFERENCE, _NOISE_FACTOR * noise)
    raw = (np.where(usable, off, 0) > threshold).astype(np.uint8)
    radius = max(1, round(max(raw.shape) / 240))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    mask = cv2.morphologyEx(cv2.morphologyEx(raw, cv2.MORPH_OPEN, small), cv2.MORPH_CLOSE, disk) > 0
    return Movement(mask, scale) if mask.mean() < _MOST_AREA else None


def find_moving(moving: Movement, size_hw: tuple[int, int]) -> list[Proposal]:
    """The parts that move and are shaped like one person.

    Args:
        moving: see :func:`movement`.
        size_hw: of the frame.
    """
    _, _, stats, _ = cv2.connectedComponentsWithStats(moving.mask.astype(np.uint8), connectivity=8)
    found = []
    least = max(_LEAST_AREA * moving.mask.size, _LEAST_BESIDE * stats[1:, cv2.CC_STAT_AREA].max(initial=0))
    for x, y, width, height, area in stats[1:].tolist():
        if area < max(least, _FULLNESS * width * height):
            continue
        if not _SLIMMEST <= width / height <= _BROADEST:
            continue
        margin = _MARGIN * height
        corners = x - margin, y - margin, x + width + margin, y + height + margin
        left, top, right, bottom = (side / moving.scale for side in corners)
        box = clipped((left, top, right, bottom), size_hw)
        if box is not None:
            found.append(Proposal(box, _SCORE, None, "motion"))
    return found
