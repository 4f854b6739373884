"""The instances of one prompted frame on their way from it, in one direction of time."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.tracking.appearance import LocalColours
from matting.tracking.body import Body
from matting.tracking.camera import own_motion
from matting.tracking.classifier import Classifier, Samples, generator
from matting.tracking.motion import Anchor, Look, Measure, Motion, displaced_grid, resized, sampled
from matting.tracking.waypoint import State

_REACH = 0.0625
"""How far from where motion puts it an instance may be; here and below as a share of the picture's longer side."""
_NEAR_SEED, _NEAR = 0.0625, 0.125
"""How far round the instances the background is looked at twice as hard, on the prompted frame and on others."""
_CLASSIFIED, _CARRIED, _ANCHORED, _COLOURED = 0.6, 0.4, 0.6, 0.5
"""What counts how much: the classifier, the frame before, the prompted frame found again, and its colours by place."""
_CLASSIFIED_LIMIT, _COLOURED_LIMIT, _LIMIT = 3.0, 2.0, 8.0
"""The most that these, and all together, can say against a pixel."""
_DOUBT = 0.02
"""Added to shares before their logarithm is taken."""
_SMOOTH, _SMOOTH_EDGE = 0.0032, 0.02
"""How far verdicts are smoothed, and the contrast of lightness, of 1, that stops it."""
_SURE_OF_SEED, _SURE = 0.7, 0.9
"""The share from which on a pixel is learnt from."""
_SEED_SAMPLES, _SAMPLES = 6000, 600
"""Pixels of each label that are learnt from on the prompted frame and on every other one."""
_REMEMBERED_FRAMES = 8
_SEED_STEPS, _STEPS = 80, 6

_Box: TypeAlias = tuple[slice, slice]


class Leg:
    """Instances carried together, so that each takes from the others what is theirs.

    On every frame five things are weighed, pixel by pixel: what motion carries over from the frame before; the seeds
    where the prompted frame is found again; the colours that the prompted frame has at that place; and what a
    classifier says, which looks at the pixel's surroundings and at whether it moves by itself. Then the verdicts
    are smoothed up to the edges in the picture. The classifier goes on learning from the pixels that were clear, half
    of every lesson being the prompted frame, so that it cannot forget that.

    Source:
        smoothing: the guided filter of He et al., "Guided image filtering" (ECCV 2010), equation 8.
    """

    def __init__(self, seeds: Mapping[int, Mask], look: Look, measure: Measure) -> None:
        """Set out.

        Args:
            seeds: instance id → ``[H, W]``, at least one and none empty; the size is any.
            look: the frame that they belong to.
            measure: of motion.
        """
        self.ids = tuple(sorted(seeds))
        self._anchor = Anchor(look, measure)
        masks = np.stack([resized(seeds[i].astype(np.float32), look.size_hw) for i in self.ids])
        masks /= np.maximum(masks.sum(axis=0), 1)
        self._seeds = np.concatenate([1 - masks.sum(axis=0, keepdims=True), masks])
        self._bodies = [Body(np.asarray(mask > 0.5)) for mask in self._seeds[1:]]
        self._shares = self._seeds
        self._start: Look | None = look
        self._random = np.random.default_rng(0)
        self._learnt: deque[Samples] = deque(maxlen=_REMEMBERED_FRAMES)

    def state(self) -> State:
        """All that it goes on from; to be written before it goes on, which changes some of it in place."""
        state: State = {
            "ids": self.ids,
            "anchor": self._anchor.state(),
            "seeds": self._seeds,
            "bodies": [body.state() for body in self._bodies],
            "shares": self._shares,
            "random": self._random.bit_generator.state,
            "learnt": [samples.state() for samples in self._learnt],
        }
        if self._start is None:
            state |= {"classifier": self._classifier.state(), "lesson": self._lesson.state()}
        return state

    @classmethod
    def from_state(cls, state: State, measure: Measure) -> Leg:
        """The same again."""
        leg = cls.__new__(cls)
        leg.ids = tuple(state["ids"])
        leg._anchor = Anchor.from_state(state["anchor"], measure)
        leg._seeds, leg._shares = state["seeds"], state["shares"]
        leg._bodies = [Body.from_state(body) for body in state["bodies"]]
        leg._random = generator(state["random"])
        leg._learnt = deque(map(Samples.from_state, state["learnt"]), maxlen=_REMEMBERED_FRAMES)
        leg._start = leg._anchor.look
        if "lesson" in state:
            leg._start = None
            leg._colours = leg._counted(leg._anchor.look)
            leg._classifier = Classifier.from_state(state["classifier"])
            leg._lesson = Samples.from_state(state["lesson"])
        return leg

    def share(self, instance: int) -> FloatArray:
        """``[h, w]`` in [0, 1]: where an instance is on the present frame."""
        return np.asarray(self._shares[self.ids.index(instance) + 1])

    @property
    def trust(self) -> FloatArray:
        """``[h, w]`` in [0, 1], motion size: how surely each pixel is found on the prompted frame."""
        return self._anchor.trust

    @property
    def lost(self) -> bool:
        """Whether nothing is left of any of them."""
        return not (self._shares[1:] > 0.5).any()

    def advance(self, look: Look, motion: Motion) -> None:
        """Go on to the next frame.

        Args:
            look: that frame.
            motion: between the present frame, its earlier one, and the next, its later one.
        """
        if self._start is not None:
            self._learn_seed(self._start, motion.reversed)
            self._start = None
        self._anchor.advance(look, motion)
        before = displaced_grid(motion.origin, look.size_hw)
        carried = np.stack([sampled(np.ascontiguousarray(share), before) for share in self._shares])
        self._shares = np.zeros_like(carried)
        self._shares[0] = 1
        box = _box(np.asarray(carried[1:].max(axis=0) > 0.5), round(_REACH * max(look.size_hw)))
        if box is None:
            return
        everyone = slice(None), *box
        described = _described(look, motion, carried[0], box)
        evidence = self._evidence(look, motion, np.ascontiguousarray(carried[everyone]), described, box)
        shares = np.exp(_smoothed(evidence, look.lab[box], max(1, round(_SMOOTH * max(look.size_hw)))))
        shares /= shares.sum(axis=0)
        stray = [body.strays(share) for body, share in zip(self._bodies, shares[1:], strict=True)]
        # Nothing is learnt from what was taken off: it may be somebody who looks just like them.
        self._learn(described, np.where(np.any(stray, axis=0), np.float32(0.5), shares), look)
        for share, off in zip(shares[1:], stray, strict=True):
            shares[0][off] += share[off]
            share[off] = 0
        self._shares[everyone] = shares

    def _evidence(
        self, look: Look, motion: Motion, carried: FloatArray, described: FloatArray, box: _Box
    ) -> FloatArray:
        """``[K + 1, h, w]`` within the box: logarithm of how likely each label is beside the likeliest, at most 0."""
        grid = np.ascontiguousarray(displaced_grid(self._anchor.origin, look.size_hw)[box])
        trust, neighbour_trust = (resized(t, look.size_hw)[box] for t in (self._anchor.trust, motion.trust))
        found = np.stack([sampled(np.ascontiguousarray(seed), grid) for seed in self._seeds])
        classified = self._classifier.log_odds(described.reshape(-1, described.shape[-1])).T.reshape(carried.shape)
        evidence = (
            _CLASSIFIED * np.maximum(classified, -_CLASSIFIED_LIMIT)
            + _CARRIED * neighbour_trust * np.log(carried + np.float32(_DOUBT))
            + _ANCHORED * trust * np.log(found + np.float32(_DOUBT))
        )
        for number, colours in enumerate(self._colours, start=1):
            spoken = np.clip(colours.evidence(grid, look.colours[box]), -_COLOURED_LIMIT, _COLOURED_LIMIT)
            within = _near(carried[number] > 0.5, round(_REACH * max(look.size_hw)))
            evidence[number] = np.where(within, evidence[number] + _COLOURED * spoken, -np.inf)
        return np.asarray(np.maximum(evidence - evidence.max(axis=0), -np.float32(_LIMIT)), np.float32)

    def _learn_seed(self, look: Look, motion: Motion) -> None:
        self._colours = self._counted(look)
        box = slice(None), slice(None)
        described = _described(look, motion, self._seeds[0], box)
        self._classifier = Classifier(described.shape[-1], len(self._seeds))
        near = _near(self._seeds[0] < 0.5, round(_NEAR_SEED * max(look.size_hw)))
        self._lesson = self._drawn(described, self._seeds, near, _SURE_OF_SEED, _SEED_SAMPLES)
        self._classifier.learn([self._lesson], _SEED_STEPS)

    def _counted(self, look: Look) -> list[LocalColours]:
        return [LocalColours(look.colours, mask, (0, 0)) for mask in self._seeds[1:]]

    def _learn(self, described: FloatArray, shares: FloatArray, look: Look) -> None:
        near = _near(shares[0] < 0.5, round(_NEAR * max(look.size_hw)))
        self._learnt.append(self._drawn(described, shares, near, _SURE, _SAMPLES))
        seen = Samples.joined(self._learnt)
        self._classifier.learn([self._lesson, seen] if seen.labels.size else [self._lesson], _STEPS)

    def _drawn(self, described: FloatArray, shares: FloatArray, near: Mask, sure: float, count: int) -> Samples:
        """As many pixels of each label, and once more of the background near the instances, as far as they are sure."""
        labels = np.where(shares.max(axis=0) > sure, shares.argmax(axis=0), -1)
        groups = [labels == label for label in range(len(shares))] + [(labels == 0) & near]
        places = [np.flatnonzero(group) for group in groups]
        drawn = np.concatenate([p[self._random.integers(0, p.size, count)] for p in places if p.size] or [places[0]])
        return Samples(described.reshape(-1, described.shape[-1])[drawn], labels.ravel()[drawn])


def _described(look: Look, motion: Motion, background: FloatArray, box: _Box) -> FloatArray:
    """``[h, w, D]`` within the box: how pixels look and how they move by themselves."""
    speed = np.log1p(2 * own_motion(motion, background))
    speeds = [resized(s, look.size_hw)[box] for s in (speed, cv2.GaussianBlur(speed, (0, 0), 3))]
    return np.dstack([look.described[box], *speeds])


def _smoothed(evidence: FloatArray, lab: NDArray[np.uint8], reach_px: int) -> FloatArray:
    def averaged(values: NDArray[Any]) -> FloatArray:
        return np.asarray(cv2.blur(values, (2 * reach_px + 1,) * 2), np.float32)

    guide = lab[..., 0].astype(np.float32) / np.float32(255)
    mean = averaged(guide)
    variance = averaged(guide * guide) - mean * mean + np.float32(_SMOOTH_EDGE**2)
    smoothed = np.empty_like(evidence)
    for place, values in enumerate(evidence):
        average = averaged(values)
        slope = (averaged(guide * values) - mean * average) / variance
        smoothed[place] = averaged(slope) * guide + averaged(average - slope * mean)
    return np.asarray(smoothed - smoothed.max(axis=0), np.float32)


def _near(selection: Mask, reach_px: int) -> Mask:
    """Everything within a square's reach of a selection."""
    return np.asarray(cv2.dilate(selection.astype(np.uint8), np.ones((2 * reach_px + 1,) * 2, np.uint8)), np.bool_)


def _box(selection: Mask, reach_px: int) -> _Box | None:
    """The box round a selection, wider by ``reach_px``; None where nothing is selected."""
    rows, columns = (np.flatnonzero(selection.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    top, left = (max(int(taken[0]) - reach_px, 0) for taken in (rows, columns))
    return slice(top, int(rows[-1]) + reach_px + 1), slice(left, int(columns[-1]) + reach_px + 1)
