"""People who walk over a meadow, behind one another and behind a wall, out of the picture and in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH, FRAMES = 120, 240, 40
ANN, BEN = 1, 2
SIDE = 41
Ids = NDArray[np.uint8]
Path = Callable[[int], tuple[int, int]]
"""Frame → the middle of somebody."""


def textured(seed: int, color: tuple[int, int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(*size, 1)), (0, 0), 1.5)[..., None]
    return np.asarray(np.clip(noise / noise.std() * 18 + np.array(color), 0, 255), np.uint8)


MEADOW = textured(0, (110, 125, 95), (HEIGHT, WIDTH))
ROUND = cv2.ellipse(np.zeros((SIDE, SIDE), np.uint8), (20, 20), (12, 20), 0, 0, 360, 1, -1) > 0
RED, BLUE = textured(1, (200, 60, 50), (SIDE, SIDE)), textured(2, (50, 80, 200), (SIDE, SIDE))
RED[:14], BLUE[:14] = (225, 180, 150), (225, 180, 150)  # both have a face


@dataclass
class Scene:
    """Two people and perhaps a stranger on a meadow, Ann behind the others, and a wall before everybody.

    Attributes:
        ann, ben, stranger: their paths; the stranger is nobody's.
        looks: what Ben and the stranger look like.
        wall: its columns.
    """

    ann: Path
    ben: Path = lambda t: (-99, 60)
    stranger: Path = lambda t: (-99, 60)
    looks: NDArray[np.uint8] = field(default_factory=lambda: BLUE)
    wall: range = range(0)

    def draw(self, t: int) -> tuple[NDArray[np.uint8], Ids]:
        """The picture, and who is really to be seen."""
        margin = HEIGHT
        picture = np.pad(MEADOW, ((margin, margin), (margin, margin), (0, 0)), "wrap")
        ids = np.zeros(picture.shape[:2], np.uint8)
        people = ((0, self.stranger(t), self.looks), (ANN, self.ann(t), RED), (BEN, self.ben(t), self.looks))
        for who, (x, y), look in people:
            x = min(max(x, -99), WIDTH + 99)
            window = slice(margin + y - 20, margin + y + 21), slice(margin + x - 20, margin + x + 21)
            picture[window][ROUND], ids[window][ROUND] = look[ROUND], who
        inner = slice(margin, -margin), slice(margin, -margin)
        picture, ids = picture[inner].copy(), ids[inner].copy()
        columns = slice(self.wall.start, self.wall.stop)
        picture[:, columns], ids[:, columns] = (90, 85, 100), 0
        return picture, ids


BEHIND_WALL = Scene(ann=lambda t: (30 + 4 * t, 60), wall=range(70, 115))
"""Ann is hidden on the frames 16 to 18 and whole again from frame 25."""
