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
    """B instances over T frames.

    Attributes:
        frames: ``[B, T, 3, H, W]`` float32, ImageNet-normalised RGB.
        target: ``[B, T, 1, H, W]`` of 0 and 1, guidance of the instance.
        reference: ``[B, T, 1, H, W]`` of 0 and 1, guidance of all others together.
        truth: ``[B, T, 2, H, W]`` in [0, 1]: alphas of the instance and of all others together.
    """

    frames: Tensor
    target: Tensor
    reference: Tensor
    truth: Tensor


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


def batch(stock: Stock, seed: int, step: int, size: int, length: int, side_px: int, harm: Harm | None = None) -> Batch:
    """The batch of a step: one instance of each of its :func:`samples`."""
    drawn = samples(stock, seed, step, size, length, side_px, harm)
    return joined([as_batch(one.clip.frames, one.clip.alphas, one.masks, one.who) for one in drawn])


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
    rest = np.minimum(alphas[:, others].sum(axis=1, dtype=np.int32), 255)
    normalised = (frames.astype(np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return Batch(
        torch.from_numpy(normalised).permute(0, 3, 1, 2)[None],
        torch.from_numpy(masks[None, :, who, None].astype(np.float32)),
        torch.from_numpy(np.asarray(masks[:, others].any(axis=1), np.float32)[None, :, None]),
        torch.from_numpy(np.stack([alphas[:, who], rest], axis=1).astype(np.float32) / 255)[None],
    )
