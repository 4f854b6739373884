"""MSG-VIM: mattes of one instance over a run of frames, told apart from all others by two masks.

Source:
    Li et al., "Video Instance Matting" (WACV 2024); public code SHI-Labs/VIM (MIT, SHI Labs 2023), from whose behaviour
    this was written anew. No licence is stated for the public weights.

    Where paper and code disagree the weights follow the code: the temporal unit takes the second half of the channels,
    its state is not delayed by a frame, and it is joined as [features, state].
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.encoder import Encoder, Features
from matting.networks.layers import LEAK, Aspp, ResidualBlock, UpPaths, decoder_stage, leaky, normed_upconv
from matting.networks.progressive import unknown

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
"""Of ImageNet: pictures are normalised by them."""
ELEMENT_OS4 = 15
ELEMENT_OS1 = 7
"""Sides of the elements round what is unsure at OS8 and OS4: half the widths 30 and 15 of the public configuration."""


class MsgVimMattes(NamedTuple):
    """Opacities in [0, 1]; channel 0 is the target, channel 1 all other instances together."""

    alpha_os8: Tensor
    """``[B, T, 2, H, W]``, from features at an eighth of the size."""
    alpha_os4: Tensor
    """``[B, T, 2, H, W]``, from features at a quarter of the size."""
    alpha_os1: Tensor
    """``[B, T, 2, H, W]``, from features at full size; the only one that looks at earlier frames."""
    alpha: Tensor
    """``[B, T, 1, H, W]``: the target's three mattes fused."""
    memory: Tensor
    """``[B, 16, H/2, W/2]`` at the public width: state of the temporal unit after the last frame."""


class MsgVim(nn.Module):
    """The network. No weight depends on the number of frames or instances.

    Args:
        width: channels at full size, from which all others follow; the public network has 32.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.encoder = Encoder(5, width)
        self.aspp = Aspp(16 * width, 8 * width)
        self.decoder = Decoder(width)

    def forward(self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None = None) -> MsgVimMattes:
        """Matte B instances over T frames each.

        Args:
            frames: ``[B, T, 3, H, W]`` RGB, ImageNet-normalised; both sides multiples of 32.
            target: ``[B, T, 1, H, W]`` of 0 and 1: the instance.
            reference: ``[B, T, 1, H, W]`` of 0 and 1: all other instances.
            memory: ``[B, 16, H/2, W/2]`` from the call before, to give the network one run of frames in several calls;
                the mattes are the same as in one call. None at the start of a run.
        """
        batch, length = frames.shape[:2]
        seen = torch.cat((frames, target, reference), 2).flatten(0, 1)  # [B*T, 5, H, W]
        features = self.encoder(seen)
        os8, os4, os1, memory = self.decoder(self.aspp(features.deepest), features, length, memory)
        # From here in float32 even where autocast multiplies in half: mattes need finer steps than that.
        os8 = F.interpolate(os8.float(), scale_factor=8, mode="bilinear", align_corners=False)
        os4 = F.interpolate(os4.float(), scale_factor=4, mode="bilinear", align_corners=False)
        a8, a4, a1 = (((torch.tanh(x) + 1) / 2).view(batch, length, 2, *x.shape[2:]) for x in (os8, os4, os1.float()))
        return MsgVimMattes(a8, a4, a1, fuse(a8[:, :, :1], a4[:, :, :1], a1[:, :, :1]), memory)


def fuse(alpha_os8: Tensor, alpha_os4: Tensor, alpha_os1: Tensor) -> Tensor:
    """Take the finer matte where the coarser one is unsure; all ``[..., H, W]``.

    Source:
        Yu et al. (CVPR 2021), section 3.2; element sizes as in evaluation.
    """
    alpha = torch.where(unknown(alpha_os8, ELEMENT_OS4), alpha_os4, alpha_os8)
    return torch.where(unknown(alpha, ELEMENT_OS1), alpha_os1, alpha)


class Decoder(nn.Module):
    """Back from 1/32 of the size to logits at 1/8, 1/4 and all of it."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.layer1 = decoder_stage(16 * width, 8 * width, blocks=2)
        self.layer2 = decoder_stage(8 * width, 4 * width, blocks=3)
        self.layer3 = decoder_stage(4 * width, 2 * width, blocks=3)
        self.layer4 = nn.ModuleList((TemporalUpBlock(2 * width, width), ResidualBlock(width, width, activation=leaky)))
        self.conv1 = normed_upconv(width)
        self.bn1 = nn.BatchNorm2d(width)
        self.refine_OS8 = _head(4 * width, width)
        self.refine_OS4 = _head(2 * width, width)
        self.refine_OS1 = _head(width, width)

    def forward(
        self, deepest: Tensor, features: Features, length: int, memory: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Logits ``[B*T, 2, h, w]`` at OS8, OS4 and OS1, and the temporal unit's state."""
        f1, f2, f3, f4, f5 = features.shortcuts
        # What the shortcuts hold is read here only, so the sums go in their place.
        eighth = f4.add_(self.layer2(f5.add_(self.layer1(deepest))))
        quarter = f3.add_(self.layer3(eighth))
        temporal, block = self.layer4
        half, memory = temporal(quarter, length, memory)
        full = f1.add_(leaky(self.bn1(self.conv1(f2.add_(block(half))))))
        return self.refine_OS8(eighth), self.refine_OS4(quarter), self.refine_OS1(full), memory


def _head(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 3, padding=1, bias=False),
        nn.BatchNorm2d(width),
        nn.LeakyReLU(LEAK, inplace=True),
        nn.Conv2d(width, 2, 3, padding=1),
    )


class TemporalUpBlock(UpPaths):
    """Up-sampling block whose identity path remembers: half of its channels become a state carried over the frames.

    Source:
        Paper, section 3.3, as the public code has it (see the top of this module).
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out)
        self.tmp_network = Recurrence(channels_out // 2)

    def forward(self, x: Tensor, length: int, memory: Tensor | None) -> tuple[Tensor, Tensor]:
        """``[B*T, C_in, H, W]`` to ``[B*T, C_out, 2H, 2W]`` and the state after the last frame."""
        passed, remembered = self.identity(x).chunk(2, dim=1)
        states = self.tmp_network(remembered.reshape(-1, length, *remembered.shape[1:]), memory)
        identity = torch.cat((passed, states.flatten(0, 1)), 1)
        return leaky(self.main(x).add_(identity)), states[:, -1]


class Recurrence(nn.Module):
    """``h_t = tanh(ih(x_t) + hh(h_{t-1}))``; at the first frame of a run without ``hh``, its bias included."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ih = nn.Conv2d(channels, channels, 3, padding=1)
        self.hh = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """``[B, T, C, H, W]`` to the states, shaped alike; ``memory`` is the state ``[B, C, H, W]`` before ``x``."""
        driven = self.ih(x.flatten(0, 1)).view(x.shape)
        states: list[Tensor] = []
        for frame in driven.unbind(1):
            memory = torch.tanh(frame if memory is None else frame + self.hh(memory))
            states.append(memory)
        return torch.stack(states, 1)
