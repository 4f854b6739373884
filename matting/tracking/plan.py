"""Which frames tracking has to look at, and where time turns round."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from matting.tracking.seeds import Seeds


@dataclass(frozen=True)
class Plan:
    """What follows from the seeds and the frames wanted.

    Attributes:
        ids: all instances, ascending.
        frames: from the first to the last frame that matters for the span.
        seeds: on the prompted frames that bound somebody's track on the span, everybody's.
        timelines: instance id → its prompted frames among ``seeds``, ascending.
        turns: prompted frames, ascending, that no backward pass crosses: once a forward pass has reached one of them,
            all before it can be finished.
    """

    ids: tuple[int, ...]
    frames: range
    seeds: Seeds
    timelines: Mapping[int, tuple[int, ...]]
    turns: tuple[int, ...]

    @property
    def steps(self) -> int:
        """Frames to be gone through, forward and backward."""
        turned = self.turns[-1] + 1 - self.frames.start if self.turns else 0
        return len(self.frames) + turned

    def bracket(self, instance: int, index: int) -> tuple[int | None, int | None]:
        """The prompted frames of an instance before and after a frame that is none of them."""
        line = self.timelines[instance]
        return max((t for t in line if t < index), default=None), min((t for t in line if t > index), default=None)


def plan(span: range, seeds: Seeds) -> Plan:
    """Lay out the work for a span that is not empty."""
    ids = tuple(sorted({instance for given in seeds.values() for instance in given}))
    timelines = {instance: _bounding(sorted(t for t in seeds if instance in seeds[t]), span) for instance in ids}
    prompted = sorted({t for line in timelines.values() for t in line})
    bounding = {t: seeds[t] for t in prompted}
    turns = tuple(t for t in prompted if all(t in line or t > line[-1] for line in timelines.values()))
    ends = [*prompted, span[0], span[-1]]
    return Plan(ids, range(min(ends), max(ends) + 1), bounding, timelines, turns)


def _bounding(prompted: list[int], span: range) -> tuple[int, ...]:
    """The prompted frames in the span, and the nearest beyond either end that is not itself prompted."""
    start = max((t for t in prompted if t <= span[0]), default=span[0])
    stop = min((t for t in prompted if t >= span[-1]), default=span[-1])
    return tuple(t for t in prompted if start <= t <= stop)
