"""How far a result is from the truth: the three numbers that the demo prints."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask


def iou(mask: Mask, truth: Mask) -> float:
    """Intersection over union of two masks of any shape in [0, 1]; 1 where both are empty."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def mad(alpha: NDArray[Any], truth: NDArray[Any]) -> float:
    """Mean absolute difference of two alphas of the same shape with values 0…255, as a fraction of full opacity."""
    return float(np.abs(alpha.astype(np.float32) - truth).mean() / 255)


def squared_error(pictures: NDArray[Any], truth: NDArray[Any]) -> float:
    """Sum of squared differences of 8-bit values of the same shape, for :func:`psnr` over many pictures."""
    return float(np.square(pictures.astype(np.float32) - truth).sum())


def psnr(squared_error_sum: float, count: int) -> float:
    """Peak signal-to-noise ratio in dB of ``count`` 8-bit values; infinite where they are equal or there are none."""
    if squared_error_sum == 0 or count == 0:
        return float("inf")
    return 10 * float(np.log10(255**2 * count / squared_error_sum))
