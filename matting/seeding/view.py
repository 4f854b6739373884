"""A window of the frame at a working size, with the prompts moved into its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, Picture
from matting.seeding.figure import Box, Point
from matting.seeding.seeder import FramePrompt

_BOX_SLACK = 0.03
_DISK_SHARE = 0.02


@dataclass(frozen=True)
class Marks:
    """A prompt in the pixels of a view; of other instances' marks some may lie outside it."""

    include: list[Point]
    exclude: list[Point]
    box: Box | None
    drawn: Mask | None


@dataclass(frozen=True)
class View:
    """What a seeder looks at.

    Attributes:
        picture: ``[h, w, 3]`` uint8 RGB.
        window: the part of the frame it shows.
        scale: pixels of the view per pixel of the frame, at most 1.
        own: the marks of the instance that is sought.
        others: the marks of the rest.
    """

    picture: NDArray[np.uint8]
    window: Box
    scale: float
    own: Marks
    others: list[Marks]

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.picture.shape[0], self.picture.shape[1]

    @property
    def disk_px(self) -> int:
        """Radius of what a point stands for."""
        height, width = self.size_hw
        x0, y0, x1, y1 = self.own.box or (0, 0, width, height // 2)
        return max(1, round(_DISK_SHARE * min(x1 - x0, (y1 - y0) / 2)))

    def visible(self, points: Sequence[Point]) -> list[Point]:
        """Those of the points that lie in the view."""
        height, width = self.size_hw
        return [(x, y) for x, y in points if 0 <= x < width and 0 <= y < height]

    def sure(self) -> tuple[Mask, Mask]:
        """What the artist said for certain is inside and outside, each ``[h, w]`` bool; inside wins."""
        outside = np.zeros(self.size_hw, np.uint8)
        if self.own.box:
            x0, y0, x1, y1 = self.own.box
            # An artist's box may cut the figure by a little.
            slack = round(_BOX_SLACK * max(x1 - x0, y1 - y0))
            outside[:] = 1
            outside[max(0, y0 - slack) : y1 + slack, max(0, x0 - slack) : x1 + slack] = 0
        for other in self.others:
            if other.drawn is not None:
                outside[other.drawn] = 1
        self._draw(outside, [point for other in self.others for point in other.include] + self.own.exclude)
        inside = np.zeros(self.size_hw, np.uint8)
        self._draw(inside, self.own.include)
        return inside > 0, (outside > 0) & (inside == 0)

    def _draw(self, marks: NDArray[np.uint8], points: Sequence[Point]) -> None:
        for point in points:
            cv2.circle(marks, point, self.disk_px, 1, cv2.FILLED)

    def stretch(self, values: FloatArray, frame_hw: tuple[int, int]) -> FloatArray:
        """The part of a small picture of the whole frame ``[·, ·]`` that the view shows, at the view's size."""
        x0, y0, x1, y1 = self.window
        height, width = self.size_hw
        down, across = values.shape[0] / frame_hw[0], values.shape[1] / frame_hw[1]
        step_x, step_y = (x1 - x0) / width * across, (y1 - y0) / height * down
        placing = np.array(
            [[step_x, 0, x0 * across + (step_x - 1) / 2], [0, step_y, y0 * down + (step_y - 1) / 2]], np.float32
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        shown = cv2.warpAffine(values, placing, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(shown, np.float32)

    def shrink(self, mask: Mask) -> Mask:
        """The part of a frame's mask that the view shows."""
        return _shrink(mask, self.window, self.size_hw)

    def place(self, mask: Mask, frame_hw: tuple[int, int]) -> Mask:
        """The view's mask as one of the whole frame."""
        x0, y0, x1, y1 = self.window
        placed = np.zeros(frame_hw, np.bool_)
        placed[y0:y1, x0:x1] = (
            cv2.resize(mask.astype(np.uint8), (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST) > 0
        )
        return placed


def look(frame: Picture, window: Box, most_pixels: int, prompt: FramePrompt, others: Sequence[FramePrompt]) -> View:
    """Cut a window out of the frame, no larger than ``most_pixels``."""
    x0, y0, x1, y1 = window
    scale = min(1.0, (most_pixels / ((x1 - x0) * (y1 - y0))) ** 0.5)
    width, height = max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale))
    across, down = width / (x1 - x0), height / (y1 - y0)
    frame_hw = frame.shape[0], frame.shape[1]

    def inner(points: Sequence[tuple[float, float]]) -> list[Point]:
        return [
            (int((x - x0 + 0.5) * across // 1), int((y - y0 + 0.5) * down // 1)) for x, y in pixels(points, frame_hw)
        ]

    def marks(given: FramePrompt) -> Marks:
        box = clip_box(given.box, frame_hw)
        if box:
            left, top = round((box[0] - x0) * across), round((box[1] - y0) * down)
            box = left, top, max(left + 1, round((box[2] - x0) * across)), max(top + 1, round((box[3] - y0) * down))
        drawn = None if given.mask is None else _shrink(given.mask, window, (height, width))
        return Marks(inner(given.include), inner(given.exclude), box, drawn)

    picture = cv2.resize(frame[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_AREA)
    return View(np.asarray(picture, np.uint8), window, scale, marks(prompt), [marks(other) for other in others])


def pixels(points: Sequence[tuple[float, float]], size_hw: tuple[int, int]) -> list[Point]:
    """The pixels that points of the frame lie in."""
    height, width = size_hw
    return [(min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)) for x, y in points]


def clip_box(box: tuple[float, float, float, float] | None, size_hw: tuple[int, int]) -> Box | None:
    """The box in whole pixels of the frame, at least one."""
    if box is None:
        return None
    (x0, y0), (height, width) = pixels([(box[0], box[1])], size_hw)[0], size_hw
    return x0, y0, min(max(round(box[2]), x0 + 1), width), min(max(round(box[3]), y0 + 1), height)


def around(box: Box, share: float, size_hw: tuple[int, int]) -> Box:
    """The box with a margin of a share of its longer side, within the frame."""
    x0, y0, x1, y1 = box
    margin = max(4, round(share * max(x1 - x0, y1 - y0)))
    return max(0, x0 - margin), max(0, y0 - margin), min(size_hw[1], x1 + margin), min(size_hw[0], y1 + margin)


def bounds(mask: Mask) -> Box:
    """The smallest box round a mask."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, x + width, y + height


def _shrink(mask: Mask, window: Box, size_hw: tuple[int, int]) -> Mask:
    x0, y0, x1, y1 = window
    grey = mask[y0:y1, x0:x1].astype(np.uint8) * 255
    shrunk: Mask = np.asarray(cv2.resize(grey, size_hw[::-1], interpolation=cv2.INTER_AREA)) > 127
    return shrunk
