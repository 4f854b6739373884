"""Learning is proven, not assumed: every kind of network gets four clips by heart, and only because of its guidance.

Slow: each takes minutes of one core. Run with ``-m slow``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

from matting.synthesis.guidance import Harm, guidance
from matting.synthesis.procedural import LayeredClip, procedural_clip
from matting.training.batches import as_batch, joined
from matting.training.layers import layers_of
from matting.training.lessons import Layered, lesson, new_network
from matting.training.maggie import in_slots
from matting.training.recipes import Recipe
from matting.training.run import Run
from matting.training.stock import Stock, draw_ground, draw_person, ground_path, keep_ground, keep_person, person_path
from matting.training.validation import Known, mattes, measure

SIDE, FRAMES, PEOPLE = 64, 3, 2
WHOLE = 128, 128
CROPS = (0, 48, 32), (2, 32, 32), (5, 48, 48), (6, 32, 32)
"""Seed, top and left of crops in which both people are seen, and hair does not fill the picture."""
LEARNT = 5.0
"""Mean absolute error, in thousandths, of a network that knows its clips by heart."""
WRONG = 200.0
HARM = Harm(morphology=1, coarse=1, polygon=0, erase=0, paste=0, merge=0, temporal=0, swap=0)
RECIPE = Recipe(side_px=SIDE, warm_up=50, decay=0.0, precision="fp32")
KINDS = "lite", "msg-vim", "maggie-video"
WIDTHS = {"lite": 32, "msg-vim": 12, "maggie-video": 8}
RECIPES = {
    "lite": replace(RECIPE, steps=700, rate=4e-3),
    "msg-vim": replace(RECIPE, steps=450, rate=3e-3, betas=(0.5, 0.99)),
    "maggie-video": replace(RECIPE, steps=1800, rate=3e-3),
}


@pytest.fixture(scope="module")
def clips() -> list[LayeredClip]:
    return [crop(procedural_clip(seed, WHOLE, FRAMES, people=PEOPLE), top, left) for seed, top, left in CROPS]


def crop(clip: LayeredClip, top: int, left: int) -> LayeredClip:
    seen = slice(top, top + SIDE), slice(left, left + SIDE)
    frames, clean, backgrounds = (part[:, *seen] for part in (clip.frames, clip.clean, clip.backgrounds))
    return LayeredClip(frames, clean, clip.alphas[:, :, *seen], clip.foregrounds[:, :, *seen], backgrounds)


@pytest.fixture(scope="module")
def known(clips: list[LayeredClip]) -> list[Known]:
    return [
        Known(clip.frames, clip.alphas, guidance(clip.alphas, np.random.default_rng(place), HARM))
        for place, clip in enumerate(clips)
    ]


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    folder = tmp_path_factory.mktemp("stock")
    keep_person(person_path(folder, 0), draw_person(0, 1, 64))
    keep_ground(ground_path(folder, 0), draw_ground(0))
    return Stock(folder)


def exchanged(clip: Known) -> Known:
    """With the guidance of one for the other."""
    return clip._replace(masks=clip.masks[:, ::-1])


def shuffled(clips: list[Known], step: int) -> list[Known]:
    """With guidance that may be anybody's."""
    rng = np.random.default_rng((8, step))
    return [clip._replace(masks=clip.masks[:, rng.permutation(PEOPLE)]) for clip in clips]


def pairs(clips: list[Known]) -> Any:
    return joined([as_batch(c.frames[:2], c.alphas[:2], c.masks[:2], who) for c in clips for who in range(PEOPLE)])


def everybody(clips: list[Known], step: int) -> Any:
    """Anew in either order at every step, or the slot alone would say who it is."""
    rng = np.random.default_rng((7, step))
    return joined([in_slots(c.frames, c.alphas, c.masks, rng.permutation(PEOPLE)) for c in clips])


def error(network: nn.Module, clips: list[Known]) -> float:
    return measure([mattes(network, clip) for clip in clips], clips)["mad"]


class Outcome(NamedTuple):
    """What came of learning.

    Attributes:
        right, swapped: mean absolute error, in thousandths, with the right guidance and with that of the other person.
    """

    right: float
    swapped: float


@pytest.fixture(scope="module")
def taught(clips: list[LayeredClip], known: list[Known], stock: Stock) -> Callable[[Any, bool], Outcome]:
    """Lets a kind of network learn the clips, with the right or with shuffled guidance."""
    layers = joined(
        [layers_of(c.alphas[:2], c.foregrounds[:2], c.backgrounds[:2], who) for c in clips for who in range(PEOPLE)]
    )
    given: dict[str, Callable[[list[Known], int], Any]] = {
        "lite": lambda shown, step: pairs(shown),
        "msg-vim": lambda shown, step: Layered(pairs(shown), layers),
        "maggie-video": everybody,
    }

    def teach(kind: Any, shuffle: bool) -> Outcome:
        torch.manual_seed(0)
        network = new_network(kind, WIDTHS[kind])
        run = Run(network, RECIPES[kind], stock, lesson(kind))
        shown_at = (shuffled(known, step) if shuffle else known for step in range(run.recipe.steps))
        losses = [run.learn(given[kind](shown, step)) for step, shown in enumerate(shown_at)]
        tenths = [float(np.mean(part)) for part in np.array_split(losses, 10)]
        network.eval()
        shown = known
        if kind != "maggie-video":
            shown = [Known(clip.frames[:2], clip.alphas[:2], clip.masks[:2]) for clip in known]
        found = Outcome(error(network, shown), error(network, [exchanged(clip) for clip in shown]))
        print(f"\n{kind}: loss, means of tenths of the run: " + "  ".join(f"{mean:.4f}" for mean in tenths))  # noqa: T201
        print(f"{kind}: MAD {found.right:.2f}e-3, with the other's guidance {found.swapped:.1f}e-3", flush=True)  # noqa: T201
        return found

    return teach


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_four_clips_are_learnt_by_heart_and_come_out_wrong_with_the_others_guidance(
    kind: str, taught: Callable[[Any, bool], Outcome]
) -> None:
    found = taught(kind, False)
    assert found.right < LEARNT
    assert found.swapped > WRONG


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_they_are_not_learnt_with_shuffled_guidance(kind: str, taught: Callable[[Any, bool], Outcome]) -> None:
    found = taught(kind, True)
    assert found.right > 3 * LEARNT
