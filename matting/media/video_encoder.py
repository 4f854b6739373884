"""The encoder of one video file and the order in which its packets and those of the sound are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from av import Packet
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from matting.arrays import Picture
from matting.errors import OutputError
from matting.media.audio import AudioPacket
from matting.media.clip import ColorTags
from matting.media.color import swscale_range
from matting.media.planes import fitted, to_frame
from matting.media.presets import Encoding
from matting.media.timing import Timing


class VideoEncoder:
    """Adds a video stream to ``output`` and feeds it.

    Args:
        output: a container that has not begun yet.
        how: codec and pixel format.
        size_hw: of the pictures.
        timing: one entry a picture.
        rate: average frames per second, for containers that note it.
        pixel_aspect: width of a pixel over its height.
        tags: colours as they are written.

    Raises:
        OutputError: the codec cannot encode pictures of this size.
    """

    def __init__(
        self,
        output: OutputContainer,
        how: Encoding,
        size_hw: tuple[int, int],
        timing: Timing,
        rate: Fraction,
        pixel_aspect: Fraction,
        tags: ColorTags,
    ) -> None:
        self._output, self._how, self._timing, self._tags = output, how, timing, tags
        self._reformatter = VideoReformatter()
        self._written = 0
        self._pending: dict[int, int] = {}  # durations of the frames inside the encoder, by timestamp
        self._sound: Iterator[AudioPacket] = iter(())
        self._next_sound: AudioPacket | None = None
        self._stream = self._added_stream(size_hw, rate.limit_denominator(65535), pixel_aspect)

    def _added_stream(self, size_hw: tuple[int, int], rate: Fraction, pixel_aspect: Fraction) -> VideoStream:
        options = dict(self._how.options)
        if not self._timing.constant:
            # Where frames are reordered, mp4 readers take durations from decoding times, which differ then.
            options["bf"] = "0"
        stream = self._output.add_stream(self._how.codec, rate=rate, options=options)
        assert isinstance(stream, VideoStream)
        context = stream.codec_context
        context.height, context.width = (n + n % 2 if self._how.even else n for n in size_hw)
        context.pix_fmt = self._how.pix_fmt
        context.time_base = stream.time_base = self._timing.time_base
        context.sample_aspect_ratio = pixel_aspect
        context.color_range = swscale_range(self._tags)
        context.colorspace = self._tags.matrix
        context.color_primaries, context.color_trc = self._tags.primaries, self._tags.transfer
        try:
            context.open()
        except FFmpegError as error:
            raise OutputError(f"{self._how.codec} cannot encode pictures of {size_hw[1]} × {size_hw[0]}.") from error
        return stream

    def add_sound(self, packets: Iterator[AudioPacket]) -> None:
        """Write these packets between those of the pictures; to be called before the first picture."""
        self._sound = packets
        self._next_sound = next(packets, None)

    def write(self, picture: Picture) -> None:
        """Encode the next picture."""
        size_hw = self._stream.codec_context.height, self._stream.codec_context.width
        frame = to_frame(fitted(picture, size_hw), self._how.pix_fmt, self._tags, self._reformatter)
        frame.pts, frame.time_base = self._timing.pts[self._written], self._timing.time_base
        # Some encoders note what the frames say, others what the stream says.
        frame.colorspace, frame.color_range = self._tags.matrix, swscale_range(self._tags)
        frame.color_primaries, frame.color_trc = self._tags.primaries, self._tags.transfer
        self._pending[frame.pts] = self._timing.durations[self._written]
        self._written += 1
        self._mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what is still inside the encoder, and the rest of the sound."""
        self._mux(self._stream.encode(None))
        self._mux_sound(None)
        if self._pending:
            raise OutputError(f"{self._how.codec} lost {len(self._pending)} frames.")

    def _mux(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            assert packet.pts is not None
            assert packet.dts is not None
            packet.duration = self._pending.pop(packet.pts)
            self._mux_sound(packet.dts * self._timing.time_base)
            self._output.mux(packet)

    def _mux_sound(self, until_s: Fraction | None) -> None:
        while (packet := self._next_sound) is not None:
            assert packet.dts is not None
            if until_s is not None and packet.dts * packet.time_base > until_s:
                return
            self._output.mux(packet)
            self._next_sound = next(self._sound, None)
