"""8 and 16 bits."""

from __future__ import annotations

import numpy as np

from matting.arrays import FloatArray, Picture


def to_depth(picture: Picture, like: Picture) -> Picture:
    """The picture with as many bits as ``like``; 255 becomes 65535."""
    if picture.dtype == like.dtype:
        return picture
    if like.dtype == np.uint16:
        return picture.astype(np.uint16) * np.uint16(257)
    return ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)


def rounded(values: FloatArray, like: Picture) -> Picture:
    """Each value as the nearest one that a picture as deep as ``like`` can hold."""
    whole = np.rint(np.clip(values, 0, np.iinfo(like.dtype).max))
    return whole.astype(np.uint8) if like.dtype == np.uint8 else whole.astype(np.uint16)
