"""Somebody who is lost, and seems to be back: found by appearance, to be said yes or no to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from math import hypot
from statistics import fmean
from typing import TypeAlias

import numpy as np

from matting.review.evidence import Measured

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1, half-open."""
_ABSENT = 0.1
"""With less than this share of the area that was given, a mask says nothing of where somebody is."""
_ALIKE, _APART = 0.8, 0.05
"""How like them a region of nobody must be, and how much more so than what is usually beside them."""
_PART_ALIKE = 0.88
"""How like them a part of somebody else's mask must be."""
_USUAL = 0.9
"""The share of frames whose best region beside them is taken for usual."""
_LASTING, _BRIDGED = 3, 2
"""On how many frames it must be seen, and how many in between without it do not end it."""
_HELD = 0.7
"""Intersection over union with the next frame's box from which a region holds its shape; who is still coming out from
behind somebody is taken up better a frame later."""
_FAR = 0.3
"""The likeness that a place loses for being a whole diagonal away from where they are expected."""
_WHOLE, _STEADY, _HOLDS = 0.6, 6, 16
"""Who was last seen walking, with this share of their area on so many frames, is expected further on; but they walk on
for so many frames only."""
_AS_GOOD = 0.05
"""Places that are less than this behind the best one may be the right one, too."""


@dataclass(frozen=True)
class Return:
    """An instance that is lost, and may be back.

    Attributes:
        instance_id: who.
        first, last: frames, both included.
        boxes: where, by frame, in pixels of the clip; a few frames in between may lack.
        likeness: on average, in [0, 1].
    """

    instance_id: int
    first: int
    last: int
    boxes: Mapping[int, Box]
    likeness: float

    def words(self, names: Mapping[int, str]) -> str:
        """Such as "ann may be back at 214"; ``names`` by instance id."""
        return f"{names.get(self.instance_id, 'Somebody')} may be back at {self.first}"


@dataclass(frozen=True)
class _Place:
    likeness: float
    owner: int
    box: Box


@dataclass(frozen=True)
class _Glance:
    """One instance on one frame: how much of it is there and where, and where else it may be; boxes as shares."""

    frame: int
    share: float
    box: Box
    settled: bool
    places: list[_Place]

    @property
    def lost(self) -> bool:
        return self.share < _ABSENT and not self.settled

    @property
    def beside(self) -> list[_Place]:
        """What is certainly not them where they are there: what is near their mask may be a piece of them."""
        x0, y0, x1, y1 = self.box
        across, down = (x1 - x0) / 2, (y1 - y0) / 2
        near = x0 - across, y0 - down, x1 + across, y1 + down
        return [place for place in self.places if place.owner or not _touch(place.box, near)]


@dataclass
class _Trail:
    """The same region on frame after frame, as far as can be told; added to in the order of frames."""

    boxes: dict[int, Box] = field(default_factory=dict)
    likenesses: list[float] = field(default_factory=list)
    refuted: bool = False  # by a frame on which they are somewhere else

    @property
    def first(self) -> int:
        return next(iter(self.boxes))

    @property
    def last(self) -> int:
        return next(reversed(self.boxes))

    def settle(self) -> None:
        """Forget the frames at its beginning on which it does not hold its shape."""
        frames = list(self.boxes)
        held = [_overlap(self.boxes[t], self.boxes[after]) for t, after in pairwise(frames)]
        start = next((place for place, of in enumerate(held) if of > _HELD), 0)
        self.boxes = {t: self.boxes[t] for t in frames[start:]}
        self.likenesses = self.likenesses[start:]

    def goes_on(self, frame: int, box: Box) -> bool:
        return self.last < frame <= self.last + 1 + _BRIDGED and _same(self.boxes[self.last], box)


class Watch:
    """Watches for everybody who is lost, frame by frame of one shot, in order; gaps are allowed."""

    def __init__(self, ids: Sequence[int], size_hw: tuple[int, int]) -> None:
        """For some instances, in the order of their places in what is added, and frames of some size."""
        self._ids, self._size_hw = ids, size_hw
        self._glances: list[list[_Glance]] = [[] for _ in ids]

    def add(self, measured: Measured, settled: Sequence[bool]) -> None:
        """The next frame, and whose mask on it is beyond doubt, because it was given, approved or looked at."""
        sure = {instance_id for instance_id, of in zip(self._ids, settled, strict=True) if of}
        for row, glances in enumerate(self._glances):
            found = measured.elsewhere[row]
            alike = found[found[:, 0] > _ALIKE - _APART].tolist()  # what is less so decides nothing
            places = [_Place(likeness, int(owner), _box(box)) for likeness, owner, *box in alike]
            share, *box = measured.here[row].tolist()
            doubtful = [place for place in places if place.owner not in sure]
            glances.append(_Glance(measured.index, share, _box(box), settled[row], doubtful))

    def returns(self) -> list[Return]:
        """Everybody who may be back, by the first frames."""
        height, width = self._size_hw
        found = []
        for instance_id, glances in zip(self._ids, self._glances, strict=True):
            for trail in _best(glances):
                boxes = {
                    t: (x0 * width, y0 * height, x1 * width, y1 * height) for t, (x0, y0, x1, y1) in trail.boxes.items()
                }
                found.append(Return(instance_id, trail.first, trail.last, boxes, fmean(trail.likenesses)))
        return sorted(found, key=lambda r: (r.first, r.instance_id))


def _best(glances: Sequence[_Glance]) -> Iterator[_Trail]:
    """One of each time that they are lost: the first that is about as good as any."""
    there = [glance for glance in glances if glance.share >= _ABSENT]
    trails = [trail for trail in _trails(glances, there) if len(trail.boxes) >= _LASTING and not trail.refuted]
    for trail in trails:
        trail.settle()
    for lost, run in groupby(glances, lambda glance: glance.lost):
        frames = {glance.frame for glance in run} if lost else ()
        found = [trail for trail in trails if trail.first in frames]
        worth = [fmean(trail.likenesses) - _FAR * _distance(trail, there) for trail in found]
        good = [(trail, of) for trail, of in zip(found, worth, strict=True) if of > max(worth) - _AS_GOOD]
        if good:
            early = min(trail.first for trail, _ in good) + _LASTING
            yield max(((trail, of) for trail, of in good if trail.first < early), key=lambda each: each[1])[0]


def _trails(glances: Sequence[_Glance], there: Sequence[_Glance]) -> list[_Trail]:
    """All that is like them enough, also where they are somewhere else."""
    beside = [max((p.likeness for p in glance.beside if not p.owner), default=0.0) for glance in there]
    wanted = max(_ALIKE, float(np.quantile(beside, _USUAL)) + _APART) if beside else _ALIKE
    trails: list[_Trail] = []
    for glance in glances:
        for place in glance.places if glance.lost else glance.beside:
            if place.likeness < (_PART_ALIKE if place.owner else wanted):
                continue
            trail = next((t for t in trails if t.goes_on(glance.frame, place.box)), None)
            if trail is None:
                trails.append(trail := _Trail())
            trail.boxes[glance.frame] = place.box
            trail.likenesses.append(place.likeness)
            trail.refuted |= not glance.lost
    return trails


def _distance(trail: _Trail, there: Sequence[_Glance]) -> float:
    """In [0, 1]: how far its beginning is from where they are expected then, or its end, looking back in time."""
    before = [glance for glance in there if glance.frame < trail.first]
    after = [glance for glance in reversed(there) if glance.frame > trail.last]
    ends = [(trail.first, before), (trail.last, after)]
    return min((_apart(_middle(trail.boxes[t]), _expected(side, t)) for t, side in ends if side), default=0.0)


def _expected(seen: Sequence[_Glance], frame: int) -> tuple[float, float]:
    """Where who was seen up to some time is at another, going on as they went."""
    last = seen[-1]
    whole = [glance for glance in seen if glance.share > _WHOLE][-_STEADY:]
    x, y = _middle(last.box)
    if len(whole) < _STEADY:
        return x, y
    (x0, y0), (x1, y1) = _middle(whole[0].box), _middle(whole[-1].box)
    steps = min(abs(frame - whole[-1].frame), _HOLDS) / abs(whole[-1].frame - whole[0].frame)
    return x1 + steps * (x1 - x0), y1 + steps * (y1 - y0)


def _apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    return hypot(one[0] - other[0], one[1] - other[1]) / hypot(1, 1)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _touch(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _overlap(one: Box, other: Box) -> float:
    """Intersection over union."""
    across, down = (max(min(one[k + 2], other[k + 2]) - max(one[k], other[k]), 0.0) for k in (0, 1))
    areas = ((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return across * down / (sum(areas) - across * down)


def _same(one: Box, other: Box) -> bool:
    """Whether the middle of one lies in the other."""
    (x, y), (u, v) = _middle(one), _middle(other)
    return (other[0] <= x <= other[2] and other[1] <= y <= other[3]) or (
        one[0] <= u <= one[2] and one[1] <= v <= one[3]
    )


def _box(corners: Sequence[float]) -> Box:
    x0, y0, x1, y1 = corners
    return x0, y0, x1, y1
