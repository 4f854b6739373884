"""Folded networks compute what they were folded from."""

from __future__ import annotations

import torch
from tolerances import FOLDED_ALPHA
from torch import nn

from matting.networks.folding import folded
from matting.networks.layers import SpectralNorm
from matting.networks.msg_vim import MsgVim


@torch.inference_mode()
def test_msg_vim_folded_gives_the_same_mattes(msg_vim: MsgVim) -> None:
    random = torch.Generator().manual_seed(4)
    frames = torch.randn(1, 2, 3, 64, 96, generator=random)
    target = (torch.rand(1, 2, 1, 64, 96, generator=random) > 0.5).float()
    weights = {key: value.clone() for key, value in msg_vim.state_dict().items()}
    plain = msg_vim(frames, target, 1 - target)
    quick = folded(msg_vim)
    for layout in (torch.contiguous_format, torch.channels_last):
        out = quick.to(memory_format=layout)(frames, target, 1 - target)
        for scale in ("alpha_os8", "alpha_os4", "alpha_os1"):
            torch.testing.assert_close(getattr(out, scale), getattr(plain, scale), rtol=0, atol=FOLDED_ALPHA)
    assert not any(isinstance(module, SpectralNorm) for module in quick.modules())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in quick.modules())
    assert all(torch.equal(weights[key], value) for key, value in msg_vim.state_dict().items())
    assert not any(weight.requires_grad for weight in quick.parameters())
