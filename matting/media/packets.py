"""The coded packets of a video stream: a table of all of them, and reading on from any one.

A packet is named by its ordinal, its place in the file in decoding order. Demuxers repeat themselves exactly, so the
ordinal found by reading the whole file once stays valid, and a packet met after a seek is recognised by its times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Discard
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.errors import MediaError

NO_TIME = np.iinfo(np.int64).min
"""Stands for a time that the file does not give."""
_BROKEN_READS = 16
_LOST_PACKETS = 64


@dataclass(frozen=True)
class PacketTable:
    """One entry a packet, in decoding order; times in ticks of the stream, :data:`NO_TIME` where not given.

    Attributes:
        pts, dts, duration: ``[P]`` int64.
        pos, size: place in the file, -1 where unknown, and bytes.
        key: whether decoding may start there, as the file has it; ``[P]`` bool, as are the others.
        shown: whether a picture of its own should come out: not hidden, discarded by an edit list or empty.
        corrupt: whether the file itself shows that the packet is incomplete.
    """

    pts: NDArray[np.int64]
    dts: NDArray[np.int64]
    pos: NDArray[np.int64]
    size: NDArray[np.int64]
    duration: NDArray[np.int64]
    key: NDArray[np.bool_]
    shown: NDArray[np.bool_]
    corrupt: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pts)

    @cached_property
    def _names(self) -> tuple[str, NDArray[np.int64], NDArray[np.intp]] | None:
        """What tells packets apart: the attribute, its values sorted, and the ordinals in that order."""
        for attribute in ("pts", "pos", "dts"):
            values: NDArray[np.int64] = getattr(self, attribute)
            order = np.argsort(values, kind="stable")
            if values[order[0]] != NO_TIME and np.all(np.diff(values[order]) > 0):
                return attribute, values[order], order
        return None

    def ordinal_of(self, packet: Packet[VideoStream]) -> int | None:
        """Which entry of the table this packet is; None where that cannot be told."""
        if self._names is None:
            return None
        attribute, values, order = self._names
        value = getattr(packet, attribute)
        if value is None:
            return None
        place = int(np.searchsorted(values, value))
        return int(order[place]) if place < len(values) and values[place] == value else None

    def seek_times(self, ordinal: int) -> list[int]:
        """Where to send the demuxer to arrive at or before the packet: at it, else at keyframes further back."""
        keys = np.flatnonzero(self.key[:ordinal])[::-1][:3].tolist()
        times = [self.dts[n] if self.dts[n] != NO_TIME else self.pts[n] for n in [ordinal, *keys]]
        return [int(time) for time in times if time != NO_TIME]


def open_video(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open the file and pick its first stream of pictures that move; the other streams are not read.

    Raises:
        MediaError: not there, not a video, or sound only.
    """
    try:
        container = av.open(path, "r", metadata_errors="replace")
    except (av.error.FileNotFoundError, IsADirectoryError):
        raise MediaError(f"{path} is not there; check the name, or find the file again.") from None
    except (av.FFmpegError, OSError) as error:
        raise MediaError(f"{path.name} cannot be read as a video ({error.strerror}); is it the right file?") from error
    covers = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    streams = [s for s in container.streams.video if not s.disposition & covers and s.codec_context is not None]
    if not streams or container.format.name == "tty":  # FFmpeg draws any text as pictures of a terminal
        sound = bool(container.streams.audio)
        container.close()
        why = "has sound but no pictures" if sound else "is not a video"
        raise MediaError(f"{path.name} {why}; choose a video file or a folder of images.")
    for stream in container.streams:
        if stream is not streams[0]:
            stream.discard = Discard.all
    return container, streams[0]


def read_packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """All packets from where the demuxer stands; broken places are stepped over as long as something follows them."""
    failures = 0
    while failures < _BROKEN_READS:
        try:
            for packet in container.demux(stream):
                if not packet.size and packet.dts is None:  # PyAV's mark for the end
                    return
                failures = 0
                yield packet
        except av.FFmpegError:
            failures += 1


def tabulate(container: InputContainer, stream: VideoStream) -> PacketTable:
    """Read the whole stream once, without decoding, and note what its packets say."""
    codec = stream.codec_context.name
    numbers: list[tuple[int, int, int, int, int]] = []
    flags: list[tuple[bool, bool, bool]] = []
    for packet in read_packets(container, stream):
        pts, dts = packet.pts, packet.dts
        numbers.append(
            (
                NO_TIME if pts is None else pts,
                NO_TIME if dts is None else dts,
                -1 if packet.pos is None else packet.pos,
                packet.size,
                packet.duration or 0,
            )
        )
        flags.append((packet.is_keyframe, not packet.is_discard and not _hidden(codec, packet), packet.is_corrupt))
    number_columns = np.array(numbers, np.int64).reshape(-1, 5).T.copy()
    flag_columns = np.array(flags, np.bool_).reshape(-1, 3).T.copy()
    return PacketTable(*number_columns, *flag_columns)


def read_from(
    container: InputContainer, stream: VideoStream, table: PacketTable, ordinal: int
) -> Iterator[tuple[int, Packet[VideoStream]]] | None:
    """Seek and read on from the packet ``ordinal``; None where this container does not lead there.

    Demuxers keep their promises about seeking badly (before or behind the goal, on either kind of time), so nothing
    is believed until the packet itself is recognised.
    """
    for time in table.seek_times(ordinal):
        try:
            container.seek(time, stream=stream)
        except av.FFmpegError:
            continue
        packets = read_packets(container, stream)
        unknown = 0
        for packet in packets:
            here = table.ordinal_of(packet)
            unknown += here is None
            if here == ordinal and packet.size == table.size[ordinal]:  # else the seek cut something off
                return zip(range(ordinal, len(table)), chain([packet], packets), strict=False)
            if unknown > _LOST_PACKETS or (here is not None and here >= ordinal):
                break
    return None


def _hidden(codec: str, packet: Packet[VideoStream]) -> bool:
    """Whether a packet only prepares later pictures and shows none itself.

    Source: RFC 6386, 9.1 (VP8); VP9 bitstream specification 6.2 and annex B; ISO/IEC 14496-2, 6.2.5 (a picture that is
    not coded is repeated by leaving it out).
    """
    if not packet.size:
        return True
    if codec == "mpeg4":
        return packet.size < 8
    if codec not in ("vp8", "vp9"):
        return False
    content = memoryview(packet)
    first, last = content[0], content[-1]
    if codec == "vp8":
        return not first & 0x10
    superframe = last & 0xE0 == 0xC0
    profile_3 = first & 0x30 == 0x30  # one more bit before the flags
    show_existing, show = (first & 0x04, first & 0x01) if profile_3 else (first & 0x08, first & 0x02)
    return not superframe and not show_existing and not show
