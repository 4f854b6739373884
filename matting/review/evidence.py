"""What can be measured of a mask without knowing the true one: its motion, its size, its colours, who is beside it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from matting.arrays import FloatArray
from matting.review.elsewhere import MOST, elsewhere, whereabouts
from matting.review.references import References
from matting.review.sight import Colours, Ids, Motion, Sight, colours_of

HALO = 3
"""Frames to either side of one that say what size to expect on it."""
_NEARER_SIDE = 0.75
_NOISE_PX = 10
"""Added to areas, so that the comings and goings of tiny masks mean little."""


@dataclass(frozen=True)
class Measured:
    """One frame; every array has a place for each instance, and NaN where nothing can be said.

    Attributes:
        index: the frame.
        motion: ``[N]`` in [0, 1]: 1 − intersection over union of the mask with its neighbours' masks moved here; three
            quarters of it by the side that agrees more.
        jump: ``[N]`` ≥ 0: logarithm of the area's ratio to the median of the frames around, either way.
        size: ``[N]``: logarithm of the area's ratio to that of a given mask, of which the nearer in size counts.
        colours: ``[N, N]`` in [0, 1]: distance of an instance's colours to those that another one (itself on the
            diagonal) was given with; 1 − Bhattacharyya coefficient, the nearest given frame counts.
        touch: ``[N, N]`` in [0, 1]: the share of an instance's surroundings that belongs to another one.
        doubt: ``[N]`` in [0, 1]: 1 − the tracker's own certainty.
        lost: ``[N]``: 1 where nothing is found of an instance that was given on a frame next to it, else 0.
        here: ``[N, 5]``: where the masks are, see :func:`matting.review.elsewhere.whereabouts`.
        elsewhere: ``[N, MOST, 6]``: where else they may be, see :func:`matting.review.elsewhere.elsewhere`.
    """

    index: int
    motion: FloatArray
    jump: FloatArray
    size: FloatArray
    colours: FloatArray
    touch: FloatArray
    doubt: FloatArray
    lost: FloatArray
    here: FloatArray
    elsewhere: FloatArray


@dataclass
class _Seen:
    """A sight with what has been measured of it so far."""

    sight: Sight
    areas: FloatArray
    agreements: list[FloatArray]


def measure(sights: Iterable[Sight], ids: Sequence[int], references: References) -> Iterator[Measured]:
    """Measure frame by frame, with a window that moves along.

    Args:
        sights: frames of one shot without a gap, in order.
        ids: the instances.
        references: how they look where they were given.

    Yields:
        Every frame, in order. The first and the last :data:`HALO` know less of their surroundings.
    """
    motion = Motion()
    window: deque[_Seen] = deque(maxlen=2 * HALO + 1)
    waiting = 0
    for sight in sights:
        areas = np.bincount(sight.ids.ravel(), minlength=256)[list(ids)].astype(np.float32)
        seen = _Seen(sight, areas, [])
        if window:
            before = window[-1]
            seen.agreements.append(_agreement(motion.carried(before.sight, sight), sight.ids, ids))
            before.agreements.append(_agreement(motion.carried(sight, before.sight), before.sight.ids, ids))
        window.append(seen)
        waiting += 1
        if waiting > HALO:
            yield _measured(window, len(window) - 1 - HALO, ids, references)
            waiting -= 1
    for place in range(len(window) - waiting, len(window)):
        yield _measured(window, place, ids, references)


def _measured(window: Sequence[_Seen], place: int, ids: Sequence[int], references: References) -> Measured:
    seen = window[place]
    around = [window[k].areas for k in range(max(place - HALO, 0), min(place + HALO + 1, len(window))) if k != place]
    usual = np.median(around, axis=0) if around else seen.areas
    given = [references(seen.sight.index, instance_id) for instance_id in ids]
    found = [colours_of(seen.sight, instance_id) for instance_id in ids]
    known = [references.last_seen(seen.sight.index, instance_id) for instance_id in ids]
    doubt = [1 - seen.sight.certainty.get(instance_id, np.nan) for instance_id in ids]
    return Measured(
        index=seen.sight.index,
        motion=_disagreement(seen.agreements, len(ids)),
        jump=np.abs(np.log((seen.areas + _NOISE_PX) / (usual + _NOISE_PX))),
        size=np.array([_size(area, of) for area, of in zip(seen.areas, given, strict=True)], np.float32),
        colours=_distances(found, given),
        touch=np.array([_touch(colours, ids) for colours in found], np.float32).reshape(len(ids), len(ids)),
        doubt=np.array(doubt, np.float32),
        lost=np.array([not area and bool(of) for area, of in zip(seen.areas, given, strict=True)], np.float32),
        here=whereabouts(seen.sight, ids, known),
        elsewhere=elsewhere(seen.sight, ids, known),
    )


def _disagreement(agreements: Sequence[FloatArray], count: int) -> FloatArray:
    """Mostly with the neighbour that agrees more: the other one may be what is wrong."""
    if not agreements:
        return np.full(count, np.nan, np.float32)
    sides = 1 - np.stack(agreements)
    return np.asarray(_NEARER_SIDE * sides.min(axis=0) + (1 - _NEARER_SIDE) * sides.max(axis=0), np.float32)


def _agreement(one: Ids, other: Ids, ids: Sequence[int]) -> FloatArray:
    """``[N]`` intersection over union; 1 where both are empty."""
    places = list(ids)
    both = np.bincount(one[one == other], minlength=256)[places]
    either = np.bincount(one.ravel(), minlength=256)[places] + np.bincount(other.ravel(), minlength=256)[places] - both
    return np.where(either, both / np.maximum(either, 1), 1).astype(np.float32)


def _size(area: float, given: Sequence[Colours]) -> float:
    if not area or not given:
        return np.nan
    return min((float(np.log((area + _NOISE_PX) / (of.area + _NOISE_PX))) for of in given), key=abs)


def _distances(found: Sequence[Colours | None], given: Sequence[Sequence[Colours]]) -> FloatArray:
    """``[N, N]``: found × given."""
    distances = np.full((len(found), len(given)), np.nan, np.float32)
    seen = [row for row, colours in enumerate(found) if colours is not None]
    whose = [column for column, of in enumerate(given) for _ in of]
    if not seen or not whose:
        return distances
    here = np.sqrt([colours.inside for colours in found if colours is not None])
    there = np.sqrt([colours.inside for of in given for colours in of])
    each = 1 - here @ there.T
    for column in set(whose):
        nearest = each[:, [k for k, owner in enumerate(whose) if owner == column]].min(axis=1)
        distances[seen, column] = np.clip(nearest, 0, 1)
    return distances


def _touch(colours: Colours | None, ids: Sequence[int]) -> list[float]:
    beside: Mapping[int, float] = {} if colours is None else colours.beside
    return [beside.get(instance_id, 0.0) for instance_id in ids]


_SINGLE = ("motion", "jump", "size", "doubt", "lost")


def packed(chunk: Sequence[Measured]) -> FloatArray:
    """What was measured of consecutive frames as one array ``[T, N, …]``, to be kept."""
    return np.stack([
        np.concatenate([*(getattr(m, name)[:, None] for name in _SINGLE), m.colours, m.touch, m.here, _flat(m)], axis=1)
        for m in chunk
    ])  # fmt: skip


def _flat(measured: Measured) -> FloatArray:
    return measured.elsewhere.reshape(len(measured.elsewhere), -1)


def unpacked(array: FloatArray, start: int) -> list[Measured]:
    """The frames from ``start`` on, back from :func:`packed`."""
    count = array.shape[1]
    ends = np.cumsum([len(_SINGLE), count, count, 5])
    frames = []
    for place, row in enumerate(array):
        _, colours, touch, here, places = np.split(row, ends, axis=1)
        single = {name: row[:, column] for column, name in enumerate(_SINGLE)}
        frames.append(
            Measured(
                index=start + place,
                colours=colours,
                touch=touch,
                here=here,
                elsewhere=places.reshape(count, MOST, 6),
                **single,
            )
        )
    return frames
