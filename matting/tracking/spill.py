"""Tracking states on disk: laid down while time runs forward, taken up again while it runs backward."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from matting.tracking.motion import Look, Motion
from matting.tracking.stack import Stack, packed, packed_picture, unpacked, unpacked_picture
from matting.tracking.sweep import Sightings


@dataclass(frozen=True)
class Step:
    """What the backward pass needs to know of a frame.

    Attributes:
        index: the frame.
        look: its picture.
        motion: between the frame before it and this one; None on the very first frame.
        forward: what the forward pass sees on it.
    """

    index: int
    look: Look
    motion: Motion | None
    forward: Sightings


class Spill:
    """Steps on disk, the last one laid down the first to be taken up."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def lay_down(self, step: Step) -> None:
        """Write a step; raises as :meth:`Stack.lay_down`."""
        self._stack.lay_down(
            np.asarray(step.index),
            packed_picture(step.look.rgb),
            np.asarray(() if step.motion is None else (step.motion.there, step.motion.back), np.float16),
            *packed(step.forward.states),
            step.forward.trusts,
        )

    def take_up(self) -> Step:
        """Read the last step and drop it."""
        index, jpeg, motion, states, shape, trusts = self._stack.take_up()
        forward = Sightings(unpacked(states, shape), trusts)
        return Step(int(index), Look(unpacked_picture(jpeg)), Motion(*motion) if len(motion) else None, forward)
