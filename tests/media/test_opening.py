"""What is known of a clip once it is open, and what cannot be opened."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import make_clip, scenery, write_frames

from matting.errors import MediaError
from matting.media import open_clip


def sound_only(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        frame.sample_rate = 48000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_what_cannot_be_opened_says_why_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("These are only words.\n" * 50)
    (tmp_path / "empty.mp4").write_bytes(b"")
    sound_only(tmp_path / "song.mp4")
    for name, reason in {
        "missing.mp4": "is not there; check the name",
        "text.mp4": "cannot be read as a video",
        "empty.mp4": "cannot be read as a video",
        "song.mp4": "has sound but no pictures",
    }.items():
        with pytest.raises(MediaError, match=reason) as caught:
            open_clip(tmp_path / name)
        message = str(caught.value)
        assert name in message
        assert message[-1] in ".?"
        assert "\n" not in message


def test_pixel_aspect_is_that_of_the_displayed_picture(tmp_path: Path) -> None:
    def set_up(stream: av.video.stream.VideoStream) -> None:
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(90)

    frames = [av.VideoFrame.from_ndarray(p, "rgb24").reformat(format="yuv420p") for p in scenery(2, (32, 48))]
    with open_clip(write_frames(tmp_path / "a.mp4", frames, "libx264", prepare=set_up)) as clip:
        assert clip.info.pixel_aspect == Fraction(3, 4)
    with open_clip(make_clip(tmp_path / "b.mp4", "b_frames.mp4", count=2)) as clip:
        assert clip.info.pixel_aspect == 1


def test_fingerprint_is_of_the_content_alone(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", "ffv1.mkv", count=3)
    copy = shutil.copy(path, tmp_path / "b.mkv")
    assert open_clip(path).info.fingerprint == open_clip(copy).info.fingerprint
    other = make_clip(tmp_path / "c.mkv", "ffv1.mkv", count=4)
    assert open_clip(other).info.fingerprint != open_clip(path).info.fingerprint


def test_transparency_of_a_video_is_mentioned_where_there_is_some(tmp_path: Path) -> None:
    rgba = np.full((16, 32, 4), 255, np.uint8)
    opaque = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="bgra")
    rgba[:8, :, 3] = 0
    clear = av.VideoFrame.from_ndarray(rgba, "rgba").reformat(format="bgra")
    with open_clip(write_frames(tmp_path / "solid.mkv", [opaque], "ffv1")) as clip:
        assert clip.info.notices == ()
    with open_clip(write_frames(tmp_path / "cut.mkv", [clear], "ffv1")) as clip:
        assert clip.info.notices == ("cut.mkv carries transparency; it is not read.",)
        assert clip.frame(0).min() == 255


def test_a_closed_clip_lets_go_of_the_file(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mp4", "b_frames.mp4", count=3)
    with open_clip(path) as clip:
        clip.frame(0)
    path.rename(tmp_path / "b.mp4")  # Windows refuses while anybody reads
