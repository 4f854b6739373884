"""Flow of drawn clips: exact for people who do not change, and it takes pictures to one another."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from matting.arrays import FloatArray
from matting.synthesis.figures import Person, random_person
from matting.synthesis.motion import ground_flow, person_flow, seen_flow
from matting.synthesis.procedural import LayeredClip, procedural_clip
from matting.synthesis.puppet.canvas import SUPER, Placement
from matting.synthesis.scenery import random_camera

SIZE = (144, 240)


def standing(seed: int) -> Person:
    """Somebody who does not move at all: neither limbs nor hair."""
    somebody = random_person(np.random.default_rng(seed))
    pose = somebody.pose(0)
    return Person(lambda time: pose, lambda canvas, pose, time: somebody.draw(canvas, pose, 0))


def placed(height_px: float, foot: tuple[float, float], turn: float) -> Placement:
    c, s = np.cos(turn), np.sin(turn)
    matrix = np.array(((c, -s), (s, c))) * height_px * SUPER
    return Placement(matrix, np.array(foot) * SUPER - matrix @ (0.0, 0.97))


@pytest.mark.parametrize("seed", range(5))
def test_who_is_shifted_turned_and_enlarged_moves_by_just_that(seed: int) -> None:
    now, then = placed(120, (110, 135), 0.02), placed(124, (116, 133), 0.06)
    flow = person_flow(standing(seed), 0, now, then, SIZE)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5  # the middle of a pixel, on a canvas of SUPER times the size
    here = np.stack([x, y], axis=-1) * SUPER - 0.5
    there = (here - now.origin) @ np.linalg.inv(now.matrix).T @ then.matrix.T + then.origin
    person = np.hypot(*np.moveaxis((here - now.px((0, 0.45))) / (120 * SUPER), -1, 0)) < 0.05  # inside the body
    assert person.sum() > 50
    np.testing.assert_allclose(flow[person], ((there - here) / SUPER)[person], atol=0.2)


def test_the_ground_moves_as_the_camera_does() -> None:
    camera = random_camera(np.random.default_rng(1), SIZE)
    flow = ground_flow(camera, 3, SIZE)
    now, then = camera.matrix(3, SIZE), camera.matrix(4, SIZE)
    point = np.array((150.0, 90.0))
    x, y = now[:, :2] @ point + now[:, 2]
    moved = then[:, :2] @ point + then[:, 2] - (x, y)
    assert np.hypot(*moved) > 0.1
    np.testing.assert_allclose(flow[round(y), round(x)], moved, atol=0.01)


def test_what_is_seen_decides() -> None:
    alphas = np.array([[[200, 100, 0]], [[0, 120, 30]]], np.uint8)
    people = [np.full((1, 3, 2), value, np.float32) for value in (1, 2)]
    assert seen_flow(alphas, people, np.zeros((1, 3, 2), np.float32))[0, :, 0].tolist() == [1, 2, 0]


@pytest.fixture(scope="module", params=range(6))
def clip(request: pytest.FixtureRequest) -> LayeredClip:
    return procedural_clip(request.param, SIZE, frames=2, people=2, flow=True)


def errors(clip: LayeredClip, flow: FloatArray) -> tuple[float, float]:
    """Mean error of the second frame brought back, of 255: on people and behind them, where nothing comes between."""
    labels = np.concatenate([255 - clip.alphas.sum(axis=1, keepdims=True, dtype=np.int32), clip.alphas], axis=1)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float32)
    x, y = x + flow[..., 0], y + flow[..., 1]
    back = [cv2.remap(picture.astype(np.float32), x, y, cv2.INTER_LINEAR) for picture in (clip.clean[1], *labels[1])]
    who = labels[0].argmax(axis=0)
    whole = np.take_along_axis(labels[0], who[None], 0)[0] > 250
    whole &= np.take_along_axis(np.stack(back[1:]), who[None], 0)[0] > 250
    error = np.abs(back[0] - clip.clean[0]).mean(axis=-1)
    return float(error[whole & (who > 0)].mean()), float(error[whole & (who == 0)].mean())


def test_it_brings_the_next_frame_back(clip: LayeredClip) -> None:
    assert clip.flow is not None
    people, ground = errors(clip, clip.flow[0])
    assert people < 6
    assert ground < 2.5
    still, _ = errors(clip, np.zeros_like(clip.flow[0]))
    aside, _ = errors(clip, clip.flow[0] + np.float32(1))
    assert people < 0.6 * still or still < 5  # hardly anybody moves
    assert people < 0.7 * aside


def test_the_rest_is_the_same_without_it(clip: LayeredClip) -> None:
    again = procedural_clip(2, SIZE, frames=2, people=2)
    assert again.flow is None
    if (again.backgrounds == clip.backgrounds).all():
        np.testing.assert_array_equal(again.frames, clip.frames)
