"""Carrying instances from frame to frame in one direction of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.tracking.leg import Leg
from matting.tracking.motion import Look, Measure, Motion, half_size, resized
from matting.tracking.waypoint import State


@dataclass(frozen=True)
class Sightings:
    """Where one pass sees each instance on a frame.

    Attributes:
        states: ``[N, h, w]`` uint8, working size; 255 is certain. All 0 before an instance's first seed, after an
            empty one, and once it is lost.
        trusts: ``[N, k, l]`` uint8, half the motion size; how surely each pixel is found on the prompted frame.
    """

    states: NDArray[np.uint8]
    trusts: NDArray[np.uint8]


class Sweep:
    """The instances of one frame, moved on frame by frame; each depends on its own last prompted frame alone.

    Everybody seeded on a frame sets out from it together. Who is seeded again sets out anew and is seen from there, but
    goes along as a rival with those who are not.
    """

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._legs: dict[int, Leg] = {}

    def state(self) -> State:
        """All that it goes on from; to be written before it goes on, which changes some of it in place."""
        legs = list(set(self._legs.values()))
        members = [[instance for instance, own in self._legs.items() if own is leg] for leg in legs]
        return {"legs": [leg.state() for leg in legs], "members": members}

    @classmethod
    def from_state(cls, state: State, measure: Measure) -> Sweep:
        """The same again."""
        sweep = cls(measure)
        for leg, members in zip(state["legs"], state["members"], strict=True):
            sweep._legs |= dict.fromkeys(members, Leg.from_state(leg, measure))
        return sweep

    def advance(self, look: Look, motion: Motion | None, seeds: Mapping[int, Mask]) -> None:
        """Go on to the next frame.

        Args:
            look: that frame.
            motion: between the present frame, its earlier one, and the next, its later one; None on the first frame.
            seeds: instance id → ``[H, W]`` of any size, which replace what was carried there.
        """
        self._legs = {instance: leg for instance, leg in self._legs.items() if instance not in seeds}
        if motion is not None:
            for leg in set(self._legs.values()):
                leg.advance(look, motion)
        lost = {leg for leg in set(self._legs.values()) if leg.lost}
        self._legs = {instance: leg for instance, leg in self._legs.items() if leg not in lost}
        there = {instance: mask for instance, mask in seeds.items() if mask.any()}
        if there:
            self._legs |= dict.fromkeys(there, Leg(there, look, self._measure))

    def sightings(self, instances: Sequence[int], look: Look) -> Sightings:
        """What is seen of some instances on the present frame, in their order."""
        states = np.zeros((len(instances), *look.size_hw), np.uint8)
        trusts = np.zeros((len(instances), *half_size(look)), np.uint8)
        for number, instance in enumerate(instances):
            leg = self._legs.get(instance)
            if leg is not None:
                states[number] = np.rint(leg.share(instance) * 255)
                trusts[number] = np.rint(resized(leg.trust, half_size(look)) * 255)
        return Sightings(states, trusts)


def odds(opacity: FloatArray) -> FloatArray:
    """Logarithm of the odds of an opacity in [0, 1]; within ±4, so that no certainty is beyond revision."""
    return np.asarray(np.log((opacity + 0.02) / (1.02 - opacity)), np.float32)


def opacity(odds: FloatArray) -> FloatArray:
    """The opacity in [0, 1] that has these odds."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)
