"""Choosing the few frames of a shot that together show what stands behind the masked instances."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, Picture
from matting.compositing.alignment import Homography, Sight
from matting.compositing.camera import Pose
from matting.compositing.extent import Extent

GRID_PX = 96
"""Longest side of the coarse picture in which it is counted what is hidden and what is seen."""
TIME_BINS = 8
AGAIN = 0.4
"""What seeing a place once more is worth against the time before."""


@dataclass(frozen=True)
class View:
    """What is remembered of every frame: some hundred bytes.

    Attributes:
        index: the frame.
        pose: where it lies.
        hidden: its mask on a coarse grid, packed to bits.
    """

    index: int
    pose: Pose
    hidden: NDArray[np.uint8]


@dataclass(frozen=True)
class Reference:
    """A frame the plate is made from.

    Attributes:
        view: which frame and where it lies.
        picture: ``[H, W, 3]``.
        hidden: ``[H, W]`` bool, its mask.
        sight: what aligns it with others.
    """

    view: View
    picture: Picture
    hidden: Mask
    sight: Sight


@dataclass(frozen=True)
class Grid:
    """A coarse picture of a frame."""

    frame_hw: tuple[int, int]

    @property
    def size_hw(self) -> tuple[int, int]:
        scale = min(GRID_PX / max(self.frame_hw), 1.0)
        return max(round(self.frame_hw[0] * scale), 1), max(round(self.frame_hw[1] * scale), 1)

    @property
    def to_frame(self) -> Homography:
        x, y = self.frame_hw[1] / self.size_hw[1], self.frame_hw[0] / self.size_hw[0]
        return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])

    def pack(self, hidden: Mask) -> NDArray[np.uint8]:
        small = cv2.resize(hidden.astype(np.float32), self.size_hw[::-1], interpolation=cv2.INTER_AREA)
        return np.packbits(np.asarray(small) > 0.3)

    def unpack(self, hidden: NDArray[np.uint8]) -> Mask:
        count = self.size_hw[0] * self.size_hw[1]
        return np.unpackbits(hidden, count=count).astype(bool).reshape(self.size_hw)


class _Scene:
    """Coarse map of everything a scene's frames show, counting what is hidden when and what is seen how often."""

    def __init__(self, views: Sequence[View], grid: Grid, span: range) -> None:
        self._grid, self._span = grid, span
        extent = Extent.around((view.pose.to_scene, grid.frame_hw) for view in views)
        self._size_wh, self._from_scene = extent.scaled(1 / float(grid.to_frame[0, 0]))
        self._hidden = np.zeros((TIME_BINS, *self._size_wh[::-1]), np.float32)
        self._seen = np.zeros_like(self._hidden)
        for view in views:
            bin_ = self._bin(view)
            self._hidden[bin_] += self._spread(view, grid.unpack(view.hidden))
            # What surrounds a hidden place counts a little: what was never seen is made up from it.
            self._hidden[bin_] += 0.003 * self._spread(view, np.ones(grid.size_hw, bool))

    def gain(self, view: View) -> float:
        """What choosing the view would add."""
        seen, near = self._spread(view, ~self._grid.unpack(view.hidden)), self._nearness(view)
        worth = (self._hidden * AGAIN**self._seen).reshape(TIME_BINS, -1)
        return float(near @ (worth @ seen.ravel()))

    def choose(self, view: View) -> None:
        seen = self._spread(view, ~self._grid.unpack(view.hidden))
        self._seen += self._nearness(view)[:, None, None] * seen

    def _bin(self, view: View) -> int:
        return (view.index - self._span.start) * TIME_BINS // max(len(self._span), 1)

    def _nearness(self, view: View) -> FloatArray:
        distance = np.abs(np.arange(TIME_BINS) - self._bin(view))
        return (1 / (1 + distance / 4)).astype(np.float32)

    def _spread(self, view: View, cells: Mask) -> FloatArray:
        motion = self._from_scene @ view.pose.to_scene @ self._grid.to_frame
        return np.asarray(cv2.warpPerspective(cells.astype(np.float32), motion, self._size_wh), np.float32)


def choose_references(views: Sequence[View], grid: Grid, span: range, most: int) -> list[View]:
    """Pick at most ``most`` views so that what is hidden in one is seen in another, near in time and more than once.

    Greedy choice by what each view adds; what a view adds only shrinks as others are chosen, so that only the most
    promising ones have to be counted again (Minoux, "Accelerated greedy algorithms", 1978).
    """
    by_scene: dict[int, list[View]] = {}
    for view in views:
        by_scene.setdefault(view.pose.scene, []).append(view)
    scenes = {scene: _Scene(members, grid, span) for scene, members in by_scene.items()}
    queue = [(-scenes[view.pose.scene].gain(view), number) for number, view in enumerate(views)]
    heapq.heapify(queue)
    chosen: list[View] = []
    enough = 0.0
    while queue and len(chosen) < most:
        _, number = heapq.heappop(queue)
        view = views[number]
        gain = scenes[view.pose.scene].gain(view)
        if queue and gain < -queue[0][0]:
            heapq.heappush(queue, (-gain, number))
            continue
        if gain <= enough:
            break
        enough = max(enough, gain * 1e-4)
        scenes[view.pose.scene].choose(view)
        chosen.append(view)
    return chosen
