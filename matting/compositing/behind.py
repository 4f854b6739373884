"""The picture that stands behind the instances."""

from __future__ import annotations

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask, Picture
from matting.compositing.blur import gaussian
from matting.compositing.depth import rounded
from matting.compositing.recolor import parse_color
from matting.compositing.spread import spread


def cover(picture: Picture, size_hw: tuple[int, int]) -> Picture:
    """Scale ``[h, w, 3]`` to cover a frame of ``size_hw`` without distortion and cut off what is over, evenly."""
    height, width = size_hw
    scale = max(height / picture.shape[0], width / picture.shape[1])
    scaled_wh = max(round(picture.shape[1] * scale), width), max(round(picture.shape[0] * scale), height)
    if scaled_wh != picture.shape[1::-1]:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        picture = rounded(np.asarray(cv2.resize(picture, scaled_wh, interpolation=way), np.float32), picture)
    top, left = (scaled_wh[1] - height) // 2, (scaled_wh[0] - width) // 2
    return picture[top : top + height, left : left + width]


def flat(color: str, like: Picture) -> Picture:
    """A picture of one ``#RRGGBB`` colour with the size and depth of ``like``."""
    pixel = np.rint(parse_color(color) * np.iinfo(like.dtype).max)
    return np.broadcast_to(pixel.astype(like.dtype), like.shape)


def out_of_focus(picture: Picture, radius: float, instances: Mask | None = None) -> FloatArray:
    """Blur a background.

    Args:
        picture: the plate, or the frame itself.
        radius: standard deviation of the Gaussian in pixels.
        instances: ``[H, W]``; what to fill from its surroundings first, so that people do not smear into a halo.

    Returns:
        ``[H, W, 3]`` float32 in the units of ``picture``.
    """
    background = picture.astype(np.float32)
    if instances is not None and instances.any():
        background = spread(background, (~instances).astype(np.float32))
    return gaussian(background, radius)
