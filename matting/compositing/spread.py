"""Filling in where nothing is known, smoothly, from everything around."""

from __future__ import annotations

import cv2
import numpy as np

from matting.arrays import FloatArray


def spread(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Interpolate known values into the unknown.

    Args:
        values: ``[H, W, C]``; what stands where ``weights`` is 0 does not matter if it is finite.
        weights: ``[H, W]`` float32 in [0, 1], how well each value is known.

    Returns:
        ``[H, W, C]`` float32: the values themselves where the weight is 1, else mixed with averages over ever larger
        surroundings; 0 where nothing at all is known.

    Source:
        Gortler et al., "The Lumigraph" (SIGGRAPH 1996), push-pull.
    """
    height, width = weights.shape
    if max(height, width) == 1:
        return (values * weights[..., None]).astype(np.float32)
    half_wh = (width + 1) // 2, (height + 1) // 2
    even = cv2.copyMakeBorder(
        np.dstack([values * weights[..., None], weights]), 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT
    )
    sums = cv2.resize(even, half_wh, interpolation=cv2.INTER_AREA)
    known = sums[..., -1:]
    means = np.where(known > 0, sums[..., :-1] / np.where(known > 0, known, 1), 0).astype(np.float32)
    # Four times the mean weight: one known pixel of four is enough to know the block.
    coarse = spread(means, np.minimum(known[..., 0] * 4, 1))
    doubled = cv2.resize(coarse, (half_wh[0] * 2, half_wh[1] * 2), interpolation=cv2.INTER_LINEAR)
    smooth = doubled.reshape(half_wh[1] * 2, half_wh[0] * 2, -1)[:height, :width]
    return np.asarray(smooth + weights[..., None] * (values - smooth), np.float32)
