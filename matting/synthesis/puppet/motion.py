"""Where everything that is drawn of a person will be a moment later: exact optical flow.

A person is always drawn as the same limbs, shapes and strands in the same order, so each of them is paired with itself
at the other moment, and a place on it with the same place on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.synthesis.puppet.canvas import Axis, Canvas, Floats, Placement, Point

_Part: TypeAlias = Axis | NDArray[np.float64]
_OPAQUE = 0.35
"""What covers less lets one see the motion of what is behind; single hairs cover hardly more."""


class Later(Canvas):
    """Draws nothing, and notes where everything is: ``parts``, in pixels of the whole picture."""

    def __init__(self, place: Placement) -> None:
        super().__init__(place, (0, 0))
        self.parts: list[_Part] = []

    def _axis(self, a: Point, b: Point, left: Sequence[float], right: Sequence[float] | None, bend: float) -> Axis:
        self.parts.append(super()._axis(a, b, left, right, bend))
        return super()._axis(a, b, left, right, bend)

    def _outline(self, outline: object) -> NDArray[np.float64]:
        self.parts.append(super()._outline(outline))
        return super()._outline(outline)

    def _lines(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        self.parts.append(super()._lines(curves))
        return super()._lines(curves)


class Moving(Canvas):
    """Draws motion in place of colour.

    Attributes:
        flow: ``[h, w, 2]`` pixels of the canvas, (x, y): how far what is to be seen will have moved.
        known: ``[h, w]`` 1 where there is something, else 0.
    """

    def __init__(self, place: Placement, size_hw: tuple[int, int], later: Later) -> None:
        super().__init__(place, size_hw)
        self.flow = np.zeros((*self.alpha.shape, 2), np.float32)
        self.known = np.zeros(self.alpha.shape, np.float32)
        self._later: Iterator[_Part] = iter(later.parts)
        self._corner = np.array((self.left, self.top), np.float64)
        self._move: Callable[[slice, slice], Floats]

    def _axis(self, a: Point, b: Point, left: Sequence[float], right: Sequence[float] | None, bend: float) -> Axis:
        now, then = super()._axis(a, b, left, right, bend), next(self._later)
        assert isinstance(then, Axis)
        self._move = lambda rows, columns: _swept(now, then, rows, columns, self._corner)
        return now

    def _outline(self, outline: object) -> NDArray[np.float64]:
        now, then = super()._outline(outline), next(self._later)
        assert isinstance(then, np.ndarray)
        self._move = lambda rows, columns: _carried(now, then - self._corner, rows, columns)
        return now

    def _lines(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        now, then = super()._lines(curves), next(self._later)
        assert isinstance(then, np.ndarray)
        self._move = lambda rows, columns: _blown(now, then - self._corner, rows, columns)
        return now

    def _over(self, rows: slice, columns: slice, cover: Floats, colour: Floats, shadow: float) -> None:
        inside = cover > _OPAQUE
        self.flow[rows, columns][inside] = self._move(rows, columns)[inside]
        self.known[rows, columns][inside] = 1


def _swept(now: Axis, then: Axis, rows: slice, columns: slice, corner: NDArray[np.float64]) -> Floats:
    """The same part of the way along the limb, the same part of the way to its side."""
    u, along, across = now.coordinates(rows, columns)
    aside = across / now.half(u, across) * then.half(u, across) + then.bow(u)
    onward = u * then.length + (along - u * now.length)
    dx, dy = then.direction
    x = then.start[0] - corner[0] + onward * dx + aside * dy
    y = then.start[1] - corner[1] + onward * dy - aside * dx
    return _from_here(x, y, rows, columns)


def _carried(now: NDArray[np.float64], then: NDArray[np.float64], rows: slice, columns: slice) -> Floats:
    """By the affine map that takes the outline there; shapes of people are stiff, only veils stretch."""
    matrix = np.linalg.lstsq(np.hstack([now, np.ones((len(now), 1))]), then, rcond=None)[0]
    y, x = np.mgrid[rows, columns]
    there = np.stack([x, y, np.ones_like(x)], axis=-1) @ matrix
    return _from_here(there[..., 0], there[..., 1], rows, columns)


def _blown(now: NDArray[np.float64], then: NDArray[np.float64], rows: slice, columns: slice) -> Floats:
    """As the nearest corner of the strand that lies on top."""
    found = np.zeros((rows.stop - rows.start, columns.stop - columns.start, 2), np.float32)
    corners = np.rint(now - (columns.start, rows.start)).astype(np.int32)
    for line, moves in zip(corners, then - now, strict=True):
        for start, end, move in zip(line, line[1:], (moves[:-1] + moves[1:]) / 2, strict=False):
            cv2.line(found, start.tolist(), end.tolist(), move.tolist(), 3)
    return found


def _from_here(x: NDArray[np.float64], y: NDArray[np.float64], rows: slice, columns: slice) -> Floats:
    here_y, here_x = np.mgrid[rows, columns]
    return np.stack([x - here_x, y - here_y], axis=-1).astype(np.float32)
