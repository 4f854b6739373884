"""What a clip is: what is known of it, and how its pictures are asked for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from matting.arrays import Picture


@dataclass(frozen=True)
class ColorTags:
    """How numbers in the file stand for colours: code points of ITU-T H.273, 2 where the file does not say.

    Attributes:
        matrix: RGB ↔ YCbCr coefficients used for decoding (1 BT.709, 5 or 6 BT.601, 9 BT.2020, 0 RGB); never 2.
        primaries: as tagged.
        transfer: as tagged.
        full_range: whether black is 0 rather than 16 (8-bit); used for decoding.
        guessed: whether matrix or range was not tagged and had to be guessed by size.
    """

    matrix: int
    primaries: int
    transfer: int
    full_range: bool
    guessed: bool


@dataclass(frozen=True)
class ClipInfo:
    """What a clip is; its pictures come from :func:`matting.media.open_clip`.

    Attributes:
        path: the video file, or the folder or pattern of an image sequence.
        size_hw: height and width as displayed, that is after rotation; pixels may be oblong, see ``pixel_aspect``.
        bit_depth: of the source's components; above 8 the frames are uint16, full range.
        time_base: duration of one tick, in seconds.
        pts: presentation time of each frame in ticks, ``[T]`` int64, strictly increasing; the index of a frame is its
            place in here.
        duration: ticks that the last frame is shown.
        rate: average frames per second, for display and for formats that need one.
        rotation: clockwise degrees that were applied to the coded picture to show it upright: 0, 90, 180 or 270.
        pixel_aspect: width of a displayed pixel over its height.
        color: see :class:`ColorTags`.
        audio: codec name of the first audio stream, or None.
        fingerprint: identity of the content (size and parts of it hashed); the same for a moved file.
        sequence: whether it is an image sequence, and then the files, in order.
        notices: sentences the artist should read: guesses, damage.
    """

    path: Path
    size_hw: tuple[int, int]
    bit_depth: int
    time_base: Fraction
    pts: NDArray[np.int64]
    duration: int
    rate: Fraction
    rotation: int
    pixel_aspect: Fraction
    color: ColorTags
    audio: str | None
    fingerprint: str
    sequence: tuple[Path, ...] = ()
    notices: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.pts)


class Clip(ABC):
    """An open clip; a :class:`matting.frames.FrameSource`. One reader serves one thread, see :meth:`duplicate`."""

    info: ClipInfo

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of every frame, as displayed."""
        return self.info.size_hw

    def __len__(self) -> int:
        return len(self.info)

    @property
    def damaged(self) -> tuple[tuple[int, int], ...]:
        """Half-open ranges of frames that are known, so far, not to decode; a neighbour is shown in their place.

        Complete after :func:`matting.media.scan`, and from the start for clips that opening checks whole.
        """
        return ()

    @abstractmethod
    def frame(self, index: int) -> Picture:
        """The picture at ``index``, RGB ``[H, W, 3]``; the same bits however the reader came there.

        uint8, or uint16 for sources of more than 8 bits; full range, rotated upright.

        Raises:
            IndexError: there is no such frame.
            MediaError: the file went away or a picture of a sequence is broken.
        """

    @abstractmethod
    def check(self, index: int) -> None:
        """Read the frame at ``index`` for its errors only; fills :attr:`damaged`."""

    @abstractmethod
    def duplicate(self) -> Clip:
        """Another reader of the same clip for another thread; it shares the index, nothing is scanned again."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file; a closed reader cannot be used again."""

    def frames(self, start: int, stop: int) -> Iterator[tuple[int, Picture]]:
        """Index and picture for ``start`` <= index < ``stop``, in order and without seeking."""
        for index in range(start, stop):
            yield index, self.frame(index)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _checked(self, index: int) -> int:
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of {len(self)}")
        return index
