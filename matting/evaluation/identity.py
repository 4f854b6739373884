"""Whether the instances stay who they are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from matting.evaluation.regions import Values

MATCHED = 0.5
"""Intersection over union above which a predicted mask is taken for a true one: at most one can be, for masks that
share no pixel."""


def switches(overlaps: Iterable[Values]) -> int:
    """How often a true instance is found under another id than when it was last found.

    Two people who are swapped once make two switches, and two more when they are swapped back.

    Args:
        overlaps: of each frame in order, ``[N, N]``, predicted × true, intersection over union in [0, 1].

    Source:
        IDS of Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics"
        (2008), for masks as in Voigtlaender et al., "MOTS: Multi-Object Tracking and Segmentation" (CVPR 2019),
        section 4.
    """
    count = 0
    last: dict[int, int] = {}
    for frame in overlaps:
        for found, true in np.argwhere(frame > MATCHED).tolist():
            count += last.get(true, found) != found
            last[true] = found
    return count
