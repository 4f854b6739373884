from __future__ import annotations

import numpy as np

from matting.seeding.figure import expect_figure
from matting.seeding.posterior import find_figure


def test_expectation_follows_the_points_and_fades() -> None:
    odds = expect_figure((100, 100), [(50, 20), (50, 80)], [], None)
    assert odds[50, 50] == odds.max() > 0
    assert odds[50, 5] == odds.min() < -2
    assert (np.diff(odds[50, 50:]) <= 0).all()


def test_box_draws_the_figure_out_to_head_and_feet() -> None:
    odds = expect_figure((100, 100), [(50, 50)], [], (30, 10, 70, 90))
    assert odds[14, 50] > 0
    assert odds[85, 50] > 0
    assert odds[50, 2] < -1


def test_exclude_points_make_a_dent() -> None:
    plain = expect_figure((100, 100), [(50, 20), (50, 80)], [], None)
    dented = expect_figure((100, 100), [(50, 20), (50, 80)], [(56, 50)], None)
    assert dented[50, 56] < plain[50, 56] - 1
    assert dented[20, 50] == plain[20, 50]


def test_colour_overrules_expectation_and_edges_hold() -> None:
    """A bright square of which less than half is expected is found whole, and its corners are sharp."""
    picture = np.full((60, 60, 3), 40, np.uint8)
    picture[15:45, 15:45] = (220, 160, 60)
    expected = np.full((60, 60), -1, np.float32)
    expected[20:40, 20:40] = 1.5
    sure = np.zeros((60, 60), np.bool_)
    inside = find_figure(picture, expected, sure, sure)
    truth = picture[..., 0] > 100
    assert (inside & truth).sum() / (inside | truth).sum() > 0.97


def test_sure_pixels_are_sure_without_any_colour() -> None:
    flat = np.full((20, 20, 3), 90, np.uint8)
    sure_in, sure_out = np.zeros((2, 20, 20), np.bool_)
    sure_in[3, 3], sure_out[:, 15:] = True, True
    inside = find_figure(flat, np.zeros((20, 20), np.float32), sure_in, sure_out)
    assert inside[3, 3]
    assert not inside[:, 15:].any()
