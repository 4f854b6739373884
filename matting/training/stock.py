"""A stock of people and grounds, kept apart, from which every step of training composes pictures nobody saw before.

Drawing a person takes a second, pasting one a millisecond: a few hundred of each, met in ever new company, sizes,
colours and light, last longer than thousands of finished clips.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.errors import MediaError
from matting.files import replacing
from matting.synthesis.cutouts import Cutout, DrawnCutout
from matting.synthesis.degrade import random_film
from matting.synthesis.layers import Composed, Layer, compose, to_8_bit
from matting.synthesis.procedural import LayeredClip
from matting.synthesis.scenery import painted
from resources import PLACES

PEOPLE, GROUNDS = "people", "grounds"
HEIGHT_PX = 480
GROUND_HW = (360, 480)
_SUBFRAMES = 3


class Kept(NamedTuple):
    """A person of the stock.

    Attributes:
        rgba: ``[T, H, W, 4]`` uint8, premultiplied.
        soft: ``[n, 2]`` (y, x) of places in the first frame where opacity is neither 0 nor 255.
    """

    rgba: NDArray[np.uint8]
    soft: NDArray[np.int64]


class Stock:
    """What a folder holds, all of it in memory: about 3 MB a person.

    Args:
        folder: as :func:`draw_person`, :func:`keep_person` and :func:`draw_ground` fill it.

    Raises:
        MediaError: it holds no people or no grounds.
    """

    def __init__(self, folder: Path) -> None:
        with ThreadPoolExecutor() as pool:
            self.people = list(pool.map(_read_person, sorted((folder / PEOPLE).glob("*.npz"))))
            self.grounds = list(pool.map(_read_ground, sorted((folder / GROUNDS).glob("*.png"))))
        if not self.people or not self.grounds:
            raise MediaError(f"{folder} holds no people or no grounds; make some with: matteo train stock {folder}")


def person_path(folder: Path, number: int) -> Path:
    return folder / PEOPLE / f"{number:06d}.npz"


def ground_path(folder: Path, number: int) -> Path:
    return folder / GROUNDS / f"{number:06d}.png"


def place_path(folder: Path, number: int) -> Path:
    return folder / GROUNDS / f"place-{number:06d}.png"


def draw_person(number: int, frames: int, height_px: int = HEIGHT_PX, maned: bool = False) -> NDArray[np.uint8]:
    """Somebody who never was, ``[T, H, W, 4]`` uint8, premultiplied.

    Every third one is seen from close up; of those with a mass of hair, which is to be seen, two of three.
    """
    rng = np.random.default_rng((1, number))
    cutout = DrawnCutout(rng, frames, portrait=number % 3 == 2 or (maned and number % 3 == 1), maned=maned)
    start, shutter = int(rng.integers(0, 60)), float(rng.choice((0.1, rng.uniform(0.1, 0.9))))
    size = height_px, round(height_px * cutout.aspect)
    return np.stack([_rgba(cutout.layer(start + frame, size, _SUBFRAMES, shutter)) for frame in range(frames)])


def filmed_person(cutout: Cutout, frames: int, height_px: int = HEIGHT_PX) -> NDArray[np.uint8]:
    """The same of a foreground of the user's; a still repeats."""
    size = height_px, max(1, round(height_px * cutout.aspect))
    return np.stack([_rgba(cutout.layer(frame % len(cutout), size)) for frame in range(frames)])


def keep_person(path: Path, rgba: NDArray[np.uint8]) -> None:
    """Write a person; raises OutputError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        np.savez_compressed(partial, rgba=rgba)


def keep_ground(path: Path, ground: FloatArray) -> None:
    """Write a ground, ``[H, W, 3]`` in [0, 1]; raises OutputError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as partial:
        partial.write_bytes(cv2.imencode(".png", to_8_bit(ground)[..., ::-1])[1].tobytes())


def draw_ground(number: int) -> FloatArray:
    """A ground that is not a picture of anything, ``[H, W, 3]`` in [0, 1]."""
    drawn = painted(np.random.default_rng((2, number)), GROUND_HW)
    return np.asarray(cv2.resize(drawn, GROUND_HW[::-1], interpolation=cv2.INTER_AREA), np.float32)


def photographed_ground(number: int) -> FloatArray:
    """One of the places that come along, seen all round from a random side in a random light, ``[H, W, 3]`` in [0, 1].

    Raises:
        MediaError: a place cannot be read.
    """
    rng = np.random.default_rng((3, number))
    paths = sorted(PLACES.glob("*.jpg"))
    picture = _read_ground(paths[number % len(paths)])
    turned = np.roll(picture, int(rng.integers(picture.shape[1])), axis=1).astype(np.float32) / 255
    return np.asarray(turned ** np.float32(np.exp(rng.normal(0, 0.35))), np.float32)


def scene(stock: Stock, rng: Generator, length: int, side_px: int, bystanders: float = 0.0) -> LayeredClip:
    """Some people before some ground, seen through a square window.

    The first one's edge crosses the window; all move, each with a blur, a light and colours of their own.

    Args:
        stock: whom and what it is composed of.
        rng: decides everything.
        length: how many frames.
        side_px: of the window.
        bystanders: share of the scenes in which one or two more people are a part of the background, as those are
            whom an artist did not select.
    """
    ground = _Ground(stock, rng, side_px)
    cast = [_Part(stock, rng, length, side_px, ground.mean) for _ in range(int(rng.choice((1, 2, 3, 4), p=_COMPANY)))]
    cast = [cast[place] for place in rng.permutation(len(cast))]
    strangers = []
    if bystanders and rng.random() < bystanders:
        strangers = [_Part(stock, rng, length, side_px, ground.mean) for _ in range(int(rng.integers(1, 3)))]
    shadow = float(rng.choice((0.0, rng.uniform(0.1, 0.6))))
    composed = []
    for frame in range(length):
        layers = [part.layer(frame) for part in cast]
        behind = ground.seen(frame)
        for stranger in strangers:
            layer = stranger.layer(frame)
            behind += layer.opacity[..., None] * (layer.colour - behind)
        if shadow:
            for layer in layers:
                behind = _shaded(behind, layer.opacity, shadow, side_px)
        composed.append(compose(layers, behind))
    film = random_film(rng)
    frames = np.stack([film.expose(shot.frame, frame, rng) for frame, shot in enumerate(composed)])
    return LayeredClip(frames, *(np.stack(part) for part in zip(*map(_parts, composed), strict=True)))


def _parts(shot: Composed) -> tuple[NDArray[np.uint8], ...]:
    return shot.frame, shot.alphas, shot.foregrounds, shot.background


_COMPANY = (0.25, 0.4, 0.25, 0.1)


class _Ground:
    """What is behind everybody in a scene."""

    def __init__(self, stock: Stock, rng: Generator, side_px: int) -> None:
        self._side = side_px
        picture = stock.grounds[int(rng.integers(len(stock.grounds)))]
        blur = float(rng.choice((0.0, rng.uniform(0.0, 8.0))))
        self._picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8) if blur > 0.5 else picture
        self._gain = np.exp(rng.normal(0, 0.15, 3) + rng.normal(0.1, 0.3)).astype(np.float32) / 255
        self._grey = np.float32(rng.choice((0.0, 0.0, rng.uniform(0.3, 1.0))))
        scale = side_px / min(picture.shape[:2]) * np.exp(rng.uniform(0.05, 1.2))
        self._matrix = _turned(scale * rng.choice((-1, 1)), scale, rng.normal(0, 0.1))
        free = scale * np.array(picture.shape[1::-1]) - side_px
        self._middle = (np.array(picture.shape[1::-1]) - 1) / 2
        self._at = side_px / 2 + (rng.random(2) - 0.5) * np.maximum(free, 0) * 0.8
        self._step = rng.normal(0, 0.8, 2) * (rng.random() < 0.6)
        self.mean: FloatArray = self.seen(0).mean((0, 1))

    def seen(self, frame: int) -> FloatArray:
        matrix = np.hstack([self._matrix, (self._at + frame * self._step - self._matrix @ self._middle)[:, None]])
        how, size = cv2.INTER_LINEAR, (self._side, self._side)
        warped = cv2.warpAffine(self._picture, matrix, size, flags=how, borderMode=cv2.BORDER_REFLECT_101)
        seen = warped.astype(np.float32)
        if self._grey:
            seen = _greyed(seen, float(self._grey))
        return np.asarray(np.clip(seen * self._gain, 0, 1), np.float32)


class _Part:
    """One person in a scene."""

    def __init__(self, stock: Stock, rng: Generator, length: int, side_px: int, ground: FloatArray) -> None:
        self._side = side_px
        person = stock.people[int(rng.integers(len(stock.people)))]
        start = int(rng.integers(0, max(len(person.rgba) - length, 0) + 1))
        order = _to_and_fro(np.arange(start, start + length), len(person.rgba))[:: int(rng.choice((-1, 1)))]
        scale = side_px * np.exp(rng.uniform(np.log(0.4), np.log(2.8))) / person.rgba.shape[1]
        # Warping takes single pixels: what shrinks much is made small beforehand.
        half = 2 ** max(0, int(np.floor(np.log2(1 / scale) + 0.25))) if scale < 1 else 1
        self._frames = [_shrunk(person.rgba[place], half) for place in order]
        self._look = _Look(rng, ground)
        self._texture = stock.grounds[int(rng.integers(len(stock.grounds)))] if rng.random() < 0.25 else None
        stretch = np.exp(rng.normal(0, 0.08))
        self._matrix = _turned(scale * half * stretch * rng.choice((-1, 1)), scale * half / stretch, rng.normal(0, 0.2))
        y, x = person.soft[int(rng.integers(len(person.soft)))] / half if len(person.soft) else (0.0, 0.0)
        self._root = np.array((x, y), np.float64)
        self._at = rng.uniform(0.05, 0.95, 2) * side_px
        self._step = rng.normal(0, 1.6, 2) * (rng.random() < 0.8)
        self._spin = rng.normal(0, 0.012)
        self._focus = float(rng.choice((0.0, 0.0, rng.uniform(0.3, 2.5))))
        self._streak = rng.normal(0, 4.0, 2) if rng.random() < 0.15 else None

    def layer(self, frame: int) -> Layer:
        turn = _turned(1, 1, self._spin * frame) @ self._matrix
        matrix = np.hstack([turn, (self._at + frame * self._step - turn @ self._root)[:, None]])
        size = (self._side, self._side)
        warped = cv2.warpAffine(self._frames[frame], matrix, size, flags=cv2.INTER_LINEAR)
        rgba = np.asarray(warped, np.float32) / np.float32(255)
        if self._focus:
            rgba = np.asarray(cv2.GaussianBlur(rgba, (0, 0), self._focus), np.float32)
        if self._streak is not None:
            rgba = _streaked(rgba, self._streak)
        opacity = rgba[..., 3]
        cloth = None
        if self._texture is not None:
            how, border = cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101
            cloth = np.asarray(cv2.warpAffine(self._texture, matrix, size, flags=how, borderMode=border), np.uint8)
        straight = np.asarray(rgba[..., :3] / np.maximum(opacity, 1 / 255)[..., None], np.float32)
        return Layer(self._look.worn(straight, cloth), opacity)


def _to_and_fro(places: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Places beyond the last of ``count`` lead back to the first, and forth again."""
    turned = places % max(2 * count - 2, 1)
    return np.minimum(turned, 2 * count - 2 - turned) if count > 1 else turned


class _Look:
    """Colours of a person in a scene."""

    def __init__(self, rng: Generator, ground: FloatArray) -> None:
        gain = np.exp(rng.normal(0, 0.12, 3) + rng.normal(0.15, 0.25))
        gamma = float(np.exp(rng.normal(0, 0.2)))
        self._table = ((np.arange(256) / 255)[None, :, None] ** gamma * gain).astype(np.float32)
        # Now and then somebody is of the colour of what is behind them, which is when matting is hard.
        self._towards = ground, float(rng.choice((0.0, 0.0, 0.0, rng.uniform(0.2, 0.7))))
        self._grey = float(rng.choice((0.0, 0.0, rng.uniform(0.3, 1.0))))
        self._strength = np.float32(rng.uniform(0.2, 0.8))

    def worn(self, colour: FloatArray, cloth: NDArray[np.uint8] | None) -> FloatArray:
        """Of straight colours ``[H, W, 3]`` and, if there is one, a pattern of the same size."""
        worn = np.asarray(cv2.LUT(to_8_bit(colour), self._table), np.float32)
        if cloth is not None:
            worn *= 1 + self._strength * (cloth.astype(np.float32) / 127.5 - 1)
        if self._grey:
            worn = _greyed(worn, self._grey)
        ground, share = self._towards
        if share:
            worn += np.float32(share) * (ground - worn)
        return np.asarray(np.clip(worn, 0, 1), np.float32)


def _greyed(colours: FloatArray, share: float) -> FloatArray:
    """``[H, W, 3]``, brought towards the mean of the three."""
    mixing = (1 - share) * np.eye(3) + share / 3
    return np.asarray(cv2.transform(colours, mixing), np.float32)


def _turned(x: float, y: float, angle: float) -> NDArray[np.float64]:
    c, s = np.cos(angle), np.sin(angle)
    return np.array(((c, -s), (s, c))) @ np.diag((x, y))


def _shrunk(rgba: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    if factor == 1:
        return rgba
    size = rgba.shape[1] // factor, rgba.shape[0] // factor
    return np.asarray(cv2.resize(rgba, size, interpolation=cv2.INTER_AREA), np.uint8)


def _streaked(rgba: FloatArray, way: NDArray[np.float64]) -> FloatArray:
    """Blurred along a way in pixels, as by motion."""
    steps = max(2, int(np.ceil(np.abs(way).max())) + 1)
    kernel = np.zeros((steps * 2 + 1,) * 2, np.float32)
    for share in np.linspace(-0.5, 0.5, 2 * steps):
        x, y = np.rint(way * share).astype(int) + steps
        kernel[y, x] += 1
    return np.asarray(cv2.filter2D(rgba, -1, kernel / kernel.sum(), borderType=cv2.BORDER_CONSTANT), np.float32)


def _shaded(behind: FloatArray, opacity: FloatArray, strength: float, side_px: int) -> FloatArray:
    shift = np.array(((1, 0, 0.05), (0, 1, 0.04))) * (1, 1, side_px)
    cast = cv2.warpAffine(opacity, shift, opacity.shape[::-1])
    return behind * (1 - strength * cv2.GaussianBlur(cast, (0, 0), 0.03 * side_px))[..., None]


def _rgba(layer: Layer) -> NDArray[np.uint8]:
    return to_8_bit(np.dstack([layer.colour * layer.opacity[..., None], layer.opacity]))


def _read_person(path: Path) -> Kept:
    with np.load(path) as kept:
        rgba: NDArray[np.uint8] = kept["rgba"]
    return Kept(rgba, np.argwhere((rgba[0, ..., 3] > 12) & (rgba[0, ..., 3] < 243)))


def _read_ground(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise MediaError(f"{path} is not a picture that can be read.")
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)
