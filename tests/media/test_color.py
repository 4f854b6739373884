"""Colour in: matrix, range and depth of the source become full-range RGB, and what is not said is guessed aloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.video.stream import VideoStream
from made_clips import write_frames
from numpy.typing import NDArray

from matting.media import open_clip
from matting.media.clip import ColorTags
from matting.media.color import color_tags, guessed_matrix

KR_KB = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""ITU-T H.273, table 4."""
BARS = np.array([[1, 1, 1], [1, 1, 0], [0, 1, 1], [0, 1, 0], [1, 0, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]], float)
BARS = np.concatenate([BARS, 0.75 * BARS, np.linspace(0, 1, 8)[:, None] * np.ones(3), 0.3 + 0.4 * BARS])
"""100 % and 75 % bars, a grey ramp, pale colours."""
BAR = 8


def coded_bars(matrix: int, full_range: bool, bits: int) -> NDArray[np.uint16]:
    """``[3, N]``: code values of the bars by H.273, equations 20 to 31, rounded."""
    kr, kb = KR_KB[matrix]
    luma = BARS @ (kr, 1 - kr - kb, kb)
    blue, red = (BARS[:, 2] - luma) / (2 - 2 * kb), (BARS[:, 0] - luma) / (2 - 2 * kr)
    unit, top = 1 << (bits - 8), (1 << bits) - 1
    if full_range:
        values = np.stack([luma * top, blue * top + 128 * unit, red * top + 128 * unit])
    else:
        values = unit * np.stack([luma * 219 + 16, blue * 224 + 128, red * 224 + 128])
    return np.clip(np.rint(values), 0, top).astype(np.uint16)


def bars_frame(coded: NDArray[np.uint16], pix_fmt: str, size_hw: tuple[int, int]) -> av.VideoFrame:
    """The bars from left to right, above one another, on black."""
    height, width = size_hw
    frame = av.VideoFrame(width, height, pix_fmt)
    for plane, values in zip(frame.planes, coded, strict=True):
        across, down = width // plane.width, height // plane.height
        picture = np.full((height, width), values[7])
        for bar, value in enumerate(values):
            y, x = bar // 8 * BAR, bar % 8 * BAR
            picture[y : y + BAR, x : x + BAR] = value
        rows = np.zeros((plane.height, plane.line_size), np.uint8)
        taken: NDArray[Any] = picture[::down, ::across].astype(
            "<u2" if plane.line_size >= 2 * plane.width else np.uint8
        )
        content = np.ascontiguousarray(taken).view(np.uint8)
        rows[:, : content.shape[1]] = content
        plane.update(rows.tobytes())
    return frame


def tagged(matrix: int, full_range: bool) -> Any:
    def prepare(stream: VideoStream) -> None:
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = 2 if full_range else 1

    return prepare


def bars_seen(path: Path) -> NDArray[np.float64]:
    """``[N, 3]`` in [0, 1], from the middle of each bar."""
    with open_clip(path) as clip:
        picture = clip.frame(0)
        top = np.iinfo(picture.dtype).max
        middles = [picture[n // 8 * BAR + BAR // 2, n % 8 * BAR + BAR // 2] for n in range(len(BARS))]
        return np.array(middles, float) / top


SIZE = (64, 96)


@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv420p", "yuv422p10le", "yuv444p12le"])
@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
def test_tagged_bars_come_back(matrix: int, full_range: bool, pix_fmt: str, tmp_path: Path) -> None:
    bits = int(pix_fmt[7:9]) if pix_fmt.endswith("le") else 8
    frame = bars_frame(coded_bars(matrix, full_range, bits), pix_fmt, SIZE)
    path = write_frames(tmp_path / "bars.mkv", [frame], "ffv1", prepare=tagged(matrix, full_range))
    with open_clip(path) as clip:
        info, dtype = clip.info, clip.frame(0).dtype
    assert (info.color.matrix, info.color.full_range, info.color.guessed) == (matrix, full_range, False)
    assert info.notices == ()
    assert info.bit_depth == bits
    assert dtype == (np.uint8 if bits == 8 else np.uint16)
    # Half a code value of rounding on the way in, amplified by the matrix, and another half on the way out.
    assert np.abs(bars_seen(path) - BARS).max() * 255 <= (2 if bits == 8 else 0.5)


@pytest.mark.parametrize(
    ("size_hw", "matrix", "name"), [(SIZE, 6, "BT.601"), ((576, 96), 5, "BT.601"), ((720, 96), 1, "BT.709")]
)
def test_untagged_bars_are_guessed_by_size_and_it_is_said(
    size_hw: tuple[int, int], matrix: int, name: str, tmp_path: Path
) -> None:
    path = write_frames(tmp_path / "bars.mkv", [bars_frame(coded_bars(matrix, False, 8), "yuv444p", size_hw)], "ffv1")
    with open_clip(path) as clip:
        assert (clip.info.color.matrix, clip.info.color.full_range, clip.info.color.guessed) == (matrix, False, True)
        assert clip.info.notices == (
            f"bars.mkv does not say how its colours are coded; {name}, limited range is assumed from its size.",
        )
    assert np.abs(bars_seen(path) - BARS).max() * 255 <= 2


@pytest.mark.parametrize("full_range", [False, True], ids=["limited", "full"])
def test_conversion_equals_the_formulas_to_within_rounding(full_range: bool, tmp_path: Path) -> None:
    coded = np.random.default_rng(0).integers(20, 236, (3, len(BARS))).astype(np.uint16)
    path = write_frames(
        tmp_path / "any.mkv", [bars_frame(coded, "yuv444p", SIZE)], "ffv1", prepare=tagged(1, full_range)
    )
    kr, kb = KR_KB[1]
    y, cb, cr = coded.astype(float)
    y = y / 255 if full_range else (y - 16) / 219
    cb, cr = ((c - 128) / (255 if full_range else 224) for c in (cb, cr))
    red, blue = y + (2 - 2 * kr) * cr, y + (2 - 2 * kb) * cb
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    expected = np.clip(np.stack([red, green, blue], axis=1), 0, 1)
    assert np.abs(bars_seen(path) - expected).max() * 255 <= 0.55


def test_white_and_black_of_ten_bits_are_the_ends_of_the_range(tmp_path: Path) -> None:
    for full_range in (False, True):
        frame = bars_frame(coded_bars(1, full_range, 10), "yuv444p10le", SIZE)
        path = write_frames(tmp_path / "bars.mkv", [frame], "ffv1", prepare=tagged(1, full_range))
        seen = bars_seen(path)
        assert seen[0].tolist() == [1, 1, 1]
        assert seen[7].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("pix_fmt", "codec", "suffix"),
    [
        ("bgr0", "ffv1", "mkv"),
        ("gbrp", "libx264rgb", "mp4"),
        ("rgb24", "png", "mov"),
        ("rgb24", "qtrle", "mov"),
        ("rgb48le", "ffv1", "mkv"),
        ("gbrp16le", "ffv1", "mkv"),
        ("rgb48be", "png", "mov"),
    ],
)
def test_rgb_comes_back_exactly(pix_fmt: str, codec: str, suffix: str, tmp_path: Path) -> None:
    deep = "48" in pix_fmt or "16" in pix_fmt
    dtype = np.uint16 if deep else np.uint8
    picture = np.random.default_rng(3).integers(0, np.iinfo(dtype).max, (36, 50, 3), dtype, endpoint=True)
    frame = av.VideoFrame.from_ndarray(picture, "rgb48le" if deep else "rgb24")
    if codec == "libx264rgb":
        frame, options = frame.reformat(format="gbrp").reformat(format="rgb24"), {"qp": "0"}
    else:
        frame, options = frame.reformat(format=pix_fmt), {}
    path = write_frames(tmp_path / f"rgb.{suffix}", [frame, frame], codec, options)
    with open_clip(path) as clip:
        assert np.array_equal(clip.frame(1), picture)
        assert (clip.info.color.matrix, clip.info.color.full_range, clip.info.notices) == (0, True, ())


@pytest.mark.parametrize("bits", [10, 12])
def test_rgb_of_ten_and_twelve_bits_fills_sixteen(bits: int, tmp_path: Path) -> None:
    values = np.random.default_rng(4).integers(0, 1 << bits, (3, 16, 32)).astype("<u2")
    values[:, 0, 0], values[:, 0, 1] = 0, (1 << bits) - 1
    frame = av.VideoFrame(32, 16, f"gbrp{bits}le")
    for plane, content in zip(frame.planes, values, strict=True):
        rows = np.zeros((16, plane.line_size // 2), "<u2")
        rows[:, :32] = content
        plane.update(rows.tobytes())
    with open_clip(write_frames(tmp_path / "deep.mkv", [frame], "ffv1")) as clip:
        picture = clip.frame(0)
        assert clip.info.bit_depth == bits
    green, blue, red = values.astype(int)
    coded = np.stack([red, green, blue], axis=-1)
    assert np.array_equal(picture, (coded << (16 - bits)) | (coded >> (2 * bits - 16)))


@pytest.mark.parametrize(("pix_fmt", "top"), [("gray", 255), ("gray16le", 65535)])
def test_grey_comes_back_exactly(pix_fmt: str, top: int, tmp_path: Path) -> None:
    values = np.random.default_rng(5).integers(0, top + 1, (16, 32))
    grey: Any = values.astype(np.uint8 if top == 255 else np.uint16)
    path = write_frames(tmp_path / "grey.mkv", [av.VideoFrame.from_ndarray(grey, pix_fmt)], "ffv1")
    with open_clip(path) as clip:
        assert np.array_equal(clip.frame(0), np.dstack([grey] * 3))
        assert clip.info.notices == ()


def test_palette_colours_come_back_exactly(tmp_path: Path) -> None:
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [36, 73, 170]], np.uint8)
    picture = colours[np.random.default_rng(6).integers(0, 4, (16, 32))]
    frame = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="rgb8")
    kept = frame.reformat(format="rgb24").to_ndarray()
    with open_clip(write_frames(tmp_path / "palette.gif", [frame], "gif")) as clip:
        assert np.array_equal(clip.frame(0), kept)


@pytest.mark.parametrize(
    ("size_hw", "matrix"), [((480, 720), 6), ((576, 720), 5), ((640, 360), 6), ((720, 1280), 1), ((1280, 720), 1)]
)
def test_guess_by_size(size_hw: tuple[int, int], matrix: int) -> None:
    assert guessed_matrix(size_hw) == matrix


def test_tags_that_are_there_are_kept() -> None:
    assert color_tags(9, 9, 16, 1, "yuv420p10le", SIZE) == ColorTags(9, 9, 16, full_range=False, guessed=False)
    assert color_tags(2, 2, 2, 0, "yuvj420p", SIZE).full_range
    assert color_tags(0, 2, 2, 1, "yuv420p", SIZE).matrix == 6  # a tag that cannot be
