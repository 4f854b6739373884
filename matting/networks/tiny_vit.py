"""TinyViT with 5 million weights, the image encoder of MobileSAM.

Attribute names give the keys of the public checkpoint, so they stay as they are. timm has the same network, but under
other names and with a last stage that halves the picture once more than MobileSAM's.

Source:
    Wu et al., "TinyViT: Fast Pretraining Distillation for Small Vision Transformers" (ECCV 2022); the stride of the
    last stage and the neck are from Zhang et al., "Faster Segment Anything: Towards Lightweight SAM for Mobile
    Applications" (arXiv:2306.14289, 2023) and Kirillov et al., "Segment Anything" (ICCV 2023).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_WIDTHS = (64, 128, 160, 320)
_DEPTHS = (2, 2, 6, 2)
_HEADS = (0, 4, 5, 10)
_WINDOWS = (0, 7, 14, 7)
_GROWTH = 4
_CLASSES = 1000
EMBEDDING_CHANNELS = 256


class TinyViT(nn.Module):
    """Pictures to embeddings at a sixteenth of their size.

    Args:
        biased: let attention depend on distance, as it was trained. The public code gathers these biases when it is
            switched to evaluation, and its builder does that before it loads the weights: until somebody switches
            again, it computes without them.
    """

    def __init__(self, biased: bool = True) -> None:
        super().__init__()
        self.patch_embed = _Stem(_WIDTHS[0])
        self.layers = nn.ModuleList(_Stage(place, biased) for place in range(len(_WIDTHS)))
        # Of the classifier that it was trained with first; the public checkpoint carries it along.
        self.norm_head = nn.LayerNorm(_WIDTHS[-1])
        self.head = nn.Linear(_WIDTHS[-1], _CLASSES)
        self.neck = nn.Sequential(
            nn.Conv2d(_WIDTHS[-1], EMBEDDING_CHANNELS, 1, bias=False),
            _ChannelNorm(EMBEDDING_CHANNELS),
            nn.Conv2d(EMBEDDING_CHANNELS, EMBEDDING_CHANNELS, 3, padding=1, bias=False),
            _ChannelNorm(EMBEDDING_CHANNELS),
        )

    def forward(self, x: Tensor) -> Tensor:
        """``[B, 3, H, W]`` float, normalised, sides divisible by 16, to ``[B, 256, H/16, W/16]``."""
        x = self.patch_embed(x)
        for stage in self.layers:
            x = stage(x)
        embedding: Tensor = self.neck(x)
        return embedding


class _NormedConv(nn.Module):
    """A convolution without bias and its batch norm."""

    def __init__(self, inner: int, outer: int, size: int = 1, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.c = nn.Conv2d(inner, outer, size, stride, size // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outer)

    def forward(self, x: Tensor) -> Tensor:
        normed: Tensor = self.bn(self.c(x))
        return normed


class _ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel of ``[B, C, H, W]``."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        last = x.permute(0, 2, 3, 1)
        return F.layer_norm(last, self.weight.shape, self.weight, self.bias, 1e-6).permute(0, 3, 1, 2)


class _Stem(nn.Module):
    """Down to a quarter of the size."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.seq = nn.Sequential(_NormedConv(3, width // 2, 3, 2), nn.GELU(), _NormedConv(width // 2, width, 3, 2))

    def forward(self, x: Tensor) -> Tensor:
        stem: Tensor = self.seq(x)
        return stem


class _Bottleneck(nn.Module):
    """Three convolutions, wide in the middle: both the first stage's blocks and the ways from stage to stage."""

    def __init__(self, inner: int, middle: int, outer: int, stride: int, residual: bool) -> None:
        super().__init__()
        self.conv1 = _NormedConv(inner, middle)
        self.conv2 = _NormedConv(middle, middle, 3, stride, groups=middle)
        self.conv3 = _NormedConv(middle, outer)
        self._residual = residual

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return F.gelu(x + y) if self._residual else y


class _Stage(nn.Module):
    def __init__(self, place: int, biased: bool) -> None:
        super().__init__()
        width, last = _WIDTHS[place], place == len(_WIDTHS) - 1
        if place == 0:
            blocks = [_Bottleneck(width, _GROWTH * width, width, 1, residual=True) for _ in range(_DEPTHS[place])]
            self.blocks = nn.Sequential(*blocks)
        else:
            self.blocks = nn.Sequential(
                *(_WindowBlock(width, _HEADS[place], _WINDOWS[place], biased) for _ in range(_DEPTHS[place]))
            )
        if not last:
            wider, stride = _WIDTHS[place + 1], 1 if place == len(_WIDTHS) - 2 else 2
            self.downsample = _Bottleneck(width, wider, wider, stride, residual=False)
        self._last = last

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(x)
        return x if self._last else self.downsample(x)


class _WindowBlock(nn.Module):
    """Attention within windows, a convolution across their borders, and a perceptron for each pixel."""

    def __init__(self, width: int, heads: int, window: int, biased: bool) -> None:
        super().__init__()
        self.attn = _Attention(width, heads, window, biased)
        self.local_conv = _NormedConv(width, width, 3, groups=width)
        self.mlp = _Perceptron(width)
        self._window = window

    def forward(self, x: Tensor) -> Tensor:
        batch, width, rows, columns = x.shape
        side = self._window
        down, across = -(-rows // side), -(-columns // side)
        padded = F.pad(x, (0, across * side - columns, 0, down * side - rows))
        cells = padded.view(batch, width, down, side, across, side).permute(0, 2, 4, 3, 5, 1)
        cells = self.attn(cells.reshape(-1, side * side, width))
        cells = cells.view(batch, down, across, side, side, width).permute(0, 5, 1, 3, 2, 4)
        x = x + cells.reshape(batch, width, down * side, across * side)[..., :rows, :columns]
        x = self.local_conv(x)
        last = x.permute(0, 2, 3, 1)
        mixed: Tensor = last + self.mlp(last)
        return mixed.permute(0, 3, 1, 2)


class _Attention(nn.Module):
    """Self-attention of the pixels of a window, with a learned bias for every distance between two of them."""

    def __init__(self, width: int, heads: int, window: int, biased: bool) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        self._heads, self._window, self._biased = heads, window, biased

    def forward(self, x: Tensor) -> Tensor:
        """``[B, window², width]``."""
        batch, pixels, width = x.shape
        # Query, key and value of a head lie together.
        parts = self.qkv(self.norm(x)).view(batch, pixels, self._heads, 3, width // self._heads)
        query, key, value = parts.permute(3, 0, 2, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value, self._bias() if self._biased else None)
        mixed: Tensor = self.proj(attended.transpose(1, 2).reshape(batch, pixels, width))
        return mixed

    def _bias(self) -> Tensor:
        """``[1, heads, window², window²]``: what each pair of pixels adds."""
        # Distances count down and across regardless of direction and are numbered row by row.
        line = torch.arange(self._window, device=self.attention_biases.device)
        apart = (line[:, None] - line).abs()
        number = (apart[:, None, :, None] * self._window + apart[None, :, None, :]).flatten(2).flatten(0, 1)
        biases: Tensor = self.attention_biases[:, number]
        return biases[None]


class _Perceptron(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.fc1 = nn.Linear(width, _GROWTH * width)
        self.fc2 = nn.Linear(_GROWTH * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.fc2(F.gelu(self.fc1(self.norm(x))))
        return y
