"""The contract of every reader, and what is special to the one for videos."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias, cast

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet
from av.video.stream import VideoStream
from made_clips import COUNT, KINDS, make_clip, remux, scenery, write_frames

import matting.media.opening
from matting.arrays import Picture
from matting.errors import MediaError
from matting.media import Clip, open_clip

VideoPacket: TypeAlias = "Packet[VideoStream]"
FOOTAGE = Path(__file__).parents[3] / "shared" / "footage"
REAL = ["videos/pedestrians_static.avi", "vos/dogs_jump/video.mp4"]


def cut_off_start(folder: Path) -> Path:
    content = make_clip(folder / "whole.ts", "open_gop.ts").read_bytes()
    path = folder / "cut.ts"
    path.write_bytes(content[188 * (len(content) // 188 // 5) :])
    return path


def edit_list(folder: Path) -> Path:
    def earlier(_: int, packet: VideoPacket) -> VideoPacket:
        packet.pts, packet.dts = (packet.pts or 0) - 512 * 19, (packet.dts or 0) - 512 * 19
        return packet

    return remux(
        make_clip(folder / "b.mp4", "b_frames.mp4"), folder / "edit.mp4", earlier, avoid_negative_ts="disabled"
    )


def hidden_frames(folder: Path) -> Path:
    def hide(number: int, packet: VideoPacket) -> VideoPacket:
        content = bytearray(packet)
        if number % 7 == 3:
            content[0] &= ~0x10  # VP8: show_frame
        changed: Any = av.Packet(bytes(content))
        changed.pts, changed.dts, changed.time_base = packet.pts, packet.dts, packet.time_base
        changed.is_keyframe = packet.is_keyframe
        return cast(VideoPacket, changed)

    return remux(make_clip(folder / "vp8.webm", "vp8.webm"), folder / "hidden.webm", hide)


def uneven(folder: Path) -> Path:
    pts = np.cumsum(np.random.default_rng(0).integers(900, 9000, COUNT)).tolist()
    return make_clip(folder / "vfr.mp4", "b_frames.mp4", pts=pts, time_base=Fraction(1, 90000))


def image_folder(folder: Path) -> Path:
    (folder / "shot").mkdir()
    for t, picture in enumerate(scenery(12, (20, 30))):
        cv2.imwrite(str(folder / "shot" / f"a_{t + 95}.png"), picture)
    return folder / "shot"


def make_kind(folder: Path, kind: str) -> Path:
    return make_clip(folder / kind, kind)


SPECIAL = [cut_off_start, edit_list, hidden_frames, uneven, image_folder]
MAKERS: dict[str, Callable[[Path], Path]] = {maker.__name__: maker for maker in SPECIAL}
MAKERS |= {kind: partial(make_kind, kind=kind) for kind in KINDS}


def sequential(clip: Clip) -> list[Picture]:
    return [picture for _, picture in clip.frames(0, len(clip))]


def plain_count(path: Path) -> int:
    if path.is_dir():
        return len(list(path.iterdir()))
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


@pytest.mark.parametrize("checked_pixels", [10**12, 0], ids=["checked", "unchecked"])
@pytest.mark.parametrize("maker", MAKERS.values(), ids=MAKERS.keys())
class TestContract:
    def test_any_order_gives_the_same_pictures(
        self, maker: Callable[[Path], Path], checked_pixels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(matting.media.opening, "_CHECKED_PIXELS", checked_pixels)
        path = maker(tmp_path)
        with open_clip(path) as clip, open_clip(path) as other:
            expected = sequential(clip)
            assert len(clip) == len(expected) == plain_count(path)
            assert clip.damaged == ()
            assert np.all(np.diff(clip.info.pts) > 0)
            assert {(picture.shape, picture.dtype) for picture in expected} == {((*clip.size_hw, 3), expected[0].dtype)}
            shuffled = np.random.default_rng(1).permutation(len(clip)).tolist()
            backwards = range(len(clip) - 1, -1, -1)
            for t in [*shuffled, *backwards]:
                assert np.array_equal(other.frame(t), expected[t]), t


@pytest.mark.parametrize("name", REAL)
def test_real_footage_reads_the_same_in_any_order(name: str) -> None:
    if not (FOOTAGE / name).exists():
        pytest.skip("the test footage is not here")
    with open_clip(FOOTAGE / name) as clip, clip.duplicate() as other:
        assert len(clip) == plain_count(FOOTAGE / name)
        expected = {t: picture for t, picture in clip.frames(0, 66) if t % 13 == 0}
        for t in np.random.default_rng(0).permutation(list(expected)).tolist():
            assert np.array_equal(other.frame(t), expected[t]), t


def test_frames_are_the_pictures_that_went_in(tmp_path: Path) -> None:
    pictures = list(scenery(COUNT, (64, 96)))
    frames = (av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="bgr0") for picture in pictures)
    with open_clip(write_frames(tmp_path / "exact.mkv", frames, "ffv1", {"g": "7"})) as clip:
        for t in (40, 3, 3, 41, 2, 47, 0):
            assert np.array_equal(clip.frame(t), pictures[t])


def test_stepping_forward_does_not_seek_and_stepping_back_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_clip(make_clip(tmp_path / "b.mp4", "b_frames.mp4")) as clip:
        runs: list[int] = []
        run = clip._decoder.run  # type: ignore[attr-defined]
        monkeypatch.setattr(clip._decoder, "run", lambda n: runs.append(n) or run(n))  # type: ignore[attr-defined, func-returns-value]
        for t in [*range(COUNT), *range(COUNT - 1, 0, -1), *range(1, 30)]:
            clip.frame(t)
        assert runs == [0]


def test_memory_for_recent_pictures_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matting.media.reader._RECENT_BYTES", 60_000)
    with open_clip(make_clip(tmp_path / "b.mp4", "b_frames.mp4")) as clip, open_clip(tmp_path / "b.mp4") as other:
        expected = sequential(clip)
        assert len(clip._recent) < 12  # type: ignore[attr-defined]
        for t in (47, 46, 45, 20, 19, 21, 0):
            assert np.array_equal(other.frame(t), expected[t])


def test_duplicates_read_at_the_same_time(tmp_path: Path) -> None:
    with open_clip(make_clip(tmp_path / "b.mp4", "open_gop.mp4")) as clip:
        expected = sequential(clip)
        wrong: list[int] = []

        def read(seed: int) -> None:
            with clip.duplicate() as own:
                order = np.random.default_rng(seed).permutation(len(own)).tolist()
                wrong.extend(t for t in order if not np.array_equal(own.frame(t), expected[t]))

        threads = [threading.Thread(target=read, args=(seed,)) for seed in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


@pytest.mark.parametrize("index", [-1, COUNT])
def test_frames_outside_the_clip_are_refused(index: int, tmp_path: Path) -> None:
    with open_clip(make_clip(tmp_path / "b.mp4", "b_frames.mp4")) as clip, pytest.raises(IndexError):
        clip.frame(index)


def test_rotation_is_applied(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:16, :16] = 255

    def turned(degrees: int) -> Clip:
        frames = [av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv444p")] * 2
        path = write_frames(
            tmp_path / f"{degrees}.mp4", frames, "libx264", prepare=lambda s: s.set_display_rotation(degrees)
        )
        return open_clip(path)

    # PyAV counts counterclockwise.
    for degrees, rotation, size_hw, corner in [
        (0, 0, (48, 64), (4, 4)),
        (90, 270, (64, 48), (-4, 4)),
        (180, 180, (48, 64), (-4, -4)),
        (-90, 90, (64, 48), (4, -4)),
    ]:
        with turned(degrees) as clip:
            assert (clip.info.rotation, clip.size_hw) == (rotation, size_hw)
            assert clip.frame(1)[corner].min() > 240
            assert clip.frame(1).mean() < 40


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 5), (1, 9), (33, 2)])
def test_odd_sizes(size_hw: tuple[int, int], tmp_path: Path) -> None:
    pictures = list(scenery(3, size_hw))
    frames = (av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="bgr0") for picture in pictures)
    with open_clip(write_frames(tmp_path / "odd.mkv", frames, "ffv1")) as clip:
        assert clip.size_hw == size_hw
        assert all(np.array_equal(clip.frame(t), pictures[t]) for t in (2, 0, 1))


def test_a_clip_that_travels_opens_its_file_when_somebody_looks(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "b.mp4", "b_frames.mp4")
    with open_clip(path) as clip:
        expected = clip.frame(3)
        packed = pickle.dumps(clip)
    elsewhere = path.rename(tmp_path / "away.mp4")
    unseen = pickle.loads(packed)
    assert unseen.size_hw == clip.size_hw
    unseen.close()
    with pytest.raises(MediaError, match=r"b\.mp4"):
        pickle.loads(packed).frame(3)
    elsewhere.rename(path)
    with pickle.loads(packed) as seen:
        assert np.array_equal(seen.frame(3), expected)
