"""Numbered PNG pictures: gathered in a hidden folder, moved to their place when all are there."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path

from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

from matting.arrays import Picture, check_shape
from matting.errors import OutputError, ShapeError
from matting.files import partial_path, sync
from matting.media.planes import contiguous
from matting.media.unfinished import remove, remove_stale, writing

_FORMATS = {
    ("uint8", 1): "gray",
    ("uint8", 3): "rgb24",
    ("uint8", 4): "rgba",
    ("uint16", 1): "gray16be",
    ("uint16", 3): "rgb48be",
    ("uint16", 4): "rgba64be",
}


class PictureWriter:
    """Writes PNG, 8 or 16 bits as the pictures are; see :func:`matting.media.writer.open_writer`.

    Pictures hold their pixel aspect, but no colour tags: programs disagree so much on those of PNG that the numbers
    are safer without.
    """

    def __init__(
        self, target: Path, shape: tuple[int, ...], pixel_aspect: Fraction, span: range, start_number: int | None
    ) -> None:
        self.notices: list[str] = []
        self._shape, self._pixel_aspect = shape, pixel_aspect
        first = span.start if start_number is None else start_number
        self._folder, self._names = _place(target, range(first, first + len(span)))
        self._written = 0
        self._encoder: VideoCodecContext | None = None
        self._depth = ""
        # In a folder that exists the pictures wait inside: it may be the root of another disk.
        self._new = not self._folder.exists()
        if not self._new and not self._folder.is_dir():
            raise OutputError(f"{self._folder} is a file, not a folder; choose another name.")
        self._waiting = partial_path(self._folder if self._new else self._inside)

    @property
    def _inside(self) -> Path:
        return self._folder / "pictures"

    def paths(self) -> list[Path]:
        """The files that will be there."""
        return [self._folder / name for name in self._names]

    def begin(self) -> None:
        """Make the hidden folder."""
        for target in (self._folder, self._inside):
            remove_stale(target)
        with writing(self._folder):
            self._waiting.mkdir()

    def write(self, picture: Picture) -> None:
        """See :meth:`matting.media.writer.Writer.write`."""
        check_shape("picture", picture, self._shape)
        if self._written == len(self._names):
            raise ValueError(f"only {len(self._names)} pictures were announced")
        if self._encoder is None:
            self._depth = picture.dtype.name
            self._encoder = self._opened()
        if picture.dtype.name != self._depth:
            raise ShapeError(f"picture is {picture.dtype}, those before were {self._depth}")
        frame = VideoFrame.from_ndarray(contiguous(picture), self._encoder.pix_fmt or "")
        path = self._waiting / self._names[self._written]
        with writing(self._folder), path.open("wb") as file:
            for packet in self._encoder.encode(frame):
                file.write(packet)
        self._written += 1

    def _opened(self) -> VideoCodecContext:
        encoder = VideoCodecContext.create("png", "w")
        channels = self._shape[2] if len(self._shape) == 3 else 1
        encoder.height, encoder.width = self._shape[:2]
        encoder.pix_fmt = _FORMATS[self._depth, channels]
        encoder.time_base = Fraction(1, 25)  # asked for, never written
        encoder.sample_aspect_ratio = self._pixel_aspect
        # Faster than the default by half and no larger on footage.
        encoder.options = {"compression_level": "1", "pred": "up"}
        return encoder

    def finish(self) -> None:
        """Put the pictures in place."""
        if self._written != len(self._names):
            raise ValueError(f"{self._written} of {len(self._names)} pictures were written")
        with writing(self._folder):
            pictures = sorted(self._waiting.iterdir())
            for path in pictures:
                sync(path)
            sync(self._waiting)
            if self._new:
                self._waiting.replace(self._folder)
                sync(self._folder.parent)
            else:
                for path in pictures:
                    path.replace(self._folder / path.name)
                sync(self._folder)

    def discard(self) -> None:
        """Delete what has not found its place."""
        remove(self._waiting)


def _place(target: Path, numbers: range) -> tuple[Path, list[str]]:
    """The folder for the pictures, and their names."""
    if target.suffix.lower() != ".png" or target.is_dir():
        return target, [f"{number:05d}.png" for number in numbers]
    if re.fullmatch(r"[^%]*%(0\d+)?d[^%]*", target.name):
        return target.parent, [target.name % number for number in numbers]
    if len(numbers) > 1:
        raise OutputError(
            f"{target.name} is the name of one picture, not of {len(numbers)}; give a folder, or a name with %05d."
        )
    return target.parent, [target.name]
