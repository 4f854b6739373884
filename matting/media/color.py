"""What the numbers of a video stand for: H.273 code points, the guess when there are none, and the way to RGB.

Source: ITU-T H.273 (07/2024), tables 2 to 4; the guess by size is the one players make.
"""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter
from numpy.typing import NDArray

from matting.arrays import Picture
from matting.media.clip import ColorTags

RGB = 0
BT709 = 1
UNSPECIFIED = 2
FCC = 4
BT601_625 = 5
BT601_525 = 6
SMPTE240M = 7
BT2020 = 9

MATRIX_NAMES = {
    RGB: "RGB",
    BT709: "BT.709",
    FCC: "FCC",
    BT601_625: "BT.601",
    BT601_525: "BT.601",
    SMPTE240M: "SMPTE 240M",
    BT2020: "BT.2020",
}
"""The matrices that can be applied, by code point of table 4."""

SCALING = (
    Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP | Interpolation.ACCURATE_RND
)
"""Flags for swscale: no shortcuts in rounding, chroma brought to full size before the matrix is applied."""


def guessed_matrix(size_hw: tuple[int, int]) -> int:
    """The matrix assumed where none is tagged: BT.601 below high definition, BT.709 from there on.

    Args:
        size_hw: height and width as coded, that is before rotation.

    Returns:
        5 for the line counts of 625-line television, 6 for other small pictures (same coefficients), otherwise 1.
    """
    height, width = size_hw
    if height >= 720 or width >= 1280:
        return BT709
    return BT601_625 if height in (144, 288, 576) else BT601_525


def is_rgb(pix_fmt: str) -> bool:
    """Whether pictures of this pixel format hold RGB, or grey or palette colours that become RGB without a matrix.

    Grey of a stream that is tagged limited is not: see :func:`color_tags`.
    """
    return VideoFormat(pix_fmt).is_rgb or pix_fmt in ("pal8", "monow", "monob") or pix_fmt.startswith("gbr")


def component_bits(pix_fmt: str) -> int:
    """Bits of a colour component as they matter here: 8 for everything up to 8, at most 16."""
    return min(max(8, *(part.bits for part in VideoFormat(pix_fmt).components)), 16)


def has_alpha(pix_fmt: str) -> bool:
    """Whether pictures of this pixel format carry transparency."""
    return any(part.is_alpha for part in VideoFormat(pix_fmt).components)


def color_tags(
    matrix: int, primaries: int, transfer: int, color_range: int, pix_fmt: str, size_hw: tuple[int, int]
) -> ColorTags:
    """Complete what a stream says of its colours.

    Args:
        matrix, primaries, transfer: code points of H.273 as tagged, 2 where not.
        color_range: as FFmpeg counts: 0 not tagged, 1 limited, 2 full.
        pix_fmt: FFmpeg's name of the pixel format.
        size_hw: height and width as coded.
    """
    if is_rgb(pix_fmt):
        return ColorTags(RGB, primaries, transfer, full_range=True, guessed=False)
    grey, old_full = pix_fmt.startswith(("gray", "ya")), pix_fmt.startswith("yuvj")
    known = matrix in MATRIX_NAMES and matrix != RGB
    tagged_range = color_range != ColorRange.UNSPECIFIED or old_full or grey
    full_range = old_full or color_range == ColorRange.JPEG or (grey and color_range != ColorRange.MPEG)
    return ColorTags(
        matrix if known else guessed_matrix(size_hw),
        primaries,
        transfer,
        full_range,
        guessed=not tagged_range or not (known or grey),
    )


def range_name(tags: ColorTags) -> str:
    return "full range" if tags.full_range else "limited range"


def guess_notice(name: str, tags: ColorTags) -> str:
    """The sentence that tells the artist which colours were assumed for the file ``name``."""
    return (
        f"{name} does not say how its colours are coded; {MATRIX_NAMES[tags.matrix]}, {range_name(tags)} is assumed "
        "from its size."
    )


def swscale_matrix(tags: ColorTags) -> int:
    """What PyAV's ``src_colorspace`` and ``dst_colorspace`` want; swscale has one number for both kinds of BT.601.

    RGB needs no matrix; for it swscale takes BT.709, without effect.
    """
    return {RGB: BT709, BT601_525: BT601_625}.get(tags.matrix, tags.matrix)


def swscale_range(tags: ColorTags) -> int:
    """What PyAV's ``src_color_range`` and ``dst_color_range`` want: 1 limited, 2 full."""
    return int(ColorRange.JPEG if tags.full_range else ColorRange.MPEG)


def to_picture(frame: VideoFrame, tags: ColorTags, size_hw: tuple[int, int], reformatter: VideoReformatter) -> Picture:
    """RGB of a decoded frame.

    RGB is passed on unchanged (10 to 14 bits become 16 by repeating the upper ones); YCbCr goes through swscale.

    Args:
        frame: as the decoder gave it.
        tags: how its numbers are to be read.
        size_hw: height and width as coded; a frame of another size, which some broadcasts change to, is scaled.
        reformatter: kept by the caller so that its tables are made once.

    Returns:
        ``[H, W, 3]``, uint8 or, for components of more than 8 bits, uint16; full range.
    """
    height, width = size_hw
    bits = component_bits(frame.format.name)
    if tags.matrix == RGB:
        packed = reformatter.reformat(frame, width, height, format="rgb24" if bits == 8 else "rgb48le")
        return cast(Picture, packed.to_ndarray())
    # To planes, because that is the fast road through swscale: a seventh of the time to packed RGB, the same values.
    planar = reformatter.reformat(
        frame,
        width,
        height,
        format="gbrp" if bits == 8 else "gbrp16le",
        src_colorspace=swscale_matrix(tags),
        dst_colorspace=swscale_matrix(tags),
        src_color_range=swscale_range(tags),
        dst_color_range=int(ColorRange.JPEG),
        interpolation=SCALING,
    )
    green, blue, red = (_plane(plane, width, bits) for plane in planar.planes)
    picture = cv2.merge([red, green, blue])
    if bits > 8:  # the factor for each channel; saturating
        picture = cv2.multiply(picture, np.full(4, 65535 / _swscale_white(tags, bits)))
    return cast(Picture, picture)


def _plane(plane: VideoPlane, width: int, bits: int) -> NDArray[Any]:
    values: NDArray[Any] = np.frombuffer(memoryview(plane), np.dtype("u1" if bits == 8 else "<u2"))
    return values.reshape(plane.height, -1)[:, :width]


def _swscale_white(tags: ColorTags, bits: int) -> int:
    """Where swscale puts white when it makes 16 bits of YCbCr: it shifts bits up and leaves the lower ones empty."""
    return ((1 << bits) - 1) << (16 - bits) if tags.full_range else 255 << 8
