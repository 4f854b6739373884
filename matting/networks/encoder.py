"""The ResNet-34-like encoder of MSG-VIM and MaGGIe."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from matting.networks.layers import encoder_stage, normed_conv, relu, shortcut


class Features(NamedTuple):
    """What the encoder saw."""

    deepest: Tensor
    """``[B, 512, H/32, W/32]``."""
    shortcuts: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    """32, 32, 64, 128, 256 channels at H, H/2, H/4, H/8, H/16."""


class Encoder(nn.Module):
    """``[B, C, H, W]``, both sides multiples of 32, to :class:`Features`.

    Args:
        channels_in: 5 for MSG-VIM (RGB, target, reference), 6 for MaGGIe (RGB, three channels of mask embedding).
    """

    def __init__(self, channels_in: int) -> None:
        super().__init__()
        self.conv1 = normed_conv(channels_in, 32, stride=2)
        self.conv2 = normed_conv(32, 32)
        self.conv3 = normed_conv(32, 64, stride=2)
        self.bn1 = nn.BatchNorm2d(32)
        self.bn2 = nn.BatchNorm2d(32)
        self.bn3 = nn.BatchNorm2d(64)
        self.layer1 = encoder_stage(64, 64, blocks=3, stride=1)
        self.layer2 = encoder_stage(64, 128, blocks=4)
        self.layer3 = encoder_stage(128, 256, blocks=4)
        self.layer_bottleneck = encoder_stage(256, 512, blocks=2)
        self.shortcut = nn.ModuleList(
            shortcut(seen, passed)
            for seen, passed in zip((channels_in, 32, 64, 128, 256), (32, 32, 64, 128, 256), strict=True)
        )

    def forward(self, x: Tensor) -> Features:
        half = relu(self.bn1(self.conv1(x)))
        half = relu(self.bn2(self.conv2(half)))
        quarter = self.layer1(relu(self.bn3(self.conv3(half))))
        eighth = self.layer2(quarter)
        sixteenth = self.layer3(eighth)
        f1, f2, f3, f4, f5 = (
            branch(seen) for branch, seen in zip(self.shortcut, (x, half, quarter, eighth, sixteenth), strict=True)
        )
        return Features(self.layer_bottleneck(sixteenth), (f1, f2, f3, f4, f5))
