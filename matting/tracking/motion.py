"""How pixels move: between neighbouring frames, and between any frame and the prompted one its masks came from.

Source:
    Kroeger et al., "Fast Optical Flow using Dense Inverse Search" (ECCV 2016), as in OpenCV.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Picture
from matting.frames import to_8_bit
from matting.tracking.appearance import Colours, counted_colours
from matting.tracking.texture import described
from matting.tracking.waypoint import State

WORKING_PX = 640
"""Longer side of the pictures and masks that tracking works on, at most."""
MOTION_PX = 560
"""Longer side of the pictures that motion is measured on, at most."""
_SMALLEST_PX = 32
"""Pictures are padded to this side: OpenCV's coarse search crashes on narrower ones."""
_PATCH_PX = 7
"""Side of the squares whose colours are compared to judge a match."""
_MATCH_LAB = 10.0
"""Colour difference, summed over L, a and b of 255 steps each, at which a match is worth 1/e."""


@dataclass(frozen=True)
class Look:
    """A frame as tracking sees it.

    Attributes:
        rgb: ``[h, w, 3]`` uint8, working size.
    """

    rgb: NDArray[np.uint8]

    @property
    def size_hw(self) -> tuple[int, int]:
        """Working size."""
        return self.rgb.shape[0], self.rgb.shape[1]

    @cached_property
    def lab(self) -> NDArray[np.uint8]:
        """``[h, w, 3]`` uint8, CIE Lab as OpenCV scales it."""
        return np.asarray(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2LAB), np.uint8)

    @cached_property
    def colours(self) -> Colours:
        """``[h, w]``: the same reduced to the colours that are counted."""
        return counted_colours(self.lab)

    @cached_property
    def described(self) -> FloatArray:
        """``[h, w, 20]``: what pixels and their surroundings look like."""
        return described(self.lab)

    @cached_property
    def small_lab(self) -> NDArray[np.uint8]:
        """The same at motion size."""
        return resized(self.lab, fitting(self.size_hw, MOTION_PX))

    @cached_property
    def grey(self) -> NDArray[np.uint8]:
        """What motion is measured on: lightness at motion size, padded to the least size that can be measured."""
        small = np.ascontiguousarray(self.small_lab[..., 0])
        down, right = (max(_SMALLEST_PX - side, 0) for side in small.shape)
        return np.asarray(cv2.copyMakeBorder(small, 0, down, 0, right, cv2.BORDER_REPLICATE), np.uint8)


def fitting(size_hw: tuple[int, int], longest_px: int) -> tuple[int, int]:
    """The size with the same proportions whose longer side is at most ``longest_px``."""
    shrink = min(1.0, longest_px / max(size_hw))
    height, width = (max(1, round(side * shrink)) for side in size_hw)
    return height, width


def half_size(look: Look) -> tuple[int, int]:
    """Half the motion size of a frame: what has to be kept of it on disk is kept at this size."""
    height, width = look.small_lab.shape[:2]
    return (height + 1) // 2, (width + 1) // 2


def resized(array: NDArray[Any], size_hw: tuple[int, int]) -> NDArray[Any]:
    """``[H, W]`` or ``[H, W, C]`` at another size: averaged where it shrinks, interpolated where it grows."""
    if array.shape[:2] == size_hw:
        return array
    method = cv2.INTER_AREA if size_hw[0] < array.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(array, size_hw[::-1], interpolation=method), array.dtype)


def look_at(picture: Picture) -> Look:
    """Shrink a picture to working size."""
    return Look(resized(to_8_bit(picture), fitting((picture.shape[0], picture.shape[1]), WORKING_PX)))


class Motion:
    """Displacements between two neighbouring frames, both ways, small enough to be kept on disk.

    Attributes:
        there, back: ``[h, w, 2]`` float16, (x, y) in pixels of this grid, which has half the motion size (finer the
            search does not look): from the earlier frame to the later one, and from the later frame to the earlier.
    """

    def __init__(self, there: NDArray[np.float16], back: NDArray[np.float16]) -> None:
        self.there, self.back = there, back

    @property
    def reversed(self) -> Motion:
        """The same with the frames exchanged: time running backward."""
        return Motion(self.back, self.there)

    @cached_property
    def origin(self) -> FloatArray:
        """``[h, w, 2]``: where each pixel of the later frame comes from, as displacement into the earlier one."""
        return self.back.astype(np.float32)

    @cached_property
    def trust(self) -> FloatArray:
        """``[h, w]`` in [0, 1]: whether going back and there again leads home; low where something gets covered or
        uncovered and where motion could not be measured.
        """
        forth = _displaced(self.there.astype(np.float32), self.origin, outside=1e3)
        gap = np.square(self.origin + forth).sum(axis=-1)
        travelled = np.square(self.origin).sum(axis=-1) + np.square(forth).sum(axis=-1)
        return np.asarray(np.exp(-gap / (0.02 * travelled + 0.5)), np.float32)

    def state(self) -> State:
        """All that it is."""
        return {"there": self.there, "back": self.back}

    @classmethod
    def from_state(cls, state: State) -> Motion:
        """The same again."""
        return cls(state["there"], state["back"])


class Measure:
    """Measures motion between pictures of one size (OpenCV crashes when that changes), in one thread."""

    def __init__(self) -> None:
        self._fine = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        # A quarter of the time, and where the guess is good already as exact.
        self._coarse = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._coarse.setFinestScale(2)

    def between(self, earlier: Look, later: Look) -> Motion:
        """The motion from one frame to its neighbour and back."""
        half = half_size(earlier)
        there, back = self.displacement(earlier, later), self.displacement(later, earlier)
        return Motion(scaled(there, half).astype(np.float16), scaled(back, half).astype(np.float16))

    def displacement(self, source: Look, target: Look, guess: FloatArray | None = None) -> FloatArray:
        """Where each pixel of ``source`` is found in ``target``, as ``[h, w, 2]``; searched near ``guess`` if given."""
        height, width = source.small_lab.shape[:2]
        down, right = (padded - side for padded, side in zip(source.grey.shape, (height, width), strict=True))
        if guess is not None:
            guess = np.asarray(cv2.copyMakeBorder(guess, 0, down, 0, right, cv2.BORDER_REPLICATE), np.float32)
        search = self._fine if guess is None else self._coarse
        found = search.calc(source.grey, target.grey, guess)  # type: ignore[arg-type]
        return np.asarray(found[:height, :width], np.float32)


class Anchor:
    """Follows every pixel of a moving frame back to one fixed frame.

    Adding up the motion of neighbours drifts, so each sum is measured again against the fixed frame itself, and the
    new measure is taken wherever it matches the colours clearly better.
    """

    def __init__(self, look: Look, measure: Measure) -> None:
        self._look, self._measure = look, measure
        self._displacement = np.zeros((*look.small_lab.shape[:2], 2), np.float32)
        self._mismatch = np.zeros(look.small_lab.shape[:2], np.float32)

    def state(self) -> State:
        """All that it goes on from."""
        return {"look": self._look.rgb, "displacement": self._displacement, "mismatch": self._mismatch}

    @classmethod
    def from_state(cls, state: State, measure: Measure) -> Anchor:
        """The same again."""
        anchor = cls(Look(state["look"]), measure)
        anchor._displacement, anchor._mismatch = state["displacement"], state["mismatch"]
        return anchor

    @property
    def look(self) -> Look:
        """The fixed frame."""
        return self._look

    def advance(self, look: Look, motion: Motion) -> None:
        """Go on to the next frame."""
        step = scaled(motion.origin, (self._displacement.shape[0], self._displacement.shape[1]))
        summed = step + _displaced(self._displacement, step)
        measured = self._measure.displacement(look, self._look, summed)
        mismatches = self._colour_mismatch(look, summed), self._colour_mismatch(look, measured)
        better = mismatches[1] < 0.9 * mismatches[0]
        self._displacement = np.where(better[..., np.newaxis], measured, summed)
        self._mismatch = np.where(better, mismatches[1], mismatches[0])

    @property
    def origin(self) -> FloatArray:
        """``[h, w, 2]``: displacement of each pixel of the present frame into the fixed one, motion size."""
        return self._displacement

    @property
    def trust(self) -> FloatArray:
        """``[h, w]`` in [0, 1]: how well the colours there agree."""
        return np.asarray(np.exp(-self._mismatch / _MATCH_LAB), np.float32)

    def _colour_mismatch(self, look: Look, displacement: FloatArray) -> FloatArray:
        difference = cv2.absdiff(look.small_lab, _displaced(self._look.small_lab, displacement))
        summed = cv2.transform(difference.astype(np.float32), np.ones((1, 3), np.float32))
        return np.asarray(cv2.blur(summed, (_PATCH_PX, _PATCH_PX)), np.float32)


def scaled(displacement: FloatArray, size_hw: tuple[int, int]) -> FloatArray:
    """The same displacements on a grid of another size, in pixels of that grid."""
    height, width = displacement.shape[:2]
    if (height, width) == size_hw:
        return displacement
    # OpenCV multiplies pairs several times faster than numpy broadcasts them.
    factors = size_hw[1] / width, size_hw[0] / height, 0.0, 0.0
    return np.asarray(cv2.multiply(resized(displacement, size_hw), factors), np.float32)  # type: ignore[call-overload]


def displaced_grid(displacement: FloatArray, size_hw: tuple[int, int]) -> FloatArray:
    """Where the pixels of a picture of ``size_hw`` come from: ``[h, w, 2]`` positions (x, y) in pixels of that size."""
    return np.asarray(cv2.add(scaled(displacement, size_hw), _grid(size_hw)), np.float32)


@lru_cache(maxsize=4)
def _grid(size_hw: tuple[int, int]) -> FloatArray:
    y, x = np.indices(size_hw, np.float32)
    return np.stack((x, y), axis=-1)


def sampled(array: NDArray[Any], grid: FloatArray, outside: float | None = None) -> NDArray[Any]:
    """``array`` at positions (x, y), interpolated; beyond the border its nearest value, or ``outside``."""
    border = cv2.BORDER_REPLICATE if outside is None else cv2.BORDER_CONSTANT
    beyond = (outside or 0.0,) * 4
    found = cv2.remap(array, grid, None, interpolation=cv2.INTER_LINEAR, borderMode=border, borderValue=beyond)  # type: ignore[call-overload]
    return np.asarray(found, array.dtype)


def _displaced(array: NDArray[Any], displacement: FloatArray, outside: float | None = None) -> NDArray[Any]:
    return sampled(array, displaced_grid(displacement, (array.shape[0], array.shape[1])), outside)
