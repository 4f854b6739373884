"""One video file: pictures and sound, on the clock of the clip they come from."""

from __future__ import annotations

from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from matting.arrays import Picture, check_shape
from matting.errors import ShapeError
from matting.files import partial_path, sync
from matting.media.audio import AudioSource, open_audio
from matting.media.clip import ClipInfo, ColorTags
from matting.media.color import RGB
from matting.media.matroska import ROOM, set_pixel_aspect
from matting.media.planes import coded_tags
from matting.media.presets import Encoding, Preset, encoding
from matting.media.timing import timing
from matting.media.unfinished import remove, remove_stale, writing
from matting.media.video_encoder import VideoEncoder

_MP4_LIMIT = 2**31 - 1
"""The finest clock of mp4 and mov, in ticks a second."""


class VideoWriter:
    """Encodes in the calling thread; see :func:`matting.media.writer.open_writer`."""

    def __init__(
        self, target: Path, preset: Preset, shape: tuple[int, ...], info: ClipInfo, span: range, audio: bool
    ) -> None:
        self.notices: list[str] = []
        self._target, self._preset, self._shape = target, preset, shape
        self._info, self._span, self._audio = info, span, audio and info.audio is not None
        self._partial = partial_path(target)
        self._open_files = ExitStack()
        self._encoder: VideoEncoder | None = None
        self._deep = False
        self._written = 0

    @property
    def _notes_aspect_later(self) -> bool:
        return self._target.suffix.lower() in (".mkv", ".webm") and self._info.pixel_aspect != 1

    def paths(self) -> list[Path]:
        """The files that will be there."""
        return [self._target]

    def begin(self) -> None:
        """Claim a place for the unfinished file."""
        remove_stale(self._target)
        with writing(self._target):
            self._partial.touch(exist_ok=False)

    def write(self, picture: Picture) -> None:
        """See :meth:`matting.media.writer.Writer.write`."""
        check_shape("picture", picture, self._shape)
        if self._written == len(self._span):
            raise ValueError(f"only {len(self._span)} pictures were announced")
        deep = picture.dtype == np.uint16
        if self._encoder is None:
            self._deep = deep
            self._encoder = self._opened()
        if deep != self._deep:
            raise ShapeError(f"picture is {picture.dtype}, those before were not")
        with writing(self._target):
            self._encoder.write(picture)
        self._written += 1

    def finish(self) -> None:
        """Complete the file and put it in place."""
        if self._encoder is None or self._written != len(self._span):
            raise ValueError(f"{self._written} of {len(self._span)} pictures were written")
        with writing(self._target):
            self._encoder.finish()
            self._open_files.close()
            if self._notes_aspect_later:
                set_pixel_aspect(self._partial, (self._shape[0], self._shape[1]), self._info.pixel_aspect)
            sync(self._partial)
            self._partial.replace(self._target)
            sync(self._target.parent)

    def discard(self) -> None:
        """Delete what is unfinished."""
        try:
            self._open_files.close()
        except (av.FFmpegError, OSError):
            pass  # a file that is thrown away need not end well, and the reason was told already
        finally:
            remove(self._partial)

    def _opened(self) -> VideoEncoder:
        info, suffix = self._info, self._target.suffix.lower()
        how = encoding(self._preset, self._deep, alpha=self._shape[2:] == (4,))
        tags = coded_tags(info.color, how)
        source = self._source()
        times = timing(info, self._span, source.start_s if source else None)
        size_hw = self._shape[0], self._shape[1]
        options = _container_options(suffix, info.time_base)
        with writing(self._target):
            output = self._open_files.enter_context(av.open(str(self._partial), "w", container_options=options))
            encoder = VideoEncoder(output, how, size_hw, times, info.rate, info.pixel_aspect, tags)
            if self._notes_aspect_later:
                output.streams.video[0].metadata["title"] = ROOM
            if source:
                encoder.add_sound(source.track(output, suffix, times.cut, self.notices))
        self._say_what_changes(how, tags)
        return encoder

    def _source(self) -> AudioSource | None:
        if not self._audio:
            return None
        name = self._info.path.name
        try:
            source = self._open_files.enter_context(open_audio(self._info.path))
        except (av.FFmpegError, OSError) as error:
            self.notices.append(f"The sound of {name} is left out, it cannot be read: {error.strerror}.")
            return None
        if source is None:
            self.notices.append(f"The sound of {name} is left out, its kind is unknown.")
        return source

    def _say_what_changes(self, how: Encoding, tags: ColorTags) -> None:
        height, width = self._shape[:2]
        if how.even and (height % 2 or width % 2):
            self.notices.append(
                f"{self._preset} needs even sizes; {width} × {height} is padded to {width + width % 2} × "
                f"{height + height % 2} by repeating the last column or row."
            )
        if self._deep and how.pix_fmt in ("yuv420p", "yuva420p"):
            self.notices.append(f"{self._preset} holds 8 bits; the finer shades of the pictures are rounded.")
        if self._info.color.full_range and not tags.full_range and self._info.color.matrix != RGB:
            self.notices.append(f"{self._preset} is written in limited range; the clip is full range.")


def _container_options(suffix: str, time_base: Fraction) -> dict[str, str]:
    """Keep the muxer from moving or rounding times."""
    if suffix in (".mkv", ".webm"):
        return {"avoid_negative_ts": "disabled"}  # sound may begin before 0 with what its decoder needs to start
    if time_base.denominator > _MP4_LIMIT:
        return {}
    # Ticks of the clip, also where it is noted how long a track is and when it starts.
    scale = str(time_base.denominator)
    return {"video_track_timescale": scale, "movie_timescale": scale}
