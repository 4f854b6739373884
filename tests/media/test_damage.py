"""Damaged footage opens as long as a frame of it decodes; what does not is named, whatever way leads there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_clips import COUNT, make_clip, packet_places, spoil

import matting.media.opening
from matting.arrays import Picture
from matting.errors import Cancelled, MediaError
from matting.job import JobContext
from matting.media import open_clip, scan

SPOILED = {  # packet that is spoiled, and the frames that are lost by it
    "b_frames.mp4": (26, (25, 36)),
    "cra.mp4": (25, None),
    "mpeg4.avi": (26, None),
    "prores.mov": (20, (20, 21)),
    "vp9.webm": (30, (30, 40)),
    "mjpeg.avi": (11, (11, 12)),
    "ffv1.mkv": (21, (21, 25)),
    "b_frames.avi": (26, (25, 36)),
}


def read(path: Path, order: list[int] | None = None) -> tuple[list[Picture], tuple[tuple[int, int], ...]]:
    with open_clip(path) as clip:
        pictures = {t: clip.frame(t) for t in (order or range(len(clip)))}
        return [pictures[t] for t in sorted(pictures)], clip.damaged


@pytest.mark.parametrize("kind", SPOILED)
def test_damage_looks_the_same_however_it_is_met(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number, lost = SPOILED[kind]
    path = make_clip(tmp_path / kind, kind)
    sound, _ = read(path)
    expected, damaged = read(spoil(path, number))
    assert len(expected) == COUNT
    assert len(damaged) == 1
    start, stop = damaged[0]
    assert lost is None or (start, stop) == lost
    for t in range(COUNT):
        assert np.array_equal(expected[t], sound[start - 1 if start <= t < stop else t]), t
    monkeypatch.setattr(matting.media.opening, "_CHECKED_PIXELS", 0)
    shuffled = np.random.default_rng(0).permutation(COUNT).tolist()
    for order in (list(range(COUNT)), list(range(COUNT - 1, -1, -1)), shuffled):
        pictures, found = read(path, order)
        assert found == damaged
        assert all(np.array_equal(a, b) for a, b in zip(pictures, expected, strict=True))


def test_damage_is_told_when_a_short_clip_is_opened(tmp_path: Path) -> None:
    path = spoil(make_clip(tmp_path / "take.mp4", "b_frames.mp4"), 26)
    with open_clip(path) as clip:
        assert clip.info.notices[-1] == "Frames 25–35 of take.mp4 are damaged; frame 24 is shown in their place."


def test_damage_at_the_start_shows_the_first_good_picture(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "take.mov", "prores.mov")
    sound, _ = read(path)
    pictures, damaged = read(spoil(path, 0))
    assert damaged == ((0, 1),)
    assert np.array_equal(pictures[0], sound[1])


def test_scan_finds_what_opening_did_not_look_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matting.media.opening, "_CHECKED_PIXELS", 0)
    path = spoil(make_clip(tmp_path / "take.mov", "prores.mov"), 33)
    with open_clip(path) as clip, clip.duplicate() as other:
        assert clip.damaged == ()
        assert scan(clip, JobContext()) == ("Frame 33 of take.mov is damaged; frame 32 is shown in its place.",)
        assert clip.damaged == other.damaged == ((33, 34),)


def test_scan_can_be_cancelled(tmp_path: Path) -> None:
    ctx = JobContext()
    ctx.cancel()
    with open_clip(make_clip(tmp_path / "take.mp4", "b_frames.mp4")) as clip, pytest.raises(Cancelled):
        scan(clip, ctx)


def test_a_file_that_ends_early_says_so_when_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matting.media.opening, "_CHECKED_PIXELS", 0)
    path = make_clip(tmp_path / "take.mp4", "b_frames.mp4", movflags="faststart")
    place, size = packet_places(path)[30]
    path.write_bytes(path.read_bytes()[: place + size // 2])
    with open_clip(path) as clip:
        assert len(clip) < COUNT
        assert any(notice.startswith("take.mp4 is cut short: frames ") for notice in clip.info.notices)
        assert any("damaged; frame" in notice for notice in clip.info.notices)  # the packet that is only half there
        pictures = [clip.frame(t) for t in range(len(clip))]
        assert np.array_equal(pictures[5], read(path, [5])[0][0])


def test_nothing_decodable_is_refused(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "take.mov", "prores.mov", count=3)
    for number in range(3):
        spoil(path, number)
    with pytest.raises(MediaError, match=r"^take\.mov holds no picture that can be decoded; .*\.$"):
        open_clip(path)
