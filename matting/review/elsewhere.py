"""Where on a frame somebody may be beside where their mask is: what looks like them, and belongs to nobody for sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask
from matting.review.sight import Colours, Counts, Sight, likeness, shares_of

MOST = 3
"""Places kept of each instance on a frame."""
_LEAST_AREA, _MOST_AREA = 0.2, 4.0
"""Of the area of a given mask: who comes out from behind something is smaller, who comes nearer larger."""
_TELLING = 0.5
"""From this logarithm of the odds on, a colour is the instance's and not the background's."""
_UNSEEN, _CLEAREST = 1e-4, 3.0
"""The share that every colour is taken to have, and the most that a colour can say."""
_SMOOTH, _JOINED = 0.12, 0.2
"""How far evidence is averaged and gaps are closed, in sides of a square of the given area."""
_AS_GOOD = 0.05
"""A part of somebody else's mask may be this much more like them: two people dressed alike do not part exactly."""


@dataclass(frozen=True)
class _Place:
    box: tuple[int, int, int, int]  # x, y, width, height
    likeness: float
    owner: int = 0


def elsewhere(sight: Sight, ids: Sequence[int], known: Sequence[Sequence[Colours]]) -> FloatArray:
    """Look for everybody outside of their masks.

    A place is a region that belongs to nobody and has the colours that tell an instance from what is around them where
    they were given; or a part of somebody else's mask that is apart from the rest of it, as when two people come out
    from behind one another in one mask.

    Args:
        sight: the frame.
        ids: the instances.
        known: for each of them, how they look where they were given, near the frame.

    Returns:
        ``[N, MOST, 6]``, the likeliest first: likeness in [0, 1], id of the instance whose mask it is a part of (0 for
        nobody), and x0, y0, x1, y1 as shares of width and height; NaN where there are fewer.

    Source:
        colours weighed against those of the surroundings: Swain and Ballard, "Color indexing" (IJCV 1991), section 4.
    """
    found = np.full((len(ids), MOST, 6), np.nan, np.float32)
    height, width = sight.ids.shape
    parts = list(_parts(sight, ids))
    scale = np.array([width, height, width, height], np.float32)
    for row, (instance_id, looks) in enumerate(zip(ids, known, strict=True)):
        if not looks:
            continue
        places = [*_free(sight, looks)]
        for owner, box, colours, area in parts:
            if owner == instance_id or not _plausible(area, looks):
                continue
            place = _Place(box, _nearest(colours, looks), owner)
            of_owner = known[ids.index(owner)]
            if not of_owner or place.likeness >= _nearest(colours, of_owner) - _AS_GOOD:
                places.append(place)
        for column, place in enumerate(sorted(places, key=lambda p: -p.likeness)[:MOST]):
            x, y, w, h = place.box
            found[row, column, :2] = place.likeness, place.owner
            found[row, column, 2:] = np.array([x, y, x + w, y + h], np.float32) / scale
    return found


def whereabouts(sight: Sight, ids: Sequence[int], known: Sequence[Sequence[Colours]]) -> FloatArray:
    """Where everybody's mask is.

    Returns:
        ``[N, 5]``: its area as a share of that of the nearest given one in size (NaN where none is known), and its box
        as shares of width and height; NaN where it is empty.
    """
    found = np.full((len(ids), 5), np.nan, np.float32)
    height, width = sight.ids.shape
    for row, (instance_id, looks) in enumerate(zip(ids, known, strict=True)):
        mask = sight.ids == instance_id
        area = int(mask.sum())
        if looks:
            found[row, 0] = min((area / of.area for of in looks), key=lambda share: abs(share - 1))
        if area:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            found[row, 1::2] = columns[0] / width, (columns[-1] + 1) / width
            found[row, 2::2] = rows[0] / height, (rows[-1] + 1) / height
    return found


def parts_of(mask: Mask) -> list[tuple[Mask, tuple[int, int, int, int]]]:
    """The parts of a mask ``[H, W]`` that are not connected, as masks, with x, y, width and height of their boxes."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    boxes = [tuple(stats[part, : cv2.CC_STAT_AREA].tolist()) for part in range(1, count)]
    return [(np.asarray(labels == part), box) for part, box in enumerate(boxes, start=1)]


def _parts(sight: Sight, ids: Sequence[int]) -> Iterator[tuple[int, tuple[int, int, int, int], Counts, int]]:
    """Whose, box, colours and area of the parts of all masks that have several."""
    for owner in ids:
        parts = parts_of(np.asarray(sight.ids == owner))
        for mask, box in parts if len(parts) > 1 else []:
            yield owner, box, shares_of(sight.colours[mask]), int(mask.sum())


def _free(sight: Sight, looks: Sequence[Colours]) -> Iterator[_Place]:
    """Regions of nobody that have the telling colours of one of the looks."""
    inside = np.mean([of.inside for of in looks], axis=0)
    outside = np.mean([of.outside for of in looks], axis=0)
    side = float(np.mean([of.area for of in looks])) ** 0.5
    odds = np.clip(np.log((inside + _UNSEEN) / (outside + _UNSEEN)), -_CLEAREST, _CLEAREST).astype(np.float32)
    telling = np.where(odds > _TELLING, inside, 0)
    if not telling.any():
        return
    nobody = sight.ids == 0
    evidence = np.where(nobody, odds[sight.colours], np.float32(-1))
    hot = (cv2.blur(evidence, _square(_SMOOTH * side)) > _TELLING) & nobody
    closed = cv2.morphologyEx(hot.astype(np.uint8), cv2.MORPH_CLOSE, np.ones(_square(_JOINED * side), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    for part in range(1, count):
        x, y, width, height, area = stats[part].tolist()
        if not _plausible(area, looks):
            continue
        window = slice(y, y + height), slice(x, x + width)
        speaking = (labels[window] == part) & (evidence[window] > _TELLING)
        colours = shares_of(sight.colours[window][speaking])
        yield _Place((x, y, width, height), likeness(colours, telling / telling.sum()))


def _plausible(area: float, looks: Sequence[Colours]) -> bool:
    return any(_LEAST_AREA * of.area <= area <= _MOST_AREA * of.area for of in looks)


def _nearest(colours: Counts, looks: Sequence[Colours]) -> float:
    return max(likeness(colours, of.inside) for of in looks)


def _square(side: float) -> tuple[int, int]:
    """An odd size of at least 3."""
    return (2 * max(1, round(side / 2)) + 1,) * 2
