"""The ResNet-34-like encoder of MSG-VIM and MaGGIe."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn

from matting.networks.layers import encoder_stage, normed_conv, relu, shortcut


class Features(NamedTuple):
    """What the encoder saw."""

    deepest: Tensor
    """``[B, 16 w, H/32, W/32]``; the public networks have w = 32."""
    shortcuts: tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
    """w, w, 2 w, 4 w, 8 w channels at H, H/2, H/4, H/8, H/16."""


class Encoder(nn.Module):
    """``[B, C, H, W]``, both sides multiples of 32, to :class:`Features`.

    Args:
        channels_in: 5 for MSG-VIM (RGB, target, reference), 6 for MaGGIe (RGB, three channels of mask embedding).
        width: channels at full and half size, doubled with every halving after that; the public networks have 32.
    """

    def __init__(self, channels_in: int, width: int = 32) -> None:
        super().__init__()
        full, half, quarter, eighth, sixteenth = width, width, 2 * width, 4 * width, 8 * width
        self.conv1 = normed_conv(channels_in, half, stride=2)
        self.conv2 = normed_conv(half, half)
        self.conv3 = normed_conv(half, quarter, stride=2)
        self.bn1 = nn.BatchNorm2d(half)
        self.bn2 = nn.BatchNorm2d(half)
        self.bn3 = nn.BatchNorm2d(quarter)
        self.layer1 = encoder_stage(quarter, quarter, blocks=3, stride=1)
        self.layer2 = encoder_stage(quarter, eighth, blocks=4)
        self.layer3 = encoder_stage(eighth, sixteenth, blocks=4)
        self.layer_bottleneck = encoder_stage(sixteenth, 16 * width, blocks=2)
        self.shortcut = nn.ModuleList(
            shortcut(seen, passed)
            for seen, passed in zip(
                (channels_in, half, quarter, eighth, sixteenth), (full, half, quarter, eighth, sixteenth), strict=True
            )
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
