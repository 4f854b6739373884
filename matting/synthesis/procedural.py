"""Clips of people that are drawn, not filmed: no data needed, every layer known, the same seed the same clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.synthesis.degrade import Film, random_film
from matting.synthesis.figures import Person, random_person, straight
from matting.synthesis.layers import Layer, compose
from matting.synthesis.motion import ground_flow, person_flow, seen_flow
from matting.synthesis.puppet.canvas import SUPER, Canvas, Placement
from matting.synthesis.scenery import Camera, fitted, painted, random_camera, seen

SUBFRAMES = 3
"""Moments that a frame's motion blur is averaged from."""


@dataclass(frozen=True)
class LayeredClip:
    """A clip and the truth about it.

    Attributes:
        frames: ``[T, H, W, 3]`` uint8 RGB, as a camera delivers them: with grain, compression, drifting exposure.
        clean: ``[T, H, W, 3]`` uint8, before that: exactly what the layers give, see :func:`layers.recompose`.
        alphas: ``[T, N, H, W]`` uint8, what is to be seen; instances from back to front.
        foregrounds: ``[T, N, H, W, 3]`` uint8, straight.
        backgrounds: ``[T, H, W, 3]`` uint8, with the people's shadows.
        flow: ``[T - 1, H, W, 2]`` float32, if it was asked for: what most is to be seen of at (x, y) of a frame is
            at (x, y) + flow on the next, in pixels; whether it is still to be seen there is another question.
    """

    frames: NDArray[np.uint8]
    clean: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    foregrounds: NDArray[np.uint8]
    backgrounds: NDArray[np.uint8]
    flow: FloatArray | None = None


@dataclass(frozen=True)
class _Role:
    """Somebody in a scene.

    Attributes:
        person: who.
        height_px: of the person, in pixels of the picture.
        foot: (x, y) of the ground under them at time 0, in pixels of the picture.
        velocity: pixels per frame, (x, y).
        turn: radians, leaning sideways.
        blur_px: out of focus by so much.
    """

    person: Person
    height_px: float
    foot: FloatArray
    velocity: FloatArray
    turn: float
    blur_px: float

    def placement(self, time: float) -> Placement:
        c, s = np.cos(self.turn), np.sin(self.turn)
        matrix = np.array(((c, -s), (s, c))) * self.height_px * SUPER
        foot = (self.foot + self.velocity * time) * SUPER
        return Placement(matrix, foot - matrix @ (0.0, 0.97))


def procedural_clip(
    seed: int,
    size_hw: tuple[int, int] = (288, 512),
    frames: int = 8,
    people: int | None = None,
    pictures: Sequence[FloatArray] = (),
    flow: bool = False,
) -> LayeredClip:
    """Draw a clip.

    Args:
        seed: decides everything.
        size_hw: of the picture.
        frames: how many.
        people: how many; one to four at random if None.
        pictures: ``[H, W, 3]`` float32 in [0, 1]; half of the backgrounds are taken from them if there are any.
        flow: whether it is worked out, too; the rest stays the same.
    """
    rng = np.random.default_rng(seed)
    count = people if people is not None else int(rng.choice((1, 2, 2, 3, 3, 4)))
    camera = random_camera(rng, size_hw)
    if pictures and rng.random() < 0.5:
        ground = fitted(pictures[int(rng.integers(len(pictures)))], size_hw, rng)
    else:
        ground = painted(rng, size_hw)
    roles = [_cast(rng, size_hw, place, count) for place in rng.permutation(count)]
    roles.sort(key=lambda role: role.foot[1])
    film = random_film(rng)
    shutter = rng.uniform(0.1, 0.8)
    composed = []
    for frame in range(frames):
        background = seen(ground, camera, frame, size_hw)
        for role in roles:
            _shadow(background, role, frame)
        composed.append(compose([_shoot(role, frame, shutter, size_hw) for role in roles], background))
    clean = np.stack([shot.frame for shot in composed])
    alphas = np.stack([shot.alphas for shot in composed])
    moving = [_flow(roles, camera, frame, alphas[frame]) for frame in range(frames - 1 if flow else 0)]
    return LayeredClip(
        frames=_filmed(clean, film, rng),
        clean=clean,
        alphas=alphas,
        foregrounds=np.stack([shot.foregrounds for shot in composed]),
        backgrounds=np.stack([shot.background for shot in composed]),
        flow=np.stack(moving) if moving else None,
    )


def _cast(rng: Generator, size_hw: tuple[int, int], place: int, count: int) -> _Role:
    height, width = size_hw
    tall = height * rng.uniform(0.55, 1.5)
    x = width * ((place + 0.5) / count + rng.normal(0, 0.12))
    # Who is taller than the picture is seen from the head down.
    foot = np.array((x, max(height * rng.uniform(0.85, 1.05), tall * rng.uniform(0.97, 1.08))))
    return _Role(
        person=random_person(rng),
        height_px=tall,
        foot=foot.astype(np.float32),
        velocity=(rng.normal(0, 0.012, 2) * height * (1, 0.2)).astype(np.float32),
        turn=float(rng.normal(0, 0.06)),
        blur_px=float(rng.choice((0.0, 0.0, rng.uniform(0.5, 3.0)))),
    )


def _shoot(role: _Role, frame: int, shutter: float, size_hw: tuple[int, int]) -> Layer:
    """One person alone on one frame: averaged over the time the shutter is open and over sub-pixels."""
    size = size_hw[0] * SUPER, size_hw[1] * SUPER
    rgba = np.zeros((*size, 4), np.float32)
    for moment in range(SUBFRAMES):
        time = frame + shutter * ((moment + 0.5) / SUBFRAMES - 0.5)
        canvas = Canvas(role.placement(time), size)
        if canvas.alpha.size:
            role.person.draw(canvas, role.person.pose(time), time)
            window = rgba[canvas.top : canvas.bottom, canvas.left : canvas.right]
            window[..., :3] += canvas.rgb / SUBFRAMES
            window[..., 3] += canvas.alpha / SUBFRAMES
    small = np.asarray(cv2.resize(rgba, size_hw[::-1], interpolation=cv2.INTER_AREA), np.float32)
    if role.blur_px:
        small = np.asarray(cv2.GaussianBlur(small, (0, 0), role.blur_px), np.float32)
    opacity = np.clip(small[..., 3], 0, 1)
    return Layer(straight(small[..., :3], opacity), opacity)


def _flow(roles: Sequence[_Role], camera: Camera, frame: int, alphas: NDArray[np.uint8]) -> FloatArray:
    size_hw = alphas.shape[1], alphas.shape[2]
    people = [
        person_flow(role.person, frame, role.placement(frame), role.placement(frame + 1), size_hw) for role in roles
    ]
    return seen_flow(alphas, people, ground_flow(camera, frame, size_hw))


def _shadow(background: FloatArray, role: _Role, frame: int) -> None:
    """A soft dark spot on the ground under somebody's feet."""
    x, y = role.foot + role.velocity * frame
    reach = 0.16 * role.height_px
    rows, columns = np.ogrid[: background.shape[0], : background.shape[1]]
    spot = np.exp(-(((columns - x) / reach) ** 2) - ((rows - y) / (0.25 * reach)) ** 2).astype(np.float32)
    background *= 1 - 0.45 * spot[..., None]


def _filmed(clean: NDArray[np.uint8], film: Film, rng: Generator) -> NDArray[np.uint8]:
    return np.stack([film.expose(picture, frame, rng) for frame, picture in enumerate(clean)])
