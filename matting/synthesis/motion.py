"""Exact optical flow of drawn clips: where what is to be seen on a frame will be on the next."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.synthesis.figures import Person
from matting.synthesis.puppet.canvas import SUPER, Placement
from matting.synthesis.puppet.motion import Later, Moving
from matting.synthesis.scenery import Camera

_NEAR_PX = 4.0
_TINY = 1e-6


def ground_flow(camera: Camera, time: float, size_hw: tuple[int, int]) -> FloatArray:
    """Of the background from a time to a frame later, ``[H, W, 2]`` pixels, (x, y)."""
    now, then = (np.vstack([camera.matrix(t, size_hw), (0, 0, 1)]).astype(np.float64) for t in (time, time + 1))
    y, x = np.mgrid[: size_hw[0], : size_hw[1]]
    here = np.stack([x, y, np.ones_like(x)], axis=-1)
    return np.asarray((here @ (then @ np.linalg.inv(now)).T - here)[..., :2], np.float32)


def person_flow(person: Person, time: float, now: Placement, then: Placement, size_hw: tuple[int, int]) -> FloatArray:
    """Of one person alone from a time to a frame later, ``[H, W, 2]`` pixels, (x, y).

    Away from the person it is that of the nearest part: out of focus, they are seen there, too.

    Args:
        person: who.
        time: in frames.
        now, then: where they stand at that time and a frame later, on a canvas of :data:`SUPER` pixels a pixel.
        size_hw: of the picture.
    """
    later = Later(then)
    person.draw(later, person.pose(time + 1), time + 1)
    canvas = Moving(now, (size_hw[0] * SUPER, size_hw[1] * SUPER), later)
    if not canvas.alpha.size:
        return np.zeros((*size_hw, 2), np.float32)
    person.draw(canvas, person.pose(time), time)
    whole = np.zeros((size_hw[0] * SUPER, size_hw[1] * SUPER, 3), np.float32)
    window = whole[canvas.top : canvas.bottom, canvas.left : canvas.right]
    window[..., :2], window[..., 2] = canvas.flow / SUPER, canvas.known
    whole[..., :2] *= whole[..., 2:]
    small = np.asarray(cv2.resize(whole, size_hw[::-1], interpolation=cv2.INTER_AREA), np.float32)
    near = cv2.GaussianBlur(small, (0, 0), _NEAR_PX)
    own = small[..., :2] / np.maximum(small[..., 2:], _TINY)
    spread = near[..., :2] / np.maximum(near[..., 2:], _TINY)
    return np.where(small[..., 2:] > _TINY, own, spread)


def seen_flow(alphas: NDArray[np.uint8], people: Sequence[FloatArray], ground: FloatArray) -> FloatArray:
    """Of what most is to be seen of at each pixel, ``[H, W, 2]``.

    Args:
        alphas: ``[N, H, W]``, what is to be seen of everybody.
        people: N times ``[H, W, 2]``.
        ground: ``[H, W, 2]``.
    """
    shares = np.concatenate([255 - alphas.sum(axis=0, dtype=np.int32, keepdims=True), alphas.astype(np.int32)])
    flows = np.stack([ground, *people])
    most = shares.argmax(axis=0)
    return np.asarray(np.take_along_axis(flows, most[None, ..., None], axis=0)[0], np.float32)
