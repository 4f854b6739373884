"""What a network sees in one step of training: people of a stock composed anew, with guidance as trackers give it.

Everything follows from a seed and the number of the step, so a run that was interrupted goes on exactly where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from matting.arrays import Mask
from matting.networks.msg_vim import DEVIATION, MEAN
from matting.synthesis.guidance import Harm, guidance
from matting.synthesis.procedural import LayeredClip
from matting.training.stock import Stock, scene

Tensors = TypeVar("Tensors", bound=tuple[Any, ...])
LONGER_PX = 512
"""Longer side of the pictures that lite is going to see; guidance is as coarse as it is for those."""


class Batch(NamedTuple):
    """B instances over T frames, in as few bytes as they come on their way to a network; see :meth:`ready`.

    Attributes:
        frames: ``[B, T, 3, H, W]`` uint8 RGB.
        target: ``[B, T, 1, H, W]`` bool, guidance of the instance.
        reference: ``[B, T, 1, H, W]`` bool, guidance of all others together.
        truth: ``[B, T, 2, H, W]`` uint8: alphas of the instance and of all others together.
    """

    frames: Tensor
    target: Tensor
    reference: Tensor
    truth: Tensor

    def ready(self) -> Batch:
        """As float32: frames ImageNet-normalised, masks 0 and 1, alphas in [0, 1]; computed where the batch is."""
        mean, deviation = (self.frames.new_tensor(of, dtype=torch.float32)[:, None, None] for of in (MEAN, DEVIATION))
        frames = (self.frames / 255 - mean) / deviation
        return Batch(frames, self.target.float(), self.reference.float(), self.truth / 255)


class Sample(NamedTuple):
    """A clip to learn from.

    Attributes:
        clip: S × S pixels of it, over T frames.
        masks: ``[T, N, S, S]`` bool, guidance of everybody.
        who: the instance that is to be learnt from, where it is one.
    """

    clip: LayeredClip
    masks: Mask
    who: int


def samples(
    stock: Stock,
    seed: int,
    step: int,
    size: int,
    length: int,
    side_px: int,
    harm: Harm | None = None,
    first: int = 0,
    bystanders: float = 0.0,
) -> list[Sample]:
    """The clips of a step, or some of them.

    Args:
        stock: whom and what the pictures are composed of.
        seed, step: decide everything.
        size: how many.
        length: how many frames of each.
        side_px: height and width of the pictures, which show a part of what a network is going to see.
        harm: of the guidance; the usual one if None.
        first: place of the first one among the clips of the step.
        bystanders: see :func:`~matting.training.stock.scene`.
    """
    dice = [np.random.default_rng((seed, step, place)) for place in range(first, first + size)]
    return [_sample(stock, rng, length, side_px, harm, bystanders) for rng in dice]


def one_of_each(drawn: Sequence[Sample]) -> Batch:
    """One instance of each clip."""
    return joined([_pair(one, one.who) for one in drawn])


def everybody(drawn: Sequence[Sample]) -> Batch:
    """All instances of each clip that are to be seen or have a mask: all that something can be learnt from.

    Composing a clip takes much longer than looking at one more person in it.
    """
    pairs = []
    for one in drawn:
        there = np.flatnonzero(one.clip.alphas.any(axis=(0, 2, 3)) | one.masks.any(axis=(0, 2, 3)))
        pairs += [_pair(one, int(who)) for who in there] or [_pair(one, one.who)]
    return joined(pairs)


def _pair(one: Sample, who: int) -> Batch:
    return as_batch(one.clip.frames, one.clip.alphas, one.masks, who)


def joined(parts: Sequence[Tensors]) -> Tensors:
    """Several named tuples of tensors as one."""
    return type(parts[0])(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def _sample(stock: Stock, rng: Generator, length: int, side_px: int, harm: Harm | None, bystanders: float) -> Sample:
    clip = scene(stock, rng, length, side_px, bystanders)
    masks = guidance(clip.alphas, rng, harm, LONGER_PX)
    soft = np.sqrt(((clip.alphas > 12) & (clip.alphas < 243)).sum(axis=(0, 2, 3)) + 4.0)
    return Sample(clip, masks, int(rng.choice(len(soft), p=soft / soft.sum())))


def as_batch(frames: NDArray[np.uint8], alphas: NDArray[np.uint8], masks: NDArray[np.bool_], who: int) -> Batch:
    """One instance of a clip as a batch: ``[T, H, W, 3]``, ``[T, N, H, W]`` and ``[T, N, H, W]``, its place in N."""
    others = [place for place in range(alphas.shape[1]) if place != who]
    rest = np.minimum(alphas[:, others].sum(axis=1, dtype=np.int32), 255).astype(np.uint8)
    return Batch(
        torch.from_numpy(np.ascontiguousarray(np.moveaxis(frames, -1, 1)))[None],
        torch.from_numpy(masks[None, :, who, None]),
        torch.from_numpy(np.asarray(masks[:, others].any(axis=1))[None, :, None]),
        torch.from_numpy(np.stack([alphas[:, who], rest], axis=1))[None],
    )
