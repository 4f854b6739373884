"""A plate as it is stored: only what differs from the footage, with a fourth channel that says where."""

from __future__ import annotations

import cv2
import numpy as np

from matting.arrays import Mask, Picture
from matting.compositing.plate import PlateFrame


def grown(mask: Mask, radius_px: int) -> Mask:
    """``[H, W]`` bool, everything within ``radius_px`` of the mask."""
    if not mask.any():
        return mask
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(distance <= radius_px)


def to_patch(plate: PlateFrame) -> Picture:
    """``[H, W, 4]`` in the plate's dtype: its colours where it covers the frame, zero elsewhere."""
    patch: Picture = np.dstack([plate.picture, plate.coverage.astype(plate.picture.dtype)])
    patch[plate.coverage == 0] = 0
    return patch


def patched(source: Picture, patch: Picture) -> Picture:
    """The footage with a patch laid over it."""
    result = source.copy()
    covered = patch[..., 3] > 0
    result[covered] = patch[..., :3][covered]
    return result
