"""Carrying instances from frame to frame in one direction of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.tracking.appearance import LocalColours
from matting.tracking.motion import Anchor, Look, Measure, Motion, displaced_grid, half_size, resized, sampled

_SURROUNDINGS_PX = 60
"""How far from a mask its surroundings are learnt."""
_REACH_PX = 24
"""How far from where motion puts a mask a pixel may still join it."""
_CARRIED, _ANCHORED = 0.3, 0.7
"""What the mask of the frame before, and the seed itself found again, count beside the colours' evidence. Little for
the former: a pixel that nothing speaks for but habit should be given up in some frames.
"""
_COLOUR_LIMIT = 2.0
"""Most that colours can say for or against a pixel."""
_BENEFIT = 0.25
"""In favour of every pixel in reach: fast limbs, where motion and colours say least, would be lost otherwise."""


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


@dataclass(frozen=True)
class _Link:
    """Positions ``[h, w, 2]`` of each pixel on another frame, and the trust ``[h, w]`` in them, at working size."""

    grid: FloatArray
    trust: FloatArray


@dataclass
class _Leg:
    """An instance on its way from a seed.

    Attributes:
        seed: ``[h, w]`` in [0, 1], working size.
        anchor: finds the prompted frame again.
        colours: of the prompted frame.
        state: ``[h, w]`` in [0, 1], the instance on the present frame.
    """

    seed: FloatArray
    anchor: Anchor
    colours: LocalColours
    state: FloatArray

    def advance(self, look: Look, neighbour: _Link, anchored: _Link) -> None:
        """Weigh, pixel by pixel, what the frame before, the seed and the colours say."""
        carried = sampled(self.state, neighbour.grid, outside=0.0)
        self.state = np.zeros_like(self.state)
        around = _surroundings(carried > 0.5, _REACH_PX)
        if around is None:
            return
        found = sampled(self.seed, anchored.grid[around])
        colour = self.colours.evidence(anchored.grid[around], look.colours[around])
        total = (
            _CARRIED * neighbour.trust[around] * odds(carried[around])
            + _ANCHORED * anchored.trust[around] * odds(found)
            + np.clip(colour, -_COLOUR_LIMIT, _COLOUR_LIMIT)
            + _BENEFIT
        )
        square = np.ones((2 * _REACH_PX + 1,) * 2, np.uint8)
        self.state[around] = opacity(np.asarray(total, np.float32)) * cv2.dilate(
            (carried[around] > 0.5).astype(np.uint8), square
        )


class Sweep:
    """The instances of one frame, moved on frame by frame; each depends on its own last seed alone."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._legs: dict[int, _Leg] = {}

    def advance(self, look: Look, motion: Motion) -> None:
        """Go on to the next frame.

        Args:
            look: that frame.
            motion: between the present frame, its earlier one, and the next, its later one.
        """
        if not self._legs:
            return
        neighbour = _link(motion, look)
        anchored = {}
        for anchor in {leg.anchor for leg in self._legs.values()}:
            anchor.advance(look, motion)
            anchored[anchor] = _link(anchor, look)
        for leg in self._legs.values():
            leg.advance(look, neighbour, anchored[leg.anchor])
        self._legs = {instance: leg for instance, leg in self._legs.items() if leg.state.any()}

    def plant(self, seeds: Mapping[int, Mask], look: Look) -> None:
        """Let the seeds of the present frame, ``[H, W]`` of any size, replace what was carried there."""
        anchor = Anchor(look, self._measure)
        for instance, mask in seeds.items():
            self._legs.pop(instance, None)
            seed = resized(mask.astype(np.float32), look.size_hw)
            around = _surroundings(seed > 0, _SURROUNDINGS_PX)
            if around is not None:
                colours = LocalColours(look.colours[around], seed[around], (around[1].start, around[0].start))
                self._legs[instance] = _Leg(seed, anchor, colours, seed)

    def sightings(self, instances: Sequence[int], look: Look) -> Sightings:
        """What is seen of some instances on the present frame, in their order."""
        states = np.zeros((len(instances), *look.size_hw), np.uint8)
        trusts = np.zeros((len(instances), *half_size(look)), np.uint8)
        for number, instance in enumerate(instances):
            leg = self._legs.get(instance)
            if leg is not None:
                states[number] = np.rint(leg.state * 255)
                trusts[number] = np.rint(resized(leg.anchor.trust, half_size(look)) * 255)
        return Sightings(states, trusts)


def odds(opacity: FloatArray) -> FloatArray:
    """Logarithm of the odds of an opacity in [0, 1]; within ±4, so that no certainty is beyond revision."""
    return np.asarray(np.log((opacity + 0.02) / (1.02 - opacity)), np.float32)


def opacity(odds: FloatArray) -> FloatArray:
    """The opacity in [0, 1] that has these odds."""
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _link(other: Motion | Anchor, look: Look) -> _Link:
    return _Link(displaced_grid(other.origin, look.size_hw), resized(other.trust, look.size_hw))


def _surroundings(selection: NDArray[np.bool_], reach_px: int) -> tuple[slice, slice] | None:
    """The box round a selection, wider by ``reach_px``; None where nothing is selected."""
    rows, columns = (np.flatnonzero(selection.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return None
    top, left = (max(int(taken[0]) - reach_px, 0) for taken in (rows, columns))
    return slice(top, int(rows[-1]) + reach_px + 1), slice(left, int(columns[-1]) + reach_px + 1)
