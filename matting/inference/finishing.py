"""What is done to masks before lite sees them, and to its mattes before they are used; all at the size it works at.

The constants are where drawn clips that lite never learnt from have the least error.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.inference.colour_lines import along_colours

REACH_PX = 32
"""Farther than this from the mask's edge lite has no say."""
DOUBT = 0.02
"""What lite leaves of an instance where there is none, and takes from it where it is whole."""
DEEP_DOUBT = 0.1
"""The deeper inside the mask, the surer lite must be to take something from it: so much more at ``REACH_PX``."""
SPECKLED = 0.03
"""Masks of trackers differ from the majority of their neighbours in less than 1 % of a picture."""
TRUST = 0.003
"""In lite's matte against the colours of the picture."""
STEPS = 16
"""From lite's matte towards what the colours of the picture say; with more of them drawn clips get worse."""
_SURE = 0.005
_MARGIN_PX = 3


def without_speckle(mask: Mask) -> Mask:
    """A mask ``[H, W]`` that is full of single wrong pixels gets the majority of 5×5; any other stays as it is."""
    smooth = np.asarray(cv2.medianBlur(mask.astype(np.uint8), 5)) > 0
    return smooth if np.count_nonzero(smooth != mask) > SPECKLED * mask.size else mask


def finished(picture: NDArray[np.uint8], alpha: FloatArray, mask: Mask) -> FloatArray:
    """A matte as lite gives it, ``[H, W]``, for a picture ``[H, W, 3]`` and the mask that lite saw, as it is used."""
    return along_edges(picture, near_mask(alpha, mask))


def near_mask(alpha: FloatArray, mask: Mask) -> FloatArray:
    """What is almost sure is sure, and far from its edge the mask is right; all ``[H, W]``."""
    inside, outside = (cv2.distanceTransform(side.astype(np.uint8), cv2.DIST_L2, 3) for side in (mask, ~mask))
    doubted = DOUBT + DEEP_DOUBT * np.minimum(inside / REACH_PX, 1)
    surer = np.clip((alpha - DOUBT) / (1 - DOUBT - doubted), 0, 1)
    return np.where(np.maximum(inside, outside) > REACH_PX, mask.astype(np.float32), surer)


def along_edges(picture: NDArray[np.uint8], alpha: FloatArray) -> FloatArray:
    """A matte ``[H, W]`` whose unsure pixels follow the colour lines of the picture ``[H, W, 3]``.

    Lite says where somebody ends, the matting Laplacian how: closed-form matting with lite's unsure pixels, and those
    beside, for its unknown ones, and lite's matte for its guess.
    """
    unsure = ((alpha > _SURE) & (alpha < 1 - _SURE)).astype(np.uint8)
    unknown = np.asarray(cv2.dilate(unsure, np.ones((3, 3), np.uint8))) > 0
    if not unknown.any():
        return alpha
    x, y, width, height = cv2.boundingRect(unknown.astype(np.uint8))
    rows = slice(max(y - _MARGIN_PX, 0), y + height + _MARGIN_PX)
    columns = slice(max(x - _MARGIN_PX, 0), x + width + _MARGIN_PX)
    window, opaque = unknown[rows, columns], (alpha > 0.5) & ~unknown
    trust = np.full(window.shape, TRUST, np.float32)
    found = along_colours(picture[rows, columns], window, opaque[rows, columns], alpha[rows, columns], trust, STEPS)
    result = opaque.astype(np.float32)
    result[rows, columns][window] = np.clip(found, 0, 1)
    return result
