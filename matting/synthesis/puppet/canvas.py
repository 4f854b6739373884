"""Drawing people: rounded cloth-covered limbs, flat shapes and thin strands on a premultiplied canvas.

Everything is given in figure units (1 = the person's height, y down, ground at y = 1) and lands on a supersampled
canvas with analytic coverage, so that edges are exact once sub-frames and sub-pixels are averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Point = tuple[float, float]
Fabric = Callable[[Floats, Floats], Floats]
"""(along, across) in figure units on the body, each ``[n]``, to albedo ``[n, 3]`` in [0, 1]."""

SUPER = 2
"""Canvas pixels per output pixel and direction."""

_KEY = np.array((-0.50, -0.58, 0.64), np.float32)
_KEY_LIGHT = np.array((0.90, 0.83, 0.72), np.float32)
_SKY_LIGHT = np.array((0.42, 0.45, 0.49), np.float32)
_BOUNCE_LIGHT = np.array((0.09, 0.075, 0.06), np.float32)
_SHIFT = 5
_NOISE = np.random.default_rng(11).random((256, 256), np.float32)
_STEPS = 96


def light(nx: Floats, ny: Floats) -> Floats:
    """Light on a surface whose normal leans by (nx, ny) in the picture, ``[n, 3]``: soft sun, sky, bounce."""
    nz = np.sqrt(np.clip(1 - nx * nx - ny * ny, 0.04, 1))
    sun = np.clip((nx * _KEY[0] + ny * _KEY[1] + nz * _KEY[2] + 0.25) / 1.25, 0, 1)
    sky = 0.75 - 0.35 * ny
    bounce = 0.5 + 0.5 * ny
    return np.asarray(sun[:, None] * _KEY_LIGHT + sky[:, None] * _SKY_LIGHT + bounce[:, None] * _BOUNCE_LIGHT)


def speckle(along: Floats, across: Floats, fine: float) -> Floats:
    """Noise in [-0.5, 0.5] that sticks to the cloth; ``fine`` is grains per figure height."""
    row = (along * fine).astype(np.int64) & 255
    column = (across * fine + 999).astype(np.int64) & 255
    return np.asarray(_NOISE[row, column] - np.float32(0.5), np.float32)


@dataclass(frozen=True)
class Placement:
    """Where a figure stands on the canvas: pixel = matrix @ unit + origin."""

    matrix: NDArray[np.float64]
    origin: NDArray[np.float64]

    @property
    def scale(self) -> float:
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    def px(self, points: object) -> NDArray[np.float64]:
        return np.asarray(points, np.float64) @ self.matrix.T + self.origin


@dataclass(frozen=True)
class Axis:
    """What a limb is swept along, in pixels of a canvas.

    Attributes:
        start, end: ``[2]``, (x, y).
        lefts, rights: ``[_STEPS]`` half widths from start to end.
        bend: how far the middle bows to the right, in lengths.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    lefts: Floats
    rights: Floats
    bend: float

    @property
    def length(self) -> float:
        return max(float(np.hypot(*(self.end - self.start))), 1e-3)

    @property
    def direction(self) -> tuple[float, float]:
        dx, dy = ((self.end - self.start) / self.length).tolist()
        return dx, dy

    @property
    def reach(self) -> float:
        return float(max(self.lefts.max(), self.rights.max()) + abs(self.bend) * self.length + 4)

    def coordinates(self, rows: slice, columns: slice) -> tuple[Floats, Floats, Floats]:
        """Of every pixel, ``[h, w]``: the part of the way in [0, 1], how far along and how far aside of the bow."""
        dx, dy = self.direction
        y = np.arange(rows.start - self.start[1], rows.stop - self.start[1], dtype=np.float32)
        x = np.arange(columns.start - self.start[0], columns.stop - self.start[0], dtype=np.float32)
        y, x = y[: rows.stop - rows.start, None], x[None, : columns.stop - columns.start]
        along, across = x * dx + y * dy, x * dy - y * dx
        u: Floats = np.clip(along / self.length, 0, 1).astype(np.float32, copy=False)
        return u, np.asarray(along, np.float32), np.asarray(across - self.bow(u), np.float32)

    def bow(self, u: Floats) -> Floats:
        """How far the axis has bowed aside."""
        return self.bend * self.length * 4 * u * (1 - u)

    def half(self, u: Floats, across: Floats) -> Floats:
        """Half widths on the side of ``across``."""
        step = (u * (_STEPS - 1)).astype(np.int64)
        return np.where(across < 0, self.lefts[step], self.rights[step])


class Canvas:
    """A window onto the supersampled picture that holds one person: premultiplied colour and coverage."""

    def __init__(self, place: Placement, size_hw: tuple[int, int]) -> None:
        corners = place.px([(-0.62, -0.12), (0.62, -0.12), (-0.62, 1.06), (0.62, 1.06)])
        low = np.floor(corners.min(0)).astype(int)
        high = np.ceil(corners.max(0)).astype(int)
        self.left, self.right = (int(np.clip(v, 0, size_hw[1])) for v in (low[0], high[0]))
        self.top, self.bottom = (int(np.clip(v, 0, size_hw[0])) for v in (low[1], high[1]))
        shape = self.bottom - self.top, self.right - self.left
        self.rgb = np.zeros((*shape, 3), np.float32)
        self.alpha = np.zeros(shape, np.float32)
        self.place = Placement(place.matrix, place.origin - (self.left, self.top))
        self.scale = place.scale

    def limb(
        self,
        a: Point,
        b: Point,
        left: Sequence[float],
        right: Sequence[float] | None = None,
        *,
        fabric: Fabric,
        folds: float = 0.0,
        fold_count: float = 5.0,
        phase: float = 0.0,
        hem: bool = False,
        cut: bool = False,
        bend: float = 0.0,
        tilt: float = 0.0,
        shadow: float = 0.35,
        wave: float = 0.0,
    ) -> None:
        """A rounded volume swept from a to b, covered with cloth.

        Args:
            a: start of the axis.
            b: end of the axis.
            left: half widths from a to b on the side that is left of a downward axis.
            right: half widths on the other side; as ``left`` when not given.
            fabric: what it is made of.
            folds: strength of the folds that run along the axis.
            fold_count: how many of them.
            phase: moves the folds, for cloth that swings.
            hem: ends straight at b, not round.
            cut: begins straight at a, not round.
            bend: how far the middle of the axis bows to the right, in lengths.
            tilt: how far the front leans back (+) or forward (-), for shading.
            shadow: how much it darkens what is close behind it.
            wave: depth of a wavy hem, in figure units.
        """
        axis = self._axis(a, b, left, right, bend)
        box = self._box(np.stack([axis.start, axis.end]), axis.reach)
        if box is None:
            return
        rows, columns = box
        u, along, across = axis.coordinates(rows, columns)
        length, (dx, dy), half = axis.length, axis.direction, axis.half(u, across)
        beyond = along - u * length
        cover = np.clip(half - np.hypot(across, beyond) + 0.5, 0, 1)
        if cut:
            cover *= np.clip(along + 0.5, 0, 1)
        if hem:
            end_line = length - wave * self.scale * (1 + np.sin(across / half * 7 + phase))
            cover *= np.clip(end_line - along + 0.5, 0, 1)
        inside = cover > 0
        u1, half1 = u[inside], half[inside]
        s = np.clip(across[inside] / half1, -1, 1)
        ripple = folds * np.cos(s * fold_count * 3 + phase + 2.5 * np.sin(u1 * 4 + fold_count)) * (0.3 + u1)
        ripple += 0.5 * folds * np.cos(s * fold_count * 7 - 2 * phase + 5 * u1)
        lean = 0.5 * np.clip(beyond[inside] / half1, -1, 1) + tilt
        n_across = np.clip(s * 0.92 + ripple, -1, 1)
        nx, ny = n_across * dy + lean * dx, -n_across * dx + lean * dy
        size = np.maximum(1, np.hypot(nx, ny) / 0.97)
        arc = np.arcsin(s) * half1 / self.scale
        albedo = fabric(u1 * length / self.scale, arc)
        self._over(rows, columns, cover, albedo * light(nx / size, ny / size), shadow)

    def shape(
        self,
        outline: object,
        albedo: Sequence[float],
        *,
        roundness: float = 0.9,
        shadow: float = 0.0,
        opacity: float = 1.0,
    ) -> None:
        """A closed smooth outline ``[n, 2]``, shaded as if it bulged towards the viewer."""
        points = self._outline(outline)
        box = self._box(points, 4)
        if box is None:
            return
        rows, columns = box
        corner = np.array((columns.start, rows.start))
        mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
        cv2.fillPoly(mask, [_fixed(points - corner)], 255, cv2.LINE_AA, _SHIFT)
        cover = mask.astype(np.float32) * np.float32(opacity / 255)
        middle, spread = (points.max(0) + points.min(0)) / 2 - corner, (points.max(0) - points.min(0)) / 2 + 1
        y, x = (where.astype(np.float32) for where in np.nonzero(mask))
        nx = np.clip((x - float(middle[0])) / float(spread[0]), -1, 1) * (roundness * 0.8)
        ny = np.clip((y - float(middle[1])) / float(spread[1]), -1, 1) * (roundness * 0.8)
        self._over(rows, columns, cover, light(nx, ny) * np.asarray(albedo, np.float32), shadow)

    def strands(
        self,
        curves: NDArray[np.float64],
        tones: NDArray[np.float32],
        opacity: float = 0.8,
        shadow: float = 0.0,
        width: float = 0.0,
    ) -> None:
        """Lines: quadratic curves ``[n, 3, 2]`` (root, control, tip), dealt out over ``tones`` ``[k, 3]``.

        They are as thin as can be, or as wide as ``width``.
        """
        if len(curves) == 0:
            return
        points = self._lines(curves)
        thick = max(1, round(width * self.scale))
        box = self._box(points.reshape(-1, 2), 2 + thick)
        if box is None:
            return
        rows, columns = box
        lines = _fixed(points - (columns.start, rows.start))
        for k, tone in enumerate(tones):
            mask = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.uint8)
            cv2.polylines(mask, list(lines[k :: len(tones)]), False, 255, thick, cv2.LINE_AA, _SHIFT)
            self._over(rows, columns, mask.astype(np.float32) * (opacity / 255), tone[None], shadow)

    def _axis(self, a: Point, b: Point, left: Sequence[float], right: Sequence[float] | None, bend: float) -> Axis:
        start, end = self.place.px([a, b])
        return Axis(start, end, self._profile(left), self._profile(left if right is None else right), bend)

    def _outline(self, outline: object) -> NDArray[np.float64]:
        return self.place.px(smooth(np.asarray(outline, np.float64)))

    def _lines(self, curves: NDArray[np.float64]) -> NDArray[np.float64]:
        """Quadratic curves as ``[n, 9, 2]`` corners in pixels."""
        t = np.linspace(0, 1, 9)[:, None]
        weights = np.concatenate([(1 - t) ** 2, 2 * t * (1 - t), t**2], axis=1)
        return self.place.px(np.einsum("tk,nkc->ntc", weights, curves))

    def _profile(self, widths: Sequence[float]) -> Floats:
        """Half widths in pixels at ``_STEPS`` places, with the corners of the polyline rounded off."""
        fine = np.interp(np.linspace(0, len(widths) - 1, _STEPS), np.arange(len(widths)), widths)
        padded = np.pad(fine, 8, mode="edge")
        return np.convolve(padded, np.full(17, 1 / 17), "valid").astype(np.float32) * self.scale + np.float32(0.01)

    def _box(self, points: NDArray[np.float64], margin: float) -> tuple[slice, slice] | None:
        height, width = self.alpha.shape
        x0, y0 = np.floor(points.min(0) - margin).astype(int)
        x1, y1 = np.ceil(points.max(0) + margin).astype(int) + 1
        rows, columns = slice(max(y0, 0), min(y1, height)), slice(max(x0, 0), min(x1, width))
        return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None

    def _over(self, rows: slice, columns: slice, cover: Floats, colour: Floats, shadow: float) -> None:
        """Lay ``colour``, one or one for each covered pixel, over what is there; ``cover`` is ``[h, w]``."""
        if shadow:
            margin = int(0.04 * self.scale)
            height, width = self.alpha.shape
            top, left = max(rows.start - margin, 0), max(columns.start - margin, 0)
            around = slice(top, min(rows.stop + margin, height)), slice(left, min(columns.stop + margin, width))
            wide = np.zeros((around[0].stop - top, around[1].stop - left), np.float32)
            wide[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = cover
            drop = cv2.warpAffine(wide, np.array([[1, 0, 0.006], [0, 1, 0.010]]) * (1, 1, self.scale), wide.shape[::-1])
            drop = cv2.GaussianBlur(drop, (0, 0), 0.013 * self.scale)
            self.rgb[around] *= (1 - shadow * drop)[..., None]
        inside = cover > 0
        ahead = cover[inside]
        self.rgb[rows, columns][inside] = (
            self.rgb[rows, columns][inside] * (1 - ahead)[:, None] + colour * ahead[:, None]
        )
        self.alpha[rows, columns] += cover * (1 - self.alpha[rows, columns])


def smooth(points: NDArray[np.float64], steps: int = 6) -> NDArray[np.float64]:
    """A closed Catmull-Rom curve through the points."""
    p0, p1, p2, p3 = (np.roll(points, k, axis=0)[:, None] for k in (1, 0, -1, -2))
    t = (np.arange(steps) / steps)[None, :, None]
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return np.asarray(curve.reshape(-1, 2), np.float64)


def _fixed(points: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.round(points * (1 << _SHIFT)).astype(np.int32)
