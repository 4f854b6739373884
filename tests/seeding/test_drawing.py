from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from matting.seeding.drawing import Polygon, Stroke, covered, draw_over, misses

SIZE_HW = (40, 60)
PLACES = st.tuples(st.floats(-20, 80), st.floats(-20, 60))


def centres() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]]
    return columns + 0.5, rows + 0.5


@settings(deadline=None, max_examples=40)
@given(st.lists(PLACES, min_size=1, max_size=4), st.floats(0.3, 15))
def test_a_stroke_covers_what_is_within_its_radius_of_its_line(
    points: list[tuple[float, float]], radius: float
) -> None:
    mask = covered(Stroke(label=1, radius=radius, points=tuple(points)), SIZE_HW)
    x, y = centres()
    # Sampled densely, so that the nearest sample is no farther than the nearest place by more than a twentieth.
    samples = np.array([points[0]])
    for (xa, ya), (xb, yb) in pairwise(points):
        steps = max(2, math.ceil(math.hypot(xb - xa, yb - ya) * 5))
        shares = np.linspace(0, 1, steps + 1)[:, None]
        samples = np.concatenate([samples, np.array([[xa, ya]]) * (1 - shares) + np.array([[xb, yb]]) * shares])
    nearest = np.full(SIZE_HW, np.inf)
    for xs, ys in samples:
        nearest = np.minimum(nearest, np.hypot(x - xs, y - ys))
    assert mask[nearest <= radius - 0.01].all()
    assert not mask[nearest > radius + 0.11].any()


def test_a_single_point_is_a_disc() -> None:
    mask = covered(Stroke(label=1, radius=10, points=((30, 20),)), SIZE_HW)
    assert mask.sum() == pytest.approx(math.pi * 100, rel=0.02)


def test_a_polygon_covers_the_pixels_whose_centre_is_inside() -> None:
    box = covered(Polygon(label=1, points=((10, 5), (20, 5), (20, 15), (10, 15))), SIZE_HW)
    expected = np.zeros(SIZE_HW, np.bool_)
    expected[5:15, 10:20] = True
    assert np.array_equal(box, expected)
    x, y = centres()
    triangle = covered(Polygon(label=1, points=((0, 0), (40, 0), (0, 40))), SIZE_HW)
    assert np.array_equal(triangle, x + y < 40)


def test_where_an_outline_crosses_itself_every_second_part_is_outside() -> None:
    outer, inner = ((5, 5), (35, 5), (35, 35), (5, 35), (5, 5)), ((15, 15), (25, 15), (25, 25), (15, 25), (15, 15))
    ring = Polygon(label=1, points=(*outer, *inner))
    mask = covered(ring, SIZE_HW)
    assert mask.sum() == 30 * 30 - 10 * 10
    assert not mask[20, 20]


@pytest.mark.parametrize("corners", range(3, 9))
def test_polygons_that_reach_out_are_cut_off(corners: int) -> None:
    x, y = np.random.default_rng(corners).uniform((-20, -20), (80, 60), (corners, 2)).T
    points = Polygon(label=1, points=tuple(zip(x.tolist(), y.tolist(), strict=True)))
    shifted = Polygon(label=1, points=tuple(zip((x + 30).tolist(), (y + 30).tolist(), strict=True)))
    mask = covered(points, SIZE_HW)
    assert mask.any()
    assert np.array_equal(mask, covered(shifted, (120, 140))[30:70, 30:90])


def test_there_and_back_again_encloses_nothing() -> None:
    thin = Polygon(label=1, points=((0, 0), (0, 0), (6.999999999999993, 6.999999999999993)))
    assert not covered(thin, SIZE_HW).any()
    assert misses(thin, SIZE_HW)
    assert not misses(Stroke(label=1, radius=2, points=((61.5, 20),)), SIZE_HW)
    assert misses(Stroke(label=1, radius=2, points=((62.5, 20), (90, 20))), SIZE_HW)


def test_the_later_drawing_counts_within_and_across_instances() -> None:
    picture = np.zeros(SIZE_HW, np.uint8)
    picture[:, :30] = 1

    def disc(label: int, x: float, order: int) -> Stroke:
        return Stroke(label=1 if label else 0, radius=5, points=((x, 20),), order=order)

    assert draw_over(picture, {2: [disc(1, 25, 0)]})[20, 25] == 2
    assert draw_over(picture, {1: [disc(0, 25, 0)]})[20, 25] == 0
    assert draw_over(picture, {2: [disc(0, 25, 0)]})[20, 25] == 1  # it was not theirs
    assert draw_over(picture, {1: [disc(1, 45, 0), disc(0, 45, 1)]})[20, 45] == 0
    assert draw_over(picture, {1: [disc(0, 45, 0), disc(1, 45, 1)]})[20, 45] == 1
    assert draw_over(picture, {1: [disc(1, 45, 3)], 2: [disc(1, 45, 2)]})[20, 45] == 1
    assert draw_over(picture, {1: [disc(1, 45, 2)], 2: [disc(1, 45, 3)]})[20, 45] == 2
    assert picture[20, 25] == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"label": 2, "radius": 3, "points": ((1, 1),)},
        {"label": 1, "radius": 0, "points": ((1, 1),)},
        {"label": 1, "radius": math.inf, "points": ((1, 1),)},
        {"label": 1, "radius": 3, "points": ()},
        {"label": 1, "radius": 3, "points": ((math.nan, 1),)},
    ],
)
def test_strokes_that_mean_nothing_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Stroke.model_validate(bad)


def test_two_corners_are_no_polygon() -> None:
    with pytest.raises(ValidationError):
        Polygon(label=1, points=((0, 0), (5, 5)))
