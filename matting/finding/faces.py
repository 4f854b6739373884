"""People by their faces: those whom the picture cuts off at the waist have no outline of a pedestrian.

Source:
    Viola, Jones, "Rapid Object Detection using a Boosted Cascade of Simple Features" (CVPR 2001); Lienhart, Maydt,
    "An Extended Set of Haar-like Features" (ICIP 2002); OpenCV carries cascades for faces from the front and the side.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.finding.proposal import Proposal, clipped

_LONGEST_PX = 960
_SMALLEST_PX = 24
"""Of a face where the picture is at most :data:`_LONGEST_PX`; people who are smaller are found by their outline."""
_STEP = 1.1
_FRONT, _PROFILE = ("haarcascade_frontalface_alt2.xml", 3, 0.8), ("haarcascade_profileface.xml", 4, 0.7)
"""OpenCV's file, how many windows must agree on a face, and the score."""
_ABOVE, _BELOW, _BESIDE = 0.6, 7.6, 1.5
"""Where a standing person ends, in heights of the face's window, which goes from the brows to the chin."""


def find_faces(frame: NDArray[np.uint8]) -> list[Proposal]:
    """Look for people who face the camera or are seen from the side.

    Args:
        frame: ``[H, W, 3]`` uint8 RGB.

    Returns:
        Unsorted, perhaps several for a face; the box is that of the whole person, as far as the picture goes.
    """
    height, width = frame.shape[:2]
    scale = min(1.0, _LONGEST_PX / max(height, width))
    size_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    shrunk = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size_wh, interpolation=cv2.INTER_AREA)
    grey = np.asarray(shrunk, np.uint8)
    mirrored = np.ascontiguousarray(grey[:, ::-1])
    found = []
    for (x, y, side), score in (
        *_windows(grey, _FRONT),
        *_windows(grey, _PROFILE),
        # The cascade knows one side of the face only.
        *(((size_wh[0] - x - side, y, side), score) for (x, y, side), score in _windows(mirrored, _PROFILE)),
    ):
        middle, top, face = (x + side / 2) / scale, y / scale, side / scale
        body = middle - _BESIDE * face, top - _ABOVE * face, middle + _BESIDE * face, top + (1 + _BELOW) * face
        box = clipped(body, (height, width))
        if box is not None:
            found.append(Proposal(box, score, None, "face"))
    return found


def _windows(grey: NDArray[np.uint8], cascade: tuple[str, int, float]) -> list[tuple[tuple[int, int, int], float]]:
    """Left, top and side of every face, and the score."""
    file, agreeing, score = cascade
    classifier = cv2.CascadeClassifier(str(Path(cv2.__file__).parent / "data" / file))
    faces = classifier.detectMultiScale(grey, _STEP, agreeing, minSize=(_SMALLEST_PX, _SMALLEST_PX))
    return [((x, y, side), score) for x, y, side, _ in np.reshape(faces, (-1, 4)).tolist()]
