"""Decoding from any packet on, with every picture traced back to the packet it came from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
from av.codec.context import ThreadType
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from matting.media.packets import PacketTable, open_video, read_from, read_packets


class Decoder:
    """One open file and its decoder.

    Attributes:
        failed: ordinals of packets since the start of the run at which the decoder reported an error. With threads the
            error may belong to a packet some places earlier.
    """

    def __init__(self, path: Path, table: PacketTable, *, threaded: bool = True) -> None:
        self._path, self._table, self._threaded = path, table, threaded
        self.failed: list[int] = []
        self._open()

    def _open(self) -> None:
        self._container, self._stream = open_video(self._path)
        self._stream.thread_type = self._threads() if self._threaded else ThreadType.NONE
        self._stream.codec_context.options = {"err_detect": "crccheck"}
        self._fresh = True

    def _threads(self) -> ThreadType:
        # With several frames at once FFmpeg's FFV1 spoils the frame before a damaged one, now and then.
        return ThreadType.SLICE if self._stream.codec_context.name == "ffv1" else ThreadType.AUTO

    def close(self) -> None:
        self._container.close()

    def run(self, ordinal: int) -> Iterator[tuple[int, VideoFrame]]:
        """Decode from a packet on; an earlier run of this decoder must not be continued.

        Yields:
            Ordinal of the packet and its picture, in the order in which the decoder shows them.
        """
        self.failed = []
        for number, packet in self._packets(ordinal):
            if packet.size:  # an empty packet would end the decoder's work
                # The times of the packet are in the table. In their place the decoder carries the ordinal through, so
                # that neither missing nor wrong times can mix up pictures.
                packet.pts = number
                yield from self._decoded(packet, number)
        yield from self._decoded(None, len(self._table) - 1)

    def _decoded(self, packet: Packet[VideoStream] | None, number: int) -> Iterator[tuple[int, VideoFrame]]:
        try:
            frames = self._stream.codec_context.decode(packet)
        except av.FFmpegError:
            self.failed.append(number)
            return
        for frame in frames:
            if frame.pts is not None:
                yield frame.pts, frame

    def _packets(self, ordinal: int) -> Iterator[tuple[int, Packet[VideoStream]]]:
        if ordinal:
            self._fresh = False
            found = read_from(self._container, self._stream, self._table, ordinal)
            if found is not None:
                return found
        if not self._fresh:  # the one way to the start that every container knows
            self.close()
            self._open()
        self._fresh = False
        packets = enumerate(read_packets(self._container, self._stream))
        return (numbered for numbered in packets if ordinal <= numbered[0] < len(self._table))
