"""The masks that tracking starts from, read when they are needed: a long shot may have hundreds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from matting.arrays import Mask

Seeds: TypeAlias = Mapping[int, Mapping[int, Mask]]
"""Frame index → instance id → ``[H, W]`` bool."""
_KEPT_FRAMES = 8


class Some(Mapping[int, Mask]):
    """Masks of a frame by instance id, those with one of the ``ids`` only; asks for them when somebody asks it."""

    def __init__(self, ids: Collection[int], masks: Callable[[], Mapping[int, Mask]]) -> None:
        self._ids, self._masks = ids, masks

    def __getitem__(self, instance_id: int) -> Mask:
        if instance_id not in self._ids:
            raise KeyError(instance_id)
        return self._masks()[instance_id]

    def __contains__(self, instance_id: object) -> bool:  # the one that comes with Mapping would ask for the mask
        return instance_id in self._ids

    def __iter__(self) -> Iterator[int]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


def lazy_seeds(ids: Mapping[int, Collection[int]], read: Callable[[int], Mapping[int, Mask]]) -> Seeds:
    """Seeds of which only the last few frames are in memory.

    Args:
        ids: frame index → the instances that have a seed there.
        read: gives a frame's masks by instance id; called again when they are needed again.
    """
    kept = lru_cache(_KEPT_FRAMES)(read)
    return {frame: Some(of_frame, lambda frame=frame: kept(frame)) for frame, of_frame in ids.items()}  # type: ignore[misc]
