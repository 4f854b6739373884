"""The losses that MaGGIe and MSG-VIM are trained with, as functions of tensors.

Letters in the formulas: p predicted matte, g true matte, W weight (at least 0), all in maps ``[..., H, W]`` of one
shape. Sums run over every element, so one small instance counts as much as its pixels and no more. A loss is a scalar
tensor, and gradients flow into predictions only. Call them in float32 or better: sums over a batch of crops leave the
range of float16.

Sources:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), with the public code where the
    two disagree, because the published checkpoints come from the code.
    Li et al., "Video Instance Matting" (WACV 2024), whose training code is not public. What its paper leaves open is
    filled in from Yu et al., "Mask Guided Matting via Progressive Refinement Network" (CVPR 2021), which it builds on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from matting.errors import ShapeError

LAPLACIAN_FACTOR = 3
"""MaGGIe's public code blurs one channel into three equal ones and adds those up."""
SCALE_WEIGHTS = (1.0, 1.0, 2.0)
"""MaGGIe's weights of the mattes at 1/8, 1/4 and full size."""
LAPLACIAN_WEIGHT = 0.05
GRADIENT_WEIGHT = 0.05
ATTENTION_WEIGHT = 5.0
MSG_VIM_SCALE_WEIGHTS = (0.2, 0.2, 0.4)
"""Of mask guided matting, and not confirmed for MSG-VIM: they do not add up to 1 there either."""

_COARSEST = 8
_UNSURE = (1 / 255, 254 / 255)


class Scales(NamedTuple):
    """One thing for each of the mattes at 1/8, 1/4 and full size, all of them enlarged to full size."""

    os8: Tensor
    os4: Tensor
    os1: Tensor

    def weighted(self, weights: tuple[float, float, float]) -> Tensor:
        """The sum with these weights, in the order of the attributes."""
        return weights[0] * self.os8 + weights[1] * self.os4 + weights[2] * self.os1


class MaggieLoss(NamedTuple):
    """The terms of MaGGIe's loss.

    Attributes:
        l1, laplacian, gradient: at each scale.
        dtssd: at each scale; video only.
        attention: :func:`attention_loss`, None if it is not part of the loss.
        difference: :func:`difference_loss`, video only; None if it is not part of the loss.
    """

    l1: Scales
    laplacian: Scales
    gradient: Scales
    dtssd: Scales | None = None
    attention: Tensor | None = None
    difference: Tensor | None = None

    def total(self) -> Tensor:
        """``L1 + 0.05 Lap + 0.05 Grad + dtSSD + 5 Att + Ltemp``, the first four each ``OS8 + OS4 + 2 OS1``."""
        total = self.l1.weighted(SCALE_WEIGHTS)
        total = total + LAPLACIAN_WEIGHT * self.laplacian.weighted(SCALE_WEIGHTS)
        total = total + GRADIENT_WEIGHT * self.gradient.weighted(SCALE_WEIGHTS)
        if self.dtssd is not None:
            total = total + self.dtssd.weighted(SCALE_WEIGHTS)
        if self.attention is not None:
            total = total + ATTENTION_WEIGHT * self.attention
        if self.difference is not None:
            total = total + self.difference
        return total


class MsgVimLoss(NamedTuple):
    """The terms of MSG-VIM's loss, each at each scale."""

    l1: Scales
    laplacian: Scales
    composition: Scales

    def total(self) -> Tensor:
        """``L1 + Lap + Com``, each ``(OS8 + OS4 + 2 OS1) / 5``. Paper: equation 12."""
        l1, laplacian, composition = (term.weighted(MSG_VIM_SCALE_WEIGHTS) for term in self)
        return l1 + laplacian + composition


def image_loss(pred: Scales, truth: Tensor, weight: Scales, attention: Tensor | None = None) -> MaggieLoss:
    """MaGGIe's loss for pictures.

    Args:
        pred: mattes ``[..., S, H, W]`` of S slots, in [0, 1].
        truth: ``[..., S, H, W]``, in [0, 1]; zero in a slot without instance.
        weight: ``[..., S, H, W]`` of each scale: :func:`coarse_weight` for the coarsest, and for the finer two 1 where
            the details were computed.
        attention: :func:`attention_loss`.
    """
    scales = list(zip(pred, weight, strict=True))
    return MaggieLoss(
        l1=Scales(*(l1(p, truth, w) for p, w in scales)),
        laplacian=Scales(*(laplacian(p, truth, w) for p, w in scales)),
        gradient=Scales(*(gradient(p, truth, w) for p, w in scales)),
        attention=attention,
    )


def video_loss(
    pred: Scales,
    truth: Tensor,
    weight: Scales,
    attention: Tensor | None = None,
    difference: Tensor | None = None,
) -> MaggieLoss:
    """MaGGIe's loss for clips: :func:`image_loss` of ``[..., T, S, H, W]`` and what holds frames together.

    Args:
        pred, truth, weight, attention: as in :func:`image_loss`.
        difference: :func:`difference_loss`.
    """
    steps = Scales(*(dtssd(p, truth, w) for p, w in zip(pred, weight, strict=True)))
    return image_loss(pred, truth, weight, attention)._replace(dtssd=steps, difference=difference)


def msg_vim_loss(
    pred: Scales, truth: Tensor, weight: Scales, foregrounds: Tensor, background: Tensor, frames: Tensor
) -> MsgVimLoss:
    """MSG-VIM's loss for clips. No published value of it exists.

    Args:
        pred: mattes ``[..., T, 2, H, W]`` of the target and of all other instances together, in [0, 1].
        truth: ``[..., T, 2, H, W]``, in [0, 1]: what is visible of each.
        weight: ``[..., T, 2, H, W]`` of each scale: 1 for the coarsest, and for the finer two 1 where it was refined.
        foregrounds, background, frames: as in :func:`composition`.
    """
    scales = list(zip(pred, weight, strict=True))
    return MsgVimLoss(
        l1=Scales(*(l1(p, truth, w) for p, w in scales)),
        laplacian=Scales(*(laplacian_by_size(p, truth, w) for p, w in scales)),
        # A pixel shows both mattes, so it counts as soon as one of them is supervised there.
        composition=Scales(*(composition(p, foregrounds, background, frames, w.amax(-3)) for p, w in scales)),
    )


def coarse_weight(pred: Tensor, truth: Tensor) -> Tensor:
    """MaGGIe's W of the coarsest scale: 2 where a matte of an instance is unsure, 1 elsewhere in it.

    ``W8 = [slot has an instance] + [1/255 <= p <= 254/255 or 1/255 <= g <= 254/255]``. The second part does not ask for
    an instance, so that an empty slot is kept from going grey.

    Args:
        pred, truth: ``[..., H, W]``, in [0, 1]. A slot whose instance is out of the picture counts as empty there.
    """
    present = truth.gt(0).flatten(-2).any(-1)[..., None, None]
    return present.to(pred) + (_unsure(pred) | _unsure(truth)).to(pred)


def l1(pred: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """``sum W |p - g| / (sum W + 1e-8)`` over maps ``[..., H, W]``."""
    return _weighted_mean((pred - truth).abs(), weight, 1e-8)


def laplacian(pred: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """``3 sum_k (sum W_k |Lap_k(p - g)| / (sum W_k + 1e-6))`` over three levels k of maps ``[..., H, W]``.

    ``Lap_k = x_k - up(x_{k+1})`` with ``x_{k+1}`` the binomially blurred, halved ``x_k``; ``W_{k+1}`` is every other
    row and column of ``W_k``. The factor is :data:`LAPLACIAN_FACTOR`. The public code can do square maps only and gives
    the same value there.

    Raises:
        ShapeError: the maps are smaller than 9 x 9, too small for three levels.
    """
    total = pred.new_zeros(())
    for level, level_weight in _pyramid(pred - truth, weight, 3):
        total = total + _weighted_mean(level.abs(), level_weight, 1e-6)
    return LAPLACIAN_FACTOR * total


def laplacian_by_size(pred: Tensor, truth: Tensor, weight: Tensor, levels: int = 5) -> Tensor:
    """``sum_k 2^k (sum W_k |Lap_k(p - g)| / (sum W_k + 1e-8))``: MSG-VIM's, where coarse structure counts more.

    Levels as in :func:`laplacian`. Source: mask guided matting; not confirmed for MSG-VIM.

    Raises:
        ShapeError: the maps are too small for ``levels`` (five need 33 x 33).
    """
    total = pred.new_zeros(())
    for k, (level, level_weight) in enumerate(_pyramid(pred - truth, weight, levels)):
        total = total + 2**k * _weighted_mean(level.abs(), level_weight, 1e-8)
    return total


def gradient(pred: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """``sum | |Sobel(W p)| - |Sobel(W g)| | / (sum W + 1e-6)`` over maps ``[..., H, W]``.

    ``|Sobel|`` is ``sqrt(x^2 + y^2 + 1e-6)`` with the kernels divided by 8 and borders repeated. The weight is inside,
    so its own borders are edges too wherever the mattes differ.
    """
    difference = _edges(weight * pred) - _edges(weight * truth)
    return difference.abs().sum() / (weight.sum() + 1e-6)


def dtssd(pred: Tensor, truth: Tensor, weight: Tensor | None = None) -> Tensor:
    """``sum W_t ((p_t - p_{t-1}) - (g_t - g_{t-1}))^2 / sum(W_t + 1e-6)`` for t = 1 to T-1.

    Unlike the metric of this name it has no root, and it divides by the weight.

    Args:
        pred, truth, weight: ``[..., T, S, H, W]``; without weight every pixel counts 1.

    Raises:
        ShapeError: there is only one frame, so nothing changes over time.
    """
    if pred.shape[-4] < 2:
        raise ShapeError("A change over time needs at least two frames.")
    squared = (pred - truth).diff(dim=-4).square()
    later = torch.ones_like(squared) if weight is None else weight.narrow(-4, 1, weight.shape[-4] - 1).to(squared)
    return (later * squared).sum() / (later + 1e-6).sum().clamp(min=1e-6)  # there may be no maps at all


def attention_regions(truth: Tensor) -> Tensor:
    """Where the tokens of MaGGIe should look: the cells of 8 x 8 pixels in which the true matte is above 0 anywhere.

    Args:
        truth: ``[B, T, S, H, W]``, H and W multiples of 8.

    Returns:
        ``[B, S, T * H/8 * W/8]`` bool, by frame, row and column as the instance decoder has its pixels.
    """
    cells = functional.max_pool2d(truth.flatten(0, 1), _COARSEST).gt(0)
    return cells.view(*truth.shape[:3], -1).transpose(1, 2).flatten(2)


def attention_loss(weights: Sequence[Tensor], regions: Tensor, frames: int) -> Tensor:
    """How much of the tokens' attention falls outside their instances.

    ``sum over b, s of ([region not empty] - sum over k in region of a_k) / (T B)``, and the mean of that over the
    attentions from tokens to pixels (MaGGIe has three). A slot without instance adds nothing.

    Args:
        weights: ``[B, S, K]`` each, rows adding up to 1: ``Attention.weights`` of the instance decoder.
        regions: ``[B, S, K]`` bool: :func:`attention_regions`.
        frames: T. K runs over the pixels of all frames; the public code divides by T nevertheless.
    """
    present = regions.any(-1).sum()
    outside = torch.stack([present - (attention * regions).sum() for attention in weights])
    return outside.mean() / (frames * regions.shape[0])


class DifferenceLoss(NamedTuple):
    """The terms of :func:`difference_loss`, each the sum of both directions.

    Attributes:
        bce: binary cross entropy.
        dtssd: :func:`dtssd` of the probabilities.
    """

    bce: Tensor
    dtssd: Tensor

    def total(self) -> Tensor:
        """The mean over directions and terms."""
        return (self.bce + self.dtssd) / 4


def difference_loss(forward_logits: Tensor, backward_logits: Tensor, changed: Tensor) -> DifferenceLoss:
    """MaGGIe's Ltemp: does the difference head know where the mattes changed?

    ``(BCE(df_1..) + BCE(db_..T-2) + dtSSD(df_1..) + dtSSD(db_..T-2)) / 4``, all against ``D_1..``. Frame t of the
    backward maps speaks of the change from t to t + 1, so both directions have the same target. (The paper has an L1
    loss instead.)

    Args:
        forward_logits, backward_logits: ``[..., T, 1, H, W]``, before the sigmoid. The first forward and the last
            backward map have no pair of frames and are ignored.
        changed: D, ``[..., T, 1, H, W]`` of 0 and 1: 1 where a matte differs from the frame before. The first map is
            ignored.

    Raises:
        ShapeError: there are fewer than three frames, so only one change.
    """
    frames = changed.shape[-4]
    if frames < 3:
        raise ShapeError("The loss of the difference head needs at least three frames.")
    ahead = forward_logits.narrow(-4, 1, frames - 1)
    back = backward_logits.narrow(-4, 0, frames - 1)
    target = changed.narrow(-4, 1, frames - 1).to(ahead).expand_as(ahead)
    return DifferenceLoss(
        functional.binary_cross_entropy_with_logits(ahead, target)
        + functional.binary_cross_entropy_with_logits(back, target),
        dtssd(ahead.sigmoid(), target) + dtssd(back.sigmoid(), target),
    )


def composition(
    alphas: Tensor, foregrounds: Tensor, background: Tensor, frames: Tensor, weight: Tensor | None = None
) -> Tensor:
    """MSG-VIM's Lcom: ``mean |sum_i a_i F_i + (1 - sum_i a_i) B - I|`` over pixels and colours. Paper: equation 11.

    Args:
        alphas: ``[..., N, H, W]``, predicted; of each instance what is visible, so that they add up to at most 1.
        foregrounds: ``[..., N, 3, H, W]``.
        background: ``[..., 3, H, W]``.
        frames: ``[..., 3, H, W]``, the picture that the true mattes give.
        weight: ``[..., H, W]``; without it every pixel counts 1.
    """
    opacity = alphas.unsqueeze(-3)
    composed = (opacity * foregrounds).sum(-4) + (1 - opacity.sum(-4)) * background
    error = (composed - frames).abs().mean(-3)
    return error.mean() if weight is None else _weighted_mean(error, weight, 1e-8)


def _weighted_mean(error: Tensor, weight: Tensor, epsilon: float) -> Tensor:
    return (weight * error).sum() / (weight.sum() + epsilon)


def _unsure(alpha: Tensor) -> Tensor:
    low, high = _UNSURE
    return (alpha >= low) & (alpha <= high)


def _pyramid(x: Tensor, weight: Tensor, levels: int) -> list[tuple[Tensor, Tensor]]:
    """Each level of the Laplacian pyramid, finest first, and its weight.

    The pyramid is linear, so that of a difference is the difference of two pyramids at half the cost.
    """
    smallest = 2**levels + 1
    if min(x.shape[-2:]) < smallest:
        raise ShapeError(f"{levels} levels need maps of at least {smallest} x {smallest}; these are {tuple(x.shape)}.")
    x = x.reshape(-1, 1, *x.shape[-2:])
    weight = weight.reshape(-1, 1, *weight.shape[-2:])
    found = []
    for _ in range(levels):
        smaller = _blur(x)[..., ::2, ::2]
        enlarged = torch.zeros_like(x)
        # Three of four pixels are zero, hence 4 times the value.
        enlarged[..., ::2, ::2] = 4 * smaller
        found.append((x - _blur(enlarged), weight))
        x, weight = smaller, weight[..., ::2, ::2]
    return found


def _blur(x: Tensor) -> Tensor:
    """By (1, 4, 6, 4, 1) / 16 each way, as sums of shifted maps: convolutions of one channel are slow backwards."""
    x = functional.pad(x, (2, 2, 2, 2), mode="reflect")
    x = (x[..., :-4, :] + x[..., 4:, :] + 4 * (x[..., 1:-3, :] + x[..., 3:-1, :]) + 6 * x[..., 2:-2, :]) / 16
    return (x[..., :-4] + x[..., 4:] + 4 * (x[..., 1:-3] + x[..., 3:-1]) + 6 * x[..., 2:-2]) / 16


def _edges(x: Tensor) -> Tensor:
    """Strength of edges by Sobel's kernels / 8, ``[maps, 1, H, W]``; sums of shifted maps, as in :func:`_blur`."""
    x = functional.pad(x.reshape(-1, 1, *x.shape[-2:]), (1, 1, 1, 1), mode="replicate")
    rows = x[..., :-2, :] + 2 * x[..., 1:-1, :] + x[..., 2:, :]
    columns = x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]
    along_x = (rows[..., 2:] - rows[..., :-2]) / 8
    along_y = (columns[..., 2:, :] - columns[..., :-2, :]) / 8
    # The small term keeps the root's gradient finite where a matte is flat.
    return (along_x.square() + along_y.square() + 1e-6).sqrt()
