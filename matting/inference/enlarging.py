"""Mattes made at a small size, brought to the size of the source by what its colours show.

Bilinear enlarging blurs every hair that the network saw. Here each 3×3 patch of the small picture says how alpha goes
with colour, as a linear model, and the model is applied to the large picture.

Sources:
    He, Sun, Tang, "Guided Image Filtering" (TPAMI 2013), equations 19 to 21; He, Sun, "Fast Guided Filter"
    (arXiv:1505.00996). The models are fitted to the matte that is to be enlarged, at its own size.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray

EPSILON = 1e-4
"""Keeps the slopes low where a patch has hardly any colour of its own: variances of colours in [0, 1]."""
_SURE = 0.004
_REACH_PX = 3
"""As far beyond what is unsure as the means of models of patches there look."""
_PATCH = np.ones((3, 3), np.uint8)


def enlarged(alphas: FloatArray, small: NDArray[np.uint8], large: NDArray[np.uint8]) -> FloatArray:
    """Mattes at the size of a larger picture.

    Args:
        alphas: ``[N, h, w]`` in [0, 1].
        small: ``[h, w, 3]`` uint8, what they were made from.
        large: ``[H, W, 3]`` uint8, of the same scene.

    Returns:
        ``[N, H, W]`` float32 in [0, 1]. Where a matte is 0 or 1 all around, it stays so.
    """
    size_hw = large.shape[:2]
    result = np.zeros((len(alphas), *size_hw), np.float32)
    for alpha, whole in zip(alphas, result, strict=True):
        near = np.asarray(cv2.dilate(((alpha > _SURE) & (alpha < 1 - _SURE)).astype(np.uint8), _PATCH)) > 0
        if not near.any():
            whole[:] = _resized(alpha, size_hw)
            continue
        slope, level = np.zeros(small.shape, np.float32), alpha.copy()
        seen = _box(near, _REACH_PX)
        slope[seen], level[seen] = _models(alpha[seen], small[seen].astype(np.float32) / np.float32(255), near[seen])
        whole[:] = _resized(level, size_hw)
        box = _on_large(_box(near, 1), near.shape, size_hw)
        colours = large[box].astype(np.float32) / np.float32(255)
        whole[box] += np.einsum("hwc,hwc->hw", _resized(slope, size_hw)[box], colours)
    return np.clip(result, 0, 1, out=result)


def _models(alpha: FloatArray, guide: FloatArray, near: NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Slope ``[h, w, 3]`` and level ``[h, w]`` at each pixel: the mean of the models of all patches that hold it."""
    mean_colour, mean_alpha = _mean(guide), _mean(alpha)
    fitted = np.asarray(cv2.dilate(near.astype(np.uint8), _PATCH)) > 0
    products = np.stack([guide[..., i] * guide[..., j] for i in range(3) for j in range(3)], axis=-1)
    centre = mean_colour[fitted]
    spread = _mean(products)[fitted].reshape(-1, 3, 3) - centre[:, :, None] * centre[:, None]
    spread += EPSILON * np.eye(3, dtype=np.float32)
    along = _mean(guide * alpha[..., None])[fitted] - centre * mean_alpha[fitted][:, None]
    slope, level = np.zeros_like(guide), mean_alpha.copy()
    slope[fitted] = np.linalg.solve(spread, along[..., None])[..., 0]
    level[fitted] -= (slope[fitted] * centre).sum(axis=-1)
    slope, level = _mean(slope), _mean(level)
    slope[~near], level[~near] = 0, alpha[~near]
    return slope, level


def _mean(values: FloatArray) -> FloatArray:
    """Over 3×3; channels, where there are more than cv2 takes at once, one after the other."""
    if values.ndim == 3 and values.shape[2] > 4:
        return np.stack([_mean(np.ascontiguousarray(values[..., k])) for k in range(values.shape[2])], axis=-1)
    return np.asarray(cv2.blur(values, (3, 3), borderType=cv2.BORDER_REFLECT), np.float32)


def _resized(values: FloatArray, size_hw: tuple[int, ...]) -> FloatArray:
    return np.asarray(cv2.resize(values, size_hw[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _box(near: NDArray[np.bool_], margin: int) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect(near.astype(np.uint8))
    return slice(max(y - margin, 0), y + height + margin), slice(max(x - margin, 0), x + width + margin)


def _on_large(box: tuple[slice, slice], small_hw: tuple[int, ...], size_hw: tuple[int, ...]) -> tuple[slice, slice]:
    rows, columns = (
        slice(int(side.start * large / small), math.ceil(side.stop * large / small))
        for side, small, large in zip(box, small_hw, size_hw, strict=True)
    )
    return rows, columns
