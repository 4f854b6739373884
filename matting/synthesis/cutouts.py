"""People without surroundings, to be pasted: from folders of foregrounds with alphas, or drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.random import Generator

from matting.arrays import FloatArray
from matting.errors import MediaError
from matting.synthesis.figures import random_person, straight
from matting.synthesis.layers import Layer
from matting.synthesis.puppet.canvas import SUPER, Canvas, Placement

PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")


Straighten = Callable[[FloatArray, FloatArray], FloatArray]
"""From colours ``[H, W, 3]`` and opacity ``[H, W]``, in [0, 1], the colours without what shines through."""


class Cutout(Protocol):
    """One person in a few frames."""

    @property
    def aspect(self) -> float:
        """Width over height of the box that holds them in all frames."""
        ...

    def __len__(self) -> int:
        """How many frames there are."""
        ...

    def layer(self, frame: int, size_hw: tuple[int, int]) -> Layer:
        """The box on a frame, at a size."""
        ...


class FilmedCutout:
    """From pictures: one of colours and one of opacity for each frame, in the order of their names."""

    def __init__(
        self, colours: Sequence[Path], opacities: Sequence[Path], straighten: Straighten | None = None
    ) -> None:
        """Only looks at the numbers of files; raises MediaError where they differ or are 0.

        Args:
            colours: pictures of colours, in the order of the frames.
            opacities: as many pictures of opacity.
            straighten: for photographs, in whose edges what is behind shines through; None where colours are straight.
        """
        if not colours or len(colours) != len(opacities):
            where = colours[0].parent if colours else "A foreground"
            raise MediaError(
                f"{where} has {len(colours)} pictures and {len(opacities)} alphas; there must be one each."
            )
        self._colours, self._opacities = tuple(colours), tuple(opacities)
        self._straighten = straighten

    def __len__(self) -> int:
        return len(self._colours)

    @cached_property
    def _box(self) -> tuple[slice, slice]:
        """Round everything that is not transparent in any frame."""
        seen = read_grey(self._opacities[0])
        for path in self._opacities[1:]:
            seen = np.maximum(seen, read_grey(path))
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        if not rows.size:
            raise MediaError(f"{self._opacities[0].parent} is transparent throughout.")
        return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)

    @property
    def aspect(self) -> float:
        rows, columns = self._box
        return float((columns.stop - columns.start) / (rows.stop - rows.start))

    @property
    def box_hw(self) -> tuple[int, int]:
        """Height and width of the box in the files, in pixels."""
        rows, columns = self._box
        return rows.stop - rows.start, columns.stop - columns.start

    @cached_property
    def cut_off(self) -> tuple[bool, bool, bool]:
        """Whether the person goes on beyond the left, right and lower edge of the pictures."""
        rows, columns = self._box
        height, width = read_grey(self._opacities[0]).shape
        return columns.start <= 1, columns.stop >= width - 1, rows.stop >= height - 1

    def layer(self, frame: int, size_hw: tuple[int, int]) -> Layer:
        whole_colour, whole_opacity = read_colour(self._colours[frame]), read_grey(self._opacities[frame])
        if whole_colour.shape[:2] != whole_opacity.shape:
            raise MediaError(f"{self._colours[frame]} and {self._opacities[frame]} are not of one size.")
        if self._straighten is not None:
            whole_colour = self._straighten(whole_colour, whole_opacity)
        colour, opacity = whole_colour[self._box], whole_opacity[self._box]
        # Premultiplied, or what is around would bleed into the edges.
        whole = np.dstack([colour * opacity[..., None], opacity])
        rgba = np.asarray(cv2.resize(whole, size_hw[::-1], interpolation=cv2.INTER_AREA), np.float32)
        shown = np.clip(rgba[..., 3], 0, 1)
        return Layer(straight(rgba[..., :3], shown), shown)


class DrawnCutout:
    """A figure by :mod:`matting.synthesis.figures`.

    Args:
        rng: decides who it is.
        frames: how many there are.
        portrait: only from the hair down to the chest, and larger for that.
        maned: whether the hair is a mass of locks.
    """

    def __init__(self, rng: Generator, frames: int, portrait: bool = False, maned: bool = False) -> None:
        self._person = random_person(rng, maned)
        self._frames = frames
        self._tall, self._above = (2.4, 0.42) if portrait else (0.85, 0.12)
        """Height of the whole figure and room over its head, in heights of the box."""
        self.aspect = 1.1 if portrait else 0.8

    def __len__(self) -> int:
        return self._frames

    def layer(self, frame: int, size_hw: tuple[int, int], subframes: int = 2, shutter: float = 0.5) -> Layer:
        size = size_hw[0] * SUPER, size_hw[1] * SUPER
        rgba = np.zeros((*size, 4), np.float32)
        tall = size[0] * self._tall
        place = Placement(np.eye(2) * tall, np.array((size[1] / 2, self._above * size[0])))
        for moment in range(subframes):
            time = frame + shutter * ((moment + 0.5) / subframes - 0.5)
            canvas = Canvas(place, size)
            self._person.draw(canvas, self._person.pose(time), time)
            window = rgba[canvas.top : canvas.bottom, canvas.left : canvas.right]
            window += np.dstack([canvas.rgb, canvas.alpha]) / subframes
        small = np.asarray(cv2.resize(rgba, size_hw[::-1], interpolation=cv2.INTER_AREA), np.float32)
        opacity = np.clip(small[..., 3], 0, 1)
        return Layer(straight(small[..., :3], opacity), opacity)


def filmed_cutouts(root: Path) -> list[FilmedCutout]:
    """All foregrounds of a folder in one of the public layouts.

    ``ROOT/fgr/<clip>/<frame>`` with ``ROOT/pha/<clip>/<frame>`` (VideoMatte240K, VM108, CRGNN as frames), or
    ``ROOT/fg/X.jpg`` with ``ROOT/alpha/X.png`` (stills, as HHM50K); ``images``, ``alphas`` will do as well.

    Raises:
        MediaError: the folder has neither.
    """
    for colour_name in ("fgr", "fg", "images", "image"):
        for opacity_name in ("pha", "alpha", "alphas"):
            colours, opacities = root / colour_name, root / opacity_name
            if colours.is_dir() and opacities.is_dir():
                clips = sorted(path for path in colours.iterdir() if path.is_dir())
                if clips:
                    return [FilmedCutout(files_in(clip), files_in(opacities / clip.name)) for clip in clips]
                stills = {path.stem: path for path in files_in(opacities)}
                return [FilmedCutout([path], [stills[path.stem]]) for path in files_in(colours) if path.stem in stills]
    raise MediaError(f"{root} has no foregrounds: fgr/<clip>/<frame> with pha/<clip>/<frame>, or fg/X with alpha/X.")


def files_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name; raises MediaError if it is not there."""
    if not folder.is_dir():
        raise MediaError(f"The folder {folder} is not there.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def read_colour(path: Path) -> FloatArray:
    """``[H, W, 3]`` float32 RGB in [0, 1]; raises MediaError."""
    picture: FloatArray = np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR)[..., ::-1])
    return picture


def read_grey(path: Path) -> FloatArray:
    """``[H, W]`` float32 in [0, 1]; raises MediaError."""
    return _read(path, cv2.IMREAD_GRAYSCALE)


def _read(path: Path, how: int) -> FloatArray:
    picture = cv2.imread(str(path), how)
    if picture is None:
        raise MediaError(f"{path} is not a picture that can be read.")
    return np.asarray(picture, np.float32) / np.float32(255)
