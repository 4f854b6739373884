"""What of a mask may be one and the same body."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.tracking.waypoint import State

_GAP = 0.5
"""How far parts of a body may lie apart, in sides of a square of its area: who stands between it and the camera parts
it. Farther off is a look-alike that was taken along as they met."""
_WIDER = 1.5
_WHOLE = 0.6
"""The share of the given area from which on a body is taken to be all there, so that what is far off is not of it."""


class Body:
    """How large an instance was where it was given, and how far apart its parts lay."""

    def __init__(self, given: Mask) -> None:
        """From the mask ``[h, w]`` that it sets out with."""
        self._area = int(given.sum())
        self._gap = _GAP
        if _parts(given) > 1:
            while len(np.unique(_grouped(given, self._gap * self._area**0.5)[given])) > 1:
                self._gap *= _WIDER

    def state(self) -> State:
        """All that it knows."""
        return {"area": self._area, "gap": self._gap}

    @classmethod
    def from_state(cls, state: State) -> Body:
        """The same again."""
        body = cls.__new__(cls)
        body._area, body._gap = state["area"], state["gap"]
        return body

    def strays(self, share: FloatArray) -> Mask:
        """What lies too far from the rest.

        Args:
            share: ``[h, w]`` in [0, 1]: where the instance is.

        Returns:
            ``[h, w]``: all but the group of parts that has most of the area; nothing where that is less than a body.
        """
        mask = np.asarray(share > 0.5)
        if _parts(mask) > 1:
            groups = _grouped(mask, self._gap * max(self._area, int(mask.sum()) // 2) ** 0.5)
            areas = np.bincount(groups[mask])
            if areas.max() >= _WHOLE * self._area:
                return np.asarray(mask & (groups != areas.argmax()))
        return np.zeros(mask.shape, np.bool_)


def _parts(mask: Mask) -> int:
    return cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)[0] - 1


def _grouped(mask: Mask, gap_px: float) -> NDArray[np.int32]:
    """``[h, w]``: the number of the group that a pixel of the mask is in; its parts are at most so far apart."""
    apart = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(cv2.connectedComponents((apart <= gap_px / 2).astype(np.uint8), connectivity=8)[1], np.int32)
