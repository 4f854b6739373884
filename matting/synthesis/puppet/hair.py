"""Thin things that move: fuzz on wool, fringes, hair; all as quadratic curves for ``Canvas.strands``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from matting.synthesis.puppet.canvas import Point
from matting.synthesis.puppet.gait import Pose

Curves = NDArray[np.float64]
"""``[n, 3, 2]``: root, control, tip."""


@cache
def _dice(seed: int, count: int) -> NDArray[np.float64]:
    """Fixed random numbers ``[count, 6]`` in [0, 1]: every strand keeps its own."""
    return np.random.default_rng(seed).random((count, 6))


def fuzz(path: Sequence[Point], count: int, length: float, direction: Point, time: float, seed: int) -> Curves:
    """Short strands that stand off a polyline and flutter a little."""
    dice = _dice(seed, count)
    corners = np.array(path, float)
    place = dice[:, 0] * (len(corners) - 1)
    root = np.stack([np.interp(place, np.arange(len(corners)), corners[:, k]) for k in (0, 1)], 1)
    angle = np.arctan2(direction[1], direction[0]) + (dice[:, 1] - 0.5) * 1.5
    angle += 0.22 * np.sin(time * (0.25 + 0.2 * dice[:, 2]) + dice[:, 3] * 6.3)
    reach = length * (0.35 + 0.65 * dice[:, 4])[:, None]
    tip = root + reach * np.stack([np.cos(angle), np.sin(angle)], 1)
    curl = (dice[:, 5] - 0.5)[:, None] * reach * np.stack([-np.sin(angle), np.cos(angle)], 1)
    root = root - 0.5 * reach * np.array(direction)
    return np.stack([root, (root + tip) / 2 + curl, tip], 1)


def fringe(path: Sequence[Point], count: int, length: float, pose: Pose, time: float, seed: int) -> Curves:
    """Threads that hang from a polyline and trail behind the walk."""
    dice = _dice(seed, count)
    corners = np.array(path, float)
    place = (np.arange(count) + 0.6 * dice[:, 0]) / count * (len(corners) - 1)
    root = np.stack([np.interp(place, np.arange(len(corners)), corners[:, k]) for k in (0, 1)], 1)
    reach = length * (0.6 + 0.5 * dice[:, 1])
    swing = -5.5 * pose.drift * length + 0.22 * length * np.sin(time * 0.21 + place * 1.1 + dice[:, 2] * 1.6)
    swing += (dice[:, 3] - 0.5) * 0.55 * length
    tip = root + np.stack([swing, reach], 1)
    return np.stack([root, (root + tip) / 2 - np.stack([0.3 * swing, 0 * swing], 1), tip], 1)


def locks(
    head: Point, roots: tuple[float, float], fall: Sequence[float], count: int, pose: Pose, time: float, seed: int,
    volume: float = 1.0,
) -> Curves:  # fmt: skip
    """Hair: from the scalp over the back of the head and down.

    Args:
        head: middle of the skull.
        roots: from which to which angle of the skull it grows, radians, 0 = back, pi / 2 = crown, pi = face.
        fall: shortest and longest way of the tips below the root, figure units.
        count: strands.
        pose: whose walk it trails behind.
        time: frame.
        seed: of the strands.
        volume: how far it stands off.
    """
    dice, back = _dice(seed, count), -pose.facing
    angle = roots[0] + dice[:, 0] * (roots[1] - roots[0])
    radius = 0.061 * (0.94 + 0.1 * dice[:, 1])
    root = np.array(head) + np.stack([back * np.cos(angle) * radius * 0.98, -np.sin(angle) * radius * 1.05], 1)
    down = fall[0] + (fall[1] - fall[0]) * dice[:, 2]
    sway = 0.010 * np.sin(time * 0.17 + dice[:, 3] * 2.4) + 0.006 * np.sin(time * 0.41 + dice[:, 4] * 6.3)
    trail = -pose.drift * 1.5 * (0.5 + dice[:, 4]) * down / 0.2
    out = back * (0.022 + 0.045 * (dice[:, 5] - 0.35)) * volume
    tip_x = (
        head[0] + back * (0.030 + 0.032 * np.cos(angle)) * volume + (dice[:, 5] - 0.5) * 0.06 * volume + sway + trail
    )
    tip = np.stack([tip_x, head[1] + down], 1)
    control = np.stack(
        [
            root[:, 0] + back * np.maximum(np.cos(angle), 0.25) * 0.05 * volume + out * 0.5,
            (root[:, 1] + 0.25 * tip[:, 1] + 0.75 * root[:, 1]) / 2 - 0.012,
        ],
        1,
    )
    return np.stack([root, control, tip], 1)


def frizz(head: Point, count: int, length: float, pose: Pose, time: float, seed: int) -> Curves:
    """Hair that stands off the scalp all round, each strand its own way: curls, flyaways, hair in the wind.

    Args:
        head: middle of the skull.
        count: strands.
        length: of the longest, figure units; most are shorter.
        pose: which way the face looks; nothing grows there.
        time: frame.
        seed: of the strands.
    """
    dice, back = _dice(seed, count), -pose.facing
    angle = -0.9 + 3.5 * dice[:, 0]
    away = np.stack([back * np.cos(angle), -np.sin(angle)], 1)
    along = np.stack([-away[:, 1], away[:, 0]], 1)
    root = np.array(head) + 0.055 * (0.8 + 0.25 * dice[:, 1])[:, None] * away
    reach = length * (0.15 + 0.85 * dice[:, 2] ** 2)[:, None]
    bent = 1.6 * (dice[:, 3] - 0.5) + 0.15 * np.sin(time * 0.3 + 6.3 * dice[:, 4])
    tip = root + reach * (away * np.cos(bent)[:, None] + along * np.sin(bent)[:, None])
    curl = 1.4 * (dice[:, 5] - 0.5)[:, None] * reach * along
    return np.stack([root, (root + tip) / 2 + curl, tip], 1)


_CURLED = 6
"""Quadratic curves in a curl."""


@dataclass(frozen=True)
class Mane:
    """A mass of hair that hides what is behind it, and is loose only where it ends.

    Attributes:
        locks: how many it is made of.
        strands: in each of them.
        reach: from the scalp to the tips, figure units.
        weight: 0 where hair stands off all round, 1 where all of it hangs.
        spread: how far tips lie apart, figure units.
        wave: how far locks swing to and fro on their way, and how many times.
        thick: width of a lock, figure units.
        loose: share of the strands that left their lock.
        contrast: between the lightest and the darkest strand, in [0, 1].
        opacity: of a strand.
    """

    locks: int
    strands: int
    reach: float
    weight: float
    spread: float
    wave: tuple[float, float]
    thick: float
    loose: float
    contrast: float
    opacity: float


def mane(worn: Mane, head: Point, pose: Pose, time: float, seed: int) -> tuple[Curves, Curves]:
    """The locks' middles, and the strands on and beside them.

    Args:
        worn: what kind it is.
        head: middle of the skull.
        pose: which way the face looks, and whose walk it trails behind.
        time: frame.
        seed: of the strands.
    """
    dice, back = _dice(seed, worn.locks), -pose.facing
    angle = -0.6 + 3.1 * dice[:, 0]
    away = np.stack([back * np.cos(angle), -np.sin(angle)], 1)
    root = np.array(head) + 0.058 * (0.8 + 0.25 * dice[:, 1])[:, None] * away
    reach = worn.reach * (0.45 + 0.55 * dice[:, 2])[:, None]
    sway = 0.05 * np.sin(time * 0.17 + 2.4 * dice[:, 3]) - 6 * pose.drift
    aside = (back * 0.35 + 2 * (dice[:, 4] - 0.5))[:, None] * (worn.spread, 0) + sway[:, None] * (worn.reach, 0)
    tip = root + reach * ((1 - worn.weight) * away + worn.weight * np.array((0.0, 1.0))) + aside
    control = root + 0.6 * reach * away * (0.35 + dice[:, 5])[:, None]
    way = np.linspace(0, 1, 2 * _CURLED + 1)[:, None, None]
    middle = (1 - way) ** 2 * root + 2 * way * (1 - way) * control + way**2 * tip
    along = 2 * (1 - way) * (control - root) + 2 * way * (tip - control)
    across = (
        np.stack([-along[..., 1], along[..., 0]], -1)
        / np.maximum(np.hypot(*np.moveaxis(along, -1, 0)), 1e-6)[..., None]
    )
    size, turns = worn.wave
    phase = 6.3 * dice[:, 3] + 0.12 * np.sin(time * 0.4 + 6.3 * dice[:, 0])
    swing = size * np.minimum(2 * way[..., 0], 1) * np.sin(6.3 * turns * (0.7 + 0.6 * dice[:, 1]) * way[..., 0] + phase)
    middle = middle + swing[..., None] * across
    own = _dice(seed + 1, worn.locks * worn.strands).reshape(worn.locks, worn.strands, 6)
    strays = np.where(own[..., 0] < worn.loose, 4.0, 1.2) * worn.thick * (own[..., 1] - 0.5)
    curl = (0.1 + 0.4 * way) * worn.thick * np.sin(9 * way * (0.5 + own[..., 2]) + 6.3 * own[..., 3])
    strands = middle[:, :, None] + ((0.6 + 1.2 * way**3) * strays + curl)[..., None] * across[:, :, None]
    return _joined(middle), _joined(strands.reshape(len(way), -1, 2))


def _joined(corners: NDArray[np.float64]) -> Curves:
    """Quadratic curves through every other one of ``[2 k + 1, n, 2]`` corners, and near those between."""
    start, between, end = corners[:-2:2], corners[1::2], corners[2::2]
    return np.stack([start, 2 * between - (start + end) / 2, end], -2).reshape(-1, 3, 2)
