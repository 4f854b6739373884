"""The learned tracker, Cutie; importing this module does not import PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.fingerprint import file_fingerprint
from matting.frames import FrameSource, to_8_bit
from matting.job import JobContext
from matting.tracking.blend import certainty
from matting.tracking.cutie_parts import Part, parts
from matting.tracking.motion import resized
from matting.tracking.seeds import Seeds
from matting.tracking.stack import packed, packed_picture, unpacked, unpacked_picture
from matting.tracking.tracker import FrameMasks, nobody
from matting.tracking.trail import Trail
from matting.tracking.waypoint import State

if TYPE_CHECKING:  # slow to import, and not part of every installation
    import torch

    from matting.tracking.cutie_follower import Eye, Follower, Keepsake

SHORT_SIDE = 480
"""Pixels of the pictures' shorter side that the network works on, at most; as its authors work."""
MOST_KEEPSAKES = 16
"""Prompted frames that are remembered for good, at most; where there are more, so many of them, evenly chosen."""
_FADE = 8.0
"""How late an instance gives way to a seed that says it is gone: absence counts by this power of the nearness."""


def is_available() -> bool:
    """Whether the package that holds the network is installed (the extra ``cutie``)."""
    return (
        find_spec("cutie") is not None and find_spec("cutie.model") is not None and find_spec("omegaconf") is not None
    )


def cutie_name(fingerprint: str) -> str:
    """The name of the tracker: method, our version of it, the weights and the size it works at."""
    return f"cutie/1:{fingerprint[:16]}:{SHORT_SIDE}"


class CutieTracker:
    """Masks carried forward and backward by a network with a memory, all instances together, and blended.

    What was given on the prompted frames is remembered for good, in both directions; beside it what was seen lately and
    a condensed memory of bounded size. Instances compete for pixels on every frame, so what is found of one depends on
    the seeds of all. Frames on which all have a seed part the work: nothing beyond them counts.
    """

    joint = True

    def __init__(self, weights: Path, device: torch.device | None = None) -> None:
        """Read the weights when they are first needed.

        Args:
            weights: a file in the layout of the public ``cutie-base-mega.pth``.
            device: where the network runs; the CPU by default.
        """
        self._weights, self._device = weights, device
        self.name = cutie_name(file_fingerprint(weights))

    @cached_property
    def _eye(self) -> Eye:
        import torch

        from matting.tracking.cutie_follower import Eye
        from matting.tracking.cutie_network import load

        return Eye(load(self._weights), self._device or torch.device("cpu"))

    def track(
        self, clip: FrameSource, span: range, seeds: Seeds, ctx: JobContext, trail: Trail | None = None
    ) -> Iterator[FrameMasks]:
        """See :class:`matting.tracking.tracker.Tracker`.

        Raises:
            Cancelled: somebody asked to stop.
            OutputError: the disk for the trail, or for temporary files, is full.
            CheckpointError: the weights cannot be read, or are another network's.
            DeviceError: there is too little memory.
        """
        if not any(seeds.values()) or not span:
            yield from nobody(span, clip.size_hw)
            return
        import torch

        from matting.tracking.cutie_follower import enough_memory

        device = self._device or torch.device("cpu")
        with Trail() if trail is None else nullcontext(trail) as trail, enough_memory(device):
            left = trail.recall(f"{self.name} on {device}")
            yield from trail.found()
            runs = [_Run(clip, part, number, trail) for number, part in enumerate(parts(span, seeds))]
            for masks in self._tracked(runs, ctx, trail, left):
                trail.note(masks)
                yield masks

    def _tracked(self, runs: list[_Run], ctx: JobContext, trail: Trail, left: State | None) -> Iterator[FrameMasks]:
        total, begun = sum(run.steps for run in runs), 0
        for number, run in enumerate(runs):
            if left is None or left["part"] <= number:
                with ctx.stage(begun / total, (begun + run.steps) / total):
                    yield from run.tracked(self, ctx, left if left and left["part"] == number else None)
                trail.passed(lambda number=number: {"part": number + 1})  # type: ignore[misc]
            begun += run.steps


class _Run:
    """One part of one call of the tracker."""

    def __init__(self, clip: FrameSource, part: Part, number: int, trail: Trail) -> None:
        self._clip, self._part, self._number, self._trail = clip, part, number, trail
        self._groups = list(part.groups.values())
        prompted = list(part.present)
        between = [t for t in part.wanted if len(part.present.get(t, ())) < len(part.ids)]
        """Frames on which somebody has to be looked for."""
        self._sought = range(between[0], between[-1] + 1) if between else range(0)
        self._first_seed, self._last_seed = prompted[0], prompted[-1]
        self._frames = range(0)
        if between:
            self._frames = range(min(self._first_seed, between[0]), max(self._last_seed, between[-1]) + 1)
        self._turns_back = bool(between) and self._last_seed > between[0]
        self._keepsakes = _spread([t for t, given in part.present.items() if any(given.values())]) if between else []
        self._done = 0

    @property
    def steps(self) -> int:
        """Pictures to be looked at, forward and backward, and frames that only come back as they were given."""
        back = self._last_seed + 1 - self._sought.start if self._turns_back else 0
        return len(self._keepsakes) + len(self._frames) + back + len(self._part.wanted) - len(self._sought)

    def tracked(self, tracker: CutieTracker, ctx: JobContext, left: State | None) -> Iterator[FrameMasks]:
        """Find everybody on the wanted frames.

        Args:
            left: the state at a waypoint in this part, to go on from there.
        """
        if left is None or "follower" not in left:
            left = None
            self._trail.turned(lambda: {"part": self._number})
            for index in self._part.wanted:
                if index not in self._sought:
                    self._tick(ctx, index)
                    yield self._finished(index, np.zeros((len(self._part.ids), 1, 1), np.float32))
        if self._frames:
            yield from self._forward(tracker._eye, ctx, left)

    def _forward(self, eye: Eye, ctx: JobContext, left: State | None) -> Iterator[FrameMasks]:
        from matting.tracking.cutie_follower import Follower

        kept: dict[int, Keepsake] = {}
        next_index = self._frames.start
        if left is None:
            kept = self._kept(eye, ctx)
            follower = Follower(eye, self._groups, kept)
        else:
            follower = Follower.from_state(eye, self._groups, left["follower"])
            next_index, self._done = left["next"], left["done"]

        def state() -> State:
            return {"part": self._number, "follower": follower.state(), "next": next_index, "done": self._done}

        def turn(back: State | None) -> Iterator[FrameMasks]:
            if back is None:
                backward = Follower(eye, self._groups, kept or self._kept(eye, ctx))
                return self._backward(eye, backward, 0, state(), ctx)
            backward = Follower.from_state(eye, self._groups, back["follower"])
            return self._backward(eye, backward, back["gone"], state(), ctx)

        if left is not None and "back" in left:
            yield from turn(left["back"])
        for index, picture in self._clip.frames(next_index, self._frames.stop):
            self._tick(ctx, index)
            small = _small(to_8_bit(picture))
            states = np.zeros((len(self._part.ids), *small.shape[:2]), np.uint8)
            if self._first_seed <= index <= self._sought[-1]:
                self._step(eye, follower, index, small, states)
            next_index = index + 1
            if self._turns_back and index <= self._last_seed:
                self._trail.spill.lay_down(packed_picture(small), *packed(states))
                if index == self._last_seed:
                    yield from turn(None)
            elif index in self._sought:
                yield self._finished(index, self._blended(index, states, states))
            self._trail.passed(state)

    def _backward(
        self, eye: Eye, follower: Follower, gone: int, forward: State, ctx: JobContext
    ) -> Iterator[FrameMasks]:
        """Go back through the frames before the last seed.

        Args:
            eye: the network.
            follower: of this pass.
            gone: so many frames are behind it already.
            forward: the state of the forward pass meanwhile.
            ctx: as for the tracker.
        """

        def state() -> State:
            return {**forward, "done": self._done, "back": {"follower": follower.state(), "gone": gone}}

        indices = range(self._last_seed, self._sought.start - 1, -1)
        for index in indices[gone:]:
            self._tick(ctx, index)
            picture, *packed_states = self._trail.spill.take_up()
            small = unpacked_picture(picture)
            states = np.zeros((len(self._part.ids), *small.shape[:2]), np.uint8)
            self._step(eye, follower, index, small, states)
            if index in self._sought:
                yield self._finished(index, self._blended(index, unpacked(*packed_states), states))
            gone += 1
            self._trail.passed(state)

    def _kept(self, eye: Eye, ctx: JobContext) -> dict[int, Keepsake]:
        """What is remembered for good."""
        kept = {}
        for frame in self._keepsakes:
            self._tick(ctx, frame)
            small = _small(to_8_bit(self._clip.frame(frame)))
            given = self._given(eye, frame, small.shape[:2])
            masks = {instance: mask for instance, mask in given.items() if mask is not None}
            kept[frame] = eye.keepsake(eye.look_at(small), masks)
        return kept

    def _step(
        self, eye: Eye, follower: Follower, index: int, small: NDArray[np.uint8], states: NDArray[np.uint8]
    ) -> None:
        given = self._given(eye, index, small.shape[:2]) if index in self._part.present else {}
        for instance, state in follower.step(index, eye.look_at(small), given).items():
            states[self._part.ids.index(instance)] = state

    def _given(self, eye: Eye, frame: int, size_hw: tuple[int, ...]) -> Mapping[int, torch.Tensor | None]:
        height, width = size_hw
        return {
            i: eye.mask(resized(self._part.seeds[frame][i].astype(np.float32), (height, width))) if there else None
            for i, there in self._part.present[frame].items()
        }

    def _tick(self, ctx: JobContext, index: int) -> None:
        ctx.report(self._done / self.steps, f"Tracking frame {index}")
        self._done += 1

    def _blended(self, index: int, forward: NDArray[np.uint8], backward: NDArray[np.uint8]) -> FloatArray:
        """Weigh both passes by how near their seeds are; who is given as absent ahead fades late."""
        states = np.zeros(forward.shape, np.float32)
        for number, instance in enumerate(self._part.ids):
            earlier, later = self._part.bracket(instance, index)
            if earlier is None or later is None:
                states[number] = (backward if earlier is None else forward)[number]
                continue
            nearness = (later - index) / (later - earlier)
            shares = []
            for end, near in ((earlier, nearness), (later, 1 - nearness)):
                shares.append(near if self._part.present[end][instance] else near**_FADE)
            states[number] = (shares[0] * forward[number] + shares[1] * backward[number]) / sum(shares)
        return states / np.float32(255)

    def _finished(self, index: int, states: FloatArray) -> FrameMasks:
        ids, given = self._part.ids, self._part.seeds.get(index, {})
        seeds = {number: given[instance] for number, instance in enumerate(ids) if instance in given}
        expected = [
            any(end is not None and self._part.present[end][i] for end in self._part.bracket(i, index)) for i in ids
        ]
        sure = certainty(states, expected)
        sure[list(seeds)] = 1
        return FrameMasks(index, ids, _shared_out(states, seeds, self._clip.size_hw), sure)


def _shared_out(states: FloatArray, seeds: Mapping[int, Mask], size_hw: tuple[int, int]) -> Mask:
    """``[N, H, W]``: each pixel to the instance that has most of it, if the background has less.

    Args:
        states: ``[N, h, w]`` in [0, 1].
        seeds: place among the N → mask ``[H, W]`` that comes back as it is.
        size_hw: H and W.
    """
    background = np.ones(size_hw, np.float32)
    best, owner = np.zeros(size_hw, np.float32), np.full(size_hw, -1, np.int32)
    for number, state in enumerate(states):
        claim = seeds[number] * np.float32(2) if number in seeds else resized(state, size_hw)
        background -= claim
        better = claim > best
        best[better], owner[better] = claim[better], number
    owner[best <= background] = -1
    return np.asarray(owner == np.arange(len(states)).reshape(-1, 1, 1))


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    shrink = min(1.0, SHORT_SIDE / min(height, width))
    return resized(picture, (max(1, round(height * shrink)), max(1, round(width * shrink))))


def _spread(frames: list[int]) -> list[int]:
    """At most :data:`MOST_KEEPSAKES` of the frames, the first and the last among them."""
    if len(frames) <= MOST_KEEPSAKES:
        return frames
    return [frames[round(place)] for place in np.linspace(0, len(frames) - 1, MOST_KEEPSAKES)]
