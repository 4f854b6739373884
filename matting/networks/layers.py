"""The layers that MSG-VIM and MaGGIe share: spectral norm, residual blocks, shortcut branches, ASPP.

Attribute names give the keys of the public checkpoints, so they stay as they are.

Source:
    Both networks build on the encoder and decoder of Li & Lu, "Natural Image Matting via Guided Contextual Attention"
    (AAAI 2020), and Yu et al., "Mask Guided Matting via Progressive Refinement Network" (CVPR 2021).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.2
"""Slope of every LeakyReLU of the decoders."""
_TINY = 1e-12

Activation = Callable[[Tensor], Tensor]


def relu(x: Tensor) -> Tensor:
    """ReLU that overwrites ``x``: what feeds an activation here is needed by nobody else, its gradient included."""
    return F.relu(x, inplace=True)


def leaky(x: Tensor) -> Tensor:
    """LeakyReLU as the decoders use it; overwrites ``x``."""
    return F.leaky_relu(x, LEAK, inplace=True)


class Evaluation(Enum):
    """Which singular vectors a spectrally normalised convolution divides by when it is not training."""

    STORED = "stored"
    """Those of the checkpoint (MSG-VIM)."""
    STEP = "step"
    """One power iteration from those of the checkpoint. Calls do not influence one another."""
    STEP_KEPT = "step kept"
    """One more power iteration each call, kept: what MaGGIe's public code does. Results depend on earlier calls."""


class RawWeight(nn.Module):
    """A convolution's weight before normalisation, and the estimates of its first singular vectors.

    ``weight_bar`` has the convolution's own shape; seen as a matrix it has ``weight_bar.shape[0]`` rows, for transposed
    convolutions too (there these are the input channels). ``weight_u`` and ``weight_v`` never get a gradient.
    """

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        rows, columns = weight.flatten(1).shape
        self.weight_u = nn.Parameter(F.normalize(torch.randn(rows), dim=0), requires_grad=False)
        self.weight_v = nn.Parameter(F.normalize(torch.randn(columns), dim=0), requires_grad=False)
        self.weight_bar = nn.Parameter(weight.detach().clone())


class SpectralNorm(nn.Module):
    """A convolution without bias whose weight is divided by an estimate of its largest singular value.

    Stride and padding are the same both ways, dilation and groups one.

    In training each call first makes one power iteration and keeps it; otherwise :class:`Evaluation` decides. The
    gradient flows through the singular value's matrix, not through its vectors.

    Source:
        Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (ICLR 2018), section 2.1.
    """

    def __init__(self, convolution: nn.Conv2d | nn.ConvTranspose2d, evaluation: Evaluation = Evaluation.STORED) -> None:
        super().__init__()
        self.module = RawWeight(convolution.weight)
        self.evaluation = evaluation
        self.transposed = isinstance(convolution, nn.ConvTranspose2d)
        self.stride = convolution.stride[0]
        self.padding = int(convolution.padding[0])

    def weight(self) -> Tensor:
        """The effective weight of this call, shaped like the convolution's; may advance the stored vectors."""
        raw = self.module
        steps = raw.training or self.evaluation is not Evaluation.STORED
        # Half precision would spoil the singular value, and the weight is small beside what it is applied to.
        with torch.autocast(raw.weight_bar.device.type, enabled=False):
            matrix = raw.weight_bar.flatten(1)
            # Not the parameters themselves: a later call in the same graph may overwrite those.
            u, v = _power_iteration(matrix, raw.weight_u) if steps else (raw.weight_u.detach(), raw.weight_v.detach())
            if steps and (raw.training or self.evaluation is Evaluation.STEP_KEPT):
                with torch.no_grad():
                    raw.weight_u.copy_(u)
                    raw.weight_v.copy_(v)
            return raw.weight_bar / torch.dot(u, torch.mv(matrix, v))

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight()
        if self.transposed:
            return F.conv_transpose2d(x, weight, None, self.stride, self.padding)
        return F.conv2d(x, weight, None, self.stride, self.padding)


@torch.no_grad()
def _power_iteration(matrix: Tensor, u: Tensor) -> tuple[Tensor, Tensor]:
    v = torch.mv(matrix.t(), u)
    v = v / (v.norm() + _TINY)
    u = torch.mv(matrix, v)
    return u / (u.norm() + _TINY), v


def evaluate_with(network: nn.Module, evaluation: Evaluation) -> None:
    """Let every spectrally normalised convolution of ``network`` use ``evaluation``."""
    for module in network.modules():
        if isinstance(module, SpectralNorm):
            module.evaluation = evaluation


def normed_conv(channels_in: int, channels_out: int, size: int = 3, stride: int = 1) -> SpectralNorm:
    """Spectrally normalised convolution that keeps the picture's size (at stride 1)."""
    return SpectralNorm(nn.Conv2d(channels_in, channels_out, size, stride, size // 2, bias=False))


def normed_upconv(channels: int) -> SpectralNorm:
    """Spectrally normalised transposed 4x4 convolution to twice the size."""
    return SpectralNorm(nn.ConvTranspose2d(channels, channels, 4, 2, 1, bias=False))


def shortcut(channels_in: int, channels_out: int) -> nn.Sequential:
    """Branch from the encoder to the decoder at one resolution. The ReLU comes before the norm, and none after it."""
    return nn.Sequential(
        normed_conv(channels_in, channels_out),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(channels_out),
        normed_conv(channels_out, channels_out),
        nn.ReLU(inplace=True),
        nn.BatchNorm2d(channels_out),
    )


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around which the input is added.

    At stride 2 the input is averaged to half the size and mapped to the new channels before it is added.
    """

    def __init__(self, channels_in: int, channels_out: int, stride: int = 1, activation: Activation = relu) -> None:
        super().__init__()
        self.conv1 = normed_conv(channels_in, channels_out, stride=stride)
        self.bn1 = nn.BatchNorm2d(channels_out)
        self.conv2 = normed_conv(channels_out, channels_out)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.activation = activation
        self.downsample = (
            nn.Sequential(
                nn.AvgPool2d(2, 2), normed_conv(channels_in, channels_out, size=1), nn.BatchNorm2d(channels_out)
            )
            if stride != 1
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        main = self.activation(self.bn1(self.conv1(x)))
        main = self.bn2(self.conv2(main))
        main += x if self.downsample is None else self.downsample(x)
        return self.activation(main)


class UpPaths(nn.Module):
    """The two paths of the decoders' block to twice the size: ``[B, C_in, H, W]`` to ``[B, C_out, 2H, 2W]``."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.conv1 = normed_upconv(channels_in)
        self.bn1 = nn.BatchNorm2d(channels_in)
        self.conv2 = normed_conv(channels_in, channels_out)
        self.bn2 = nn.BatchNorm2d(channels_out)
        self.upsample = nn.Sequential(
            nn.UpsamplingNearest2d(scale_factor=2),
            normed_conv(channels_in, channels_out, size=1),
            nn.BatchNorm2d(channels_out),
        )

    def main(self, x: Tensor) -> Tensor:
        """The path through the convolutions, ``[B, C_out, 2H, 2W]``."""
        path: Tensor = self.bn2(self.conv2(leaky(self.bn1(self.conv1(x)))))
        return path

    def identity(self, x: Tensor) -> Tensor:
        """The path around them, ``[B, C_out, 2H, 2W]``."""
        path: Tensor = self.upsample(x)
        return path


class UpBlock(UpPaths):
    """Residual block of the decoders to twice the size."""

    def forward(self, x: Tensor) -> Tensor:
        return leaky(self.main(x).add_(self.identity(x)))


def encoder_stage(channels_in: int, channels_out: int, blocks: int, stride: int = 2) -> nn.Sequential:
    """``blocks`` residual blocks with ReLU, of which the first changes channels and size."""
    rest = [ResidualBlock(channels_out, channels_out) for _ in range(blocks - 1)]
    return nn.Sequential(ResidualBlock(channels_in, channels_out, stride), *rest)


def decoder_stage(channels_in: int, channels_out: int, blocks: int) -> nn.Sequential:
    """``blocks`` residual blocks with LeakyReLU, of which the first changes channels and doubles the size."""
    rest = [ResidualBlock(channels_out, channels_out, activation=leaky) for _ in range(blocks - 1)]
    return nn.Sequential(UpBlock(channels_in, channels_out), *rest)


class Aspp(nn.Module):
    """Context at several distances: ``[B, 512, h, w]`` to the same shape.

    Source:
        Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation" (2017), section 3.3, with
        rates 2, 4, 8 and 512 channels out.
    """

    def __init__(self, channels: int = 512, width: int = 256, rates: tuple[int, int, int] = (2, 4, 8)) -> None:
        super().__init__()
        self.aspp1 = nn.Conv2d(channels, width, 1, bias=False)
        self.aspp2, self.aspp3, self.aspp4 = (
            nn.Conv2d(channels, width, 3, padding=rate, dilation=rate, bias=False) for rate in rates
        )
        self.aspp5 = nn.Conv2d(channels, width, 1, bias=False)
        self.aspp1_bn = nn.BatchNorm2d(width)
        self.aspp2_bn = nn.BatchNorm2d(width)
        self.aspp3_bn = nn.BatchNorm2d(width)
        self.aspp4_bn = nn.BatchNorm2d(width)
        self.aspp5_bn = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(5 * width, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        overall = relu(self.aspp5_bn(self.aspp5(x.mean((2, 3), keepdim=True))))
        views = [
            relu(self.aspp1_bn(self.aspp1(x))),
            relu(self.aspp2_bn(self.aspp2(x))),
            relu(self.aspp3_bn(self.aspp3(x))),
            relu(self.aspp4_bn(self.aspp4(x))),
            overall.expand(-1, -1, *x.shape[2:]),
        ]
        return relu(self.bn2(self.conv2(torch.cat(views, 1))))
