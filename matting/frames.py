"""Where stages take their pictures from: a clip, or anything in a test that counts like one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matting.arrays import Picture


class FrameSource(Protocol):
    """Pictures by index; :class:`matting.media.Clip` is the real one. Not to be shared between threads."""

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of every frame, as displayed."""
        ...

    def __len__(self) -> int: ...

    def frame(self, index: int) -> Picture:
        """The picture at ``index``, RGB ``[H, W, 3]``; uint8, or uint16 for sources of more than 8 bits."""
        ...

    def frames(self, start: int, stop: int) -> Iterator[tuple[int, Picture]]:
        """The same pictures one after another for ``start`` <= index < ``stop``, in order and without seeking."""
        ...


def shots_between(cuts: Sequence[int], frame_count: int) -> tuple[range, ...]:
    """A clip from cut to cut; ``cuts`` are the first frames of all shots but the first, ascending."""
    return tuple(map(range, (0, *cuts), (*cuts, frame_count)))


def to_8_bit(picture: Picture) -> NDArray[np.uint8]:
    """The picture as uint8, which selection and matting work on."""
    return np.asarray(picture if picture.dtype == np.uint8 else picture >> 8, np.uint8)
