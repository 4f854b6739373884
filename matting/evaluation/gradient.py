"""Grad: how far the slopes of two mattes are apart.

Source:
    Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting" (CVPR 2009), with the stretching of
    MaGGIe's evaluation code under *published*.
"""

from __future__ import annotations

from math import ceil, log, pi, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.evaluation.tally import Definition, Tally, check_pair

_SIGMA = 1.4
_TAIL = 0.01
_RANGE_EPSILON = 1e-6


def grad(pred: FloatArray, truth: FloatArray, definition: Definition = Definition.PUBLISHED) -> Tally:
    """Gradient error 1e-3 Σ(‖∇p‖ − ‖∇g‖)² for each instance in each frame.

    The slopes are those of a Gaussian of σ 1.4 px (9 × 9 taps of Frobenius norm 1), with zeros beyond the border.
    *Published* first stretches p and g, each by itself, from its least to its greatest value in the WHOLE array to
    0…1, so the result depends on what is measured together. *Plain* takes opacities as they are.

    Args:
        pred: ``[T, N, H, W]`` float32 opacities p in [0, 1].
        truth: the same, ground truth g.
        definition: whether to stretch.

    Returns:
        Counts T for each instance.
    """
    frames, instances, *_ = check_pair(pred, truth)
    score = np.zeros(instances)
    stretch = _stretch if definition is Definition.PUBLISHED else _as_they_are
    (pred_scale, pred_shift), (truth_scale, truth_shift) = stretch(pred), stretch(truth)
    for t, n in np.ndindex(frames, instances):
        p, g = (pred[t, n] - pred_shift) / pred_scale, (truth[t, n] - truth_shift) / truth_scale
        if not np.array_equal(p, g):  # OpenCV rounds by where in memory a picture lies; equals must give exactly 0
            score[n] += 1e-3 * cv2.norm(_slopes(p), _slopes(g), cv2.NORM_L2SQR)
    return Tally(score, np.full(instances, float(frames)))


def filters() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The taps ``[9, 9]`` for slopes along x and along y, to be correlated with a picture."""
    across, along = _taps()
    return np.outer(across, along), np.outer(along, across)


def _taps() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The Gaussian and its derivative, ``[9]`` each; their outer product has norm 1."""
    half = ceil(_SIGMA * sqrt(-2 * log(sqrt(2 * pi) * _SIGMA * _TAIL)))
    x = np.arange(-half, half + 1, dtype=np.float64)
    gauss = np.exp(-(x**2) / (2 * _SIGMA**2))
    slope = -x * gauss
    return gauss / np.linalg.norm(gauss), slope / np.linalg.norm(slope)


def _slopes(alpha: FloatArray) -> FloatArray:
    across, along = _taps()
    x = cv2.sepFilter2D(alpha, cv2.CV_32F, along, across, borderType=cv2.BORDER_CONSTANT)
    y = cv2.sepFilter2D(alpha, cv2.CV_32F, across, along, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(cv2.magnitude(x, y), np.float32)


def _stretch(alphas: FloatArray) -> tuple[np.float32, np.float32]:
    low, high = alphas.min(), alphas.max()
    return np.float32(high - low + np.float32(_RANGE_EPSILON)), np.float32(low)


def _as_they_are(_: FloatArray) -> tuple[np.float32, np.float32]:
    return np.float32(1), np.float32(0)
