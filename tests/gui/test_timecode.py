from __future__ import annotations

from fractions import Fraction

import pytest
from editor_content import clip_info

from app.timecode import format_rate, format_timecode, index_at, parse_timecode, timecode_at

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("count", "rate", "expected"),
    [
        (0, Fraction(25), "00:00:00:00"),
        (24, Fraction(25), "00:00:00:24"),
        (25, Fraction(25), "00:00:01:00"),
        (90_000 + 61 * 25 + 7, Fraction(25), "01:01:01:07"),
        (1799, NTSC, "00:00:59:29"),
        (1800, NTSC, "00:01:00:00"),  # drop-frame timecode would say 00:01:00;02
        (107892, NTSC, "00:59:56:12"),  # an hour by the clock
        (23, Fraction(24000, 1001), "00:00:00:23"),
        (119, Fraction(120), "00:00:00:119"),
        (3, Fraction(1, 2), "00:00:03:00"),
    ],
)
def test_timecode_of_a_count_and_back(count: int, rate: Fraction, expected: str) -> None:
    assert format_timecode(count, rate) == expected
    assert parse_timecode(expected, rate) == count


def test_typed_timecodes_are_read_from_the_right() -> None:
    assert parse_timecode("12:05", Fraction(25)) == 305
    assert parse_timecode(" 214 ", Fraction(25)) == 214
    assert parse_timecode("1:00:00;00", NTSC) == 108000
    for wrong in ("", "a", "1:2:3:4:5", "-3", "1::2"):
        assert parse_timecode(wrong, Fraction(25)) is None


@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), NTSC, Fraction(60000, 1001)])
def test_constant_rates_count_their_frames(rate: Fraction) -> None:
    info = clip_info(5000, rate)
    for index in (0, 1, 29, 30, 1799, 1800, 4999):
        assert timecode_at(info, index) == format_timecode(index, rate)
        assert index_at(info, index) == index


def test_variable_rate_goes_by_presentation_time() -> None:
    info = clip_info(4, Fraction(25), pts=[900, 900 + 3600, 900 + 90000, 900 + 93600])
    assert [timecode_at(info, i) for i in range(4)] == ["00:00:00:00", "00:00:00:01", "00:00:01:00", "00:00:01:01"]
    assert [index_at(info, count) for count in (0, 1, 5, 20, 25, 26, 999)] == [0, 1, 1, 2, 2, 3, 3]


def test_a_single_frame_is_found() -> None:
    assert index_at(clip_info(1), 40) == 0


def test_rates_are_said_shortly() -> None:
    assert [format_rate(r) for r in (Fraction(25), NTSC, Fraction(24000, 1001))] == ["25", "29.97", "23.976"]
