"""What networks of MSG-VIM's design are trained for: their mattes at three sizes, each where it will be used."""

from __future__ import annotations

import torch
from torch import Tensor

from matting.networks.msg_vim import ELEMENT_OS1, ELEMENT_OS4, MsgVimMattes
from matting.networks.progressive import unknown
from matting.training.losses import dtssd, l1, laplacian_by_size

LAPLACIAN_LEVELS = 3
_LAPLACIAN, _TEMPORAL = 0.2, 1.0
_SCALES = (1.0, 1.0, 2.0)
"""Weights of OS8, OS4 and OS1."""


def objective(out: MsgVimMattes, truth: Tensor) -> Tensor:
    """L1, Laplacian and, at full size, temporal differences; a scalar.

    OS8 counts everywhere, twice where truth is soft; OS4 and OS1 only where the coarser matte or the truth is unsure,
    for only there they are looked at.

    Args:
        out: what the network gave.
        truth: ``[B, T, 2, H, W]`` in [0, 1].
    """
    soft = (truth > 1 / 255) & (truth < 254 / 255)
    with torch.no_grad():
        weights = (
            1 + soft.float(),
            (unknown(out.alpha_os8, ELEMENT_OS4) | unknown(truth, ELEMENT_OS4)).float(),
            (unknown(out.alpha_os4, ELEMENT_OS1) | unknown(truth, ELEMENT_OS1)).float(),
        )
    total = truth.new_zeros(())
    for scale, alpha, weight in zip(_SCALES, (out.alpha_os8, out.alpha_os4, out.alpha_os1), weights, strict=True):
        total = total + scale * l1(alpha, truth, weight)
        total = total + scale * _LAPLACIAN * laplacian_by_size(alpha, truth, weight, LAPLACIAN_LEVELS)
    if truth.shape[1] > 1:
        total = total + _TEMPORAL * dtssd(out.alpha_os1, truth, weights[2])
    return total
