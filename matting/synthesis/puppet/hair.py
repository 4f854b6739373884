"""Thin things that move: fuzz on wool, fringes, hair; all as quadratic curves for ``Canvas.strands``."""

from __future__ import annotations

from collections.abc import Sequence
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
