"""What neighbours of a frame tell a seeder."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.seeding.grabcut import GrabCutSeeder
from matting.seeding.motion import find_motion
from matting.seeding.seeder import FramePrompt, Neighbour

HEIGHT, WIDTH, MARGIN = 180, 240, 60
MIDDLE = 110


def gravel(seed: int, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Grey grain of a few pixels."""
    grain = np.random.default_rng(seed).normal(0, 1, size_hw).astype(np.float32)
    soft = cv2.GaussianBlur(grain, (0, 0), 1.6)
    return np.asarray(120 + 45 * soft / soft.std(), np.float32)


def figure(x: int) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    head = (columns - x) ** 2 + (rows - 42) ** 2 < 14**2
    return np.asarray(head | (((columns - x) / 24) ** 2 + ((rows - 108) / 56) ** 2 < 1))


def scene(t: int, pan: int = 0, walk: int = 3) -> NDArray[np.uint8]:
    """A figure of gravel that walks before a wall of gravel, while the camera pans; nothing but movement tells them."""
    start = MARGIN + pan * t
    picture = gravel(1, (HEIGHT, WIDTH + 2 * MARGIN))[:, start : start + WIDTH].copy()
    x = MIDDLE + walk * t
    mask = figure(x)
    shifted = np.roll(gravel(2, (HEIGHT, WIDTH)), walk * t, axis=1)
    picture[mask] = shifted[mask]
    return np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def neighbours(pan: int = 0, distances: tuple[int, ...] = (-12, -6, -2, 2, 6, 12)) -> list[Neighbour]:
    return [Neighbour(t, scene(t, pan)) for t in distances]


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("pan", [0, 2])
def test_the_figure_changes_and_the_wall_does_not_whatever_the_camera_does(pan: int) -> None:
    motion = find_motion(scene(0), neighbours(pan))
    assert motion is not None
    mask = figure(MIDDLE)
    wall = ~cv2.dilate(mask.astype(np.uint8), np.ones((25, 25), np.uint8)).astype(bool)
    assert np.median(motion.share[mask]) > 0.6
    assert np.median(motion.share[wall]) < 0.2
    assert np.median(motion.change[mask]) > 5 * np.median(motion.change[wall]) + 5


@pytest.mark.parametrize("pan", [0, 2])
def test_a_figure_like_its_background_is_found_by_its_movement(pan: int) -> None:
    prompt = FramePrompt(include=((MIDDLE, 100),))
    seeder = GrabCutSeeder()
    still = iou(seeder.seed(scene(0), prompt, []), figure(MIDDLE))
    moving = iou(seeder.seed(scene(0), prompt, [], neighbours(pan)), figure(MIDDLE))
    assert moving > 0.85
    assert moving > still + 0.1


def test_another_shot_is_no_neighbour() -> None:
    cut = [Neighbour(t, 255 - scene(t)[::-1]) for t in (-2, 2)]
    assert find_motion(scene(0), cut) is None
    prompt = FramePrompt(include=((MIDDLE, 100),), box=(84, 26, 136, 166))
    seeder = GrabCutSeeder()
    assert np.array_equal(seeder.seed(scene(0), prompt, [], cut), seeder.seed(scene(0), prompt, []))


def test_a_side_alone_counts_only_where_there_are_no_pairs() -> None:
    """What the figure has uncovered looks changed from one side."""
    prompt = FramePrompt(include=((MIDDLE, 100),))
    both, later = neighbours(), neighbours(distances=(2, 6, 12))
    seeder = GrabCutSeeder()
    still = iou(seeder.seed(scene(0), prompt, []), figure(MIDDLE))
    assert iou(seeder.seed(scene(0), prompt, [], later), figure(MIDDLE)) > max(still + 0.1, 0.85)
    motion, lone = find_motion(scene(0), both), find_motion(scene(0), [*both, Neighbour(20, scene(20))])
    assert motion is not None
    assert lone is not None
    assert np.array_equal(motion.change, lone.change)


def test_the_same_neighbours_give_the_same_mask_in_any_order_of_clicks() -> None:
    near = neighbours()
    seeder = GrabCutSeeder()
    chest = FramePrompt(include=((MIDDLE, 100),))
    first = seeder.seed(scene(0), chest, [], near)
    seeder.seed(scene(0)[:, ::-1].copy(), chest, [])
    for away in range(1, 7):
        seeder.seed(scene(away), chest, [], [Neighbour(-1, scene(0))])
    assert np.array_equal(GrabCutSeeder().seed(scene(0), chest, [], near), first)


@pytest.mark.parametrize("size_hw", [(1, 1), (3, 9), (33, 20)])
def test_tiny_frames_have_no_motion_to_speak_of(size_hw: tuple[int, int]) -> None:
    frame = np.full((*size_hw, 3), 77, np.uint8)
    mask = GrabCutSeeder().seed(frame, FramePrompt(include=((0, 0),)), [], [Neighbour(1, frame)])
    assert mask.shape == size_hw
    assert mask[0, 0]
