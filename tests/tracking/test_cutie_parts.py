"""What Cutie tracks at a time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matting.tracking.cutie_parts import parts
from matting.tracking.seeds import Seeds

MASK, EMPTY = np.ones((2, 2), bool), np.zeros((2, 2), bool)
some_seeds = st.dictionaries(
    st.integers(0, 30), st.dictionaries(st.integers(1, 3), st.sampled_from([MASK, EMPTY]), min_size=1), min_size=1
)


@given(some_seeds, st.integers(0, 30), st.integers(1, 20))
def test_parts_divide_the_span_and_end_where_everybody_is_given(seeds: Seeds, start: int, length: int) -> None:
    span = range(start, start + length)
    found = list(parts(span, seeds))
    assert [t for part in found for t in part.wanted] == list(span)
    everybody = {i for of_frame in seeds.values() for i in of_frame}
    for part in found:
        assert set(part.ids) == everybody
        common = [t for t in seeds if set(seeds[t]) == everybody]
        first = max((t for t in common if t <= part.wanted[0]), default=-1)
        last = min((t for t in common if t > part.wanted[-1]), default=99)
        assert sorted(part.seeds) == sorted(t for t in seeds if first <= t <= last)
        assert not any(first < t < last for t in common)


def test_who_is_given_on_the_same_frames_is_one_group() -> None:
    apart: Seeds = {0: {1: MASK, 2: MASK, 3: MASK}, 5: {1: MASK, 2: EMPTY}, 9: {1: MASK, 2: MASK, 4: MASK}}
    (part,) = parts(range(12), apart)
    assert sorted(part.groups.values()) == [(1,), (2,), (3,), (4,)]
    alike: Seeds = {0: {1: MASK, 2: MASK, 3: MASK}, 5: {1: MASK, 2: MASK}}
    (part,) = parts(range(12), alike)
    assert sorted(part.groups.values()) == [(1, 2), (3,)]


def test_the_seeds_that_enclose_a_frame() -> None:
    (part,) = parts(range(12), {2: {1: MASK}, 6: {2: MASK}, 8: {1: EMPTY}})
    assert [part.bracket(1, t) for t in (0, 2, 5, 8, 11)] == [(None, 2), (2, 8), (2, 8), (8, None), (8, None)]
    assert part.present == {2: {1: True}, 6: {2: True}, 8: {1: False}}
