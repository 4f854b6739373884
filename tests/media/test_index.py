"""Which frames there are, and when."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import COUNT, make_clip, packet_places, scenery, write_frames

from matting.media import open_clip
from matting.media.index import damage_notices
from matting.media.packets import PacketTable


def test_uneven_times_are_exact(tmp_path: Path) -> None:
    pts = [0, 1001, 1500, 4000, 4001, 90000, 90007, 95000, *range(100_000, 140_000, 1000)]
    path = make_clip(tmp_path / "vfr.mp4", "b_frames.mp4", pts=pts, time_base=Fraction(1, 90000))
    with open_clip(path) as clip:
        assert clip.info.time_base == Fraction(1, 90000)
        assert (clip.info.pts - clip.info.pts[0]).tolist() == pts
        span = (pts[-1] + clip.info.duration) / 90000
        assert float(clip.info.rate) == pytest.approx(COUNT / span, rel=1e-5)


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30000, 1001), Fraction(24000, 1001)])
@pytest.mark.parametrize(
    "kind", ["b_frames.mp4", "open_gop.mkv", "cra.ts", "mpeg4.avi", "b_frames.avi", "b_frames.h264"]
)
def test_even_times_and_their_rate(kind: str, rate: Fraction, tmp_path: Path) -> None:
    with open_clip(make_clip(tmp_path / kind, kind, count=24, rate=rate)) as clip:
        seconds = (clip.info.pts - clip.info.pts[0]) * float(clip.info.time_base)
        # Matroska counts whole milliseconds; a bare stream has no times, and its rate is FFmpeg's guess.
        assert np.allclose(
            seconds, np.arange(24) / float(rate if kind != "b_frames.h264" else clip.info.rate), atol=1e-3
        )
        assert clip.info.rate == rate or kind == "b_frames.h264"
        assert clip.info.duration * clip.info.time_base == pytest.approx(1 / clip.info.rate, abs=1e-3)


@pytest.mark.parametrize("claimed", [7, 480])
def test_headers_that_lie_about_the_frame_count_are_not_believed(claimed: int, tmp_path: Path) -> None:
    path = make_clip(tmp_path / "lie.avi", "mpeg4.avi")
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"avih") + 8 + 16, claimed)  # dwTotalFrames
    struct.pack_into("<I", content, content.index(b"strh") + 8 + 32, claimed)  # dwLength
    path.write_bytes(content)
    with open_clip(path) as clip:
        assert len(clip) == COUNT
        assert any("cut short" in notice for notice in clip.info.notices) == (claimed > COUNT)


def test_what_lies_on_the_disk_in_the_order_of_decoding_is_shown_in_that_of_time(tmp_path: Path) -> None:
    pictures = list(scenery(COUNT, (64, 96)))
    for kind in ("b_frames.mp4", "b_frames.avi", "b_frames.h264"):
        with open_clip(make_clip(tmp_path / kind, kind)) as clip:
            for t in (0, 1, 2, 3, 30, COUNT - 1):
                differences = [float(np.abs(clip.frame(t).astype(int) - picture).mean()) for picture in pictures]
                assert int(np.argmin(differences)) == t, kind


def test_seeks_that_lead_nowhere_do_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_clip(tmp_path / "b.mp4", "b_frames.mp4")
    with open_clip(path) as clip:
        expected = [picture for _, picture in clip.frames(0, COUNT)]

    monkeypatch.setattr(PacketTable, "seek_times", lambda *_: [10**6, -(10**6)])
    with open_clip(path) as clip:
        assert all(np.array_equal(clip.frame(t), expected[t]) for t in (40, 13, 30))


def test_a_single_frame_lasts_as_long_as_it_says(tmp_path: Path) -> None:
    with open_clip(make_clip(tmp_path / "one.mp4", "b_frames.mp4", count=1)) as clip:
        assert clip.info.pts.tolist() == [0]
        assert clip.info.duration * clip.info.time_base == Fraction(1, 25)
        assert len(packet_places(tmp_path / "one.mp4")) == 1


def test_sentences_on_damage_name_the_frames() -> None:
    assert damage_notices("a.mp4", [(0, 3), (40, 41)]) == (
        "Frames 0–2 of a.mp4 are damaged; frame 3 is shown in their place.",
        "Frame 40 of a.mp4 is damaged; frame 39 is shown in its place.",
    )


def test_pictures_without_motion_are_frames_too(tmp_path: Path) -> None:
    still = next(iter(scenery(1, (64, 96))))
    frames = (av.VideoFrame.from_ndarray(still, "rgb24").reformat(format="yuv420p") for _ in range(30))
    with open_clip(write_frames(tmp_path / "still.mp4", frames, "mpeg4", {"bf": "2"})) as clip:
        assert len(clip) == 30
