"""Filling the holes of one frame from references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, Picture
from matting.compositing.alignment import Homography, align, is_still, look_at
from matting.compositing.boxes import Box
from matting.compositing.depth import rounded
from matting.compositing.made_up import Scenery
from matting.compositing.merging import Sample, fade, fit_to_surroundings, match_exposure, merge
from matting.compositing.references import Grid, Reference, View
from matting.compositing.spread import spread

SAMPLES = 4
"""How many references are merged in one hole."""
FEATHER_PX = 4
NEAR_FRAMES = 50
"""A reference this many frames away counts half."""


@dataclass(frozen=True)
class Patch:
    """What goes over one hole.

    Attributes:
        colors: ``[h, w, 3]`` in the frame's dtype, already mixed with the frame on the rim.
        coverage: ``[h, w]`` uint8: 255 in the hole, falling to 0 a few pixels outside.
        made_up_pixels: how many pixels of the hole no reference shows.
    """

    colors: Picture
    coverage: NDArray[np.uint8]
    made_up_pixels: int


class Patcher:
    """Knows one frame; fills its holes one after another."""

    def __init__(
        self, frame: Picture, hidden: Mask, view: View, references: Sequence[Reference], scenery: Scenery | None
    ) -> None:
        self._frame, self._visible = frame, ~hidden
        self._peak = int(np.iinfo(frame.dtype).max)
        self._view, self._scenery = view, scenery
        self._sight = look_at(frame, hidden)
        self._grid = Grid((hidden.shape[0], hidden.shape[1]))
        self._references = [(reference, self._worth(reference)) for reference in references]

    def patch(self, box: Box, hole: Mask) -> Patch:
        """Make what goes over ``hole``, ``[h, w]`` bool inside ``box``."""
        frame = self._frame[box.slices].astype(np.float32)
        visible = self._visible[box.slices]
        samples = [self._sample(reference, box) for reference in self._ranked(hole, box)]
        matched = [match_exposure(sample, frame, visible, self._peak) for sample in samples]
        colors, shown = merge(matched, box.size_hw, self._peak)
        colors = fit_to_surroundings(colors, frame, visible & shown, self._peak)
        known = shown | visible
        if not known.all():
            real = np.where(visible[..., None], frame, colors)
            made_up = fit_to_surroundings(self._made_up(box, real, known), real, known, self._peak)
            colors = made_up + fade(shown, FEATHER_PX)[..., None] * (colors - made_up)
        coverage = _feathered(hole)
        mixed = frame + (coverage / np.float32(255))[..., None] * (colors - frame)
        return Patch(rounded(mixed, self._frame), coverage, int((hole & ~shown).sum()))

    def _made_up(self, box: Box, real: FloatArray, known: Mask) -> FloatArray:
        """The scenery inside ``box``; farther than that reaches, colours spread from what is ``known``."""
        if self._scenery is None:
            return spread(real, known.astype(np.float32))
        colors, there = self._scenery.inside(self._view.pose.to_scene, box)
        if there.all():
            return colors
        either = np.where(there[..., None], colors, real)
        return spread(either, (there | known).astype(np.float32))

    def _sample(self, reference: Reference, box: Box) -> Sample:
        """A reference's picture as it would stand in the frame, inside ``box``."""
        guess = self._way_from(reference)
        if is_still(guess):
            return _moved(reference, guess, box)
        motion = align(reference.sight, self._sight, guess, box.slices)
        return _moved(reference, guess if motion is None else motion, box)

    def _way_from(self, reference: Reference) -> Homography:
        return np.linalg.inv(self._view.pose.to_scene) @ reference.view.pose.to_scene

    def _worth(self, reference: Reference) -> FloatArray:
        """On the coarse grid: how much the reference shows of the frame, less if it is far in time."""
        motion = np.linalg.inv(self._grid.to_frame) @ self._way_from(reference) @ self._grid.to_frame
        seen = (~self._grid.unpack(reference.view.hidden)).astype(np.float32)
        near = np.float32(1 / (1 + abs(reference.view.index - self._view.index) / NEAR_FRAMES))
        return near * np.asarray(cv2.warpPerspective(seen, motion, self._grid.size_hw[::-1]), np.float32)

    def _ranked(self, hole: Mask, box: Box) -> list[Reference]:
        """The references that show most of the hole, near in time and more than once."""
        whole = np.zeros(self._visible.shape, bool)
        whole[box.slices] = hole
        missing = self._grid.unpack(self._grid.pack(whole)).astype(np.float32) + np.float32(1e-3)
        left, ranked = list(self._references), list[Reference]()
        while left and len(ranked) < SAMPLES:
            gains = [float((missing * worth).sum()) for _, worth in left]
            if max(gains) <= 0:
                break
            reference, worth = left.pop(int(np.argmax(gains)))
            ranked.append(reference)
            missing = missing * np.float32(0.3) ** worth
        return ranked


def _moved(reference: Reference, motion: Homography, box: Box) -> Sample:
    if is_still(motion):
        return Sample(reference.picture[box.slices].astype(np.float32), ~reference.hidden[box.slices])
    size_wh = box.size_hw[::-1]
    into_box = np.array([[1, 0, -box.left], [0, 1, -box.top], [0, 0, 1]], np.float64) @ motion
    colors = cv2.warpPerspective(
        reference.picture, into_box, size_wh, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    # Less than full outside the reference and where interpolation would touch a masked pixel.
    seen = cv2.warpPerspective((~reference.hidden).astype(np.uint8) * 255, into_box, size_wh)
    return Sample(np.asarray(colors, np.float32), np.asarray(seen) >= 254)


def _feathered(hole: Mask) -> NDArray[np.uint8]:
    distance = cv2.distanceTransform((~hole).astype(np.uint8), cv2.DIST_L2, 3)
    return np.rint(255 * np.clip(1 - np.asarray(distance) / (FEATHER_PX + 1), 0, 1)).astype(np.uint8)
