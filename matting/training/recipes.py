"""How networks are trained: everything that decides what a run learns, besides the people it is shown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matting.networks import MattingKind  # brings torch along, which the command line has no time for

_LEAST = 0.01
_ONE_CYCLE = 1 / 25, 1 / 25e4
"""Shares of the highest rate that a one-cycle schedule begins and ends with."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns, besides the clips.

    Attributes:
        seed: of weights and batches.
        steps: of the whole run; the learning rate follows from it.
        processes: that learn together, each from a batch of its own.
        size: clips in a batch; of MSG-VIM, one instance of each, else everybody.
        length: frames of each. A temporal unit that only ever saw two frames goes astray over ten.
        side_px: of the crops.
        torn: share of the clips in which a piece of somebody's guidance is missing, or too much, on all frames.
        bystanders: share of the clips with people in the background who are nobody's instance.
        rate: highest learning rate, reached after ``warm_up`` steps.
        warm_up: steps until then.
        decay: of the weights.
        clip: largest norm of the gradient.
        average: by which the moving average of the weights keeps its past, per step.
        precision: "bf16" multiplies in bfloat16, which takes 3/4 of the time on processors that can; else "fp32".
        optimiser: "adamw" or "adam".
        betas: of the optimiser.
        schedule: "cosine" rises in a line and falls as a cosine to a hundredth; "one-cycle" rises and falls as cosines,
            from 1/25 and to 1/250000.
    """

    seed: int = 0
    steps: int = 20_000
    processes: int = 1
    size: int = 8
    length: int = 2
    side_px: int = 128
    torn: float = 0.0
    bystanders: float = 0.0
    rate: float = 1.5e-3
    warm_up: int = 300
    decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    precision: Literal["bf16", "fp32"] = "bf16"
    optimiser: Literal["adamw", "adam"] = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: Literal["cosine", "one-cycle"] = "cosine"

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        if self.schedule == "one-cycle":
            return self.rate * self._one_cycle(step)
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        share = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return self.rate * _fallen(1, _LEAST, share)

    def _one_cycle(self, step: int) -> float:
        first, last = _ONE_CYCLE
        top = self.warm_up - 1
        if step < top:
            return _fallen(first, 1, step / top)
        return _fallen(1, last, (step - top) / max(self.steps - 1 - top, 1))


def _fallen(start: float, end: float, share: float) -> float:
    """Half a cosine from start to end."""
    return end + (start - end) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


RECIPES: dict[MattingKind, Recipe] = {
    "lite": Recipe(steps=6_900, size=24, length=6, side_px=192, torn=0.1, bystanders=0.4),
    "msg-vim": Recipe(
        size=2, length=10, side_px=512, rate=1e-3, warm_up=2000, decay=0.0, optimiser="adam", betas=(0.5, 0.99)
    ),
    "maggie-image": Recipe(
        steps=52_000, size=12, length=1, side_px=512, rate=1.5e-4, warm_up=1000, clip=0.01, schedule="one-cycle"
    ),
    "maggie-video": Recipe(
        steps=10_000, size=4, length=8, side_px=512, rate=5e-5, warm_up=1000, clip=0.01, schedule="one-cycle"
    ),
}
"""Of lite our own, else the papers', for one of the 8 (MSG-VIM, MaGGIe for video) or 4 GPUs that they were trained on.

MSG-VIM: section 5.2; that gradients are clipped is known, where is not. MaGGIe: supplement and public code; the video
model starts from the trained image model.
"""
