"""Which of two definitions is meant, and the sum and count that every metric keeps under either."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, check_shape

_PUBLISHED_COUNT_EPSILON = 1e-6


class Definition(StrEnum):
    """Two ways of reading the papers."""

    PUBLISHED = "published"
    """What the authors' code computes: the numbers that their tables hold."""
    PLAIN = "plain"
    """What the names usually mean, without the code's slips."""


@dataclass(frozen=True)
class Tally:
    """What a metric found in some frames: a score and how many things it counts, for each instance.

    Tallies of the same instances add up, so a clip may be measured piece by piece.
    """

    score: NDArray[np.float64]
    """``[N]``, in the metric's unit times ``count``."""
    count: NDArray[np.float64]
    """``[N]`` whole numbers: frames, transitions or blocks, whatever the metric averages over."""

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.score + other.score, self.count + other.count)

    def total(self) -> Tally:
        """All instances as one, ``[1]``."""
        return Tally(self.score.sum(keepdims=True), self.count.sum(keepdims=True))

    def average(self, definition: Definition = Definition.PUBLISHED) -> float:
        """Score by count over all instances; 0 where nothing was counted.

        *Published* adds 1e-6 to the count, as the authors' code does.
        """
        score, count = float(self.score.sum()), float(self.count.sum())
        if definition is Definition.PUBLISHED:
            count += _PUBLISHED_COUNT_EPSILON
        return score / count if count else 0.0


def check_pair(pred: FloatArray, truth: FloatArray) -> tuple[int, int, int, int]:
    """The common shape ``[T, N, H, W]`` of a prediction and its ground truth.

    Raises:
        ShapeError: the shapes differ or do not have four axes.
    """
    check_shape("truth", truth, (None, None, None, None))
    check_shape("pred", pred, truth.shape)
    frames, instances, height, width = truth.shape
    return frames, instances, height, width
