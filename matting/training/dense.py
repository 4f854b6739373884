"""What lite is trained for: the matte at full size, everywhere; those at 1/4 and 1/8 only help it to learn."""

from __future__ import annotations

import torch
from torch import Tensor

from matting.networks.msg_vim import MsgVimMattes
from matting.networks.progressive import unknown
from matting.training.losses import dtssd, l1, laplacian_by_size

NEAR_PX = 9
LAPLACIAN_LEVELS = 4
_NEAR, _COARSE, _LAPLACIAN, _TEMPORAL = 9.0, 0.3, 0.5, 0.5


def objective(out: MsgVimMattes, truth: Tensor, target: Tensor) -> Tensor:
    """L1 at all sizes, Laplacian and temporal differences at full size; a scalar.

    Pixels count ten times near soft edges and where the guidance is wrong: those are what a matte is made for.

    Args:
        out: what the network gave.
        truth: ``[B, T, 2, H, W]`` in [0, 1].
        target: ``[B, T, 1, H, W]`` of 0 and 1, the guidance of the instance.
    """
    with torch.no_grad():
        wrong = (truth[:, :, :1] - target).abs() > 0.5
        weight = 1 + _NEAR * (unknown(truth, NEAR_PX) | wrong).float()
    total = l1(out.alpha_os1, truth, weight)
    total = total + _LAPLACIAN * laplacian_by_size(out.alpha_os1, truth, weight, LAPLACIAN_LEVELS)
    for alpha in (out.alpha_os8, out.alpha_os4):
        total = total + _COARSE * l1(alpha, truth, weight)
    if truth.shape[1] > 1:
        total = total + _TEMPORAL * dtssd(out.alpha_os1, truth, weight)
    return total
