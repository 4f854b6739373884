"""Upright people, by the shape of their outline.

Source:
    Dalal, Triggs, "Histograms of Oriented Gradients for Human Detection" (CVPR 2005), with the weights that OpenCV
    carries. Its window is 64×128 pixels, of which a person fills the middle 96 from head to foot.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.finding.proposal import Proposal, clipped

_LONGEST_PX = 1280
"""Longer side that the picture is brought to, up or down: people from a seventh of its height on are found."""
_STEP = 1.05
"""From one size of people to the next."""
_LEAST_MARGIN = 0.3
"""Distance from the separating plane; the authors' own threshold is 0, which proposes many trees."""
_SURE_MARGIN = 2.0
_INNER_X, _INNER_Y = 0.16, 0.08
"""How much of the window at each side is not the person; the arms of somebody who walks need some of it."""


def find_upright(frame: NDArray[np.uint8]) -> list[Proposal]:
    """Look for people who stand or walk.

    Args:
        frame: ``[H, W, 3]`` uint8 RGB.

    Returns:
        Many for each person, unsorted; the score grows with the distance from the separating plane.
    """
    height, width = frame.shape[:2]
    scale = _LONGEST_PX / max(height, width)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size_wh = max(round(width * scale), 64), max(round(height * scale), 128)
    grey = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), size_wh, interpolation=method)
    describer = cv2.HOGDescriptor()
    describer.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))
    windows, margins = describer.detectMultiScale(
        grey, hitThreshold=_LEAST_MARGIN, winStride=(8, 8), padding=(32, 32), scale=_STEP, groupThreshold=0
    )
    across, down = size_wh[0] / width, size_wh[1] / height
    found = []
    for (x, y, w, h), margin in zip(windows, np.ravel(margins), strict=True):
        box = clipped(
            (
                (x + _INNER_X * w) / across,
                (y + _INNER_Y * h) / down,
                (x + (1 - _INNER_X) * w) / across,
                (y + (1 - _INNER_Y) * h) / down,
            ),
            (height, width),
        )
        if box is not None:
            found.append(Proposal(box, min(float(margin) / _SURE_MARGIN, 1.0), None, "hog"))
    return found
