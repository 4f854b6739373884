"""A tracker that needs no weights: optical flow from the prompted frames, corrected by the colours found there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext

from matting.arrays import FloatArray
from matting.frames import FrameSource
from matting.job import JobContext
from matting.tracking.blend import as_opacity, blend, certainty, exclusive
from matting.tracking.motion import Look, Measure, Motion, look_at
from matting.tracking.plan import Plan, plan
from matting.tracking.seeds import Seeds
from matting.tracking.spill import Spill, Step
from matting.tracking.sweep import Sweep
from matting.tracking.tracker import FrameMasks
from matting.tracking.trail import Trail
from matting.tracking.waypoint import State


class FlowTracker:
    """Masks carried forward from each prompted frame and backward from the next one, and blended.

    Instances seeded on one frame set out from it together; passes that come from different prompted frames know nothing
    of each other, and only where two claim a pixel of one frame are they compared. So what is found of an instance
    follows from the prompted frames that enclose it, whoever is seeded there, and the frames between them.
    """

    name = "flow/4"
    joint = False

    def track(
        self, clip: FrameSource, span: range, seeds: Seeds, ctx: JobContext, trail: Trail | None = None
    ) -> Iterator[FrameMasks]:
        """See :class:`matting.tracking.tracker.Tracker`.

        Raises:
            Cancelled: somebody asked to stop.
            OutputError: the disk for the trail, or for temporary files, is full.
        """
        if not span:
            return
        with Trail() if trail is None else nullcontext(trail) as trail:
            state = trail.recall(self.name)
            yield from trail.found()
            for masks in _Run(clip, plan(span, seeds), trail, ctx).forward(state):
                if masks.index in span:
                    trail.note(masks)
                    yield masks


class _Run:
    """One call of the tracker."""

    def __init__(self, clip: FrameSource, plan: Plan, trail: Trail, ctx: JobContext) -> None:
        self._clip, self._plan, self._trail, self._ctx = clip, plan, trail, ctx
        self._spill = Spill(trail.spill)
        self._measure = Measure()
        self._done = 0

    def forward(self, left: State | None) -> Iterator[FrameMasks]:
        """Go through all frames; at each turn the frames since the last one are finished, in descending order.

        Args:
            left: the state at a waypoint, to go on from there.
        """
        frames, turns = self._plan.frames, set(self._plan.turns)
        last_turn = max(turns, default=-1)
        sweep = Sweep(self._measure)
        before: Look | None = None
        unfinished = next_index = frames.start

        def state() -> State:
            assert before is not None
            return {
                "sweep": sweep.state(), "before": before.rgb, "unfinished": unfinished, "next": next_index,
                "done": self._done,
            }  # fmt: skip

        def turn(back: State | None) -> Iterator[FrameMasks]:
            nonlocal unfinished
            yield from self._backward(range(next_index - 1, unfinished - 1, -1), state(), back)
            unfinished = next_index
            self._trail.turned(state)

        if left is not None:
            sweep, before = Sweep.from_state(left["sweep"], self._measure), Look(left["before"])
            unfinished, next_index, self._done = left["unfinished"], left["next"], left["done"]
            if "back" in left:
                yield from turn(left["back"])
        for index, picture in self._clip.frames(next_index, frames.stop):
            self._tick(index)
            look = look_at(picture)
            motion = None if before is None else self._measure.between(before, look)
            sweep.advance(look, motion, self._plan.seeds.get(index, {}))
            seen = sweep.sightings(self._plan.ids, look)
            before, next_index = look, index + 1
            if index > last_turn:
                yield self._finished(index, as_opacity(seen.states))
            else:
                self._spill.lay_down(Step(index, look, motion, seen))
            if index in turns:
                yield from turn(None)
            self._trail.passed(state)

    def _backward(self, indices: range, forward: State, left: State | None) -> Iterator[FrameMasks]:
        """Go back through the frames of a turn.

        Args:
            indices: all of them.
            forward: the state of the forward pass meanwhile.
            left: that of this one at a waypoint, to go on from there.
        """
        sweep, gone = Sweep(self._measure), 0
        to_later: Motion | None = None
        if left is not None:
            sweep, gone = Sweep.from_state(left["sweep"], self._measure), left["gone"]
            to_later = Motion.from_state(left["motion"])

        def state() -> State:
            assert to_later is not None
            back = {"sweep": sweep.state(), "motion": to_later.state(), "gone": gone}
            return {**forward, "done": self._done, "back": back}

        for index in indices[gone:]:
            self._tick(index)
            step = self._spill.take_up()
            sweep.advance(step.look, to_later and to_later.reversed, self._plan.seeds.get(index, {}))
            seen = sweep.sightings(self._plan.ids, step.look)
            yield self._finished(index, blend(self._plan, index, step.forward, seen))
            to_later, gone = step.motion, gone + 1
            if gone < len(indices):
                self._trail.passed(state)

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
