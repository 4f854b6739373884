"""Making up missing parts of a picture from patches of the rest.

Source:
    Wexler, Shechtman & Irani, "Space-Time Completion of Video" (PAMI 2007), on one picture, with the search of
    Barnes et al., "PatchMatch" (SIGGRAPH 2009), run for all patches at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.compositing.spread import spread

REACH = 3
"""Patches are squares of 2·REACH + 1 pixels."""
SEARCHED_PIXELS = 12_000
"""Pictures with more missing pixels take over the patches found at half their size without searching again."""

Places = NDArray[np.intp]
"""``[P, 2]`` as row, column."""


def inpaint(colors: FloatArray, missing: Mask) -> FloatArray:
    """Fill ``missing`` with what could stand there.

    Args:
        colors: ``[H, W, 3]`` float32 in [0, 1]; must be finite where missing.
        missing: ``[H, W]`` bool.

    Returns:
        ``[H, W, 3]``, unchanged outside ``missing``; the same for the same input. Where there are no whole patches
        to take from, colours spread smoothly from what is known, black if nothing is.
    """
    if not missing.any():
        return colors
    levels = [(colors, missing)]
    while _thickness(levels[-1][1]) > REACH and min(levels[-1][1].shape) >= 12 * REACH:
        levels.append(_halved(*levels[-1]))
    while len(levels) > 1 and not _sources(levels[-1][1]).any():
        levels.pop()
    coarse, coarse_missing = levels[-1]
    filled = spread(coarse, (~coarse_missing).astype(np.float32))
    if not _sources(coarse_missing).any():
        return _kept(colors, filled, missing) if len(levels) == 1 else colors
    rng = np.random.default_rng(0)
    match: _Match | None = None
    for known, hole in reversed(levels):
        patches = _Patches(known, hole)
        if match is None:
            match = patches.guess(rng)
        else:
            match = patches.inherit(match, rng)
            filled = _kept(known, patches.vote(known, match), hole)
        if hole.sum() <= SEARCHED_PIXELS:
            for _ in range(5):
                match = patches.search(filled, match, rng)
                filled = _kept(known, patches.vote(filled, match), hole)
    return filled


@dataclass(frozen=True)
class _Match:
    """For every patch that touches the hole, the place of a whole one like it, and how unlike they are."""

    place: Places
    cost: FloatArray


class _Patches:
    """The patches of one picture that touch its hole, and where whole ones are."""

    def __init__(self, known: FloatArray, hole: Mask) -> None:
        self._size = np.array(hole.shape)
        self._hole, self._is_source = hole, _sources(hole)
        self._source_places = np.argwhere(self._is_source)
        side = 2 * REACH + 1
        self._is_center = cv2.dilate(hole.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        self.centers = np.argwhere(self._is_center)
        self._number = np.full(hole.shape, -1, np.intp)
        self._number[self._is_center] = np.arange(len(self.centers))
        around = np.arange(-REACH, REACH + 1)
        self._around = np.stack(np.meshgrid(around, around, indexing="ij"), axis=-1).reshape(-1, 2)
        self._known = known

    def guess(self, rng: np.random.Generator) -> _Match:
        place = self._source_places[rng.integers(len(self._source_places), size=len(self.centers))]
        return _Match(place, np.ones(len(place), np.float32))

    def inherit(self, coarse: _Match, rng: np.random.Generator) -> _Match:
        """Carry over what was found at half the size."""
        size = (self._size + 1) // 2
        side = 2 * REACH + 1
        small_hole = _halved(self._known, self._hole)[1]
        number = np.full(tuple(size), 0, np.intp)
        centers = cv2.dilate(small_hole.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
        number[centers] = np.arange(int(centers.sum()))
        half = np.minimum(self.centers // 2, size - 1)
        index = number[half[:, 0], half[:, 1]]
        place = coarse.place[index] * 2 + self.centers % 2
        place = self._only_sources(place, rng)
        return _Match(place, coarse.cost[index])

    def search(self, filled: FloatArray, match: _Match, rng: np.random.Generator) -> _Match:
        """Look for better places: those next to the neighbours' and some at random, near and far."""
        padded = cv2.copyMakeBorder(filled, REACH, REACH, REACH, REACH, cv2.BORDER_REFLECT_101)
        own = np.concatenate(
            [padded[self.centers[:, 0] + y + REACH, self.centers[:, 1] + x + REACH] for y, x in self._around], axis=1
        )
        place, cost = match.place.copy(), self._cost(filled, own, match.place)
        for step in (4, 1, 1):
            for shift in ((0, step), (step, 0), (0, -step), (-step, 0)):
                beside = np.clip(self.centers + shift, 0, self._size - 1)
                number = self._number[beside[:, 0], beside[:, 1]]
                self._improve(filled, own, place, cost, place[number] - shift, number >= 0)
        radius = float(self._size.max())
        while radius >= 1:
            offset = np.rint(rng.uniform(-radius, radius, place.shape)).astype(np.intp)
            self._improve(filled, own, place, cost, place + offset)
            radius /= 3
        return _Match(place, cost)

    def vote(self, filled: FloatArray, match: _Match) -> FloatArray:
        """Give each missing pixel the mean of what the patches over it say, the better ones more."""
        trust = np.exp(-match.cost / (2 * max(float(np.percentile(match.cost, 50)) * 0.25, 1e-6))) + 1e-6
        places = np.argwhere(self._hole)
        total, weight = np.zeros((len(places), 3), np.float32), np.zeros((len(places), 1), np.float32)
        for shift in self._around:
            center = places - shift
            inside = ((center >= 0) & (center < self._size)).all(axis=1)
            number = self._number[tuple(np.clip(center, 0, self._size - 1).T)]
            row, column = (match.place[number] + shift).T
            share = np.where(inside, trust[number], 0)[:, None].astype(np.float32)
            total += share * self._known[row, column]
            weight += share
        result = filled.copy()
        result[self._hole] = total / np.maximum(weight, 1e-20)
        return result

    def _improve(
        self,
        filled: FloatArray,
        own: FloatArray,
        place: Places,
        cost: FloatArray,
        candidate: Places,
        allowed: Mask | None = None,
    ) -> None:
        candidate = np.clip(candidate, 0, self._size - 1)
        usable = self._is_source[candidate[:, 0], candidate[:, 1]]
        tried = np.flatnonzero(usable if allowed is None else usable & allowed)
        found = self._cost(filled, own[tried], candidate[tried])
        better = found < cost[tried]
        place[tried[better]], cost[tried[better]] = candidate[tried[better]], found[better]

    def _cost(self, filled: FloatArray, own: FloatArray, place: Places) -> FloatArray:
        """Mean squared difference of patches; ``own`` is ``[P, patch·3]``."""
        flat = filled.reshape(-1, 3)
        index = (place[:, 0] * self._size[1] + place[:, 1])[:, None] + self._around @ [self._size[1], 1]
        difference = flat[index].reshape(len(place), -1) - own
        return np.asarray(np.einsum("ij,ij->i", difference, difference) / own.shape[1], np.float32)

    def _only_sources(self, place: Places, rng: np.random.Generator) -> Places:
        place = np.clip(place, REACH, self._size - 1 - REACH)
        bad = ~self._is_source[place[:, 0], place[:, 1]]
        place[bad] = self._source_places[rng.integers(len(self._source_places), size=int(bad.sum()))]
        return place


def _sources(missing: Mask) -> Mask:
    """Centres of patches that lie wholly inside the picture and outside the hole."""
    side = 2 * REACH + 1
    touched = cv2.dilate(missing.astype(np.uint8), np.ones((side, side), np.uint8)) > 0
    inner = np.zeros(missing.shape, bool)
    inner[REACH : missing.shape[0] - REACH, REACH : missing.shape[1] - REACH] = True
    whole: Mask = inner & ~touched
    return whole


def _thickness(missing: Mask) -> float:
    framed = cv2.copyMakeBorder(missing.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    return float(cv2.distanceTransform(framed, cv2.DIST_L2, 3).max())


def _halved(colors: FloatArray, missing: Mask) -> tuple[FloatArray, Mask]:
    """Half the size, rounded up; a pixel is missing when any of its four is."""
    height, width = missing.shape
    known = (~missing).astype(np.float32)
    both = cv2.copyMakeBorder(
        np.dstack([colors * known[..., None], known]), 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE
    )
    small = cv2.resize(both, ((width + 1) // 2, (height + 1) // 2), interpolation=cv2.INTER_AREA)
    share = np.asarray(small[..., 3], np.float32)
    means = small[..., :3] / np.maximum(share, np.float32(1e-6))[..., None]
    return np.asarray(means, np.float32), share < 0.999


def _kept(known: FloatArray, filled: FloatArray, missing: Mask) -> FloatArray:
    kept: FloatArray = np.where(missing[..., None], filled, known)
    return kept
