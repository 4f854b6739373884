"""Timecodes ``HH:MM:SS:FF`` as they are shown and typed.

Frames are counted at the nominal rate, the whole number next to the true one: 29.97 counts 30 frames to a second and
drops none, so its timecode falls behind the clock by 3.6 s an hour (SMPTE ST 12-1, non-drop-frame).
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # brings the decoders, which are slow to import
    from matting.media.clip import ClipInfo


def nominal_rate(rate: Fraction) -> int:
    """Frames that a second of timecode counts."""
    return max(1, round(rate))


def format_timecode(count: int, rate: Fraction) -> str:
    """The timecode of the ``count``-th frame, counted from 0."""
    nominal = nominal_rate(rate)
    seconds, frames = divmod(count, nominal)
    digits = max(2, len(str(nominal - 1)))
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}:{frames:0{digits}}"


def parse_timecode(text: str, rate: Fraction) -> int | None:
    """The frame count that a typed timecode means; None when it is none.

    Fields are read from the right, so ``12:05`` is 12 seconds and 5 frames; a number alone is a count of frames.
    """
    fields = text.strip().replace(";", ":").replace(".", ":").split(":")
    if len(fields) > 4 or not all(field.strip().isdecimal() for field in fields):
        return None
    frames, seconds, minutes, hours = [*(int(field) for field in reversed(fields)), 0, 0, 0][:4]
    return ((hours * 60 + minutes) * 60 + seconds) * nominal_rate(rate) + frames


def timecode_at(info: ClipInfo, index: int) -> str:
    """The timecode of a frame by its presentation time, the first frame being 00:00:00:00."""
    return format_timecode(_count_at(info, index), info.rate)


def index_at(info: ClipInfo, count: int) -> int:
    """The frame whose presentation time is nearest to the ``count``-th timecode, inside the clip."""
    wanted = int(info.pts[0]) + Fraction(count) / info.rate / info.time_base
    after = min(max(int(info.pts.searchsorted(float(wanted))), 1), max(len(info) - 1, 1))
    return min((after - 1, min(after, len(info) - 1)), key=lambda index: abs(int(info.pts[index]) - wanted))


def _count_at(info: ClipInfo, index: int) -> int:
    return round(int(info.pts[index] - info.pts[0]) * info.time_base * info.rate)


def format_rate(rate: Fraction) -> str:
    """Frames per second in as few digits as say it: 25, 29.97, 23.976."""
    return f"{float(rate):.3f}".rstrip("0").rstrip(".")
