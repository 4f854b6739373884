"""Gaussian blurs of any width, and the blur of something that has an edge."""

from __future__ import annotations

import cv2
import numpy as np

from matting.arrays import FloatArray

EXACT_PX = 6.0
"""Blurs wider than this work on a smaller picture, whose details they would wipe out anyway."""


def gaussian(values: FloatArray, radius: float, border: int = cv2.BORDER_REPLICATE) -> FloatArray:
    """Blur ``[H, W]`` or ``[H, W, C]``; ``radius`` is the standard deviation in pixels."""
    height, width = values.shape[:2]
    shrink = max(int(radius / EXACT_PX), 1)
    if shrink == 1:
        return np.asarray(cv2.GaussianBlur(values, (0, 0), radius, borderType=border), np.float32)
    # Whole blocks, so that the small picture's pixels stay where they were.
    bottom, right = -height % shrink + shrink, -width % shrink + shrink
    framed = cv2.copyMakeBorder(values, shrink, bottom, shrink, right, border)
    small_wh = framed.shape[1] // shrink, framed.shape[0] // shrink
    small = cv2.resize(framed, small_wh, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), radius / shrink, borderType=border)
    whole = cv2.resize(small, (framed.shape[1], framed.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(whole[shrink : shrink + height, shrink : shrink + width], np.float32)


def blur_inside(foreground: FloatArray, opacity: FloatArray, radius: float) -> FloatArray:
    """Blur a straight colour so that nothing from outside the instance bleeds in.

    Args:
        foreground: ``[H, W, 3]`` straight colour, any units.
        opacity: ``[H, W]`` float32 in [0, 1], the instance's alpha.
        radius: standard deviation of the Gaussian in pixels.

    Returns:
        ``[H, W, 3]`` straight colour, defined where ``opacity`` > 0: the blurred premultiplied colour over the
        blurred alpha.
    """
    covered = gaussian(opacity, radius, cv2.BORDER_CONSTANT)[..., None]
    spread = gaussian(foreground * opacity[..., None], radius, cv2.BORDER_CONSTANT)
    known = covered > 1e-4
    blurred: FloatArray = np.where(known, spread / np.where(known, covered, 1), foreground)
    return blurred
