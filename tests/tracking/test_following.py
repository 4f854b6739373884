"""What only motion and what was learnt on the prompted frame can follow."""

from __future__ import annotations

import cv2
import numpy as np
from moving_shapes import Disc, Pictures, Scene, overlap, texture

from matting.arrays import Mask
from matting.job import JobContext
from matting.tracking.camera import own_motion
from matting.tracking.flow import FlowTracker
from matting.tracking.motion import Motion

SIZE_HW = (120, 200)


def limbs(index: int) -> Mask:
    """A body that walks to the right, and two arms that swing by up to 60 degrees a frame."""
    mask = np.zeros(SIZE_HW, np.uint8)
    x = 50 + 3 * index
    cv2.ellipse(mask, (x, 62), (13, 24), 0, 0, 360, 1, -1)
    for side, phase in ((1, 0.0), (-1, 1.5)):
        angle = np.pi / 2 + side * (0.7 + np.sin(index * np.radians(60) + phase))
        hand = round(x + 38 * np.cos(angle)), round(52 + 38 * np.sin(angle))
        cv2.line(mask, (x, 52), hand, 1, 9)
    return mask > 0


def test_swinging_arms_of_almost_the_walls_colour_while_the_camera_pans() -> None:
    # Carried by flow and colours alone ("flow/2") this gave 0.43.
    wall, skin = texture(1, (SIZE_HW[0], 320), (115, 118, 108)), texture(2, (SIZE_HW[0], 320), (130, 115, 105))
    masks, pictures = [limbs(index) for index in range(32)], []
    for index, mask in enumerate(masks):
        picture = np.ascontiguousarray(wall[:, 3 * index : 3 * index + SIZE_HW[1]])
        picture[mask] = np.roll(skin, 3 * index, axis=1)[:, : SIZE_HW[1]][mask]
        pictures.append(picture)
    found = FlowTracker().track(Pictures(pictures), range(32), {0: {1: masks[0]}}, JobContext())
    assert np.mean([overlap(m.masks[0], masks[m.index]) for m in found if m.index]) > 0.7


def test_two_of_one_colour_that_touch_keep_what_is_theirs() -> None:
    # They meet on frame 12 and part again, each where it came from.
    paths = [(30 + 2.0 * min(t, 24 - t), 110 - 2.0 * min(t, 24 - t)) for t in range(25)]
    wall, skins = texture(1, (90, 140), (110, 120, 100)), [texture(n, (90, 140), (170, 100, 90)) for n in (2, 3)]
    pictures, truth = [], []
    for left, right in paths:
        picture, masks = wall.copy(), {}
        for instance, (x, skin) in enumerate(zip((left, right), skins, strict=True), start=1):
            masks[instance] = Disc(16, (x, 45), (0, 0), (0, 0, 0)).mask(0, (90, 140))
            picture[masks[instance]] = np.roll(skin, round(x), axis=1)[masks[instance]]
        pictures.append(picture)
        truth.append(masks)
    found = {m.index: m.masks for m in FlowTracker().track(Pictures(pictures), range(25), {0: truth[0]}, JobContext())}
    for instance in (1, 2):
        assert np.mean([overlap(found[t][instance - 1], truth[t][instance]) for t in range(1, 25)]) > 0.85


def test_a_look_alike_who_was_met_is_left_behind() -> None:
    # While they overlap one mask holds both; without regard to bodies it held both for good (overlap 0.67).
    skin = (170, 100, 90)
    scene = Scene([Disc(11, (100, 48), (-1, 0), skin), Disc(16, (30, 44), (2, 0), skin)], 48, (90, 220))
    seeds = {0: {1: scene.seen(0)[2]}}
    found = {m.index: m.masks[0] for m in FlowTracker().track(scene, range(48), seeds, JobContext())}
    for t in range(40, 48):
        assert overlap(found[t], scene.seen(t)[2]) > 0.85
        assert not (found[t] & scene.seen(t)[1]).any()


def test_what_the_camera_does_is_not_somebodys_own_motion() -> None:
    y, x = np.indices((60, 90), np.float32)
    pan = np.stack((3 + 0.02 * x, -1 + 0.01 * y), axis=-1)
    walking = pan.copy()
    walking[20:40, 30:50] += (4.0, 0.0)
    back = walking.astype(np.float16)
    speed = own_motion(Motion(-back, back), np.ones((60, 90), np.float32))
    walker = speed[22:38, 32:48].copy()
    speed[18:42, 28:52] = 0
    assert abs(walker.mean() / (4 * 640 / 90) - 1) < 0.1
    assert speed.max() < 0.1 * walker.mean()
