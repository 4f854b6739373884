"""Clips made of textured shapes whose masks are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask, Picture


class Pictures:
    """A frame source over pictures in memory; remembers which were asked for."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = pictures
        self.asked: set[int] = set()

    @property
    def size_hw(self) -> tuple[int, int]:
        height, width = self._pictures[0].shape[:2]
        return height, width

    def __len__(self) -> int:
        return len(self._pictures)

    def frame(self, index: int) -> Picture:
        self.asked.add(index)
        return self._pictures[index]

    def frames(self, start: int, stop: int) -> Iterator[tuple[int, Picture]]:
        for index in range(start, stop):
            yield index, self.frame(index)


@dataclass(frozen=True)
class Disc:
    """A textured disc that moves evenly: its centre at frame 0 and its step per frame, (x, y) pixels."""

    radius: float
    start_xy: tuple[float, float]
    step_xy: tuple[float, float]
    color: tuple[int, int, int]

    def mask(self, index: int, size_hw: tuple[int, int]) -> Mask:
        y, x = np.indices(size_hw)
        centre = [start + index * step for start, step in zip(self.start_xy, self.step_xy, strict=True)]
        return np.asarray((x - centre[0]) ** 2 + (y - centre[1]) ** 2 <= self.radius**2)


class Scene(Pictures):
    """Discs before a textured wall, drawn when asked for; later discs hide earlier ones."""

    def __init__(self, discs: Sequence[Disc], length: int, size_hw: tuple[int, int] = (90, 140)) -> None:
        self._wall = texture(1, size_hw, (110, 120, 100))
        self._skins = [texture(number + 2, size_hw, disc.color) for number, disc in enumerate(discs)]
        self._length = length
        self.discs = tuple(discs)
        super().__init__([self._wall])

    def __len__(self) -> int:
        return self._length

    def frame(self, index: int) -> Picture:
        picture = self._wall.copy()
        for disc, skin in zip(self.discs, self._skins, strict=True):
            shift = np.array([[1, 0, index * disc.step_xy[0]], [0, 1, index * disc.step_xy[1]]], float)
            moved = cv2.warpAffine(skin, shift, self.size_hw[::-1], borderMode=cv2.BORDER_WRAP)
            inside = disc.mask(index, self.size_hw)
            picture[inside] = moved[inside]
        return picture

    def pictures(self) -> list[Picture]:
        return [self.frame(index) for index in range(self._length)]

    def seen(self, index: int) -> dict[int, Mask]:
        """Instance id (1 is the first disc) → what is seen of it."""
        masks = [disc.mask(index, self.size_hw) for disc in self.discs]
        hidden = [np.logical_or.reduce([*masks[n + 1 :], np.zeros_like(mask)]) for n, mask in enumerate(masks)]
        return {n + 1: mask & ~over for n, (mask, over) in enumerate(zip(masks, hidden, strict=True))}


def texture(seed: int, size_hw: tuple[int, int], color: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Blotches of some pixels' width in shades of a colour."""
    noise = np.random.default_rng(seed).normal(size=(*size_hw, 1)).astype(np.float32)
    blotches = cv2.GaussianBlur(noise, (0, 0), 1.5)[..., np.newaxis]
    return np.asarray(np.clip(blotches / blotches.std() * 22 + np.array(color), 0, 255), np.uint8)


def overlap(found: Mask, truth: Mask) -> float:
    """Intersection over union; 1 where both are empty."""
    union = np.count_nonzero(found | truth)
    return np.count_nonzero(found & truth) / union if union else 1.0
