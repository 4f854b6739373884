"""Making one background out of several aligned samples of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask
from matting.compositing.blur import gaussian
from matting.compositing.spread import spread

COMPARED_PIXELS = 4_000
SOFT_EDGE_PX = 12
"""Over how many pixels a sample fades out towards where it ends."""
DISAGREEMENT = 6 / 255
"""Colour difference from the others at which a sample loses most of its say."""
FAR_OFF = 24 / 255
"""Difference from the surroundings that is no longer a matter of exposure: something else stands there."""


@dataclass(frozen=True)
class Sample:
    """A guess at the background inside a box, in the units of the frame.

    Attributes:
        colors: ``[h, w, 3]`` float32.
        seen: ``[h, w]`` bool, where the colours are those of the background.
        error: typical difference from the frame where both can be compared, as a share of full range.
    """

    colors: FloatArray
    seen: Mask
    error: float = 0.0


def match_exposure(sample: Sample, frame: FloatArray, visible: Mask, peak: int) -> Sample:
    """Scale a sample's channels so that it agrees with the frame where both show the background."""
    both = sample.seen & visible
    if both.sum() < 64:
        return sample
    few = np.flatnonzero(both)[:: max(int(both.sum()) // COMPARED_PIXELS, 1)]
    theirs, ours = sample.colors.reshape(-1, 3)[few], frame.reshape(-1, 3)[few]
    close = np.ones(len(ours), bool)
    gain = np.ones(3, np.float32)
    for _ in range(2):
        gain = np.clip((ours[close].sum(0) + peak) / (theirs[close].sum(0) + peak), 0.5, 2).astype(np.float32)
        off = _difference(theirs * gain, ours)
        close = off <= max(2 * float(np.median(off)), peak / 255)
    return Sample(sample.colors * gain, sample.seen, float(np.median(off)) / peak)


def merge(samples: Sequence[Sample], size_hw: tuple[int, int], peak: int) -> tuple[FloatArray, Mask]:
    """Average the samples that agree.

    Args:
        samples: best first.
        size_hw: of the box.
        peak: the largest value of the frame's dtype.

    Returns:
        ``[h, w, 3]`` float32 colours and ``[h, w]`` bool, where any sample shows them.
    """
    colors, total = np.zeros((*size_hw, 3), np.float32), np.zeros(size_hw, np.float32)
    shown = np.zeros(size_hw, bool)
    if not samples:
        return colors, shown
    middle = _median(samples)
    least = min(sample.error for sample in samples)
    for sample in samples:
        off = _difference(sample.colors, middle) / peak
        off = np.asarray(cv2.blur(np.where(sample.seen, off, np.float32(0)), (5, 5)), np.float32)
        weight = fade(sample.seen) * np.exp(-((off / np.float32(DISAGREEMENT)) ** 2)) + np.float32(1e-6)
        weight *= np.float32((DISAGREEMENT / (DISAGREEMENT + sample.error - least)) ** 2)
        weight = np.where(sample.seen, weight, np.float32(0))
        colors += weight[..., None] * sample.colors
        total += weight
        shown |= sample.seen
    return np.asarray(colors / np.maximum(total, np.float32(1e-20))[..., None], np.float32), shown


def fit_to_surroundings(background: FloatArray, frame: FloatArray, visible: Mask, peak: int) -> FloatArray:
    """Bend a background smoothly so that it meets the frame all round the hole.

    The difference seen on the rim is carried inwards, a cheap stand-in for the membrane of Perez et al., "Poisson
    Image Editing" (SIGGRAPH 2003).
    """
    difference = frame - background
    trusted = (visible & (_difference(gaussian(difference, 2), 0) < FAR_OFF * peak)).astype(np.float32)
    near = gaussian(trusted, 3)
    smooth = np.asarray(
        gaussian(difference * trusted[..., None], 3) / np.maximum(near, np.float32(1e-4))[..., None], np.float32
    )
    bent: FloatArray = np.add(
        background, spread(smooth, np.asarray(np.minimum(near, trusted), np.float32)), dtype=np.float32
    )
    return bent


def _median(samples: Sequence[Sample]) -> FloatArray:
    """Per pixel over the samples that show it; of two, the first, since a mean would be neither."""
    count = np.sum([sample.seen for sample in samples], axis=0)
    order = [np.where(sample.seen[..., None], sample.colors, np.float32(np.inf)) for sample in samples]
    # Neighbours swapped in turns: much faster than sorting along a short axis.
    for turn in range(len(order)):
        for i in range(turn % 2, len(order) - 1, 2):
            order[i], order[i + 1] = np.minimum(order[i], order[i + 1]), np.maximum(order[i], order[i + 1])
    middle = np.zeros_like(order[0])
    for rank in range((len(order) + 1) // 2):
        np.copyto(middle, order[rank], where=((count + 1) // 2 == rank + 1)[..., None])
    for sample in reversed(samples):
        np.copyto(middle, sample.colors, where=(sample.seen & (count <= 2))[..., None])
    return middle


def _difference(one: FloatArray, other: FloatArray | float) -> FloatArray:
    """Largest over the channels; taken one after another, which is faster than along a short axis."""
    off = np.abs(one - other)
    largest: FloatArray = np.maximum(np.maximum(off[..., 0], off[..., 1]), off[..., 2])
    return largest


def fade(seen: Mask, width_px: int = SOFT_EDGE_PX) -> FloatArray:
    """1 well inside ``seen``, falling to 0 where it ends; the picture's own border is no end."""
    if seen.all():
        return np.ones(seen.shape, np.float32)
    distance = cv2.distanceTransform(seen.astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.minimum(distance / width_px, 1), np.float32)
