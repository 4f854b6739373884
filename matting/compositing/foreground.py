"""The colour of an instance without the background that shines through its edges."""

from __future__ import annotations

import threading

import cv2
import numba
import numpy as np
from pymatting import estimate_foreground_ml

from matting.arrays import FloatArray, Picture, StoredAlpha, check_shape
from matting.compositing.boxes import Box, box_of

SOLVED_PX = 512
"""Longest side at which the colours are solved; larger boxes are refined from there."""

_one_solver_at_a_time = threading.Lock()
"""Numba's work-queue threading layer, the only one on some machines, ends the process when two threads enter it."""


def estimate_foreground(frame: Picture, alpha: StoredAlpha) -> FloatArray:
    """Estimate the straight colour of one instance.

    Args:
        frame: ``[H, W, 3]`` uint8 or uint16 RGB.
        alpha: ``[H, W]`` uint8, the instance's stored alpha.

    Returns:
        ``[H, W, 3]`` float32 in the units of ``frame``: 0…255 or 0…65535. Equal to the frame where alpha is 255 and
        far from the instance; smooth and without meaning where alpha is 0 close to it.

    Raises:
        ShapeError: the sizes disagree.

    Source:
        Germer et al., "Fast Multi-Level Foreground Estimation" (ICPR 2020), as in PyMatting; see :func:`_refined`
        for boxes that are too large to solve at full size.
    """
    check_shape("alpha", alpha, frame.shape[:2])
    foreground = frame.astype(np.float32)
    box = box_of(alpha)
    if box is not None:
        box = padded(box, alpha.shape)
        foreground[box.slices] = foreground_inside(frame, alpha, box)
    return foreground


def padded(box: Box, size_hw: tuple[int, ...]) -> Box:
    """The box with enough background around it to tell that from the instance."""
    return box.grown(max(8, max(box.size_hw) // 16), size_hw)


def foreground_inside(frame: Picture, alpha: StoredAlpha, box: Box) -> FloatArray:
    """What :func:`estimate_foreground` gives inside ``box``, looking at nothing outside it."""
    opacity = alpha[box.slices]
    picture = frame[box.slices].astype(np.float32)
    soft = (opacity > 0) & (opacity < 255)
    if not soft.any() or max(box.size_hw) < 2:
        return picture
    peak = np.float32(np.iinfo(frame.dtype).max)
    estimate = _solved(picture / peak, opacity.astype(np.float32) / np.float32(255)) * peak
    estimate[opacity == 255] = picture[opacity == 255]
    return estimate


def _solved(picture: FloatArray, opacity: FloatArray) -> FloatArray:
    """Foreground of a whole picture in [0, 1]."""
    scale = SOLVED_PX / max(opacity.shape)
    if scale >= 1:
        return _multi_level(picture, opacity)[0]
    small_wh = (max(round(opacity.shape[1] * scale), 1), max(round(opacity.shape[0] * scale), 1))
    both = _multi_level(
        _shrunk(picture, small_wh),
        _shrunk(opacity, small_wh),
    )
    return _refined(picture, opacity, *both)


def _shrunk(values: FloatArray, size_wh: tuple[int, int]) -> FloatArray:
    return np.asarray(cv2.resize(values, size_wh, interpolation=cv2.INTER_AREA), np.float32)


def _refined(picture: FloatArray, opacity: FloatArray, foreground: FloatArray, background: FloatArray) -> FloatArray:
    """Bring colours solved at a smaller size to the picture's own.

    Each pixel's colour is corrected by its share of what the enlarged colours leave unexplained.

    Source:
        Forte, "Approximate Fast Foreground Colour Estimation" (ICIP 2021), the last step.
    """
    size_wh = opacity.shape[::-1]
    front = np.asarray(cv2.resize(foreground, size_wh, interpolation=cv2.INTER_LINEAR), np.float32)
    soft = (opacity > 0) & (opacity < 1)
    back = cv2.resize(background, size_wh, interpolation=cv2.INTER_LINEAR)[soft]
    share = opacity[soft][:, None]
    guess = front[soft]
    front[soft] = np.clip(guess + share * (picture[soft] - share * guess - (1 - share) * back), 0, 1)
    return front


def _multi_level(picture: FloatArray, opacity: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Foreground and background; one numba thread, since only the resizing inside would use more and gains nothing."""
    with _one_solver_at_a_time:
        threads = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            both: tuple[FloatArray, FloatArray] = estimate_foreground_ml(picture, opacity, return_background=True)
        finally:
            numba.set_num_threads(threads)
    return both
