"""What Cutie does at a time: its instances see each other, so only a frame on which all are given parts its work."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from matting.tracking.seeds import Seeds, Some


@dataclass(frozen=True)
class Part:
    """Frames that are tracked together, and all that they depend on.

    Attributes:
        ids: all instances, ascending.
        wanted: the frames.
        seeds: of the part, those on its ends included.
        present: frame → instance → whether the seed has a mask; False says that the instance is not there.
    """

    ids: tuple[int, ...]
    wanted: range
    seeds: Seeds
    present: Mapping[int, Mapping[int, bool]]

    @property
    def groups(self) -> dict[tuple[tuple[int, bool], ...], tuple[int, ...]]:
        """Instances that are given on the same frames, by those frames and whether they are there."""
        found: dict[tuple[tuple[int, bool], ...], tuple[int, ...]] = {}
        for instance in self.ids:
            line = tuple((frame, given[instance]) for frame, given in self.present.items() if instance in given)
            found[line] = (*found.get(line, ()), instance)
        return found

    def bracket(self, instance: int, index: int) -> tuple[int | None, int | None]:
        """The seeds of an instance at or before a frame, and after it."""
        line = [frame for frame, given in self.present.items() if instance in given]
        place = bisect_right(line, index)
        return line[place - 1] if place else None, line[place] if place < len(line) else None


def parts(span: range, seeds: Seeds) -> Iterator[Part]:
    """Divide the frames of a span that is not empty at the frames on which everybody has a seed.

    A part's results follow from its own seeds and the frames between them. The frames on which everybody has a seed
    begin a part.
    """
    ids = tuple(sorted({instance for given in seeds.values() for instance in given}))
    prompted = sorted(seeds)
    common = [frame for frame in prompted if len(seeds[frame]) == len(ids)]
    starts = [min(span[0], *prompted), *common] if prompted else [span[0]]
    for place, start in enumerate(starts):
        stop = starts[place + 1] if place + 1 < len(starts) else max(span.stop, prompted[-1] + 1 if prompted else 0)
        wanted = range(max(start, span.start), min(stop, span.stop))
        if wanted:
            own = prompted[bisect_left(prompted, start) : bisect_right(prompted, stop)]
            present = {frame: {i: bool(seeds[frame][i].any()) for i in seeds[frame]} for frame in own}
            yield Part(ids, wanted, {t: Some(tuple(seeds[t]), lambda t=t: seeds[t]) for t in own}, present)  # type: ignore[misc]
