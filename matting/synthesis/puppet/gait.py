"""How a figure walks: where its joints are at a given moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Point = tuple[float, float]

_FINE = 40
"""Steps per frame in which walking is integrated."""


@dataclass(frozen=True)
class Leg:
    hip: Point
    knee: Point
    ankle: Point
    pitch: float


@dataclass(frozen=True)
class Arm:
    shoulder: Point
    elbow: Point
    wrist: Point


@dataclass(frozen=True)
class Pose:
    """Joints in figure units, x forward-positive times ``facing``; 0 is the near side, 1 the far side."""

    facing: int
    lean: float
    rise: float
    legs: tuple[Leg, Leg]
    arms: tuple[Arm, Arm]
    cycle: float
    pace: float
    drift: float
    """Body speed in figure heights per frame, signed; what hangs loose trails behind it."""


class Walk:
    """A walk along the street, from a speed curve over the clip.

    Args:
        start: place at frame 0 in pixels of the painted street.
        speeds: (frame, pixels per frame) corners of the speed curve; the sign is the direction.
        height: of the person, pixels.
        facing: 1 looks right, -1 looks left.
        cycle: part of the step the person starts in, [0, 1).
        stride: length of two steps in heights.
    """

    def __init__(
        self,
        start: float,
        speeds: Sequence[tuple[float, float]],
        height: float,
        facing: int,
        cycle: float,
        stride: float,
    ) -> None:
        self.facing, self.height, self.stride = facing, height, stride
        frames, values = np.array(speeds, float).T
        time = np.arange(-20 * _FINE, 160 * _FINE) / _FINE
        speed = np.interp(time, frames, values)
        kernel = np.hanning(8 * _FINE)
        self._speed = np.convolve(np.pad(speed, 4 * _FINE, mode="edge"), kernel / kernel.sum(), "same")[
            4 * _FINE : -4 * _FINE
        ]
        self._time, self._top = time, float(np.abs(values).max())
        way = np.cumsum(self._speed) / _FINE
        self._place = way - np.interp(0, time, way) + start
        steps = np.cumsum(np.abs(self._speed)) / _FINE / (stride * height)
        self._cycle = steps - np.interp(0, time, steps) + cycle

    def place(self, time: float) -> float:
        """Where the hips are, pixels of the painted street."""
        return float(np.interp(time, self._time, self._place))

    def pose(self, time: float, arm_swing: float = 0.40, elbow: float = 0.26) -> Pose:
        speed = float(np.interp(time, self._time, self._speed))
        lagging = float(np.interp(time - 2.5, self._time, self._speed))
        pace = min(abs(speed) / self._top, 1.0) ** 0.6
        cycle = float(np.interp(time, self._time, self._cycle))
        breath = 0.0015 * np.sin(time * 0.16 + self.height)
        rise = pace * (0.012 * np.cos(4 * np.pi * (cycle - 0.30)) - 0.008) + 0.012 * (1 - pace) + breath
        lean = self.facing * (0.010 + 0.022 * pace)
        legs = tuple(self._leg(cycle + 0.5 * side, pace, rise, side) for side in (0, 1))
        arms = tuple(self._arm(cycle + 0.5 * side, pace, rise, lean, side, arm_swing, elbow) for side in (0, 1))
        return Pose(self.facing, lean, rise, (legs[0], legs[1]), (arms[0], arms[1]), cycle, pace, lagging / self.height)

    def _leg(self, cycle: float, pace: float, rise: float, side: int) -> Leg:
        p = cycle % 1.0
        reach = 0.3 * self.stride
        if p < 0.6:
            forward = reach * (1 - 2 * p / 0.6)
            off = max(0.0, (p - 0.42) / 0.18)
            lift = 0.05 * off * off
            pitch = 0.30 * max(0.0, 1 - p / 0.08) - 0.75 * off * off
        else:
            q = (p - 0.6) / 0.4
            forward = -reach + 2 * reach * (q * q * (3 - 2 * q) * 1.0)
            lift = 0.05 * (1 - q) ** 2 + 0.055 * np.sin(np.pi * q) ** 2
            pitch = -0.75 * (1 - q) ** 2 + 0.30 * q * q
        standing = 0.028 * (1 - 2 * side)
        x = self.facing * (forward * pace + standing * (1 - pace))
        hip = (self.facing * 0.006 * (1 - 2 * side), 0.515 - rise)
        ankle = (x, 0.952 - lift * pace)
        return Leg(hip, _joint(hip, ankle, 0.232, 0.222, self.facing), ankle, pitch * pace)

    def _arm(self, cycle: float, pace: float, rise: float, lean: float, side: int, swing: float, elbow: float) -> Arm:
        angle = -swing * np.cos(2 * np.pi * (cycle - 0.05)) * pace + 0.02
        shoulder = (lean - self.facing * 0.012 * (1 - 2 * side), 0.205 - rise)
        joint = (
            shoulder[0] + self.facing * 0.158 * float(np.sin(angle)),
            shoulder[1] + 0.158 * float(np.cos(angle)),
        )
        lower = angle + elbow * (0.65 + 0.5 * float(np.sin(angle) / max(swing, 0.1)))
        wrist = (joint[0] + self.facing * 0.140 * float(np.sin(lower)), joint[1] + 0.140 * float(np.cos(lower)))
        return Arm(shoulder, joint, wrist)


def _joint(a: Point, c: Point, upper: float, lower: float, side: int) -> Point:
    """The knee of a two-bone chain from a to c that bends towards ``side``."""
    dx, dy = c[0] - a[0], c[1] - a[1]
    span = min(float(np.hypot(dx, dy)), (upper + lower) * 0.999)
    along = (upper**2 - lower**2 + span**2) / (2 * span)
    out = float(np.sqrt(max(upper**2 - along**2, 0.0)))
    ux, uy = dx / span, dy / span
    return a[0] + ux * along + side * uy * out, a[1] + uy * along - side * ux * out
