"""A frame and its masks as they are looked over: small, with colours counted and motion measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

LOOKED_OVER_PX = 480
"""Longer side at which frames are looked over, at most."""
_LEAST_PX = 32
"""Narrower pictures are not made smaller than this: OpenCV's coarse search of motion crashes on them."""
_STEPS = 8, 16, 16
"""In how many steps L, a and b are counted; chroma is told apart within ±64."""
_RING = 0.25
"""Width of an instance's surroundings, in sides of a square of its area."""

Ids: TypeAlias = NDArray[np.uint8]
"""An index picture, ``[h, w]``."""
Counts: TypeAlias = NDArray[np.float64]
"""Shares of colours, adding up to 1, or all 0 of nothing; ``[C]``."""


@dataclass(frozen=True)
class Sight:
    """One frame, looked over.

    Attributes:
        index: the frame.
        rgb: ``[h, w, 3]`` uint8, small.
        ids: ``[h, w]``, pixel value = instance id.
        certainty: how sure the tracker was of each instance, in [0, 1], as far as it said.
    """

    index: int
    rgb: NDArray[np.uint8]
    ids: Ids
    certainty: Mapping[int, float] = field(default_factory=dict)

    @cached_property
    def lab(self) -> NDArray[np.uint8]:
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2LAB), np.uint8)

    @cached_property
    def colours(self) -> NDArray[np.int32]:
        """``[h, w]``: which of the counted colours each pixel has."""
        lightness, a, b = _STEPS
        lab = cv2.GaussianBlur(self.lab, (3, 3), 0).astype(np.int32)
        chroma = np.clip(lab[..., 1:] - 64, 0, 127)
        return (lab[..., 0] * lightness // 256 * a + chroma[..., 0] * a // 128) * b + chroma[..., 1] * b // 128

    @cached_property
    def background(self) -> Counts:
        """How often each colour occurs where nobody is."""
        return shares_of(self.colours[self.ids == 0])


def look_over(index: int, rgb: NDArray[np.uint8], ids: Ids, certainty: Mapping[int, float] | None = None) -> Sight:
    """Make a frame ``[H, W, 3]`` and its index picture small; the latter may be so already."""
    size = _small_size(*rgb.shape[:2])
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return Sight(index, np.asarray(small, np.uint8), shrunk(ids), certainty or {})


def shrunk(ids: Ids) -> Ids:
    """An index picture at the size at which frames are looked over."""
    size = _small_size(*ids.shape)
    return np.asarray(cv2.resize(ids, size, interpolation=cv2.INTER_NEAREST), np.uint8)


def _small_size(height: int, width: int) -> tuple[int, int]:
    """Width and height."""
    shrink = min(1.0, LOOKED_OVER_PX / max(height, width))
    return max(_LEAST_PX, round(width * shrink)), max(_LEAST_PX, round(height * shrink))


class Motion:
    """Measures motion between two sights.

    Source:
        Kroeger et al., "Fast Optical Flow using Dense Inverse Search" (ECCV 2016), as in OpenCV.
    """

    def __init__(self) -> None:
        self._search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)

    def carried(self, there: Sight, here: Sight) -> Ids:
        """The index picture of one frame as motion puts it onto another, ``[h, w]``."""
        flow = self._search.calc(here.lab[..., 0].copy(), there.lab[..., 0].copy(), None)  # type: ignore[call-overload]
        height, width = here.ids.shape
        rows, columns = np.indices((height, width), np.float32)
        moved = cv2.remap(there.ids, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_NEAREST)
        return np.asarray(moved, np.uint8)


@dataclass(frozen=True)
class Colours:
    """An instance on one frame, as far as it is compared with others.

    Attributes:
        inside: how often each colour occurs in its mask.
        area: pixels of its mask.
        beside: by instance id, the share of its surroundings that belongs to another one.
        outside: how often each colour occurs where nobody is.
    """

    inside: Counts
    area: int
    beside: Mapping[int, float]
    outside: Counts


def colours_of(sight: Sight, instance_id: int) -> Colours | None:
    """Count; None where the instance is not to be seen."""
    mask = sight.ids == instance_id
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    area = int(mask.sum())
    reach = max(4, round(_RING * area**0.5))
    window = (
        slice(max(int(rows[0]) - reach, 0), int(rows[-1]) + reach + 1),
        slice(max(int(columns[0]) - reach, 0), int(columns[-1]) + reach + 1),
    )
    inside = mask[window]
    near = cv2.dilate(inside.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) > 0
    around = np.bincount(sight.ids[window][near & ~inside], minlength=256)
    others = {int(i): float(around[i] / around.sum()) for i in np.flatnonzero(around) if i}
    return Colours(shares_of(sight.colours[window][inside]), area, others, sight.background)


def likeness(one: Counts, other: Counts) -> float:
    """In [0, 1]: the Bhattacharyya coefficient, 1 for the same colours in the same shares."""
    return float(np.sqrt(one * other).sum())


def shares_of(colours: NDArray[np.int32]) -> Counts:
    """How often each colour occurs among some pixels."""
    counts = np.bincount(colours, minlength=int(np.prod(_STEPS))).astype(np.float32).reshape(_STEPS)
    for axis in range(3):  # neighbouring colours count as alike
        along = np.moveaxis(counts, axis, 0)
        spread = 0.5 * along
        spread[1:] += 0.25 * along[:-1]
        spread[:-1] += 0.25 * along[1:]
        counts = np.moveaxis(spread, 0, axis)
    return np.asarray(counts.ravel() / max(float(counts.sum()), 1e-9), np.float64)
