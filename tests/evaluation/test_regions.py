"""J and F of index pictures, by hand and beside the definitions written out pixel by pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.evaluation.identity import switches
from matting.evaluation.regions import VOID, contour, contour_accuracy, decay, overlaps, recall


def picture(**boxes: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Rectangles (x0, y0, x1, y1), half-open, called ``i1``, ``i2`` … on 40×30."""
    ids = np.zeros((30, 40), np.uint8)
    for name, (x0, y0, x1, y1) in boxes.items():
        ids[y0:y1, x0:x1] = int(name[1:])
    return ids


def test_overlaps_are_shared_area_over_joint_area_for_every_pair() -> None:
    pred = picture(i1=(0, 0, 10, 10), i2=(20, 0, 30, 10))
    truth = picture(i1=(5, 0, 15, 10), i2=(25, 0, 35, 10))
    found = overlaps(pred, truth, (1, 2, 7))
    assert found[0, 0] == pytest.approx(50 / 150)
    assert found[1, 1] == pytest.approx(50 / 150)
    assert found[0, 1] == found[1, 0] == 0
    assert found[2, 2] == 1, "neither has it"
    assert found[2, 0] == found[0, 2] == 0, "only one has it"


def test_void_counts_neither_way() -> None:
    pred, truth = picture(i1=(0, 0, 10, 10)), picture(i1=(0, 0, 5, 10))
    assert overlaps(pred, truth, (1,))[0, 0] == 0.5
    truth[:, 5:10] = VOID
    assert overlaps(pred, truth, (1,))[0, 0] == 1
    assert contour_accuracy(pred == 1, truth == 1, truth == VOID) == 1


def test_contours_within_the_tolerance_agree_and_farther_ones_do_not() -> None:
    # On 40×30 the diagonal is 50, and 0.008 of it rounds up to 1 pixel.
    truth = picture(i1=(10, 10, 20, 20)) == 1
    near, far = picture(i1=(11, 10, 21, 20)) == 1, picture(i1=(10, 10, 20, 28)) == 1
    assert contour_accuracy(near, truth) == 1
    # The far one's left and right sides agree for as long as the true ones, the lower side nowhere.
    assert 0.5 < contour_accuracy(far, truth) < 0.9


def test_a_missing_contour_is_worth_nothing_and_two_missing_ones_everything() -> None:
    nothing, something = np.zeros((30, 40), np.bool_), picture(i1=(1, 1, 5, 5)) == 1
    assert contour_accuracy(nothing, something) == contour_accuracy(something, nothing) == 0
    assert contour_accuracy(nothing, nothing) == 1


def _plain_contour(mask: NDArray[np.bool_]) -> set[tuple[int, int]]:
    height, width = mask.shape
    return {
        (y, x)
        for y in range(height)
        for x in range(width)
        for b, a in ((y, x + 1), (y + 1, x), (y + 1, x + 1))
        if b < height and a < width and mask[y, x] != mask[b, a]
    }


def _plain_accuracy(pred: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    reach = math.ceil(0.008 * math.hypot(*truth.shape))
    mine, its = _plain_contour(pred), _plain_contour(truth)
    if not mine or not its:
        return float(not mine and not its)

    def share(of: set[tuple[int, int]], near: set[tuple[int, int]]) -> float:
        return sum(any((y - b) ** 2 + (x - a) ** 2 <= reach**2 for b, a in near) for y, x in of) / len(of)

    precision, recalled = share(mine, its), share(its, mine)
    return 2 * precision * recalled / (precision + recalled) if precision + recalled else 0.0


@st.composite
def masks(draw: st.DrawFn) -> NDArray[np.bool_]:
    """Up to two rectangles on a picture whose tolerance is two pixels; they may touch its edges."""
    mask = np.zeros((90, 140), np.bool_)
    for _ in range(draw(st.integers(0, 2))):
        x, y = draw(st.integers(0, 139)), draw(st.integers(0, 89))
        mask[y : y + draw(st.integers(1, 30)), x : x + draw(st.integers(1, 30))] ^= True
    return mask


@settings(deadline=None, max_examples=40)
@given(masks(), masks())
def test_contour_accuracy_is_its_definition_pixel_by_pixel(pred: NDArray[np.bool_], truth: NDArray[np.bool_]) -> None:
    assert set(map(tuple, np.argwhere(contour(pred)).tolist())) == _plain_contour(pred)
    assert contour_accuracy(pred, truth) == pytest.approx(_plain_accuracy(pred, truth))


def test_recall_and_decay() -> None:
    values = np.array([0.9, 0.9, 0.8, 0.6, 0.5, 0.4, 0.3, 0.3, 0.2])
    assert recall(values) == pytest.approx(4 / 9), "0.5 itself is not above it"
    # Nine frames meet at 0, 2, 4, 6, 8: the first quarter is 0-2, the last one 6-8.
    assert decay(values) == pytest.approx((0.9 + 0.9 + 0.8) / 3 - (0.3 + 0.3 + 0.2) / 3)
    assert math.isnan(recall(np.array([])))
    assert math.isnan(decay(np.array([])))


STRAIGHT, CROSSED, LOST = np.diag([0.9, 0.8]), np.fliplr(np.diag([0.7, 0.7])), np.diag([0.4, 0.9])


def test_a_swap_makes_two_switches_and_a_swap_back_two_more() -> None:
    assert switches([STRAIGHT, STRAIGHT]) == 0
    assert switches([STRAIGHT, CROSSED, CROSSED]) == 2
    assert switches([STRAIGHT, CROSSED, STRAIGHT]) == 4


def test_whoever_is_lost_and_found_again_as_the_same_did_not_switch() -> None:
    assert switches([STRAIGHT, LOST, STRAIGHT]) == 0
    assert switches([STRAIGHT, LOST, CROSSED]) == 2
