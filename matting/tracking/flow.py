"""A tracker that needs no weights: optical flow from the prompted frames, corrected by the colours found there."""

from __future__ import annotations

from collections.abc import Iterator

from matting.arrays import FloatArray
from matting.frames import FrameSource
from matting.job import JobContext
from matting.tracking.blend import as_opacity, blend, certainty, exclusive
from matting.tracking.motion import Look, Measure, look_at
from matting.tracking.plan import Plan, plan
from matting.tracking.seeds import Seeds
from matting.tracking.spill import Spill, Step
from matting.tracking.sweep import Sweep
from matting.tracking.tracker import FrameMasks


class FlowTracker:
    """Masks carried forward from each prompted frame and backward from the next one, and blended.

    Instances seeded on one frame set out from it together; passes that come from different prompted frames know nothing
    of each other, and only where two claim a pixel of one frame are they compared. So what is found of an instance
    follows from the prompted frames that enclose it, whoever is seeded there, and the frames between them.
    """

    name = "flow/4"
    joint = False

    def track(self, clip: FrameSource, span: range, seeds: Seeds, ctx: JobContext) -> Iterator[FrameMasks]:
        """See :class:`matting.tracking.tracker.Tracker`.

        Raises:
            Cancelled: somebody asked to stop.
            OutputError: the disk for temporary files is full.
        """
        if not span:
            return
        with Spill() as spill:
            for masks in _Run(clip, plan(span, seeds), spill, ctx).forward():
                if masks.index in span:
                    yield masks


class _Run:
    """One call of the tracker."""

    def __init__(self, clip: FrameSource, plan: Plan, spill: Spill, ctx: JobContext) -> None:
        self._clip, self._plan, self._spill, self._ctx = clip, plan, spill, ctx
        self._measure = Measure()
        self._done = 0

    def forward(self) -> Iterator[FrameMasks]:
        """Go through all frames; at each turn the frames since the last one are finished, in descending order."""
        sweep = Sweep(self._measure)
        before: Look | None = None
        frames, turns = self._plan.frames, set(self._plan.turns)
        unfinished, last_turn = frames.start, max(turns, default=-1)
        for index, picture in self._clip.frames(frames.start, frames.stop):
            self._tick(index)
            look = look_at(picture)
            motion = None if before is None else self._measure.between(before, look)
            sweep.advance(look, motion, self._plan.seeds.get(index, {}))
            seen = sweep.sightings(self._plan.ids, look)
            before = look
            if index > last_turn:
                yield self._finished(index, as_opacity(seen.states))
                continue
            self._spill.lay_down(Step(index, look, motion, seen))
            if index in turns:
                yield from self._backward(range(index, unfinished - 1, -1))
                unfinished = index + 1

    def _backward(self, indices: range) -> Iterator[FrameMasks]:
        sweep = Sweep(self._measure)
        later: Step | None = None
        for index in indices:
            self._tick(index)
            step = self._spill.take_up()
            motion = None if later is None or later.motion is None else later.motion.reversed
            sweep.advance(step.look, motion, self._plan.seeds.get(index, {}))
            seen = sweep.sightings(self._plan.ids, step.look)
            yield self._finished(index, blend(self._plan, index, step.forward, seen))
            later = step

    def _tick(self, index: int) -> None:
        self._ctx.report(self._done / self._plan.steps, f"Tracking frame {index}")
        self._done += 1

    def _finished(self, index: int, states: FloatArray) -> FrameMasks:
        ids = self._plan.ids
        given = self._plan.seeds.get(index, {})
        seeds = {number: given[instance] for number, instance in enumerate(ids) if instance in given}
        sure = certainty(states, [self._expected(instance, index) for instance in ids])
        sure[list(seeds)] = 1
        return FrameMasks(index, ids, exclusive(states, seeds, self._clip.size_hw), sure)

    def _expected(self, instance: int, index: int) -> bool:
        ends = self._plan.bracket(instance, index)
        return any(self._plan.seeds[end][instance].any() for end in ends if end is not None)
