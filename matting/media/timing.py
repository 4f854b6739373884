"""Which stretch of a clip goes into a new file, and when each of its frames is shown there."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np

from matting.media.clip import ClipInfo

_CLOCK_LIMIT_S = Fraction(1, 2)
"""A clip that starts later than this carries the clock of its camera; earlier starts are delays between its streams."""


@dataclass(frozen=True)
class Cut:
    """Which stretch of the source's clock is exported, in seconds.

    Attributes:
        origin: the moment that becomes 0.
        start, stop: the stretch that is kept; None keeps all there is on that side.
    """

    origin: Fraction
    start: Fraction | None
    stop: Fraction | None


@dataclass(frozen=True)
class Timing:
    """When the frames of a span are shown in the new file.

    Attributes:
        time_base: seconds of one tick.
        pts: when each frame appears, in ticks.
        durations: how long each stays, in ticks.
        cut: the same stretch for the sound.
    """

    time_base: Fraction
    pts: tuple[int, ...]
    durations: tuple[int, ...]
    cut: Cut

    @property
    def constant(self) -> bool:
        """Whether all frames stay equally long."""
        return len(set(self.durations)) == 1


def timing(info: ClipInfo, span: range, sound_start_s: Fraction | None) -> Timing:
    """Times of the frames of ``span``: the clip's own for the whole clip, from 0 on for a part.

    A whole clip whose first stream starts half a second or more after 0 is moved there, as players do.

    Args:
        info: the clip.
        span: frame indices in steps of one.
        sound_start_s: when the sound of the clip begins, on its clock.
    """
    tick = info.time_base
    ends = np.append(info.pts[1:], info.pts[-1] + info.duration)
    whole = span == range(len(info))
    first, last = int(info.pts[span.start]), int(ends[span.stop - 1])
    origin = _origin(first, tick, sound_start_s) if whole else first
    cut = Cut(origin * tick, None if whole else first * tick, None if whole else last * tick)
    shown = slice(span.start, span.stop)
    return Timing(
        tick, tuple((info.pts[shown] - origin).tolist()), tuple((ends[shown] - info.pts[shown]).tolist()), cut
    )


def _origin(first: int, tick: Fraction, sound_start_s: Fraction | None) -> int:
    """The tick of the clip's clock that becomes 0 when all of it is exported."""
    if first < 0:
        return first
    start_s = first * tick if sound_start_s is None else min(first * tick, sound_start_s)
    return floor(start_s / tick) if start_s >= _CLOCK_LIMIT_S else 0
