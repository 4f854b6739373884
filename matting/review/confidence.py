"""From what was measured of a mask to how far it can be trusted, and why not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matting.arrays import FloatArray
from matting.review.evidence import Measured

FLAGGED_BELOW = 0.5
"""Confidence below which a frame belongs in the review queue."""

HALVES = {"motion": 0.4, "jump": 0.5, "size": 1.0, "colours": 0.08, "touch": 1.0, "doubt": 0.75, "lost": 0.5}
"""For each kind of evidence the value at which it alone makes a mask as likely wrong as right.

Two fifths of a mask that no motion explains; an area that changes at once by a factor of 1.6, or is 2.7 times what was
given; surrounded by others on all sides. Nothing found of somebody who should be there is nearly certainly wrong. Only
the colours' value was looked for, on three clips of DAVIS: it is 0.08 or 0.09 whichever two of them it is fitted to.
"""


@dataclass(frozen=True)
class Confidence:
    """Of one instance on one frame.

    Attributes:
        value: in [0, 1].
        reason: the evidence that speaks most against the mask, one of :data:`HALVES`; "smaller" for a size below that
            of the given masks.
        beside: place of the instance that touches it most, for the reason "touch"; -1 for nobody.
    """

    value: float
    reason: str
    beside: int = -1


def confidences(measured: Measured) -> list[Confidence]:
    """Of each instance of a frame.

    Every kind of evidence halves the confidence at its value in :data:`HALVES`, with a bell's slope, so that a quarter
    of that value is nearly free; the kinds multiply.
    """
    against = {name: (_values(measured, name) / half) ** 2 for name, half in HALVES.items()}
    values = np.exp2(-np.sum(list(against.values()), axis=0))
    found = []
    for place, value in enumerate(values):
        reason = max(against, key=lambda name: float(against[name][place]))
        if reason == "size" and measured.size[place] < 0:
            reason = "smaller"
        touching = measured.touch[place]
        beside = int(np.argmax(touching)) if reason == "touch" and touching.any() else -1
        found.append(Confidence(float(value), reason, beside))
    return found


def _values(measured: Measured, name: str) -> FloatArray:
    """``[N]``; what cannot be said speaks neither for nor against."""
    if name == "colours":
        values = np.diagonal(measured.colours)
    elif name == "touch":
        values = measured.touch.sum(axis=1)
    else:
        values = getattr(measured, name)
    return np.nan_to_num(values)
