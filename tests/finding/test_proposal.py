from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting.finding.proposal import SAME, Box, Proposal, distinct, inside, overlap

SIDES = st.integers(0, 80)
BOXES = st.tuples(SIDES, SIDES, st.integers(1, 60), st.integers(1, 60)).map(
    lambda b: (float(b[0]), float(b[1]), float(b[0] + b[2]), float(b[1] + b[3]))
)
PROPOSALS = st.lists(st.builds(Proposal, BOXES, st.floats(0, 1), st.none(), st.just("hog")), max_size=12)


def test_overlap_is_intersection_over_union() -> None:
    assert overlap((0, 0, 10, 10), (5, 0, 15, 10)) == pytest.approx(50 / 150)
    assert overlap((0, 0, 10, 10), (10, 0, 20, 10)) == 0
    assert inside((0, 0, 10, 10), (5, 0, 100, 100)) == pytest.approx(0.5)


@given(PROPOSALS, st.lists(BOXES, max_size=3))
def test_what_remains_is_sorted_apart_and_free_of_those_who_are_taken(found: list[Proposal], taken: list[Box]) -> None:
    kept = distinct(found, taken)
    assert set(kept) <= set(found)
    assert [p.score for p in kept] == sorted((p.score for p in kept), reverse=True)
    for place, one in enumerate(kept):
        assert all(overlap(one.box, other.box) <= SAME for other in kept[place + 1 :])
        assert all(overlap(one.box, box) <= SAME for box in taken)
    assert kept == distinct(reversed(found), taken)


def test_the_best_of_one_person_and_both_of_two_remain() -> None:
    best = Proposal((10, 10, 30, 70), 0.9, None, "hog")
    again = Proposal((12, 8, 32, 70), 0.6, None, "face")
    leg = Proposal((12, 45, 22, 69), 0.7, None, "hog")
    beside = Proposal((28, 10, 48, 70), 0.5, None, "hog")
    assert distinct([beside, again, leg, best]) == [best, beside]
    assert distinct([beside, again, leg, best], taken=[(9, 9, 31, 71)]) == [beside]
