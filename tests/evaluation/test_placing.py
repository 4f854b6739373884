from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.evaluation import placing


def person() -> NDArray[np.bool_]:
    mask = np.zeros((200, 120), np.uint8)
    cv2.circle(mask, (60, 40), 16, 1, -1)
    cv2.ellipse(mask, (60, 95), (24, 44), 0, 0, 360, 1, -1)
    cv2.rectangle(mask, (42, 130), (54, 185), 1, -1)
    cv2.rectangle(mask, (66, 130), (78, 185), 1, -1)
    return mask > 0


@given(st.integers(0, 1000))
def test_points_lie_well_inside_one_in_each_third(turn: int) -> None:
    mask = person()
    placed = placing.points(mask, np.random.default_rng(turn))
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    assert len(placed.include) == 3
    assert [int((y - 24) // 54) for _, y in placed.include] == [0, 1, 2]
    assert all(depth[int(y), int(x)] >= 3 for x, y in placed.include)


@given(st.integers(0, 1000))
def test_a_box_is_off_by_little_and_stays_in_the_frame(turn: int) -> None:
    x0, y0, x1, y1 = placing.box(person(), np.random.default_rng(turn)).box or (0, 0, 0, 0)
    assert (x0, y0, x1, y1) == pytest.approx((36, 24, 85, 186), abs=3.3)
    full = placing.box(np.ones((10, 10), np.bool_), np.random.default_rng(turn)).box or (-1, 0, 0, 0)
    assert full[0] >= 0
    assert full[3] <= 10


def test_the_same_chance_gives_the_same_prompt() -> None:
    one, other = (placing.box_and_points(person(), np.random.default_rng(3)) for _ in range(2))
    assert one == other
    assert one != placing.box_and_points(person(), np.random.default_rng(4))


def test_a_correction_clicks_into_the_largest_mistakes() -> None:
    truth = person()
    found = truth.copy()
    found[128:] = False
    found[60:80, 95:115] = True
    found[2:4, 2:4] = True
    corrected = placing.corrected(placing.one_point(truth, np.random.default_rng(0)), truth, found)
    assert len(corrected.include) == 2
    x, y = corrected.include[1]
    assert truth[int(y), int(x)]
    assert not found[int(y), int(x)]
    assert np.array(corrected.exclude) == pytest.approx(np.array([[104.5, 69.5]]), abs=1)
    assert placing.corrected(corrected, truth, truth) == corrected
