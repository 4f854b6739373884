"""How MSG-VIM is trained: L1, Laplacian pyramid and composition at three sizes.

Sources:
    Li et al., "Video Instance Matting" (WACV 2024), equations 11 and 12. Its training code is not public; where which
    scale counts is taken from Yu et al., "Mask Guided Matting via Progressive Refinement Network" (CVPR 2021).
"""

from __future__ import annotations

import torch
from numpy.random import Generator
from torch import Tensor

from matting.networks.msg_vim import MsgVimMattes
from matting.networks.progressive import unknown
from matting.training.layers import Layers
from matting.training.losses import MsgVimLoss, Scales, msg_vim_loss

_WIDEST = (30, 15)
"""What is unsure is grown by elements smaller than these, before 1/4 and before full size."""


def loss_of(out: MsgVimMattes, truth: Tensor, layers: Layers, rng: Generator, by_truth: float) -> MsgVimLoss:
    """The loss of a step.

    Args:
        out: what the network gave.
        truth: ``[B, T, 2, H, W]`` in [0, 1].
        layers: what the pictures are made of.
        rng: decides where the finer scales are judged.
        by_truth: how often the truth says where, not the coarser matte: 1 while the rate warms up, 0.5 until three
            times as long, 0 after that.
    """
    sizes = [int(rng.integers(1, widest)) for widest in _WIDEST]
    os8, os4, os1 = out.alpha_os8, out.alpha_os4, out.alpha_os1
    if rng.random() < by_truth:
        quarter, full = (unknown(truth, size) for size in sizes)
    else:
        quarter = unknown(os8.detach(), sizes[0])
        os4 = torch.where(quarter, os4, os8)
        full = unknown(os4.detach(), sizes[1])
        os1 = torch.where(full, os1, os4)
    weight = Scales(torch.ones_like(truth), quarter.to(truth), full.to(truth))
    return msg_vim_loss(Scales(os8, os4, os1), truth, weight, layers.foregrounds, layers.background, layers.clean)
