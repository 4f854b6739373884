"""Who is matted together with whom."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from matting.inference.matter import Guided
from matting.pipeline.parties import cropped, neighbours, parties, region, uncropped


def test_nearness_is_passed_on() -> None:
    boxes = {1: (0, 0, 10, 10), 2: (20, 0, 30, 10), 3: (40, 0, 50, 10), 4: (100, 0, 110, 10)}
    assert neighbours(boxes, 1, reach=8) == (1, 2, 3)
    assert neighbours(boxes, 4, reach=8) == (4,)


def test_who_stands_side_by_side_is_together() -> None:
    boxes = {i: (10 * i, 0, 10 * i + 5, 9) for i in (3, 1, 4, 12, 5, 9, 2, 6)}
    assert parties(boxes, [boxes], 3) == [(1, 2), (3, 4, 5), (6, 9, 12)]


@given(st.lists(st.integers(1, 254), unique=True, max_size=40), st.integers(1, 12), st.data())
def test_everybody_is_in_one_group_and_none_is_too_large(ids: list[int], most: int, data: st.DataObject) -> None:
    seen = data.draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
    found = parties(ids, [{i: (i % 7, 0, i % 7 + 3, 4)} for i in seen], most)
    assert sorted(i for group in found for i in group) == sorted(ids)
    assert all(1 <= len(group) <= most for group in found)


def test_the_region_holds_everybody_with_some_surroundings_and_stays_in_the_picture() -> None:
    assert region([(300, 200, 340, 260), (500, 100, 560, 300)], (360, 640)) == (255, 55, 605, 345)
    assert region([(10, 5, 40, 350)], (360, 640)) == (0, 0, 85, 360)
    assert region([], (360, 640)) == (0, 0, 640, 360)


def test_what_is_cropped_comes_back_to_its_place() -> None:
    masks = np.zeros((2, 20, 30), np.bool_)
    masks[0, 5:9, 7:12] = masks[1, 8:15, 20:22] = True
    step = Guided(np.zeros((20, 30, 3), np.uint8), masks)
    box = (6, 4, 24, 16)
    part = cropped(step, box)
    assert part.frame.shape == (12, 18, 3)
    np.testing.assert_array_equal(uncropped(part.masks.astype(np.float32), box, (20, 30)), masks)
