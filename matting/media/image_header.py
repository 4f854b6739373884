"""The size of an image from the first bytes of its file, so that a long sequence is checked without decoding it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from matting.errors import MediaError

Size = tuple[int, int]
"""Height, width."""


def image_size(file: Path) -> Size:
    """Height and width as stored, that is before any rotation that the file asks for.

    Raises:
        MediaError: not an image of a kind that is read, or cut off.
    """
    try:
        with file.open("rb") as stream:
            start = stream.read(12)
            for magic, read in _KINDS:
                if start.startswith(magic):
                    return read(stream)
    except (struct.error, KeyError, IndexError):
        pass  # cut off inside the header
    except OSError as error:
        raise MediaError(f"{file} cannot be read: {error.strerror}.") from error
    raise MediaError(f"{file} is not an image that can be read; it is damaged, or something else in disguise.")


def _fields(stream: BinaryIO, layout: str, at: int | None = None) -> tuple[int, ...]:
    if at is not None:
        stream.seek(at)
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _png(stream: BinaryIO) -> Size:
    width, height = _fields(stream, ">II", 16)
    return height, width


def _bmp(stream: BinaryIO) -> Size:
    (header,) = _fields(stream, "<I", 14)
    width, height = _fields(stream, "<ii" if header > 12 else "<HH")
    return abs(height), width  # negative: stored top down


def _jpeg(stream: BinaryIO) -> Size:
    stream.seek(2)
    while True:
        marker, length = _fields(stream, ">HH")
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):  # start of frame, ITU-T T.81 B.2.2
            _, height, width = _fields(stream, ">BHH")
            return height, width
        if marker < 0xFF00:
            raise struct.error
        stream.seek(length - 2, 1)


def _webp(stream: BinaryIO) -> Size:
    kind = stream.seek(12) and stream.read(4)
    if kind == b"VP8X":
        low_width, high_width, low_height, high_height = _fields(stream, "<HBHB", 24)
        return (high_height << 16 | low_height) + 1, (high_width << 16 | low_width) + 1
    if kind == b"VP8L":
        (bits,) = _fields(stream, "<I", 21)
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    width, height = _fields(stream, "<HH", 26)
    return height & 0x3FFF, width & 0x3FFF


def _tiff(stream: BinaryIO) -> Size:
    stream.seek(0)
    order = "<" if stream.read(2) == b"II" else ">"
    (directory,) = _fields(stream, order + "I", 4)
    (count,) = _fields(stream, order + "H", directory)
    values = {}
    for _ in range(count):
        tag, kind, _count = _fields(stream, order + "HHI")
        content = stream.read(4)
        values[tag] = struct.unpack(order + ("H" if kind == 3 else "I"), content[: 2 if kind == 3 else 4])[0]
    return values[257], values[256]


_KINDS: list[tuple[bytes, Callable[[BinaryIO], Size]]] = [
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"BM", _bmp),
    (b"\xff\xd8", _jpeg),
    (b"RIFF", _webp),
    (b"II*\0", _tiff),
    (b"MM\0*", _tiff),
]
