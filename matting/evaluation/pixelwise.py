"""SAD, MAD and MSE, over whole pictures or in the regions of a trimap.

Source:
    MaGGIe (CVPR 2024), table 5 and its evaluation code, whose MAD and MSE are divided by the area twice: once as a
    mean over the picture and once by the region. They therefore depend on the size of the picture.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.evaluation.opacity import Opacity, full
from matting.evaluation.tally import Definition, Tally, check_pair

BACKGROUND, UNKNOWN, FOREGROUND = 0, 1, 2
"""What a trimap says of a pixel."""
_BAND_PX = 25
_AREA_EPSILON = 1e-6


def sad(pred: FloatArray, truth: FloatArray) -> Tally:
    """Sum of absolute differences, 1e-3 Σ|p − g|, for each instance in each frame.

    Args:
        pred: ``[T, N, H, W]`` float32 opacities p in [0, 1].
        truth: the same, ground truth g.

    Returns:
        Counts T for each instance; unit 1000 opaque pixels.
    """
    sums, _ = _sums(pred, truth, None, cv2.NORM_L1)
    return Tally(1e-3 * sums.sum(axis=0), np.full(sums.shape[1], float(len(sums))))


def mad(
    pred: FloatArray,
    truth: FloatArray,
    definition: Definition = Definition.PUBLISHED,
    region: NDArray[np.bool_] | None = None,
) -> Tally:
    """Mean absolute difference for each instance in each frame, over the m pixels of a region.

    *Published*: 1e10 (Σ|p − g| / HW) / (m + 1e-6), which is 1e3 × mean only where HW is 1e7; a region without a pixel
    counts with 0. *Plain*: 1e3 Σ|p − g| / m, and an empty region does not count.

    Args:
        pred: ``[T, N, H, W]`` float32 opacities p in [0, 1].
        truth: the same, ground truth g.
        definition: which of the two.
        region: ``[T, N, H, W]``; everywhere if not given. MAD_f takes ``trimap(truth) == FOREGROUND``, MAD_u
            ``trimap(truth) == UNKNOWN``.

    Returns:
        Counts T for each instance (*plain*: those frames in which it has a region).
    """
    return _mean(pred, truth, definition, region, cv2.NORM_L1)


def mse(
    pred: FloatArray,
    truth: FloatArray,
    definition: Definition = Definition.PUBLISHED,
    region: NDArray[np.bool_] | None = None,
) -> Tally:
    """Mean squared error: as :func:`mad` with the square (p − g)² in place of the absolute difference."""
    return _mean(pred, truth, definition, region, cv2.NORM_L2SQR)


def trimap(truth: Opacity) -> NDArray[np.uint8]:
    """Where a matte is opaque, where it is empty, and the band between.

    Args:
        truth: ``[…, H, W]`` opacities: float32 in [0, 1], or unsigned integers (uint8 is fastest).

    Returns:
        The same shape: 1 where the opacity is not constant within a 25 × 25 ellipse, else 2 where it is above one half,
        else 0. Pixels beyond the border have no say.
    """
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_BAND_PX, _BAND_PX))
    result = np.where(truth > full(truth) / 2, np.uint8(FOREGROUND), np.uint8(BACKGROUND))
    for regions, alpha in zip(_planes(result), _planes(truth), strict=True):
        regions[cv2.dilate(alpha, ellipse) > cv2.erode(alpha, ellipse)] = UNKNOWN
    return result


def _planes(array: NDArray[np.generic]) -> NDArray[np.generic]:
    return array.reshape(-1, *array.shape[-2:])


def _mean(
    pred: FloatArray, truth: FloatArray, definition: Definition, region: NDArray[np.bool_] | None, norm: int
) -> Tally:
    sums, areas = _sums(pred, truth, region, norm)
    if definition is Definition.PUBLISHED:
        height, width = truth.shape[2:]
        scores = 1e10 * (sums / (height * width)) / (areas + _AREA_EPSILON)
        return Tally(scores.sum(axis=0), np.full(sums.shape[1], float(len(sums))))
    return Tally((1e3 * sums / np.maximum(areas, 1)).sum(axis=0), (areas > 0).sum(axis=0).astype(np.float64))


def _sums(
    pred: FloatArray, truth: FloatArray, region: NDArray[np.bool_] | None, norm: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The sum of the differences' norm over the region, and the region's pixels; both ``[T, N]``."""
    frames, instances, height, width = check_pair(pred, truth)
    sums = np.zeros((frames, instances))
    areas = np.full((frames, instances), float(height * width))
    for t, n in np.ndindex(frames, instances):
        if region is None:
            sums[t, n] = cv2.norm(pred[t, n], truth[t, n], norm)
        else:
            inside = region[t, n].view(np.uint8)
            sums[t, n] = cv2.norm(pred[t, n], truth[t, n], norm, inside)
            areas[t, n] = np.count_nonzero(inside)
    return sums, areas
