"""The pixel aspect in Matroska and WebM files, which PyAV gives no way to write.

The muxer is made to leave room for it, in the form of a track name, and the header is rewritten in place afterwards.

Source: RFC 8794 (EBML), sections 4 to 6 and 11.3; RFC 9559 (Matroska), section 5.1.4.1.28.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

ROOM = "room for the pixel aspect"
"""The name that the video track must have until then."""

_TRACKS, _TRACK, _VIDEO = b"\x16\x54\xae\x6b", b"\xae", b"\xe0"
_NAME, _CRC, _VOID = b"\x53\x6e", b"\xbf", b"\xec"
_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT = b"\x54\xb0", b"\x54\xba", b"\x54\xb2"
_IS_ASPECT_RATIO = 3
_HEADER_BYTES = 1 << 16


def set_pixel_aspect(path: Path, size_hw: tuple[int, int], pixel_aspect: Fraction) -> None:
    """Note the shape of the pixels in a finished file that FFmpeg wrote.

    Args:
        path: the file; its first track is the video and is called :data:`ROOM`.
        size_hw: as coded.
        pixel_aspect: width of a pixel over its height.
    """
    shown = pixel_aspect * size_hw[1] / size_hw[0]
    with path.open("r+b") as file:
        header = file.read(_HEADER_BYTES)
        start, stop = _tracks(header)
        tracks = bytearray(header[start:stop])
        _, begin, end = next(_elements(tracks, _TRACK))
        tracks[begin:end] = _with_aspect(bytes(tracks[begin:end]), shown)
        for _, begin, end in _elements(tracks, _CRC):
            tracks[begin:end] = zlib.crc32(tracks[end:]).to_bytes(4, "little")
        file.seek(start)
        file.write(tracks)


def _tracks(header: bytes) -> tuple[int, int]:
    """Where the content of the element Tracks begins and ends."""
    _, _, segment_at = next(_elements(header))  # the segment follows the EBML header
    _, inside, _ = next(_elements(header[segment_at:]))
    _, start, stop = next(_elements(header[segment_at + inside :], _TRACKS))
    return segment_at + inside + start, segment_at + inside + stop


def _with_aspect(track: bytes, shown: Fraction) -> bytes:
    """The content of a track entry, of the same length, with the shape of the picture instead of the name."""
    content, at = b"", 0
    for name, start, stop in _elements(track):
        if name == _VIDEO:
            content += _element(_VIDEO, _video(track[start:stop], shown))
        elif name != _NAME:
            content += track[at:stop]
        at = stop
    return content + _element(_VOID, bytes(len(track) - len(content) - 2))


def _video(video: bytes, shown: Fraction) -> bytes:
    content, at = b"", 0
    for name, _, stop in _elements(video):
        if name not in (_DISPLAY_WIDTH, _DISPLAY_HEIGHT, _DISPLAY_UNIT):
            content += video[at:stop]
        at = stop
    content += _element(_DISPLAY_WIDTH, shown.numerator.to_bytes(4, "big"))
    content += _element(_DISPLAY_HEIGHT, shown.denominator.to_bytes(4, "big"))
    return content + _element(_DISPLAY_UNIT, bytes([_IS_ASPECT_RATIO]))


def _elements(content: bytes | bytearray, wanted: bytes | None = None) -> Iterator[tuple[bytes, int, int]]:
    """The elements in ``content``, all or those of one kind: name, and where what they hold begins and ends."""
    at = 0
    while at < len(content):
        # The number of leading zero bits of the first byte tells how many follow it.
        size_at = at + 9 - content[at].bit_length()
        start = size_at + 9 - content[size_at].bit_length()
        size = int.from_bytes(content[size_at:start], "big") & ((1 << 7 * (start - size_at)) - 1)
        name, at = bytes(content[at:size_at]), start + size
        if wanted in (None, name):
            yield name, start, at


def _element(name: bytes, content: bytes) -> bytes:
    assert len(content) < 127
    return name + bytes([0x80 | len(content)]) + content
