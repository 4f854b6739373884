"""What an instance looks like where its mask was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from matting.arrays import Mask, Picture
from matting.frames import to_8_bit
from matting.review.sight import Colours, colours_of, look_over

_KEPT = 512


class References:
    """The colours of an instance on the given frames before and after a frame; each given frame is looked at once."""

    def __init__(
        self,
        given: Mapping[int, Sequence[int]],
        mask: Callable[[int, int], Mask],
        picture: Callable[[int], Picture],
    ) -> None:
        """Nothing is read yet.

        Args:
            given: instance id → the frames on which its mask was given, ascending; empty masks say "not here".
            mask: gives the mask ``[H, W]`` on such a frame of such an instance.
            picture: gives a frame.
        """
        self._given = given

        @lru_cache(_KEPT)
        def colours(frame: int, instance_id: int) -> Colours | None:
            ids = np.where(mask(frame, instance_id), np.uint8(instance_id), np.uint8(0))
            return colours_of(look_over(frame, to_8_bit(picture(frame)), ids), instance_id) if ids.any() else None

        self._colours = colours

    def __call__(self, frame: int, instance_id: int) -> list[Colours]:
        """At most two; none where the given masks next to the frame are empty, or there are none."""
        given = self._given[instance_id]
        before = [t for t in given if t <= frame][-1:]
        after = [t for t in given if t >= frame][:1]
        found = [self._colours(t, instance_id) for t in sorted({*before, *after})]
        return [colours for colours in found if colours is not None]

    def last_seen(self, frame: int, instance_id: int) -> list[Colours]:
        """At most two, on the nearest given frames before and after on which the instance is to be seen."""
        given = self._given[instance_id]
        sides = [t for t in reversed(given) if t <= frame], [t for t in given if t > frame]
        seen = (next((of for t in side if (of := self._colours(t, instance_id)) is not None), None) for side in sides)
        return [colours for colours in seen if colours is not None]
