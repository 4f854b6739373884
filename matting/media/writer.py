"""Writing results: one door for videos and numbered pictures, whole under the final name or not there at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from matting.arrays import Picture
from matting.errors import OutputError
from matting.media.clip import ClipInfo
from matting.media.picture_writer import PictureWriter
from matting.media.presets import Preset, check_preset, default_preset
from matting.media.unfinished import folders
from matting.media.video_writer import VideoWriter

__all__ = ["Preset", "Writer", "check_preset", "default_preset", "open_writer"]


class Writer(Protocol):
    """Takes the pictures of a span one after another."""

    @property
    def notices(self) -> list[str]:
        """Sentences for the artist on what could not be kept as it was; complete once the writer is closed."""
        ...

    def write(self, picture: Picture) -> None:
        """Write the next picture; all of one writer have the same shape and type.

        Args:
            picture: RGB ``[H, W, 3]``, straight RGBA ``[H, W, 4]`` or grey ``[H, W]``, as agreed on opening; uint8 or
                uint16, full range.

        Raises:
            OutputError: the disk is full or cannot be written.
            ShapeError: shape or type differ from what was agreed.
            ValueError: the span has no more frames.
        """
        ...


@contextmanager
def open_writer(
    target: Path,
    preset: Preset,
    info: ClipInfo,
    span: range,
    *,
    alpha: bool = False,
    gray: bool = False,
    size_hw: tuple[int, int] | None = None,
    overwrite: bool = False,
    audio: bool = True,
    start_number: int | None = None,
) -> Iterator[Writer]:
    """Write the frames of ``span``; when the block ends well the result is in place, otherwise nothing is.

    Timestamps, durations, pixel aspect, colour tags and sound are those of the clip. The whole clip keeps its clock
    (unless that starts half a second or more after 0, as in camera streams); a part of it starts at 0.

    Args:
        target: a video file; for png a folder, a name with ``%05d``, or one ``.png`` file for a span of one frame.
            Missing folders are made.
        preset: must go with the name of ``target``, see :func:`check_preset`.
        info: the clip the pictures belong to.
        span: frame indices, in steps of one; :meth:`Writer.write` is called once for each.
        alpha: whether the pictures are RGBA.
        gray: whether they are grey; videos get them as neutral RGB.
        size_hw: of the pictures, where it is not that of the clip.
        overwrite: whether files that exist may be replaced; others in a target folder are never touched.
        audio: whether the sound of the clip goes along, cut to the span.
        start_number: number of the first picture of a sequence; otherwise pictures are numbered by frame index.

    Raises:
        OutputError: preset and name do not fit, the target exists, cannot be written or the disk is full, or the
            preset holds no transparency. Footage of the clip is never replaced.
        ValueError: fewer pictures were written than ``span`` has, or arguments contradict each other.
    """
    if (alpha and gray) or span.step != 1 or not span or span.start < 0 or span.stop > len(info):
        raise ValueError(f"cannot write {span} of {len(info)} frames with alpha={alpha}, gray={gray}")
    check_preset(preset, target)
    if alpha and not preset.holds_alpha:
        raise OutputError(f"{preset} holds no transparency; use prores4444, png or ffv1.")
    height, width = size_hw or info.size_hw
    shape = (height, width) if gray else (height, width, 4 if alpha else 3)
    writer: PictureWriter | VideoWriter
    if preset is Preset.PNG:
        writer = PictureWriter(target, shape, info.pixel_aspect, span, start_number)
    else:
        writer = VideoWriter(target, preset, shape, info, span, audio)
    _check_free(writer.paths(), info, overwrite)
    with folders(target.parent):
        try:
            writer.begin()
            yield writer
            writer.finish()
        finally:
            writer.discard()


def _check_free(paths: Iterable[Path], info: ClipInfo, overwrite: bool) -> None:
    footage = {path.resolve() for path in (info.path, *info.sequence)}
    for path in paths:
        if path.exists() and path.resolve() in footage:
            raise OutputError(f"{path} is footage of the clip itself; choose another name.")
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists; add --overwrite or choose another name.")
