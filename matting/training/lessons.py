"""What each kind of network is given in a step of training, and what it is judged by."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor, nn

from matting.errors import UnavailableError
from matting.inference.device import autocast, precision_named
from matting.networks import MattingKind, create
from matting.networks.maggie import MaGGIe
from matting.networks.maggie_instances import SLOTS
from matting.networks.msg_vim import MsgVim
from matting.synthesis.guidance import Harm
from matting.training import maggie, msg_vim
from matting.training.batches import Batch, Sample, everybody, joined, one_of_each, samples
from matting.training.dense import objective
from matting.training.layers import Layers, layers_of
from matting.training.recipes import Recipe
from matting.training.run import Lesson
from matting.training.stock import Stock

_SLOTS, _LOSS = 1, 2
"""Seeds of a step's own dice, apart from those of its pictures."""


def new_network(kind: MattingKind, width: int = 32) -> nn.Module:
    """A network that has learnt nothing, its weights from torch's own dice; MaGGIe's as :func:`maggie.begin` says.

    The authors' begin with an encoder that was trained on ImageNet, which we do not have.

    Args:
        kind: which.
        width: channels at full size, of which the published networks have 32; lite has its own.
    """
    match kind:
        case "msg-vim":
            return MsgVim(width)
        case "maggie-image" | "maggie-video":
            network = MaGGIe(kind == "maggie-video", width=width)
            maggie.begin(network)
            return network
        case _:
            return create(kind)


def lesson(kind: MattingKind) -> Lesson:
    """The lesson of a kind of network."""
    match kind:
        case "lite":
            return LiteLesson()
        case "msg-vim":
            return MsgVimLesson()
        case "maggie-image" | "maggie-video":
            return MaggieLesson()
        case _:
            raise UnavailableError(f"There is no lesson for {kind}.")


class LiteLesson:
    """Everybody of each clip, one beside the other, by :func:`dense.objective`."""

    def batch(self, stock: Stock, recipe: Recipe, step: int, rank: int = 0) -> Batch:
        return everybody(_drawn(stock, recipe, step, rank))

    def loss(self, network: nn.Module, given: Batch, recipe: Recipe, step: int) -> Tensor:
        given = given.ready()
        with _precise(recipe, given.frames):
            out = network(given.frames, given.target, given.reference)
        return objective(out, given.truth, given.target)


class Layered(NamedTuple):
    """Instances with what their pictures are made of."""

    pairs: Batch
    layers: Layers


class MsgVimLesson:
    """One instance of each clip at a time, with the composition loss: foregrounds and backgrounds are known."""

    def batch(self, stock: Stock, recipe: Recipe, step: int, rank: int = 0) -> Layered:
        drawn = _drawn(stock, recipe, step, rank)
        layers = [layers_of(one.clip.alphas, one.clip.foregrounds, one.clip.backgrounds, one.who) for one in drawn]
        return Layered(one_of_each(drawn), joined(layers))

    def loss(self, network: nn.Module, given: Layered, recipe: Recipe, step: int) -> Tensor:
        pairs, layers = given.pairs.ready(), given.layers
        with _precise(recipe, pairs.frames):
            out = network(pairs.frames, pairs.target, pairs.reference)
        by_truth = _by_truth(step, recipe.warm_up, 3 * recipe.warm_up)
        return msg_vim.loss_of(out, pairs.truth, layers, _dice(recipe, step), by_truth).total()


class MaggieLesson:
    """Everybody of each clip at once, in slots that are drawn anew for every clip, so that all of them learn."""

    def batch(self, stock: Stock, recipe: Recipe, step: int, rank: int = 0) -> maggie.Slots:
        rng = np.random.default_rng((recipe.seed, step, (rank + 1) * recipe.size, _SLOTS))
        return joined([_slots(one, rng) for one in _drawn(stock, recipe, step, rank)])

    def loss(self, network: nn.Module, given: maggie.Slots, recipe: Recipe, step: int) -> Tensor:
        assert isinstance(network, MaGGIe)
        by_truth = _by_truth(step, 3 * recipe.warm_up, 9 * recipe.warm_up)
        with _precise(recipe, given.frames):
            return maggie.maggie_loss(network, given, _dice(recipe, step), by_truth).total()


def _precise(recipe: Recipe, like: Tensor) -> torch.autocast:
    return autocast(like.device, precision_named(recipe.precision))


def _drawn(stock: Stock, recipe: Recipe, step: int, rank: int) -> list[Sample]:
    size, length, harm = recipe.size, recipe.length, Harm(torn=recipe.torn)
    return samples(stock, recipe.seed, step, size, length, recipe.side_px, harm, rank * size, recipe.bystanders)


def _slots(one: Sample, rng: Generator) -> maggie.Slots:
    slots = rng.permutation(SLOTS)[: one.masks.shape[1]]
    return maggie.in_slots(one.clip.frames, one.clip.alphas, one.masks, slots)


def _dice(recipe: Recipe, step: int) -> Generator:
    return np.random.default_rng((recipe.seed, step, recipe.size, _LOSS))


def _by_truth(step: int, always: int, half: int) -> float:
    """How often the truth says where finer scales count: always at first, then now and then, then never."""
    return 1.0 if step < always else 0.5 if step < half else 0.0
