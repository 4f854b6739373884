"""From RGB pictures to the frames that encoders take.

Source: the matrices of ITU-T H.273 (07/2024), table 4, and its quantisation, equations 20 to 28.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, VideoReformatter
from numpy.typing import NDArray

from matting.arrays import Picture
from matting.media.clip import ColorTags
from matting.media.color import (
    BT601_525,
    BT601_625,
    BT709,
    BT2020,
    FCC,
    RGB,
    SCALING,
    SMPTE240M,
    is_rgb,
    swscale_matrix,
    swscale_range,
)
from matting.media.presets import Encoding

_KR_KB = {
    BT709: (0.2126, 0.0722),
    FCC: (0.30, 0.11),
    BT601_625: (0.299, 0.114),
    BT601_525: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}


def contiguous(picture: Picture) -> Picture:
    """The picture as PyAV wants it; a copy only where it is a view."""
    return picture if picture.flags.c_contiguous else picture.copy()


def fitted(picture: Picture, size_hw: tuple[int, int]) -> Picture:
    """The picture with channels and, by repeating its last row and column, of the size that is encoded."""
    fit: NDArray[Any] = picture if picture.ndim == 3 else np.stack((picture,) * 3, axis=-1)
    below, right = size_hw[0] - fit.shape[0], size_hw[1] - fit.shape[1]
    return np.pad(fit, ((0, below), (0, right), (0, 0)), mode="edge") if below or right else fit


def coded_tags(source: ColorTags, how: Encoding) -> ColorTags:
    """How the colours of a clip are written: as in the clip, as far as the new file can hold that.

    RGB without a matrix becomes BT.709, limited range, in YCbCr files. ProRes cannot say full range.
    """
    if is_rgb(how.pix_fmt):
        return replace(source, matrix=RGB, full_range=True)
    if source.matrix == RGB:
        return replace(source, matrix=BT709, full_range=False)
    return replace(source, full_range=source.full_range and how.codec != "prores_ks")


def to_frame(picture: Picture, pix_fmt: str, tags: ColorTags, reformatter: VideoReformatter) -> VideoFrame:
    """The picture in the encoder's pixel format.

    Args:
        picture: ``[H, W, 3]`` RGB or, for formats with alpha, ``[H, W, 4]`` straight RGBA; uint8 or uint16, full range.
        pix_fmt: FFmpeg's name; one of those that :func:`matting.media.presets.encoding` uses.
        tags: matrix and range of the result where it is YCbCr.
        reformatter: kept by the caller so that its tables are made once.
    """
    picture = contiguous(picture)
    if pix_fmt in ("gbrp16le", "gbrap16le"):
        return VideoFrame.from_ndarray(picture, pix_fmt)
    if pix_fmt.endswith("444p10le"):
        return _planar_10_bit(picture, pix_fmt, tags)
    source = VideoFrame.from_ndarray(_rounded_to_8_bit(picture), "rgb24" if picture.shape[2] == 3 else "rgba")
    if pix_fmt in ("bgr0", "bgra"):
        return reformatter.reformat(source, format=pix_fmt)
    return reformatter.reformat(
        source,
        format=pix_fmt,
        src_color_range=ColorRange.JPEG,
        dst_colorspace=swscale_matrix(tags),
        dst_color_range=swscale_range(tags),
        interpolation=SCALING,
    )


def _rounded_to_8_bit(picture: Picture) -> Picture:
    if picture.dtype == np.uint8:
        return picture
    return cv2.convertScaleAbs(picture, alpha=1 / 257).astype(np.uint8, copy=False)


def _planar_10_bit(picture: Picture, pix_fmt: str, tags: ColorTags) -> VideoFrame:
    # swscale makes RGB of 16 bits brighter by up to one level of 10 bits on its way to YCbCr, so it is not used.
    height, width, channels = picture.shape
    peak = float(np.iinfo(picture.dtype).max)
    coded = cv2.transform(picture[..., :3].astype(np.float32), _matrix_10_bit(tags) / (peak, peak, peak, 1))
    values = np.clip(np.rint(coded), 0, 1023).astype("<u2")
    frame = VideoFrame(width, height, pix_fmt)
    for plane in range(3):
        _fill(frame, plane, values[..., plane])
    if channels == 4:
        _fill(frame, 3, np.rint(picture[..., 3] * (1023 / peak)).astype("<u2"))
    return frame


def _matrix_10_bit(tags: ColorTags) -> NDArray[np.float64]:
    """``[3, 4]``: RGB in [0, 1] and one to code values of 10 bits."""
    kr, kb = _KR_KB[tags.matrix]
    luma = np.array([kr, 1 - kr - kb, kb])
    blue = (np.array([0, 0, 1]) - luma) / (2 * (1 - kb))
    red = (np.array([1, 0, 0]) - luma) / (2 * (1 - kr))
    scales, offsets = ((1023, 1023, 1023), (0, 512, 512)) if tags.full_range else ((876, 896, 896), (64, 512, 512))
    return np.column_stack([np.stack([luma, blue, red]) * np.array(scales)[:, None], offsets])


def _fill(frame: VideoFrame, plane: int, values: NDArray[np.uint16]) -> None:
    """Write into a plane of ``frame``, whose rows may be longer than the picture is wide."""
    target = frame.planes[plane]
    rows = np.frombuffer(memoryview(target), "<u2").reshape(target.height, target.line_size // 2)
    rows[:, : target.width] = values
