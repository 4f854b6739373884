"""What a pixel's colour and movement say about it, learned from where the figure is thought to be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Picture

_COLOUR_STEPS = (16, 20, 20)
_FINEST_STEP = (4.0, 2.0, 2.0)
_RARE = 0.005
_MOTION_STEPS = (10, 4)
_CHANGE_UNIT, _STEPS_AN_OCTAVE = 3.0, 2.5
_COMMON = 0.25


@dataclass(frozen=True)
class Codes:
    """Every pixel's bin in a histogram of ``steps``: ``[h, w]`` flat indices."""

    flat: NDArray[np.intp]
    steps: tuple[int, ...]


def colour_codes(lab: Picture) -> Codes:
    """Bins of Lab that lie as close as the picture's own range of colours allows."""
    flat = np.zeros(lab.shape[:2], np.intp)
    for channel, (steps, finest) in enumerate(zip(_COLOUR_STEPS, _FINEST_STEP, strict=True)):
        values = lab[..., channel].astype(np.float32)
        low, high = np.quantile(values, [_RARE, 1 - _RARE])
        spread = max(float(high - low), steps * finest)
        start = (low + high - spread) / 2
        flat = flat * steps + np.clip((values - start) * (steps / spread), 0, steps - 1).astype(np.intp)
    return Codes(flat, _COLOUR_STEPS)


def motion_codes(change: FloatArray, share: FloatArray) -> Codes:
    """Bins of the two maps of :class:`matting.seeding.motion.Motion`."""
    steps, shares = _MOTION_STEPS
    level = np.clip(_STEPS_AN_OCTAVE * np.log2(1 + change / _CHANGE_UNIT), 0, steps - 1).astype(np.intp)
    return Codes(level * shares + np.clip(share * shares, 0, shares - 1).astype(np.intp), _MOTION_STEPS)


def learn_odds(codes: Codes, probability: FloatArray, leak: float, limit: float, least: float) -> FloatArray:
    """Log-odds of each pixel's code.

    Where the figure is thought to be there is always some background too. The codes that are common outside and
    rarest inside, compared, show how much; ``leak`` of that share of the outside is taken off the inside.

    Args:
        codes: of the picture.
        probability: ``[h, w]`` of belonging to the figure, as far as is known.
        leak: 0 to less than 1.
        limit: how far from 0 the odds go.
        least: share that a code without any pixel is counted as.

    Returns:
        ``[h, w]`` float32.

    Source:
        The share is the mixture proportion of Blanchard, Lee, Scott, "Semi-Supervised Novelty Detection" (JMLR 2010).
    """
    return np.clip(_odds(codes, probability, np.float32(1), leak, least), -limit, limit)


def learn_odds_by_storey(
    codes: Codes, probability: FloatArray, storeys: int, leak: float, limit: float, least: float
) -> FloatArray:
    """:func:`learn_odds` per storey of the picture, for a coat's colour says nothing about the feet."""
    height = len(probability)
    rows = np.arange(height)[:, None] + 0.5
    odds = np.zeros(probability.shape, np.float32)
    total = np.zeros((height, 1), np.float32)
    for middle in (np.arange(storeys) + 0.5) * height / storeys:
        near = np.exp(-0.5 * ((rows - middle) * storeys / height) ** 2).astype(np.float32)
        odds += near * _odds(codes, probability, near, leak, least)
        total += near
    limited: FloatArray = np.clip(odds / total, -limit, limit)
    return limited


def _odds(
    codes: Codes, probability: FloatArray, weight: FloatArray | np.float32, leak: float, least: float
) -> FloatArray:
    inside = _histogram(codes, probability * weight) + least
    outside = _histogram(codes, (1 - probability) * weight) + least
    ratio = inside / outside
    order = np.argsort(ratio, kind="stable")
    mass = np.cumsum(outside[order])
    taken = leak * min(1.0, float(ratio[order[np.searchsorted(mass, _COMMON * mass[-1])]]))
    own = np.maximum(inside - taken * outside, 0) / (1 - taken) + least
    odds: FloatArray = np.log(own / outside).astype(np.float32)[codes.flat]
    return odds


def _histogram(codes: Codes, weight: FloatArray) -> NDArray[np.float64]:
    """Shares that add up to one, spread a little over the neighbouring bins."""
    counts = np.bincount(codes.flat.ravel(), weight.ravel(), int(np.prod(codes.steps))).reshape(codes.steps)
    for axis in range(counts.ndim):
        padded = np.pad(counts, [(int(axis == a),) * 2 for a in range(counts.ndim)], mode="edge")
        lower, upper = (np.take(padded, range(s, s + counts.shape[axis]), axis) for s in (0, 2))
        counts = 0.5 * counts + 0.25 * (lower + upper)
    shares: NDArray[np.float64] = counts.ravel() / max(float(weight.sum()), 1e-6)
    return shares
