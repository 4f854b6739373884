"""Pictures on which colours alone mislead."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.seeding.grabcut import GrabCutSeeder
from matting.seeding.seeder import FramePrompt, seed_frame

HEIGHT, WIDTH = 240, 320
WALL, SKIN, JEANS, DARK = (232, 226, 214), (205, 150, 120), (60, 75, 120), (70, 50, 40)


def noisy(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grain = np.random.default_rng(0).normal(0, 3, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def draw(picture: NDArray[np.uint8], x: int, shirt: tuple[int, int, int]) -> NDArray[np.bool_]:
    """A person with a head, a shirt that is edged by its shade, and two legs; returns the mask."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for canvas, colours in ((picture, (SKIN, shirt, JEANS)), (mask, ((1,), (1,), (1,)))):
        skin, cloth, jeans = colours
        cv2.ellipse(canvas, (x, 95), (27, 38), 0, 0, 360, cloth, -1)
        cv2.rectangle(canvas, (x - 20, 120), (x - 3, 215), jeans, -1)
        cv2.rectangle(canvas, (x + 3, 120), (x + 20, 215), jeans, -1)
        cv2.circle(canvas, (x, 42), 18, skin, -1)
    cv2.ellipse(picture, (x, 95), (27, 38), 0, 140, 400, DARK, 1)
    return mask > 0


def test_a_torso_like_the_wall_between_clicked_head_and_legs_is_selected() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), WALL, np.uint8)
    truth = draw(picture, 160, (236, 231, 221))
    torso = truth & (np.mgrid[:HEIGHT, :WIDTH][0] > 65) & (np.mgrid[:HEIGHT, :WIDTH][0] < 115)
    head_and_legs = FramePrompt(include=((160, 42), (149, 180), (171, 180)))
    mask = GrabCutSeeder().seed(noisy(picture), head_and_legs, [])
    assert mask[torso].mean() > 0.9
    assert iou(mask, truth) > 0.85


def test_two_in_the_same_clothes_who_touch_are_parted_by_their_points() -> None:
    picture = np.full((HEIGHT, WIDTH, 3), (90, 120, 80), np.uint8)
    left = draw(picture, 134, (150, 40, 50))
    right = draw(picture, 180, (150, 40, 50))
    left &= ~right
    prompts = {number: FramePrompt(include=((x, 42), (x, 95), (x - 11, 170))) for number, x in ((1, 134), (2, 180))}
    masks = seed_frame(GrabCutSeeder(), noisy(picture), prompts)
    assert iou(masks[1], left) > 0.85
    assert iou(masks[2], right) > 0.85
