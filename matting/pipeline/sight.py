"""What a seeder is shown of a frame: the picture, and others of its shot that it looks at to see what moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matting.frames import FrameSource, to_8_bit
from matting.pipeline.workspace import Workspace
from matting.recent import Recent
from matting.seeding.motion import shrunk
from matting.seeding.seeder import Neighbour

_KEPT = 3


@dataclass(frozen=True)
class Sight:
    """A frame ``[H, W, 3]`` uint8 RGB and, small, its neighbours."""

    picture: NDArray[np.uint8]
    neighbours: tuple[Neighbour, ...]


_recent: Recent[tuple[str, int, tuple[int, ...]], Sight] = Recent(_KEPT)
"""An artist clicks more than once on a frame."""


def sight_of(work: Workspace, frame: int) -> Sight:
    """What the document's seeder is shown of a frame; the last few are remembered."""
    near = work.neighbours(frame)
    return _recent.get((work.document.media.fingerprint, frame, near), lambda: read_sight(work.clip, frame, near))


def read_sight(clip: FrameSource, frame: int, near: tuple[int, ...]) -> Sight:
    """A frame and its neighbours, by their indices, from a clip."""
    # In ascending order, so that a file is decoded from one end to the other only once.
    pictures = {at: to_8_bit(clip.frame(at)) for at in sorted({*near, frame})}
    return Sight(pictures[frame], tuple(Neighbour(at - frame, shrunk(pictures[at])) for at in near))
