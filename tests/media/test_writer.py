"""What is written can be read again: pictures, times, shape of pixels, colour tags."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from exports import clip_info, export, noise, read, smooth

from matting.errors import OutputError, ShapeError
from matting.frames import to_8_bit
from matting.media import open_clip
from matting.media.clip import ColorTags
from matting.media.presets import Preset, check_preset, default_preset
from matting.media.writer import open_writer

VIDEO = [Preset.H264, Preset.PRORES4444, Preset.VP9_ALPHA, Preset.FFV1]
EXACT_TIMES = [(Preset.H264, ".mp4"), (Preset.H264, ".mov"), (Preset.PRORES4444, ".mov")]
UNEVEN = [0, 700, 1001, 2500, 2512, 4000, 4512, 9000]
NTSC = Fraction(1001, 30000)


# --- pictures ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 5), (48, 64)])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_ffv1_keeps_every_bit(tmp_path: Path, size_hw: tuple[int, int], channels: int, dtype: type) -> None:
    pictures = [noise(i, size_hw, dtype, channels) for i in range(4)]
    export(tmp_path / "out.mkv", Preset.FFV1, clip_info(4, size_hw), pictures, alpha=channels == 4)
    written = read(tmp_path / "out.mkv")
    form = {3: "rgb24", 4: "rgba"}[channels] if dtype is np.uint8 else {3: "gbrp16le", 4: "gbrap16le"}[channels]
    assert len(written.frames) == 4
    for index, picture in enumerate(pictures):
        np.testing.assert_array_equal(written.rgb(index, form), picture)


def test_ffv1_takes_views_of_larger_arrays(tmp_path: Path) -> None:
    large = noise(1, (50, 70))
    export(tmp_path / "out.mkv", Preset.FFV1, clip_info(1, (20, 30)), [large[10:30, 40:10:-1]])
    np.testing.assert_array_equal(read(tmp_path / "out.mkv").rgb(0), large[10:30, 40:10:-1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_becomes_neutral_rgb_in_videos(tmp_path: Path, dtype: type) -> None:
    gray = noise(1, (9, 11), dtype, 1)
    export(tmp_path / "out.mkv", Preset.FFV1, clip_info(1, (9, 11)), [gray], gray=True)
    form = "rgb24" if dtype is np.uint8 else "gbrp16le"
    np.testing.assert_array_equal(read(tmp_path / "out.mkv").rgb(0, form), np.stack([gray] * 3, -1))


@pytest.mark.parametrize("size_hw", [(1, 1), (33, 47), (48, 64)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_prores_keeps_straight_colour_and_alpha(tmp_path: Path, size_hw: tuple[int, int], dtype: type) -> None:
    pictures = [smooth(i, size_hw, dtype, 4) for i in range(3)]
    pictures[1][..., 3] = np.iinfo(dtype).max
    pictures[2][..., 3] = 0
    export(tmp_path / "out.mov", Preset.PRORES4444, clip_info(3, size_hw), pictures, alpha=True)
    with av.open(str(tmp_path / "out.mov")) as container:
        assert container.streams.video[0].codec_context.profile == "4444"
        planes = [frame.to_ndarray(format="rgba64le").astype(np.int64) for frame in container.decode(video=0)]
    wide = 1 if dtype is np.uint16 else 257
    for picture, plane in zip(pictures, planes, strict=True):
        error = np.abs(plane - picture.astype(np.int64) * wide) / 65535
        assert error[..., 3].max() <= 1 / 1000  # one level of 10 bits
        assert error[..., :3].max() <= 4 / 255
        assert error[..., :3].mean() <= 1 / 255


def test_opaque_prores_has_no_alpha(tmp_path: Path) -> None:
    export(tmp_path / "out.mov", Preset.PRORES4444, clip_info(1), [smooth(0, (48, 64))])
    assert read(tmp_path / "out.mov").frames[0].format.name.startswith("yuv444p")


@pytest.mark.parametrize("size_hw", [(1, 1), (33, 47), (48, 64)])
def test_vp9_holds_alpha(tmp_path: Path, size_hw: tuple[int, int]) -> None:
    pictures = [smooth(i, size_hw, channels=4) for i in range(3)]
    export(tmp_path / "out.webm", Preset.VP9_ALPHA, clip_info(3, size_hw), pictures, alpha=True)
    with av.open(str(tmp_path / "out.webm")) as container:
        decoder = av.CodecContext.create("libvpx-vp9", "r")  # FFmpeg's own decoder does not look at alpha
        packets = [packet for packet in container.demux(video=0) if packet.size]
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
    assert [frame.format.name for frame in frames] == ["yuva420p"] * 3
    for picture, frame in zip(pictures, frames, strict=True):
        error = np.abs(frame.to_ndarray(format="rgba").astype(int) - picture)
        assert error[..., 3].max() <= 6
        assert error[..., 3].mean() <= 2


def test_h264_is_close_to_the_pictures(tmp_path: Path) -> None:
    pictures = [smooth(i, (120, 160)) for i in range(12)]
    assert export(tmp_path / "out.mp4", Preset.H264, clip_info(12, (120, 160)), pictures) == []
    clip = open_clip(tmp_path / "out.mp4")
    for index, picture in enumerate(pictures):
        error = clip.frame(index).astype(float) - picture
        assert 10 * np.log10(255**2 / np.mean(error**2)) > 40


@pytest.mark.parametrize(("size_hw", "coded_hw"), [((1, 1), (2, 2)), ((31, 64), (32, 64)), ((33, 47), (34, 48))])
def test_h264_pads_odd_sizes_and_says_so(tmp_path: Path, size_hw: tuple[int, int], coded_hw: tuple[int, int]) -> None:
    picture = np.full((*size_hw, 3), 90, np.uint8)
    notices = export(tmp_path / "out.mp4", Preset.H264, clip_info(2, size_hw), [picture] * 2)
    frame = read(tmp_path / "out.mp4").frames[0]
    assert (frame.height, frame.width) == coded_hw
    assert np.abs(read(tmp_path / "out.mp4").rgb(0).astype(int) - 90).max() <= 2
    assert len(notices) == 1
    assert f"{size_hw[1]} × {size_hw[0]} is padded to {coded_hw[1]} × {coded_hw[0]}" in notices[0]


def test_h264_rounds_deep_pictures_and_says_so(tmp_path: Path) -> None:
    picture = smooth(0, (48, 64), np.uint16)
    notices = export(tmp_path / "out.mp4", Preset.H264, clip_info(1, bit_depth=10), [picture])
    assert np.abs(open_clip(tmp_path / "out.mp4").frame(0) - picture / 257).mean() < 2
    assert any("8 bits" in notice for notice in notices)


# --- times ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preset", "suffix"), EXACT_TIMES)
@pytest.mark.parametrize(
    ("time_base", "pts", "duration"),
    [
        (Fraction(1, 12800), [512 * i for i in range(30)], 512),
        (Fraction(1, 12800), UNEVEN, 300),
        (Fraction(1, 90000), [90000 * i // 24 for i in range(20)], 3754),
        (Fraction(1, 1000), [round(1001 * i / 30) for i in range(30)], 33),
        (Fraction(1, 10), list(range(12)), 1),
        (NTSC, list(range(12)), 1),
        (Fraction(1, 1_000_000_000), [33_366_700 * i for i in range(6)], 33_366_700),
        (Fraction(1, 12800), [1024 + 512 * i for i in range(9)], 512),  # begins after 0
        (Fraction(1, 25), [0], 1),
    ],
)
def test_times_are_exact_in_mp4_and_mov(
    tmp_path: Path, preset: Preset, suffix: str, time_base: Fraction, pts: list[int], duration: int
) -> None:
    info = clip_info(time_base=time_base, pts=pts, duration=duration)
    target = tmp_path / f"out{suffix}"
    export(target, preset, info, (smooth(i, (48, 64)) for i in range(len(pts))))
    written = read(target)
    assert written.times_s == [tick * time_base for tick in pts]
    ends = [*pts[1:], pts[-1] + duration]
    assert written.durations_s == [(end - tick) * time_base for tick, end in zip(pts, ends, strict=True)]


@pytest.mark.parametrize(
    ("preset", "suffix"), [(Preset.FFV1, ".mkv"), (Preset.H264, ".mkv"), (Preset.VP9_ALPHA, ".webm")]
)
@pytest.mark.parametrize("pts", [[512 * i for i in range(20)], UNEVEN, [384 * i + 200 for i in range(9)]])
def test_times_are_within_half_a_tick_in_matroska(tmp_path: Path, preset: Preset, suffix: str, pts: list[int]) -> None:
    info = clip_info(pts=pts, duration=700)
    export(tmp_path / f"out{suffix}", preset, info, (smooth(i, (48, 64)) for i in range(len(pts))))
    written = read(tmp_path / f"out{suffix}")
    assert len(written.times_s) == len(pts)
    for written_s, tick in zip(written.times_s, pts, strict=True):
        assert abs(written_s - tick * info.time_base) <= Fraction(1, 2000)
    assert abs(written.durations_s[-1] - 700 * info.time_base) <= Fraction(1, 1000)
    assert abs(written.seconds - (pts[-1] + 700) * info.time_base) <= Fraction(1, 1000)


def test_h264_reorders_frames_where_that_is_safe(tmp_path: Path) -> None:
    export(tmp_path / "out.mp4", Preset.H264, clip_info(40), (smooth(i, (48, 64)) for i in range(40)))
    with av.open(str(tmp_path / "out.mp4")) as container:
        pts = [packet.pts for packet in container.demux(video=0) if packet.pts is not None]
    assert pts != sorted(pts)


def test_a_part_starts_at_zero(tmp_path: Path) -> None:
    info = clip_info(pts=UNEVEN, duration=300)
    export(tmp_path / "out.mp4", Preset.H264, info, (smooth(i, (48, 64)) for i in range(3)), range(2, 5))
    written = read(tmp_path / "out.mp4")
    assert written.times_s == [(tick - 1001) * info.time_base for tick in UNEVEN[2:5]]
    assert written.durations_s[-1] == (UNEVEN[5] - UNEVEN[4]) * info.time_base


@pytest.mark.parametrize(("first", "expected"), [(-512, 0), (0, 0), (1024, 1024), (6400, 0), (1 << 40, 0)])
def test_the_clock_of_a_camera_is_left_behind(tmp_path: Path, first: int, expected: int) -> None:
    info = clip_info(pts=[first + 512 * i for i in range(5)])
    export(tmp_path / "out.mp4", Preset.H264, info, [smooth(0, (48, 64))] * 5)
    assert read(tmp_path / "out.mp4").times_s[0] == expected * info.time_base


# --- tags -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("aspect", [Fraction(1), Fraction(64, 45), Fraction(32, 27), Fraction(8, 9)])
@pytest.mark.parametrize("preset", VIDEO)
def test_pixel_aspect(tmp_path: Path, preset: Preset, aspect: Fraction) -> None:
    target = tmp_path / f"out{preset.extension}"
    export(target, preset, clip_info(2, pixel_aspect=aspect), [smooth(0, (48, 64))] * 2)
    written = read(target)
    assert written.pixel_aspect in ((None, Fraction(1)) if aspect == 1 else (aspect,))
    assert len(written.frames) == 2


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (ColorTags(1, 1, 1, False, False), (1, 1, 1, 1)),
        (ColorTags(1, 1, 13, True, False), (1, 1, 13, 2)),
        (ColorTags(5, 5, 6, False, False), (5, 5, 6, 1)),
        (ColorTags(6, 6, 6, True, False), (6, 6, 6, 2)),
        (ColorTags(9, 9, 16, False, False), (9, 9, 16, 1)),
        (ColorTags(6, 2, 2, False, True), (6, 2, 2, 1)),
        (ColorTags(0, 1, 13, True, False), (1, 1, 13, 1)),  # RGB footage
    ],
)
def test_color_tags(tmp_path: Path, tags: ColorTags, expected: tuple[int, int, int, int]) -> None:
    info, pictures = clip_info(2, color=tags), [smooth(0, (48, 64))] * 2
    for name in ("h264.mp4", "h264.mov", "h264.mkv"):
        export(tmp_path / name, Preset.H264, info, pictures)
        assert read(tmp_path / name).tags == expected
    export(tmp_path / "p.mov", Preset.PRORES4444, info, pictures)
    assert read(tmp_path / "p.mov").tags == (*expected[:3], 1)
    export(tmp_path / "f.mkv", Preset.FFV1, info, pictures)
    assert read(tmp_path / "f.mkv").tags == (0, *expected[1:3], 2)


BARS = [(r, g, b) for r in (16, 235) for g in (16, 235) for b in (16, 235)] + [
    (0, 0, 0),
    (255, 255, 255),
    (128, 128, 128),
]


@pytest.mark.parametrize("matrix", [1, 6, 9])
@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("preset", [Preset.H264, Preset.PRORES4444, Preset.VP9_ALPHA])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_color_bars(tmp_path: Path, matrix: int, full_range: bool, preset: Preset, dtype: type) -> None:
    bars = np.repeat(np.array(BARS, np.uint8), 16, axis=0)[None].repeat(32, axis=0)
    picture = bars if dtype is np.uint8 else bars.astype(np.uint16) * 257
    info = clip_info(2, bars.shape[:2], color=ColorTags(matrix, 2, 2, full_range, False))
    target = tmp_path / f"out{preset.extension}"
    notices = export(target, preset, info, [picture] * 2)
    middles = to_8_bit(open_clip(target).frame(0))[16, 8::16].astype(int)
    assert np.abs(middles - np.array(BARS)).max() <= 2
    assert any("limited range" in notice for notice in notices) == (full_range and preset is Preset.PRORES4444)


# --- presets and arguments --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("a.mp4", Preset.H264),
        ("a.MP4", Preset.H264),
        ("a.mov", Preset.PRORES4444),
        ("a.mkv", Preset.FFV1),
        ("a.webm", Preset.VP9_ALPHA),
        ("a.png", Preset.PNG),
        ("a", Preset.PNG),
    ],
)
def test_the_name_chooses_the_preset(tmp_path: Path, name: str, preset: Preset) -> None:
    assert default_preset(tmp_path / name) is preset
    check_preset(preset, tmp_path / name)


def test_a_folder_takes_pictures_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "shot.mp4").mkdir()
    assert default_preset(tmp_path / "shot.mp4") is Preset.PNG
    check_preset(Preset.PNG, tmp_path / "shot.mp4")
    check_preset(Preset.PNG, tmp_path / "shot_v1.2")
    with pytest.raises(OutputError, match="is a folder"):
        check_preset(Preset.H264, tmp_path / "shot.mp4")


@pytest.mark.parametrize(
    ("preset", "name"),
    [
        ("h264", "a.webm"),
        ("h264", "a"),
        ("prores4444", "a.mp4"),
        ("ffv1", "a.mov"),
        ("png", "a.mp4"),
        ("vp9-alpha", "a.mkv"),
    ],
)
def test_preset_and_name_must_fit(tmp_path: Path, preset: str, name: str) -> None:
    with pytest.raises(OutputError, match=name):
        check_preset(Preset(preset), tmp_path / name)


def test_an_unknown_extension_is_refused() -> None:
    with pytest.raises(OutputError, match=r"No preset writes \.avi files such as a\.avi"):
        default_preset(Path("a.avi"))


def test_h264_refuses_transparency(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="h264 holds no transparency; use prores4444, png or ffv1"):
        export(tmp_path / "new" / "out.mp4", Preset.H264, clip_info(1), [], alpha=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["out.mkv", "out"])
def test_pictures_must_be_as_agreed(tmp_path: Path, target: str) -> None:
    preset = default_preset(tmp_path / target)
    for wrong in (
        [noise(0, (48, 63))],
        [noise(0, (48, 64), channels=4)],
        [noise(0, (48, 64)), noise(0, (48, 64), np.uint16)],
    ):
        with pytest.raises(ShapeError):
            export(tmp_path / target, preset, clip_info(3), wrong)
    for count in (0, 2, 4):
        with pytest.raises(ValueError, match=r"3 pictures"):
            export(tmp_path / target, preset, clip_info(3), [noise(0, (48, 64))] * count)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("span", [range(0), range(2, 9), range(0, 4, 2)])
def test_spans_must_lie_in_the_clip(tmp_path: Path, span: range) -> None:
    with (
        pytest.raises(ValueError, match="cannot write"),
        open_writer(tmp_path / "a.mkv", Preset.FFV1, clip_info(8), span),
    ):
        pass
