"""Which frames are looked at, and where time turns round."""

from __future__ import annotations

import numpy as np

from matting.tracking.plan import plan

MASK = np.ones((2, 2), bool)


def test_only_what_bounds_the_span_is_kept() -> None:
    seeds = {t: {1: MASK} for t in (0, 10, 20, 30, 40)} | {5: {2: MASK}, 50: {2: MASK}}
    work = plan(range(12, 18), seeds)
    assert work.ids == (1, 2)
    assert work.timelines == {1: (10, 20), 2: (5, 50)}
    assert work.frames == range(5, 51)
    assert {t: set(given) for t, given in work.seeds.items()} == {5: {2}, 10: {1}, 20: {1}, 50: {2}}


def test_rivals_on_a_frame_that_matters_are_kept() -> None:
    work = plan(range(6, 9), {0: {1: MASK, 2: MASK}, 4: {2: MASK}})
    assert work.timelines == {1: (0,), 2: (4,)}
    assert set(work.seeds[0]) == {1, 2}


def test_a_prompted_end_needs_nothing_beyond() -> None:
    work = plan(range(10, 21), {t: {1: MASK} for t in (0, 10, 20, 30)})
    assert work.frames == range(10, 21)
    assert work.timelines == {1: (10, 20)}


def test_time_turns_where_no_backward_pass_crosses() -> None:
    together = plan(range(30), {t: {1: MASK, 2: MASK} for t in (0, 10, 20)})
    assert together.turns == (0, 10, 20)
    assert together.steps == 30 + 21
    crossing = plan(range(30), {0: {1: MASK, 2: MASK}, 10: {1: MASK}, 15: {2: MASK}, 20: {1: MASK}})
    assert crossing.turns == (0, 20), "15 is the last of instance 2, but instance 1 comes back from 20"
    forward_only = plan(range(30), {})
    assert forward_only.turns == ()
    assert forward_only.steps == 30


def test_the_bracket_of_a_frame() -> None:
    work = plan(range(30), {t: {7: MASK} for t in (4, 9)})
    assert [work.bracket(7, t) for t in (2, 6, 12)] == [(None, 4), (4, 9), (9, None)]
