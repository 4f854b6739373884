"""Folded networks compute what they were folded from."""

from __future__ import annotations

import torch
from formula_weights import formula_weights
from golden_files import golden_layout
from tolerances import FOLDED_ALPHA
from torch import nn
from torch.nn import functional

from matting.networks import create
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


@torch.inference_mode()
def test_maggie_folded_gives_the_same_mattes() -> None:
    network = create("maggie-video")
    network.load_state_dict(formula_weights(golden_layout("maggie", "layout_video")))
    random = torch.Generator().manual_seed(4)
    frames = torch.randn(1, 3, 3, 64, 96, generator=random)
    masks = torch.zeros(1, 3, 2, 64, 96)
    masks[:, :, 0, 8:50, 10:40], masks[:, :, 1, 20:60, 50:90] = 1, 1
    soft = functional.avg_pool2d(masks[0], 25, stride=8, padding=12)
    logits = functional.pad(8 * soft - 4, (0, 0, 0, 0, 0, 8))
    plain = network(frames, masks, coarse_logits=logits)
    quick = folded(network)
    out = quick(frames, masks, coarse_logits=logits)
    assert plain.detail_mask.float().mean() > 0.1
    for scale in ("alpha_os8", "alpha_os4", "alpha_os1", "alpha"):
        torch.testing.assert_close(getattr(out, scale), getattr(plain, scale), rtol=0, atol=FOLDED_ALPHA)
    norms = [module for module in quick.modules() if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d)]
    assert not norms
