"""Two instances that seem to have taken each other's place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from matting.review.evidence import Measured

_CLEAR = 0.1
"""How much nearer the colours of two instances must be to their own prompts than to each other's, summed over both, to
say who is who; the same the other way for a swap. Two people dressed alike never are, so nothing is said of them."""
_LASTING = 3
"""Frames that a swap must last: a limb across somebody else's shirt does not."""
_NEAR_FRAMES = 12
"""Within how many frames before a swap the two must have been side by side."""


@dataclass(frozen=True)
class Swap:
    """Two instances, ``one`` < ``other``, that are likely swapped from ``frame`` to ``last``, both included."""

    one: int
    other: int
    frame: int
    last: int


@dataclass
class _Pair:
    was_straight: bool = False
    touched: int | None = None
    crossed_from: int | None = None
    crossed: int = 0
    named: int | None = None  # place of the present swap among all


class Crossings:
    """Watches every two instances, frame by frame, in order; gaps are allowed."""

    def __init__(self, ids: Sequence[int]) -> None:
        """For some instances, in the order of their places in what is added."""
        self._ids = ids
        self._pairs = {places: _Pair() for places in combinations(range(len(ids)), 2)}
        self.swaps: list[Swap] = []
        """The likely swaps so far; each is named when it has lasted."""

    def add(self, measured: Measured) -> None:
        """The next frame."""
        colours, touch = measured.colours, measured.touch
        for (one, other), pair in self._pairs.items():
            if touch[one, other] > 0 or touch[other, one] > 0:
                pair.touched = measured.index
            straight = float(colours[one, other] + colours[other, one] - colours[one, one] - colours[other, other])
            if straight > _CLEAR:
                pair.was_straight, pair.crossed_from, pair.crossed, pair.named = True, None, 0, None
            elif straight < -_CLEAR:
                if pair.crossed_from is None:
                    pair.crossed_from = measured.index
                pair.crossed += 1
                if pair.crossed == _LASTING and pair.was_straight and _near(pair):
                    pair.named = len(self.swaps)
                    self.swaps.append(Swap(self._ids[one], self._ids[other], pair.crossed_from, measured.index))
                elif pair.named is not None:
                    self.swaps[pair.named] = replace(self.swaps[pair.named], last=measured.index)


def _near(pair: _Pair) -> bool:
    assert pair.crossed_from is not None
    return pair.touched is not None and pair.touched >= pair.crossed_from - _NEAR_FRAMES
