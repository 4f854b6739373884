"""Data sets of several people as both papers make them: who is pasted where, and which draws are thrown away.

Sources:
    Li et al., "Video Instance Matting" (WACV 2024), section 5.1: VIM50.
    Huynh et al., "MaGGIe" (CVPR 2024), supplement and public code: I-HIM50K, V-HIM2K5 and V-HIM60.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.random import Generator

from matting.arrays import FloatArray
from matting.synthesis.cutouts import Cutout
from matting.synthesis.layers import Layer, overlap, visible

VIM50_PEOPLE = (2,) * 35 + (3,) * 10 + (4,) * 5
VIM50_OVERLAPPING = 35
"""So many of its 50 clips have people who partly hide each other."""
LEVELS: dict[str, tuple[float, float]] = {"easy": (0.0, 0.0), "medium": (0.05, 0.30), "hard": (0.50, 0.85)}
"""By level of V-HIM60, between which shares of an instance others may hide at most over its frames."""
_STILL_KEEPS = 0.7
"""In I-HIM50K nobody may be left with less than this share of what was to be seen of them."""
_TRIES = 60
_JUDGED_PX = 160
"""Height of the pictures on which overlaps are judged."""
_SEEN = 0.02


class Source(Protocol):
    """Where people and backgrounds come from."""

    def cutout(self, rng: Generator, frames: int) -> Cutout: ...

    def background(self, rng: Generator, size_hw: tuple[int, int]) -> Callable[[int], FloatArray]:
        """Gives the background ``[H, W, 3]`` in [0, 1] of each frame."""
        ...


@dataclass(frozen=True)
class Pasted:
    """A cut-out in its place; (x, y) is the upper left corner of its box, all in shares of the picture's height."""

    cutout: Cutout
    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Scene:
    """What a clip is to be made from; people from back to front."""

    people: tuple[Pasted, ...]
    background: Callable[[int], FloatArray]
    frames: int
    size_hw: tuple[int, int]

    def layers(self, frame: int, size_hw: tuple[int, int]) -> list[Layer]:
        """Everybody alone, in a picture of a size."""
        return [_placed(person, frame, size_hw) for person in self.people]

    def hidden(self, frame: int, size_hw: tuple[int, int]) -> list[float]:
        """For each, which share of them others hide; see :func:`layers.overlap`."""
        opacities = [layer.opacity for layer in self.layers(frame, size_hw)]
        return [overlap(own, seen) for own, seen in zip(opacities, visible(opacities, size_hw), strict=True)]

    def most_hidden(self, every: int = 1, limit: float = 1.0) -> float:
        """The largest share over everybody and every so many frames, judged on small pictures.

        Where it is more than ``limit`` nobody looks any further, and it may be even more.
        """
        height, width = self.size_hw
        small = _JUDGED_PX, max(1, round(width * _JUDGED_PX / height))
        most = 0.0
        for frame in range(0, self.frames, every):
            most = max([most, *self.hidden(frame, small)])
            if most > limit:
                break
        return most


def vim50_scene(source: Source, seed: int, size_hw: tuple[int, int] = (1080, 1920), frames: int = 50) -> Scene:
    """Clip ``seed`` of a set like VIM50: of 50 clips 35, 10, 5 have 2, 3, 4 people, and 35 have partial occlusion."""
    place = seed % len(VIM50_PEOPLE)
    count = VIM50_PEOPLE[place]
    wants_overlap = (place * 7) % 10 < 10 * VIM50_OVERLAPPING // len(VIM50_PEOPLE)

    def fits(scene: Scene) -> bool:
        least, greatest = (0.03, 0.9) if wants_overlap else (-1.0, _SEEN)
        return least < scene.most_hidden(max(frames // 10, 1), greatest) < greatest

    def draw(rng: Generator) -> Scene:
        people = []
        for slot in rng.permutation(count):
            cutout, height = source.cutout(rng, frames), rng.uniform(0.6, 1.05)
            middle = (slot + 0.5) / count * size_hw[1] / size_hw[0]
            spread = 0.25 if wants_overlap else 0.03
            shrink = 1.0 if wants_overlap else min(1.0, size_hw[1] / size_hw[0] / count / (cutout.aspect * height))
            height *= shrink
            x = middle + rng.normal(0, spread) - cutout.aspect * height / 2
            people.append(Pasted(cutout, x, 1 - height * rng.uniform(0.9, 1.0), height))
        return Scene(tuple(people), _when_seen(lambda: source.background(rng, size_hw)), frames, size_hw)

    return _first_that(fits, draw, seed)


def vhim_scene(
    source: Source, level: str, seed: int, size_hw: tuple[int, int] = (1080, 1920), frames: int = 30
) -> Scene:
    """Video ``seed`` of a level of a set like V-HIM60: easy, side by side; medium and hard, over one another."""
    least, most = LEVELS[level]

    def fits(scene: Scene) -> bool:
        greatest = _SEEN if level == "easy" else most
        return least <= scene.most_hidden(max(frames // 10, 1), greatest) <= greatest

    def draw(rng: Generator) -> Scene:
        count = int(rng.integers(2, 4 if level == "easy" else 5))
        cutouts = [source.cutout(rng, frames) for _ in range(count)]
        width = size_hw[1] / size_hw[0]
        total = sum(cutout.aspect for cutout in cutouts)
        people, left = [], 0.0
        for cutout in cutouts:
            share = width * cutout.aspect / total
            grown = share * {"easy": 1.0, "medium": rng.uniform(1, 1.5), "hard": rng.uniform(1, 2)}[level]
            height = grown / cutout.aspect
            if height > 1:
                height = rng.uniform(0.8, 1.0)
            wide = height * cutout.aspect
            shift = 0.0 if level == "easy" else rng.uniform(-0.5, 0.5) * wide
            x = float(np.clip(left + (share - wide) / 2 + shift, 0, max(width - wide, 0)))
            people.append(Pasted(cutout, x, 1 - height, height))
            left += share
        return Scene(tuple(people), _when_seen(lambda: source.background(rng, size_hw)), frames, size_hw)

    return _first_that(fits, draw, seed)


def image_scene(source: Source, seed: int, size_hw: tuple[int, int] = (1080, 1920)) -> Scene:
    """Picture ``seed`` of a set like I-HIM50K: two to four people anywhere, who keep most of what is seen of them."""
    rng = np.random.default_rng(seed)
    background = source.background(rng, size_hw)
    people: list[Pasted] = []
    for _ in range(int(rng.integers(2, 5))):
        cutout = source.cutout(rng, 1)
        for _ in range(3):
            height = rng.uniform(0.5, 0.9)
            x = rng.uniform(0, max(size_hw[1] / size_hw[0] - height * cutout.aspect, 0))
            tried = [*people, Pasted(cutout, x, rng.uniform(0, 1 - height), height)]
            if Scene(tuple(tried), background, 1, size_hw).most_hidden() <= 1 - _STILL_KEEPS:
                people = tried
                break
    return Scene(tuple(people), background, 1, size_hw)


def _when_seen(make: Callable[[], Callable[[int], FloatArray]]) -> Callable[[int], FloatArray]:
    """A background, the last thing of a draw, that is painted when it is seen: most draws are thrown away before."""
    made = cache(make)
    return lambda frame: made()(frame)


def _first_that(fits: Callable[[Scene], bool], draw: Callable[[Generator], Scene], seed: int) -> Scene:
    """Draw until one fits; the last one where none does in many tries."""
    scenes = (draw(np.random.default_rng((seed, attempt))) for attempt in range(_TRIES))
    last = next(scenes)
    while not fits(last):
        following = next(scenes, None)
        if following is None:
            return last
        last = following
    return last


def _placed(person: Pasted, frame: int, size_hw: tuple[int, int]) -> Layer:
    """One person in the whole picture, cut where they reach out of it."""
    height, width = size_hw
    tall, wide = max(2, round(person.height * height)), max(2, round(person.height * person.cutout.aspect * height))
    top, left = round(person.y * height), round(person.x * height)
    layer = person.cutout.layer(frame % len(person.cutout), (tall, wide))
    colour, opacity = np.zeros((height, width, 3), np.float32), np.zeros((height, width), np.float32)
    rows, columns = slice(max(top, 0), min(top + tall, height)), slice(max(left, 0), min(left + wide, width))
    if rows.start < rows.stop and columns.start < columns.stop:
        inside = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
        colour[rows, columns], opacity[rows, columns] = layer.colour[inside], layer.opacity[inside]
    return Layer(colour, opacity)


class Drawn:
    """People and backgrounds that need no data."""

    def __init__(self, pictures: Sequence[FloatArray] = ()) -> None:
        self._pictures = tuple(pictures)

    def cutout(self, rng: Generator, frames: int) -> Cutout:
        from matting.synthesis.cutouts import DrawnCutout

        return DrawnCutout(rng, frames)

    def background(self, rng: Generator, size_hw: tuple[int, int]) -> Callable[[int], FloatArray]:
        from matting.synthesis.scenery import fitted, painted, random_camera, seen

        ground = (
            fitted(self._pictures[int(rng.integers(len(self._pictures)))], size_hw, rng)
            if self._pictures
            else painted(rng, size_hw)
        )
        camera = random_camera(rng, size_hw)
        return lambda frame: seen(ground, camera, frame, size_hw)


class Filmed(Drawn):
    """People from foregrounds with alphas; backgrounds from pictures, or painted where none are given."""

    def __init__(self, cutouts: Sequence[Cutout], pictures: Sequence[FloatArray] = ()) -> None:
        super().__init__(pictures)
        self._cutouts = tuple(cutouts)

    def cutout(self, rng: Generator, frames: int) -> Cutout:
        return self._cutouts[int(rng.integers(len(self._cutouts)))]
