"""The sound of a clip on its way into an export: copied where the new file can hold it, otherwise encoded anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer, OutputContainer
from av.stream import Discard

from matting.arrays import FloatArray
from matting.media.timing import Cut

AudioPacket: TypeAlias = "av.Packet[AudioStream]"

_PCM = ("pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f64le")
_COPIED = {
    ".mp4": ("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"),
    ".mov": ("aac", "mp3", "ac3", "eac3", "alac", *_PCM),
    ".mkv": ("aac", "mp3", "mp2", "ac3", "eac3", "dts", "truehd", "alac", "flac", "opus", "vorbis", *_PCM),
    ".webm": ("opus", "vorbis"),
}
_ENCODERS = {".mp4": "aac", ".mov": "aac", ".mkv": "flac", ".webm": "libopus"}
_HOLDS_NEGATIVE_TIME = (".mp4", ".mov")
"""Containers whose edit list starts playback inside a packet, so that a cut need not fall between two."""

_LAYOUTS = {1: "mono", 6: "5.1", 8: "7.1"}
_RUN_UP_S = Fraction(1, 2)
"""More than any codec needs to get going."""

_JITTER_S = Fraction(1, 50)
"""Timestamps this far off are rounding of the container; beyond, sound is missing or there twice."""


@dataclass
class AudioSource:
    """The first sound track of a file that is open."""

    container: InputContainer
    stream: AudioStream

    @property
    def _ticks(self) -> Fraction:
        assert self.stream.time_base is not None
        return self.stream.time_base

    @property
    def start_s(self) -> Fraction:
        """When the sound begins on the source's clock."""
        return (self.stream.start_time or 0) * self._ticks

    def track(self, output: OutputContainer, suffix: str, cut: Cut, notices: list[str]) -> Iterator[AudioPacket]:
        """Add a sound track to ``output`` and give its packets in order, timed from ``cut.origin`` on.

        To be called before the first packet of any stream is written. Sound that cannot be decoded is left out and
        the reason put into ``notices``.

        Args:
            output: a container that has not begun yet.
            suffix: its kind: ``.mp4``, ``.mov``, ``.mkv`` or ``.webm``.
            cut: what to keep; copied sound is cut to whole packets, encoded sound to the sample.
            notices: takes sentences for the artist.
        """
        if self.stream.codec_context.name in _COPIED[suffix]:
            return self._copied(output, cut, early=suffix in _HOLDS_NEGATIVE_TIME, notices=notices)
        return self._encoded(output, _ENCODERS[suffix], cut, notices)

    def _copied(self, output: OutputContainer, cut: Cut, early: bool, notices: list[str]) -> Iterator[AudioPacket]:
        target = output.add_stream_from_template(self.stream)
        return self._copies(target, cut, early, notices)

    def _copies(self, target: AudioStream, cut: Cut, early: bool, notices: list[str]) -> Iterator[AudioPacket]:
        ticks = self._ticks
        shift = round(cut.origin / ticks)
        before: AudioPacket | None = None
        for packet in self._packets(cut.start, notices):
            pts = packet.pts or 0
            begin, end = pts * ticks, (pts + (packet.duration or 0)) * ticks
            if cut.stop is not None and begin >= cut.stop:
                break
            if cut.start is not None and begin < cut.start and not (early and end > cut.start):
                before = packet
                continue
            if before is not None and early:  # most codecs need one packet of run-up to decode the next one right
                yield _retimed(before, target, shift)
            before = None
            if cut.stop is not None and end > cut.stop:
                packet.duration = max(1, round(cut.stop / ticks) - pts)
            yield _retimed(packet, target, shift)

    def _encoded(self, output: OutputContainer, encoder: str, cut: Cut, notices: list[str]) -> Iterator[AudioPacket]:
        frames = self._frames(cut.start, notices)
        first = next(frames, None)
        if first is None:
            return iter(())
        rate = 48000 if encoder == "libopus" else first.sample_rate
        layout = _LAYOUTS.get(first.layout.nb_channels, "stereo")
        target = output.add_stream(encoder, rate=rate, layout=layout, time_base=Fraction(1, rate))
        assert isinstance(target, AudioStream)
        if encoder != "flac":
            target.bit_rate = 192_000
        resampled = _resampled(chain((first,), frames), AudioResampler("fltp", layout, rate))
        return _encodings(target, _samples(resampled, rate, cut), rate, layout)

    def _frames(self, start: Fraction | None, notices: list[str]) -> Iterator[AudioFrame]:
        damaged = False
        for packet in chain(self._packets(start, notices), (None,)):
            try:
                yield from self.stream.decode(packet)
            except av.FFmpegError:
                damaged = True
        if damaged:
            notices.append("Some of the sound cannot be decoded; it is missing there.")

    def _packets(self, start: Fraction | None, notices: list[str]) -> Iterator[AudioPacket]:
        """All packets from a little before ``start`` on."""
        try:
            for packet in self._demuxed(start):
                if packet.pts is not None and packet.size:
                    yield packet
        except av.FFmpegError as error:
            notices.append(f"The sound ends early because the file is damaged: {error.strerror}.")

    def _demuxed(self, start: Fraction | None) -> Iterator[AudioPacket]:
        early = None if start is None else start - _RUN_UP_S
        if early is None or early <= self.start_s:
            return self.container.demux(self.stream)
        try:
            self.container.seek(int(early / self._ticks), stream=self.stream)
            packets = self.container.demux(self.stream)
            first = next(packets, None)
            if first is not None and first.pts is not None and first.pts * self._ticks <= early + _RUN_UP_S:
                return chain((first,), packets)
        except av.FFmpegError:
            pass  # not every file can be sought in; reading it from the start always works
        self.container.seek(0)
        return self.container.demux(self.stream)


@contextmanager
def open_audio(source: Path) -> Iterator[AudioSource | None]:
    """Open the first sound track of a video file; None if there is none of a known codec."""
    with av.open(str(source)) as container:
        for stream in container.streams:
            stream.discard = Discard.none if stream.type == "audio" else Discard.all
        track = next((track for track in container.streams.audio if _known(track)), None)
        yield None if track is None else AudioSource(container, track)


def _known(stream: AudioStream) -> bool:
    """Whether FFmpeg knows the codec; PyAV's types do not say that there may be none."""
    context: CodecContext | None = stream.codec_context
    return context is not None


def _retimed(packet: AudioPacket, target: AudioStream, shift: int) -> AudioPacket:
    assert packet.pts is not None
    packet.dts = (packet.pts if packet.dts is None else packet.dts) - shift
    packet.pts -= shift
    packet.stream = target
    return packet


def _resampled(frames: Iterator[AudioFrame], resampler: AudioResampler) -> Iterator[AudioFrame]:
    for frame in frames:
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _samples(frames: Iterator[AudioFrame], rate: int, cut: Cut) -> Iterator[tuple[int, FloatArray]]:
    """Runs of samples ``[channels, n]``, each with the place of its first; no gap between them and no overlap.

    Places count from the origin; what lies before it or outside the cut is dropped.
    """
    stop = None if cut.stop is None else round((cut.stop - cut.origin) * rate)
    place: int | None = None  # of the next sample; None until the first
    for frame in frames:
        samples = frame.to_ndarray().astype(np.float32, copy=False)
        here = place or 0
        if frame.pts is not None and frame.time_base:
            here = round((frame.pts * frame.time_base - cut.origin) * rate)
        if place is None:
            samples = samples[:, max(0, -here) :]
            if not samples.size:
                continue
            place = max(0, here)
        elif here - place > _JITTER_S * rate:
            until = here if stop is None else min(here, stop)
            while place < until:
                silence = np.zeros((len(samples), min(rate, until - place)), np.float32)
                yield place, silence
                place += silence.shape[1]
        elif place - here > _JITTER_S * rate:
            samples = samples[:, place - here :]
        if stop is not None:
            samples = samples[:, : max(0, stop - place)]
        if samples.size:
            yield place, samples
        place += samples.shape[1]
        if stop is not None and place >= stop:
            return


def _encodings(
    target: AudioStream, runs: Iterator[tuple[int, FloatArray]], rate: int, layout: str
) -> Iterator[AudioPacket]:
    for place, samples in runs:
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, place, Fraction(1, rate)
        yield from target.encode(frame)
    yield from target.encode(None)
