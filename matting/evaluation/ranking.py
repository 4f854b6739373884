"""Whether a confidence finds what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WRONG_BELOW = 0.5
"""Region similarity below which a mask counts as wrong."""
LOOKED_AT = 0.2
"""Share of the masks, those with the least confidence, that somebody looks at."""


@dataclass(frozen=True)
class Ranking:
    """How masks in the order of their confidence compare with their region similarity J.

    Attributes:
        count: masks.
        wrong: share of them with J < 0.5.
        found: share of the wrong ones among the fifth with the least confidence; NaN where none is wrong.
        possible: the most that ``found`` can be; less than 1 where more than a fifth is wrong.
        auc: probability that a wrong mask has less confidence than a right one, ties count half (area under the
            receiver operating characteristic); NaN unless there are both.
        average_precision: mean over the wrong masks of the share of wrong ones among all with no more confidence.
    """

    count: int
    wrong: float
    found: float
    possible: float
    auc: float
    average_precision: float


def rank(confidences: Sequence[float], similarities: Sequence[float]) -> Ranking:
    """Compare values of the same masks, at least one."""
    confidence, wrong = np.asarray(confidences), np.asarray(similarities) < WRONG_BELOW
    count, bad = len(wrong), int(wrong.sum())
    looked_at = math.ceil(LOOKED_AT * count)
    order = np.argsort(confidence, kind="stable")
    lowest = int(wrong[order[:looked_at]].sum())
    return Ranking(
        count=count,
        wrong=bad / count,
        found=lowest / bad if bad else math.nan,
        possible=min(1.0, looked_at / bad) if bad else math.nan,
        auc=_auc(confidence[wrong], confidence[~wrong]),
        average_precision=float(np.mean([wrong[confidence <= c].mean() for c in confidence[wrong]]))
        if bad
        else math.nan,
    )


def _auc(
    wrong: np.ndarray[tuple[int], np.dtype[np.float64]], right: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> float:
    if not len(wrong) or not len(right):
        return math.nan
    ordered = np.sort(right)
    above = len(right) - np.searchsorted(ordered, wrong, "right")
    equal = np.searchsorted(ordered, wrong, "right") - np.searchsorted(ordered, wrong, "left")
    return float((above + equal / 2).mean() / len(right))
