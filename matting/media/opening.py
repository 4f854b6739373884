"""Opening a clip: what kind it is, what is known of it, and what the artist should be told."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from matting.errors import MediaError
from matting.fingerprint import file_fingerprint
from matting.job import JobContext
from matting.media.clip import Clip, ClipInfo
from matting.media.color import color_tags, component_bits, guess_notice, has_alpha
from matting.media.decoder import Decoder
from matting.media.index import FrameIndex, build_index, damage_notices
from matting.media.packets import open_video, tabulate
from matting.media.reader import VideoClip
from matting.media.sequence import find_sequence, open_sequence

_CHECKED_PIXELS = 300_000_000
"""Videos of at most so many coded pixels (145 frames of 1080p, some 2 s of work) are decoded whole when opened."""


def open_clip(path: Path | str, rate: Fraction | None = None) -> Clip:
    """Open footage for reading.

    The packets of a video are read once; short clips are decoded once as well, so that all damage is known. In longer
    ones damage inside packets shows when it is met, see :func:`scan`.

    Args:
        path: a video file, an image, or an image sequence: a folder, a pattern such as ``shot_%05d.png``, or a glob.
        rate: frames per second of an image sequence, 25 if not given; a video brings its own.

    Raises:
        MediaError: nothing there, or nothing in it that can be shown.
    """
    path = Path(path)
    files = find_sequence(path)
    return _open_video(path) if files is None else open_sequence(path, files, rate or Fraction(25))


def scan(clip: Clip, ctx: JobContext) -> tuple[str, ...]:
    """Decode every frame once to find all damage.

    Returns:
        One sentence for each damaged range; :attr:`Clip.damaged` is complete afterwards.

    Raises:
        Cancelled: somebody stopped the job; what was found stays known.
        MediaError: the file went away or a picture of a sequence is broken.
    """
    for index in range(len(clip)):
        ctx.report(index / len(clip), f"Checking {clip.info.path.name}")
        clip.check(index)
    return damage_notices(clip.info.path.name, clip.damaged)


def _open_video(path: Path) -> VideoClip:
    container, stream = open_video(path)
    with container:
        table = tabulate(container, stream)
        coded_pixels = stream.codec_context.width * stream.codec_context.height * len(table)
        ticks_per_frame = 1 / ((stream.guessed_rate or Fraction(25)) * (stream.time_base or Fraction(1, 25)))
        index = None
        if len(table):
            index = build_index(path, table, ticks_per_frame, thorough=coded_pixels <= _CHECKED_PIXELS)
        first = None if index is None else _first_picture(path, index)
        if index is None or first is None:
            raise MediaError(f"{path.name} holds no picture that can be decoded; the file is damaged or incomplete.")
        return VideoClip(_video_info(path, container, stream, index, first), index)


def _first_picture(path: Path, index: FrameIndex) -> VideoFrame | None:
    good = index.substitute(0)
    if good is None:
        return None
    _, entry = index.entry(good)
    decoder = Decoder(path, index.table)
    wanted = int(index.ordinals[good])
    found = next((frame for ordinal, frame in decoder.run(entry) if ordinal == wanted), None)
    decoder.close()
    return found


def _video_info(
    path: Path, container: InputContainer, stream: VideoStream, index: FrameIndex, first: VideoFrame
) -> ClipInfo:
    pix_fmt = first.format.name
    tags = color_tags(
        first.colorspace,
        first.color_primaries,
        first.color_trc,
        first.color_range,
        pix_fmt,
        (first.height, first.width),
    )
    notices = [guess_notice(path.name, tags)] if tags.guessed else []
    if has_alpha(pix_fmt) and first.reformat(format="rgba").to_ndarray()[..., 3].min() < 255:
        notices.append(f"{path.name} carries transparency; it is not read.")
    notices += _cut_short(path, container, stream, index)
    notices += damage_notices(path.name, index.damaged)
    rotation = round(-first.rotation / 90) * 90 % 360
    quarter = rotation in (90, 270)
    aspect = stream.codec_context.sample_aspect_ratio or stream.sample_aspect_ratio or Fraction(1)
    time_base = stream.time_base or Fraction(1, 25)
    duration = _last_duration(index)
    size = (first.width, first.height) if quarter else (first.height, first.width)
    return ClipInfo(
        path=path,
        size_hw=size,
        bit_depth=component_bits(pix_fmt),
        time_base=time_base,
        pts=index.pts,
        duration=duration,
        rate=_rate(index.pts, duration, time_base, [stream.average_rate, stream.guessed_rate]),
        rotation=rotation,
        pixel_aspect=1 / aspect if quarter else aspect,
        color=tags,
        audio=next((s.codec_context.name for s in container.streams.audio if s.codec_context is not None), None),
        fingerprint=file_fingerprint(path),
        notices=tuple(notices),
    )


def _last_duration(index: FrameIndex) -> int:
    """Ticks of the last frame: as its packet says, else as long as frames last in the middle."""
    said = int(index.table.duration[index.ordinals[-1]])
    if said > 0 or len(index) == 1:
        return max(said, 1)
    return max(int(np.median(np.diff(index.pts))), 1)


def _rate(pts: NDArray[np.int64], duration: int, time_base: Fraction, nominal: Sequence[Fraction | None]) -> Fraction:
    """The nominal rate that the times follow to within a tick; the average of the clip where there is none."""
    for rate in nominal:
        if rate:
            even = np.arange(len(pts)) * float(1 / (rate * time_base))
            if np.max(np.abs(pts - pts[0] - even)) <= 1:
                return rate
    span = (int(pts[-1] - pts[0]) + duration) * time_base
    return (len(pts) / span).limit_denominator(1001)


def _cut_short(path: Path, container: InputContainer, stream: VideoStream, index: FrameIndex) -> list[str]:
    """Only containers with a list of all packets, or at least their number, at the front can tell."""
    # In mp4 and mov an edit list may leave out packets on purpose; FFmpeg's own list has them left out already.
    promised = len(stream.index_entries) if "mov" in container.format.name else stream.frames
    missing = promised - len(index.table)
    if missing <= max(1, promised // 100):
        return []
    end = len(index)
    return [
        f"{path.name} is cut short: frames {end}–{end + missing - 1} that its header promises are missing, and the "
        f"clip ends at frame {end - 1}."
    ]
