"""What each pixel and its surroundings look like, as numbers that a classifier can tell instances apart by."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray

_BLURS = 1.5, 4.0, 10.0
"""Standard deviations over which colours are averaged; here and below in pixels of a picture 640 wide."""
_GRAIN = 2.0, 6.0
"""Over which the spread of the lightness is measured."""
_EDGES = 2.5
"""Over which the directions of edges are averaged."""


def described(lab: NDArray[np.uint8]) -> FloatArray:
    """Describe pixels by their colour, fine detail, the colours around, and how rough these are and in which direction.

    Args:
        lab: ``[h, w, 3]`` uint8, CIE Lab as OpenCV scales it.

    Returns:
        ``[h, w, 20]``, each number of the order of 1.
    """
    scale = max(lab.shape) / 640
    colour = (lab.astype(np.float32) - 128) / np.float32(64)
    light = np.ascontiguousarray(colour[..., 0])
    around = [_blurred(colour, sigma * scale) for sigma in _BLURS]
    grain = [_spread(light, sigma * scale) for sigma in _GRAIN]
    across, down = (cv2.Sobel(light, cv2.CV_32F, *order) / 4 for order in ((1, 0), (0, 1)))
    edges = [np.sqrt(np.abs(_blurred(e, _EDGES * scale))) * 4 for e in (across**2, down**2, across * down)]
    return np.dstack([colour, 4 * (colour - around[0]), *around, *grain, *edges]).astype(np.float32)


def _blurred(values: NDArray[Any], sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), max(sigma, 0.3)), np.float32)


def _spread(values: FloatArray, sigma: float) -> FloatArray:
    variance = _blurred(values**2, sigma) - _blurred(values, sigma) ** 2
    return np.asarray(2 * np.sqrt(np.maximum(variance, 0)), np.float32)
