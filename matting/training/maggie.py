"""How MaGGIe is trained: all instances of a clip in slots, each scale judged where it is looked at.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), section 3.5, with the numbers of
    its public code.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn

from matting.networks.layers import ResidualBlock
from matting.networks.maggie import MaGGIe
from matting.networks.maggie_details import fuse
from matting.networks.maggie_instances import SLOTS, Attention
from matting.networks.msg_vim import DEVIATION, MEAN
from matting.networks.progressive import unknown
from matting.training.losses import (
    MaggieLoss,
    Scales,
    attention_loss,
    attention_regions,
    coarse_weight,
    difference_loss,
    image_loss,
    video_loss,
)

_ELEMENT = 15
_LARGEST = (26, 14)
"""Largest elements that what is unsure is grown by, before 1/4 and before full size; one more step at 1/4 by truth."""
_LARGEST_BY_TRUTH = (29, 14)
_EVERYWHERE = 0.25
"""How often the finer scales are judged wherever there are details, not only where they are taken."""
_MOVED = 5 / 255


class Slots(NamedTuple):
    """B clips of T frames with their instances in some of the ten slots.

    Attributes:
        frames: ``[B, T, 3, H, W]`` float32, ImageNet-normalised RGB.
        masks: ``[B, T, 10, H, W]`` of 0 and 1; an empty slot is 0.
        truth: ``[B, T, 10, H, W]`` in [0, 1].
    """

    frames: Tensor
    masks: Tensor
    truth: Tensor


def in_slots(
    frames: NDArray[np.uint8], alphas: NDArray[np.uint8], masks: NDArray[np.bool_], slots: NDArray[np.int64]
) -> Slots:
    """One clip as a batch: ``[T, H, W, 3]``, ``[T, N, H, W]``, ``[T, N, H, W]``, and ``[N]`` the slot of each."""
    normalised = (frames.astype(np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    shape = len(frames), SLOTS, *frames.shape[1:3]
    given, truth = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    given[:, slots], truth[:, slots] = masks, alphas.astype(np.float32) / 255
    return Slots(
        torch.from_numpy(normalised).permute(0, 3, 1, 2)[None],
        torch.from_numpy(given)[None],
        torch.from_numpy(truth)[None],
    )


@torch.no_grad()
def begin(network: MaGGIe) -> None:
    """Draw the first weights as the public code does, as far as it draws them.

    Xavier numbers for everything behind the encoder with more than one axis, embeddings too; residual blocks of the
    encoder that at first pass on what they get; and no mask in its first convolution. (The rest of the public encoder
    comes from a trained network, which we do not have.)
    """
    for part in (network.aspp, network.decoder):
        for weight in part.parameters():
            if weight.ndim > 1 and weight.requires_grad:
                nn.init.xavier_uniform_(weight)
    for block in network.encoder.modules():
        if isinstance(block, ResidualBlock):
            nn.init.zeros_(block.bn2.weight)
    network.encoder.conv1.module.weight_bar[:, 3:] = 0


def maggie_loss(network: MaGGIe, given: Slots, rng: Generator, by_truth: float) -> MaggieLoss:
    """The loss of a step.

    Args:
        network: in training mode.
        given: the batch; for the video model with at least three frames.
        rng: decides where the finer scales are judged.
        by_truth: how often the truth says where details are computed, not the coarse matte: 1 in the first 3000 steps
            of the published training, 0.5 in the next 6000, 0 after that.
    """
    features = network.features(given.frames, given.masks)
    with _attention(network) as attention:
        found = network.instances(features)
    # A slot without a mask has no matte, and one without an instance is not judged.
    masked = given.masks.flatten(3).any(3).any(1)[:, None, :, None, None]
    present = given.truth.gt(0).flatten(3).any(3).any(1)
    coarse = network.coarse(found.logits, SLOTS) * masked
    truth_guides = rng.random() < by_truth or not coarse.detach().any()
    chosen = unknown(given.truth if truth_guides else coarse.detach(), _ELEMENT, strict=True)
    at_quarter, at_full = network.details(features, found, chosen)
    differences = None
    if network.video:
        # The head learns from the features, and they not from it.
        differences = network.differences(found._replace(features=found.features.detach()))
    with torch.autocast(given.frames.device.type, enabled=False):
        with torch.no_grad():
            guide = given.truth if truth_guides else None
            weights = _judged(coarse, at_quarter, at_full, chosen, guide, rng)
        # What is empty costs nothing and weighs nothing.
        truth, *scales, quarter, full = (
            maps.transpose(1, 2)[present].transpose(0, 1)
            for maps in (given.truth, coarse, at_quarter.float(), at_full.float(), *weights)
        )
        pred = Scales(*scales)
        weight = Scales(coarse_weight(pred.os8.detach(), truth), quarter, full)
        outside = attention_loss(attention, attention_regions(given.truth), given.frames.shape[1])
        if differences is None:
            return image_loss(pred, truth, weight, outside)
        change = difference_loss(*differences, changed(given.truth, rng)).total()
        return video_loss(pred, truth, weight, outside, change)


def _judged(
    coarse: Tensor, at_quarter: Tensor, at_full: Tensor, chosen: Tensor, truth: Tensor | None, rng: Generator
) -> tuple[Tensor, Tensor]:
    """Where the mattes at 1/4 and at full size count, ``[B, T, 10, H, W]`` each; the elements are drawn each step."""
    if rng.random() < _EVERYWHERE:
        return chosen.float(), chosen.float()
    sizes = [int(rng.integers(1, largest + 1)) for largest in (_LARGEST if truth is None else _LARGEST_BY_TRUTH)]
    if truth is not None:
        quarter, full = (unknown(truth, size, strict=True) & chosen for size in sizes)
    else:
        _, quarter, full = fuse(coarse, at_quarter, at_full, chosen, (sizes[0], sizes[1]))
    return quarter.float(), full.float()


def changed(truth: Tensor, rng: Generator) -> Tensor:
    """Where any matte differs from the frame before, and round it: ``[B, T, 1, H, W]`` of 0 and 1, 1 on frame 0.

    Args:
        truth: ``[B, T, S, H, W]`` in [0, 1], on the CPU or elsewhere.
        rng: decides how far round it.
    """
    moved = truth.diff(dim=1).abs().gt(_MOVED).any(2)
    side, times = int(rng.integers(2, 5)), int(rng.integers(3, 7))
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    maps = moved.flatten(0, 1).to(torch.uint8).cpu().numpy()
    grown = np.stack([cv2.dilate(one, element, iterations=times) for one in maps])
    later = torch.from_numpy(grown).to(truth).view(*moved.shape)
    return torch.cat([torch.ones_like(later[:, :1]), later], 1)[:, :, None]


@contextmanager
def _attention(network: MaGGIe) -> Iterator[list[Tensor]]:
    """What the tokens look at while the instances are decoded: ``[B, 10, T H/8 W/8]``, three of them."""
    decoder = network.decoder.refine_OS8
    looks = [*decoder.token_feat_ca_layers, decoder.final_token_feat_ca]
    found: list[Tensor] = []

    def note(attention: nn.Module, given: tuple[Tensor, ...], _: Tensor) -> None:
        assert isinstance(attention, Attention)
        found.append(attention.weights(given[0], given[1]))

    hooks = [look.multihead_attn.register_forward_hook(note) for look in looks]
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()
