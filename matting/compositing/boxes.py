"""The part of a picture that an alpha touches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask


@dataclass(frozen=True)
class Box:
    """Half-open pixel ranges; ``array[box.slices]`` is a view of that part."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def grown(self, margin: int, size_hw: tuple[int, ...]) -> Box:
        """The box with ``margin`` more pixels on every side, as far as the picture goes."""
        height, width = size_hw
        return Box(
            max(self.top - margin, 0),
            min(self.bottom + margin, height),
            max(self.left - margin, 0),
            min(self.right + margin, width),
        )

    def within(self, outer: Box) -> tuple[slice, slice]:
        """Where the box lies in ``array[outer.slices]``."""
        top, left = self.top - outer.top, self.left - outer.left
        return slice(top, top + self.size_hw[0]), slice(left, left + self.size_hw[1])

    def joined(self, other: Box) -> Box:
        """The smallest box around both."""
        return Box(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )


def box_of(alpha: NDArray[Any]) -> Box | None:
    """The smallest box around everything above zero in ``[H, W]`` uint8 or bool, or None where nothing is."""
    left, top, width, height = cv2.boundingRect(alpha.view("uint8"))
    return Box(top, top + height, left, left + width) if width else None


def separate(selected: Mask, gap: int) -> list[tuple[Box, Mask]]:
    """Split ``[H, W]`` into parts at least ``gap`` pixels apart.

    Returns:
        Of each part the box that leaves ``gap`` pixels around it, as far as the picture goes, and the part within.
    """
    if not selected.any():
        return []
    near = cv2.dilate(selected.astype(np.uint8), np.ones((gap | 1, gap | 1), np.uint8))
    count, labels = cv2.connectedComponents(near)
    parts = []
    for label in range(1, count):
        part = (labels == label) & selected
        box = box_of(part)
        if box is not None:
            box = box.grown(gap, part.shape)
            parts.append((box, part[box.slices]))
    return parts
