"""The painted street behind the people: house fronts, trees, café furniture and paving."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.synthesis.puppet.cloth import CREAM, NAVY, OCHRE, RUST, SAGE, STONE, TAUPE, UMBER

Floats = NDArray[np.float32]
Colour = Sequence[float] | NDArray[np.float64]

QUALITY = 2
"""Painted pixels per street pixel."""
LEFT, TOP, WIDTH, HEIGHT = -20, -60, 1140, 500
"""What is painted, in street pixels."""
WALL_FOOT, HORIZON = 208.0, 95.0
PEACH, SHADE = (0.70, 0.545, 0.435), (0.115, 0.105, 0.10)

_SHIFT = 4


def _fbm(shape: tuple[int, int], coarse: float, rng: np.random.Generator, octaves: int = 5) -> Floats:
    """Cloudy noise of mean 0 and a spread of about 1; ``coarse`` is the size of the largest blots in pixels."""
    total = np.zeros(shape, np.float32)
    for octave in range(octaves):
        cell = max(coarse / 2**octave, 1.0)
        small = rng.standard_normal((int(shape[0] / cell) + 3, int(shape[1] / cell) + 3)).astype(np.float32)
        size = int(small.shape[1] * cell), int(small.shape[0] * cell)
        big = cv2.resize(small, size, interpolation=cv2.INTER_CUBIC)
        total += big[: shape[0], : shape[1]] * 0.62**octave
    return np.asarray(total / total.std(), np.float32)


class _Painting:
    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.rgb = np.zeros((HEIGHT * QUALITY, WIDTH * QUALITY, 3), np.float32)

    def area(self, x0: float, y0: float, x1: float, y1: float) -> Floats:
        """A view of a rectangle given in street pixels."""
        left, right = (round((x - LEFT) * QUALITY) for x in (x0, x1))
        top, bottom = (round((y - TOP) * QUALITY) for y in (y0, y1))
        return self.rgb[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]

    def rect(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, rough: float = 0.04, coarse: float = 30
    ) -> None:
        view = self.area(x0, y0, x1, y1)
        noise = _fbm((view.shape[0], view.shape[1]), coarse, self.rng)
        view[:] = np.array(colour, np.float32) * (1 + rough * noise)[..., None]

    def polygon(self, points: object, colour: Colour, opacity: float = 1.0, soft: float = 0.0) -> None:
        corners = (np.asarray(points, float) - (LEFT, TOP)) * QUALITY
        mask = np.zeros(self.rgb.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(corners * (1 << _SHIFT)).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
        cover = mask.astype(np.float32) * (opacity / 255)
        if soft:
            cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), soft * QUALITY), np.float32)
        self.rgb += (np.array(colour, np.float32) - self.rgb) * cover[..., None]

    def line(self, points: object, colour: Colour, width: float) -> None:
        corners = (np.asarray(points, float) - (LEFT, TOP)) * QUALITY
        fixed = np.round(corners * (1 << _SHIFT)).astype(np.int32)
        cv2.polylines(
            self.rgb, [fixed], False, tuple(map(float, colour)), max(round(width * QUALITY), 1), cv2.LINE_AA, _SHIFT
        )

    def shade(self, x0: float, y0: float, x1: float, y1: float, top: float, bottom: float) -> None:
        """Multiply a rectangle by a vertical ramp."""
        view = self.area(x0, y0, x1, y1)
        view *= np.linspace(top, bottom, view.shape[0], dtype=np.float32)[:, None, None]

    def bricks(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        self.rect(x0, y0, x1, y1, np.array(colour) * 1.05, 0.06, 12)
        course, long = 5.6, 17.0
        for row, y in enumerate(np.arange(y0, y1, course)):
            for x in np.arange(x0 - (row % 2) * long / 2, x1, long):
                tone = np.array(colour) * self.rng.normal(1.0, 0.17) + self.rng.normal(0, 0.012, 3)
                if self.rng.random() < 0.09:
                    tone = np.array(UMBER) * self.rng.uniform(0.9, 1.5)
                a, b = max(x + 0.5, x0), min(x + long - 0.5, x1)
                if b > a + 1:
                    self.area(a, y + 0.5, b, min(y + course - 0.5, y1))[:] = tone
        view = self.area(x0, y0, x1, y1)
        view *= (1 + 0.07 * _fbm((view.shape[0], view.shape[1]), 60, self.rng))[..., None]

    def leaves(
        self, x: float, y: float, rx: float, ry: float, count: int, colours: Sequence[Colour], size: float = 2.6
    ) -> None:
        """A bush or tree top: leaves lighter towards the upper left, dark in the depth."""
        around, out = (
            self.rng.uniform(0, 2 * np.pi, count),
            self.rng.random(count) ** 0.55 * self.rng.normal(0.9, 0.12, count),
        )
        spread = np.stack([out * np.cos(around), out * np.sin(around)], 1)
        for layer, (u, v) in enumerate(spread):
            glow = 0.45 + 0.55 * (layer + 1) / count + 0.22 * float(np.clip(-u - v, -1, 1)) + self.rng.normal(0, 0.10)
            colour = np.array(colours[int(self.rng.integers(len(colours)))]) * max(glow, 0.15)
            centre = ((np.array((x + u * rx, y + v * ry)) - (LEFT, TOP)) * QUALITY * 16).astype(int)
            axes = (
                int(size * QUALITY * 16 * self.rng.uniform(0.6, 1.2)),
                int(size * QUALITY * 9 * self.rng.uniform(0.5, 1.0)),
            )
            cv2.ellipse(self.rgb, tuple(map(int, centre)), axes, float(self.rng.uniform(0, 180)), 0, 360,
                        tuple(map(float, colour)), -1, cv2.LINE_AA, 4)  # fmt: skip

    def window(self, x0: float, y0: float, x1: float, y1: float, frame: Colour, panes: tuple[int, int]) -> None:
        """Glass that mirrors sky and opposite houses above a dark room, in a frame."""
        self.rect(x0 - 5, y0 - 5, x1 + 5, y1 + 6, np.array(STONE) * 1.15, 0.03)
        self.shade(x0 - 5, y1 + 2, x1 + 5, y1 + 6, 0.8, 0.7)
        self.rect(x0, y0, x1, y1, SHADE, 0.15, 40)
        view = self.area(x0, y0, x1, y1)
        gleam = _fbm((view.shape[0], view.shape[1]), 90, self.rng, 3)
        slope = np.linspace(0.75, -0.5, view.shape[0])[:, None] + np.linspace(0.2, -0.2, view.shape[1])[None, :]
        mirror = np.clip(0.22 + 0.22 * slope + 0.045 * gleam, 0, 0.6).astype(np.float32)[..., None]
        view[:] = view * (1 - mirror) + np.array((0.62, 0.66, 0.68), np.float32) * mirror
        for k in (0.12, 0.62):
            self.polygon([(x0 + (x1 - x0) * k, y1), (x0 + (x1 - x0) * (k + 0.16), y1), (x0 + (x1 - x0) * (k + 0.3), y0),
                          (x0 + (x1 - x0) * (k + 0.14), y0)], (0.7, 0.73, 0.74), 0.10, 0.6)  # fmt: skip
        for k in range(panes[0] + 1):
            x = x0 + (x1 - x0) * k / panes[0]
            self.line([(x, y0), (x, y1)], frame, 2.6)
        for k in range(panes[1] + 1):
            y = y0 + (y1 - y0) * k / panes[1]
            self.line([(x0, y), (x1, y)], frame, 2.6)

    def shutter(self, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
        self.rect(x0, y0, x1, y1, colour, 0.06, 10)
        for y in np.arange(y0 + 4, y1 - 3, 3.4):
            self.area(x0 + 2.5, y, x1 - 2.5, y + 1.2)[:] *= 0.62
            self.area(x0 + 2.5, y + 1.2, x1 - 2.5, y + 2.0)[:] *= 1.22
        self.shade(x0, y0, x0 + 1.2, y1, 1.25, 1.2)
        self.area(x1, y0 + 2, x1 + 3, y1 + 3)[:] *= 0.72

    def door(self, x0: float, y0: float, x1: float, colour: Colour, leaves: int = 1) -> None:
        self.rect(x0 - 9, y0 - 10, x1 + 9, WALL_FOOT, np.array(STONE) * 1.1, 0.05, 20)
        self.rect(x0, y0, x1, WALL_FOOT, colour, 0.07, 25)
        wide = (x1 - x0) / leaves
        for leaf in range(leaves):
            a = x0 + leaf * wide
            for top, bottom in ((0.06, 0.42), (0.48, 0.70), (0.75, 0.95)):
                ya, yb = y0 + (WALL_FOOT - y0) * top, y0 + (WALL_FOOT - y0) * bottom
                self.area(a + wide * 0.16, ya, a + wide * 0.84, yb)[:] *= 0.80
                self.area(a + wide * 0.16, yb - 1.5, a + wide * 0.84, yb)[:] *= 1.5
                self.area(a + wide * 0.24, ya + 3, a + wide * 0.76, yb - 3)[:] *= 1.18
            self.area(a, y0, a + 1, WALL_FOOT)[:] *= 0.5
        self.shade(x0, y0, x1, y0 + 9, 0.45, 1.0)
        self.line([(x0 + wide * 0.9, 130), (x0 + wide * 0.9, 138)], (0.66, 0.54, 0.32), 2.2)


def paint() -> Floats:
    """The street, ``[HEIGHT * QUALITY, WIDTH * QUALITY, 3]`` in [0, 1]."""
    art = _Painting(5)
    _walls(art)
    _cafe(art)
    _paving(art)
    _greenery(art)
    return _finish(art)


def _walls(art: _Painting) -> None:
    foot = WALL_FOOT
    art.bricks(LEFT, TOP, 165, foot, np.array(RUST) * 0.98)
    art.rect(165, TOP, 345, foot, PEACH, 0.055, 90)
    art.rect(345, TOP, 575, foot, np.array(TAUPE) * 1.1, 0.05, 60)
    art.rect(575, TOP, 745, foot, np.array(CREAM) * 1.02, 0.05, 90)
    art.bricks(745, TOP, 925, foot, np.array(RUST) * 0.9)
    art.rect(925, TOP, LEFT + WIDTH, foot, np.array(OCHRE) * 1.04, 0.06, 90)
    for x in (165, 345, 575, 745, 925):
        art.rect(x - 6, TOP, x + 6, foot, np.array(STONE) * 1.05, 0.05, 25)
        art.shade(x + 6, TOP, x + 11, foot, 0.76, 0.76)
        for y in np.arange(TOP, foot, 22):
            art.area(x - 6, y, x + 6, y + 1.2)[:] *= 0.72
    art.rect(LEFT, 186, LEFT + WIDTH, foot, np.array(STONE) * 0.92, 0.10, 18)
    art.area(LEFT, 186, LEFT + WIDTH, 187.5)[:] *= 1.25
    art.window(28, 30, 112, 148, UMBER, (3, 3))
    art.door(205, 32, 262, NAVY, 2)
    art.window(288, 62, 326, 140, CREAM, (2, 3))
    art.shutter(272, 58, 287, 146, SAGE)
    art.shutter(327, 58, 341, 146, SAGE)
    art.window(628, 42, 692, 146, CREAM, (2, 4))
    art.shutter(596, 36, 626, 152, NAVY)
    art.shutter(694, 36, 724, 152, NAVY)
    art.door(782, 22, 872, UMBER, 2)
    art.window(972, 44, 1040, 148, UMBER, (3, 3))
    art.shutter(944, 38, 970, 154, np.array(SAGE) * 0.9)
    art.shutter(1042, 38, 1068, 154, np.array(SAGE) * 0.9)
    for x, tone in ((126, CREAM), (148, OCHRE)):
        art.rect(x - 9, 70, x + 9, 104, tone, 0.03)
        for y in range(76, 98, 5):
            art.area(x - 6, y, x + float(art.rng.uniform(-5, 6)), y + 1.6)[:] *= 0.6
    art.shade(LEFT, TOP, LEFT + WIDTH, 20, 0.82, 1.0)
    art.shade(LEFT, 150, LEFT + WIDTH, foot, 1.0, 0.82)


def _cafe(art: _Painting) -> None:
    foot = WALL_FOOT
    art.rect(352, 22, 569, foot, np.array(UMBER) * 1.25, 0.08, 30)
    art.rect(352, 6, 569, 30, np.array(NAVY) * 1.05, 0.05, 30)
    text = (np.array((408, 25)) - (LEFT, TOP)) * QUALITY
    cv2.putText(art.rgb, "Cafe Lumen", tuple(map(int, text)), cv2.FONT_HERSHEY_TRIPLEX, 0.62 * QUALITY,
                tuple(map(float, CREAM)), QUALITY, cv2.LINE_AA)  # fmt: skip
    art.window(364, 52, 462, 168, UMBER, (3, 1))
    art.window(518, 52, 558, 168, UMBER, (1, 1))
    art.door(474, 48, 506, np.array(UMBER) * 1.1)
    art.window(479, 56, 501, 140, UMBER, (1, 2))
    for x in (386, 414, 442, 536):
        art.polygon(
            [(x + 5 * np.cos(a), 90 + 5 * np.sin(a)) for a in np.linspace(0, 6.28, 16)], (0.93, 0.78, 0.52), 0.8, 2.2
        )
        art.line([(x, 60), (x, 86)], SHADE, 0.8)
    stripes = np.linspace(346, 577, 18)
    for k in range(17):
        colour = np.array(RUST if k % 2 else CREAM) * (1.02 if k % 2 else 0.98)
        a, b = stripes[k], stripes[k + 1]
        art.polygon([(a + 3, 31), (b + 3 - 0.4, 31), (b, 53), (a, 53)], colour)
        lobe = [((a + b) / 2 + (b - a) / 2 * np.cos(t), 53 + 8 * np.sin(t)) for t in np.linspace(0, np.pi, 12)]
        art.polygon(lobe, colour * 0.84)
    art.shade(346, 31, 577, 53, 1.08, 0.92)
    art.shade(352, 61, 569, 90, 0.55, 1.0)
    for x in (400, 446):
        _chair(art, x - 17, 1)
        _chair(art, x + 17, -1)
        art.line([(x, 186), (x, 222)], UMBER, 2)
        art.line([(x - 8, 223), (x + 8, 223)], UMBER, 2)
        art.polygon(
            [(x + 14 * np.cos(t), 184 + 3 * np.sin(t)) for t in np.linspace(0, 6.28, 24)], np.array(CREAM) * 0.9
        )
    art.polygon([(518, 168), (546, 168), (551, 226), (513, 226)], UMBER)
    art.polygon([(521, 172), (543, 172), (547, 217), (517, 217)], np.array(NAVY) * 0.85)
    for k, y in enumerate((180, 188, 195, 202, 209)):
        art.line([(523, y), (532 + (k * 7) % 10, y)], CREAM, 1.0)


def _chair(art: _Painting, x: float, way: int) -> None:
    wood = np.array(OCHRE) * 0.85
    art.line([(x - 7 * way, 176), (x - 6 * way, 202), (x - 8 * way, 226)], wood, 2)
    art.line([(x - 6 * way, 202), (x + 7 * way, 202), (x + 8 * way, 226)], wood, 2)
    art.line([(x - 7 * way, 184), (x - 3 * way, 186)], wood, 1.5)


def _paving(art: _Painting) -> None:
    """Stone slabs in true perspective: rows that shrink towards the wall."""
    foot, bottom = WALL_FOOT, TOP + HEIGHT
    view = art.area(LEFT, foot, LEFT + WIDTH, bottom)
    rows, columns = view.shape[:2]
    y = foot + (np.arange(rows) + 0.5)[:, None] / QUALITY
    x = LEFT + (np.arange(columns) + 0.5)[None, :] / QUALITY
    depth = 4000 / (y - HORIZON)
    across = (x - 520) * depth / 100
    course = depth / 1.6
    offset = np.floor(course) * 0.5
    slab = across / 7.0 + offset
    row_id, column_id = np.floor(course).astype(int), np.floor(slab).astype(int) + 400
    dice = art.rng.random((64, 1024))[row_id % 64, column_id % 1024]
    palette = np.array(
        [STONE, STONE, np.array(STONE) * 1.12, CREAM, PEACH, TAUPE, OCHRE, np.array(RUST) * 1.05, SAGE], np.float32
    )
    mixed = palette[(dice * len(palette)).astype(int)]
    view[:] = 0.40 * mixed + 0.60 * np.array(STONE, np.float32)
    view *= (0.90 + 0.2 * ((dice * 37) % 1))[..., None].astype(np.float32)
    band = (np.floor(course / 4).astype(int) % 2 == 0) & np.ones_like(across, bool)
    view *= np.where(band, 0.90, 1.03)[..., None].astype(np.float32)
    seam = np.minimum(
        np.abs(slab - np.round(slab)) * 7.0 * 100 / depth,
        np.abs(course - np.round(course)) * 1.6 * (y - HORIZON) / depth,
    )
    view *= (1 - 0.42 * np.clip(1.3 - seam, 0, 1))[..., None].astype(np.float32)
    view *= (1 + 0.045 * _fbm((rows, columns), 80, art.rng) + 0.05 * _fbm((rows, columns), 5, art.rng, 3))[..., None]
    art.shade(LEFT, foot, LEFT + WIDTH, foot + 12, 0.62, 1.0)


def _greenery(art: _Painting) -> None:
    greens: list[Colour] = [SAGE, np.array(SAGE) * 0.8, (0.33, 0.37, 0.25), np.array(OCHRE) * 0.8, (0.27, 0.30, 0.24)]
    autumn: list[Colour] = [np.array(RUST) * 1.05, OCHRE, np.array(OCHRE) * 0.8, SAGE, UMBER]
    for x in (180, 590, 916):
        art.rect(x - 14, 198, x + 14, 224, np.array(RUST) * 1.02, 0.10, 8)
        art.shade(x + 5, 198, x + 14, 224, 0.7, 0.65)
        art.leaves(x, 180, 20, 25, 460, greens)
    art.leaves(160, 40, 17, 165, 1000, greens, 2.4)
    art.leaves(1085, 60, 22, 140, 800, autumn, 2.4)
    art.rect(628, 146, 692, 158, np.array(UMBER) * 1.2, 0.1, 8)
    art.leaves(660, 142, 36, 9, 350, [*greens, np.array(RUST) * 1.2, CREAM], 2.0)
    for x in (348, 760):
        trunk = [(x - 7, 226), (x - 5, 120), (x - 6, TOP), (x + 7, TOP), (x + 5, 120), (x + 9, 226)]
        art.polygon(trunk, np.array(UMBER) * 1.35)
        for _ in range(160):
            px, py = x + art.rng.uniform(-5, 6), art.rng.uniform(TOP, 222)
            art.line(
                [(px, py), (px + art.rng.uniform(-1, 1), py + art.rng.uniform(4, 12))],
                np.array(UMBER) * art.rng.uniform(0.6, 2.0),
                0.6,
            )
        art.leaves(x, -38, 118, 62, 3600, autumn if x > 500 else [*greens, np.array(OCHRE) * 0.9], 3.2)
        art.polygon([(x - 26, 226), (x + 28, 226), (x + 34, 231), (x - 32, 231)], np.array(UMBER) * 0.9, 0.8, 0.8)
    for _ in range(260):
        px, py = art.rng.uniform(LEFT, LEFT + WIDTH), WALL_FOOT + 185 * art.rng.random() ** 1.6
        size = (py - HORIZON) / 100
        art.leaves(px, py, size, size * 0.4, 1, autumn, 1.5 * size)


def _finish(art: _Painting) -> Floats:
    """Dappled light from above and the softness of a far focus."""
    rows, columns = art.rgb.shape[:2]
    dapple = cv2.GaussianBlur(_fbm((rows, columns), 130 * QUALITY / 2, art.rng, 3), (0, 0), 5 * QUALITY)
    lit = art.rgb * (1 + 0.085 * dapple)[..., None] * np.array((1.19, 1.16, 1.12), np.float32)
    return np.asarray(np.clip(cv2.GaussianBlur(lit, (0, 0), 0.45 * QUALITY), 0, 1), np.float32)
