"""Backgrounds from noise, lines and blobs, and cameras that move over them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator

from matting.arrays import FloatArray
from matting.synthesis.figures import random_colour

_MARGIN = 1.5
"""How much larger than the picture the painted ground is, for cameras to move over."""


@dataclass(frozen=True)
class Camera:
    """A hand-held camera: drifts, shakes, zooms and rolls a little.

    Attributes:
        drift: ``[2]`` pixels per frame, (x, y).
        shake: ``[3, 3]``: for x, y and roll the reach (pixels, pixels, radians), pace and phase.
        zoom: factor per frame.
    """

    drift: FloatArray
    shake: FloatArray
    zoom: float

    def matrix(self, time: float, size_hw: tuple[int, int]) -> FloatArray:
        """``[2, 3]``: from the ground, whose middle is seen in the middle at time 0, to the picture."""
        height, width = size_hw
        x, y, roll = (reach * np.sin(pace * time + phase) for reach, pace, phase in self.shake)
        scale = self.zoom**time
        c, s = np.cos(roll) * scale, np.sin(roll) * scale
        shift = np.array((x, y)) + self.drift * time
        middle = np.array((width, height)) * _MARGIN / 2
        turn = np.array(((c, -s), (s, c)))
        origin = np.array((width, height)) / 2 + shift - turn @ middle
        return np.asarray(np.hstack([turn, origin[:, None]]), np.float32)


def random_camera(rng: Generator, size_hw: tuple[int, int]) -> Camera:
    """Still in a third of the cases."""
    if rng.random() < 0.33:
        return Camera(np.zeros(2, np.float32), np.zeros((3, 3), np.float32), 1.0)
    reach = min(size_hw) * 0.012
    shake = np.stack([rng.uniform(0, reach, 3), rng.uniform(0.1, 0.9, 3), rng.uniform(0, 6.3, 3)], axis=1)
    shake[2, 0] = rng.uniform(0, 0.012)
    drift = rng.normal(0, min(size_hw) * 0.004, 2) * (1, 0.3)
    return Camera(drift.astype(np.float32), shake.astype(np.float32), float(rng.uniform(0.998, 1.003)))


def seen(ground: FloatArray, camera: Camera, time: float, size_hw: tuple[int, int]) -> FloatArray:
    """What the camera sees of a painted ground, ``[H, W, 3]``."""
    warped = cv2.warpAffine(
        ground, camera.matrix(time, size_hw), size_hw[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.float32)


def fitted(picture: FloatArray, size_hw: tuple[int, int], rng: Generator) -> FloatArray:
    """A random part of a picture as ground for a picture of ``size_hw``."""
    height, width = (round(side * _MARGIN) for side in size_hw)
    scale = max(height / picture.shape[0], width / picture.shape[1]) * rng.uniform(1.0, 1.4)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    large = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
    top = int(rng.integers(0, max(large.shape[0] - height, 0) + 1))
    left = int(rng.integers(0, max(large.shape[1] - width, 0) + 1))
    part = large[top : top + height, left : left + width]
    return np.asarray(cv2.resize(part, (width, height)), np.float32)


def painted(rng: Generator, size_hw: tuple[int, int]) -> FloatArray:
    """A ground for a picture of ``size_hw``: sky and floor, walls, windows, foliage and wires, in and out of focus."""
    height, width = (round(side * _MARGIN) for side in size_hw)
    upper, lower = np.array(random_colour(rng)), np.array(random_colour(rng))
    horizon = rng.uniform(0.35, 0.8) * height
    rows = np.clip((np.arange(height)[:, None, None] - horizon) / (0.02 * height + 1) + 0.5, 0, 1)
    ground = np.asarray(upper * (1 - rows) + lower * rows, np.float32) * np.ones((1, width, 1), np.float32)
    for octave in (4, 9, 24, 64, 160):
        strength = rng.uniform(0.02, 0.22) / np.sqrt(octave / 4)
        noise = rng.normal(0, strength, (octave, max(octave * width // height, 1), 3))
        if rng.random() < 0.5:
            noise[..., 1:] = noise[..., :1]
        ground += cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(int(rng.integers(0, 30))):
        _block(ground, rng)
    for _ in range(int(rng.integers(0, 4))):
        _foliage(ground, rng)
    for _ in range(int(rng.integers(0, 25))):
        start, end = ((int(rng.integers(width)), int(rng.integers(height))) for _ in range(2))
        cv2.line(ground, start, end, random_colour(rng), int(rng.integers(1, 5)), cv2.LINE_AA)
    if rng.random() < 0.5:
        ground = np.asarray(cv2.GaussianBlur(ground, (0, 0), rng.uniform(0.3, 0.02 * height)), np.float32)
    return np.clip(ground, 0, 1)


def _block(ground: FloatArray, rng: Generator) -> None:
    """A wall, a door, a window, a sign."""
    height, width = ground.shape[:2]
    x, y = int(rng.integers(-width // 8, width)), int(rng.integers(-height // 8, height))
    w, h = int(rng.integers(4, width // 3)), int(rng.integers(4, height // 2))
    part = ground[max(y, 0) : max(y + h, 0), max(x, 0) : max(x + w, 0)]
    if part.size:
        part *= 1 - rng.uniform(0.3, 1.0)
        part += np.array(random_colour(rng), np.float32) * rng.uniform(0.3, 1.0)


def _foliage(ground: FloatArray, rng: Generator) -> None:
    """A bush or lawn of short strokes: what hair is taken for."""
    height, width = ground.shape[:2]
    middle, spread = rng.uniform(0, 1, 2) * (width, height), rng.uniform(0.05, 0.3, 2) * (width, height)
    count = int(rng.integers(80, 500))
    roots = rng.normal(middle, spread, (count, 2))
    tips = roots + rng.normal(0, 0.03 * height, (count, 2)) + (0, -0.03 * height)
    shade, thick = np.array(random_colour(rng)), int(rng.integers(1, 4))
    for light in (0.6, 0.85, 1.1, 1.35):
        lines = np.rint(np.stack([roots, tips], axis=1)).astype(np.int32)[int(light * 100) % 4 :: 4]
        cv2.polylines(ground, list(lines), False, tuple(shade * light), thick, cv2.LINE_AA)
