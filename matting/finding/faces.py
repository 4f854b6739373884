"""People by their faces: those whom the picture cuts off at the waist have no outline of a pedestrian.

Source:
    Viola, Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features" (CVPR 2001); Lienhart, Maydt,
    "An Extended Set of Haar-like Features" (ICIP 2002), whose cascade for faces from the front OpenCV carries.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.finding.proposal import Proposal, clipped

_LONGEST_PX = 960
_STEP = 1.1
_NEIGHBOURS = 3
"""So many windows must agree on a face."""
_SCORE = 0.8
_ABOVE, _BELOW, _BESIDE = 0.6, 7.6, 1.5
"""Where a standing person ends, in heights of the face's window, which goes from the brows to the chin."""


def find_faces(frame: NDArray[np.uint8]) -> list[Proposal]:
    """Look for people who face the camera; the box is that of the whole person, as far as the picture goes.

    Args:
        frame: ``[H, W, 3]`` uint8 RGB.
    """
    height, width = frame.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    size_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    grey = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size_wh, interpolation=cv2.INTER_AREA)
    cascade = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_alt2.xml"))
    found = []
    for x, y, side, _ in np.reshape(cascade.detectMultiScale(grey, _STEP, _NEIGHBOURS), (-1, 4)).tolist():
        middle, top, face = (x + side / 2) / scale, y / scale, side / scale
        body = middle - _BESIDE * face, top - _ABOVE * face, middle + _BESIDE * face, top + (1 + _BELOW) * face
        box = clipped(body, (height, width))
        if box is not None:
            found.append(Proposal(box, _SCORE, None, "face"))
    return found
