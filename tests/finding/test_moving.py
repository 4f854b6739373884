from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.finding.moving import FEWEST, find_moving, movement
from matting.finding.proposal import overlap

SIZE_HW = (120, 200)


def wall(seed: int = 0) -> NDArray[np.uint8]:
    """Soft blotches with a little noise of their own in every frame."""
    blotches = np.random.default_rng(1).uniform(60, 190, (8, 12, 3)).astype(np.float32)
    soft = cv2.resize(blotches, SIZE_HW[::-1], interpolation=cv2.INTER_CUBIC)
    noisy = soft + np.random.default_rng(seed).normal(0, 2, soft.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def with_figure(x: int, seed: int, width: int = 24) -> NDArray[np.uint8]:
    """Somebody dark, 24 wide and 80 high, whose left edge is at ``x``."""
    picture = wall(seed)
    picture[30:110, x : x + width] = (20, 25, 30)
    return picture


def as_neighbour(picture: NDArray[np.uint8]) -> FloatArray:
    return picture.astype(np.float32)


def test_who_walks_is_found_and_who_never_moves_is_not() -> None:
    def frame(x: int, seed: int) -> NDArray[np.uint8]:
        picture = with_figure(x, seed)
        picture[50:90, 170:190] = (200, 30, 30)  # a letter box
        return picture

    neighbours = [as_neighbour(frame(x, x)) for x in (0, 10, 20, 110, 120, 130)]
    moving = movement(frame(70, 99), neighbours, scale=0.5)
    assert moving is not None
    found = find_moving(moving, (240, 400))
    assert len(found) == 1
    assert found[0].source == "motion"
    assert overlap(found[0].box, (140, 60, 188, 220)) > 0.6
    assert moving.share((140, 60, 188, 220)) > 0.95
    assert moving.share((340, 100, 380, 180)) < 0.05


def test_what_no_neighbour_shows_does_not_move() -> None:
    neighbours = [as_neighbour(wall(seed)) for seed in range(6)]
    for neighbour in neighbours:
        neighbour[:, 60:] = np.nan
    assert movement(with_figure(100, 9), neighbours, 1.0) is not None
    moving = movement(with_figure(100, 9), neighbours, 1.0)
    assert moving is not None
    assert not moving.mask.any()


def test_two_people_side_by_side_are_no_single_person() -> None:
    neighbours = [as_neighbour(wall(seed)) for seed in range(6)]
    moving = movement(with_figure(40, 9, width=110), neighbours, 1.0)
    assert moving is not None
    assert moving.share((40, 30, 150, 110)) > 0.99
    assert find_moving(moving, SIZE_HW) == []


@pytest.mark.parametrize("count", range(FEWEST))
def test_few_neighbours_say_nothing(count: int) -> None:
    assert movement(wall(), [as_neighbour(wall(seed)) for seed in range(count)], 1.0) is None


def test_where_everything_moves_nobody_is_singled_out() -> None:
    elsewhere = [as_neighbour(255 - wall(seed)) for seed in range(6)]
    assert movement(wall(9), elsewhere, 1.0) is None
