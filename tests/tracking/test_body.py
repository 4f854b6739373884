"""Which parts of a mask may belong to one body."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from matting.arrays import FloatArray, Mask
from matting.tracking.body import Body

BODY = (20, 10, 40, 70)


def people(*boxes: tuple[int, int, int, int]) -> Mask:
    mask = np.zeros((80, 200), np.uint8)
    for x0, y0, x1, y1 in boxes:
        cv2.rectangle(mask, (x0, y0), (x1 - 1, y1 - 1), 1, -1)
    return mask > 0


def as_share(mask: Mask) -> FloatArray:
    return np.where(mask, np.float32(0.9), np.float32(0.1))


@pytest.mark.parametrize("gap_px", [4, 14])
def test_who_is_parted_by_a_post_stays_whole(gap_px: int) -> None:
    seen = people((20, 10, 34, 70), (34 + gap_px, 10, 40 + gap_px, 70))
    assert not Body(people(BODY)).strays(as_share(seen)).any()


@pytest.mark.parametrize("far", [(120, 20, 135, 60), (180, 0, 200, 20)])
def test_a_look_alike_far_off_is_a_stray(far: tuple[int, int, int, int]) -> None:
    found = Body(people(BODY)).strays(as_share(people(BODY, far)))
    assert np.array_equal(found, people(far))


def test_the_group_with_most_of_the_area_stays() -> None:
    halves, other = ((10, 10, 22, 70), (30, 10, 42, 70)), (110, 10, 130, 70)
    found = Body(people(BODY)).strays(as_share(people(*halves, other)))
    assert np.array_equal(found, people(other))


def test_who_is_mostly_hidden_may_show_anywhere() -> None:
    head, feet = (20, 10, 40, 20), (150, 60, 170, 70)
    assert not Body(people(BODY)).strays(as_share(people(head, feet))).any()


def test_what_was_given_in_parts_may_lie_as_far_apart() -> None:
    kite = (160, 5, 195, 25)
    given = people(BODY, kite)
    assert not Body(given).strays(as_share(given)).any()
    assert Body(people(BODY)).strays(as_share(given)).any()


def test_one_part_and_none_have_no_strays() -> None:
    for mask in (people(), people(BODY)):
        assert not Body(people(BODY)).strays(as_share(mask)).any()
