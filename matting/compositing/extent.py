"""How far a scene reaches that several frames show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from matting.compositing.alignment import Homography, move

FARTHEST = 1.5
"""Scenes are followed this many frame sizes beyond their first frame; farther off, perspective stretches too much."""


@dataclass(frozen=True)
class Extent:
    """A rectangle in scene coordinates."""

    left: float
    top: float
    size_wh: tuple[float, float]

    @classmethod
    def around(cls, frames: Iterable[tuple[Homography, tuple[int, ...]]]) -> Extent:
        """The rectangle around frames, given as their way into the scene and their height and width."""
        low, high = np.full(2, np.inf), np.full(2, -np.inf)
        for to_scene, (height, width) in frames:
            size = np.array([width, height], np.float64)
            corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]], np.float32)
            reached = move(corners, to_scene)
            low = np.minimum(low, np.maximum(reached.min(0), -FARTHEST * size))
            high = np.maximum(high, np.minimum(reached.max(0), (1 + FARTHEST) * size))
        size = np.maximum(high - low, 0) + 1
        return cls(float(low[0]), float(low[1]), (float(size[0]), float(size[1])))

    def scaled(self, scale: float) -> tuple[tuple[int, int], Homography]:
        """Width and height of a picture of the rectangle at ``scale``, and the way there from scene coordinates."""
        width, height = (max(int(np.ceil(length * scale)), 1) for length in self.size_wh)
        half = (scale - 1) / 2
        motion = np.array([[scale, 0, half - self.left * scale], [0, scale, half - self.top * scale], [0, 0, 1]])
        return (width, height), motion
