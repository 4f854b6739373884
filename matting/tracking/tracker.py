"""Carrying masks from the prompted frames to the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from matting.arrays import FloatArray, Mask
from matting.frames import FrameSource
from matting.job import JobContext

if TYPE_CHECKING:
    from matting.tracking.trail import Trail


@dataclass(frozen=True)
class FrameMasks:
    """The masks of all tracked instances on one frame.

    Attributes:
        index: the frame.
        ids: instance ids, ascending.
        masks: ``[N, H, W]`` bool in the order of ``ids``; no pixel belongs to two.
        certainty: ``[N]`` in [0, 1] in the order of ``ids``: how sure the tracker is of each mask by its own evidence,
            1 where a seed was given; to rank frames by, not a probability. None if the tracker does not say.
    """

    index: int
    ids: tuple[int, ...]
    masks: Mask
    certainty: FloatArray | None = None


class Tracker(Protocol):
    """One way of carrying masks through a shot."""

    @property
    def name(self) -> str:
        """Method and version; a part of the key of everything derived from its masks."""
        ...

    @property
    def joint(self) -> bool:
        """Whether instances influence each other, so that their tracks depend on each other's seeds."""
        ...

    def track(
        self,
        clip: FrameSource,
        span: range,
        seeds: Mapping[int, Mapping[int, Mask]],
        ctx: JobContext,
        trail: Trail | None = None,
    ) -> Iterator[FrameMasks]:
        """Find every seeded instance on every frame of ``span``.

        Args:
            clip: where the pictures come from.
            span: the frames wanted, step 1.
            seeds: frame index → instance id → ``[H, W]`` bool, the instance's mask on that prompted frame; an empty
                mask says that the instance is not there. An instance's track between two of its neighbouring seeds
                depends on nothing outside them, and of others' seeds only on those on the same two frames, where they
                are rivals; that of a ``joint`` tracker on nothing outside the nearest frames before and after on which
                every instance has a seed. Seeds outside ``span`` count as far as they bound it.
            ctx: told the progress; asked to stop between frames.
            trail: where to leave what is needed to go on after a stop, and to go on from if there is something of
                the same track already; entered. On the same machine the masks are the same either way.

        Yields:
            Each frame of ``span`` exactly once, in any order. On a seeded frame the seed itself comes back (where
            seeds overlap, each pixel goes to one of them). The memory used does not grow with ``span``.

        Raises:
            Cancelled: somebody asked to stop.
            OutputError: there is no room for the trail.
        """
        ...


def nobody(span: range, size_hw: tuple[int, int]) -> Iterator[FrameMasks]:
    """What comes of a shot in which nobody was prompted: no picture has to be looked at."""
    for index in span:
        yield FrameMasks(index, (), np.zeros((0, *size_hw), np.bool_))
