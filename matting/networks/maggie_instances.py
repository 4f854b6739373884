"""MaGGIe's instance matte decoder: from what the picture shows at 1/8 to one coarse matte per instance.

Ten tokens, one per instance slot, and all pixels of all frames look at one another twice. A slot's coarse logit at a
pixel is then the product of its token with the pixel's features.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), section 3.2. Attribute names give
    the keys of the public checkpoints.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.layers import LEAK

SLOTS = 10
"""Instances that one pass can tell apart."""

Temporal = Callable[[Tensor], tuple[Tensor, Tensor]]
"""``[B, T, 128, h, w]`` pixel features to ``[B, t, 128, h, w]`` of the last t frames with the others mixed in, and to
the memory of that."""


class Instances(NamedTuple):
    """What the instance matte decoder found.

    Attributes:
        logits: ``[B, t, 10, h, w]`` coarse matte logits of the last t frames, all if there is no temporal module.
        features: ``[B, T, 64, h, w]`` of each frame, the others not mixed in.
        tokens: ``[B, 10, 64]`` of each slot.
        memory: ``[B, T, 128, h, w]`` of the temporal module, None without one.
    """

    logits: Tensor
    features: Tensor
    tokens: Tensor
    memory: Tensor | None


class InstanceDecoder(nn.Module):
    """Tokens of the instances and pixels of the frames attend to one another; see the module's description."""

    def __init__(self, channels: int = 128, rounds: int = 2) -> None:
        super().__init__()
        narrow = channels // 2
        self.feat_proj = _Linears(channels, channels)
        self.token_feat_ca_layers = nn.ModuleList(CrossAttention(channels) for _ in range(rounds))
        self.mlp_layers = nn.ModuleList(Mlp(channels) for _ in range(rounds))
        self.sa_layers = nn.ModuleList(SelfAttention(channels) for _ in range(rounds))
        self.feat_token_ca_layers = nn.ModuleList(CrossAttention(channels) for _ in range(rounds))
        self.final_token_feat_ca = CrossAttention(channels)
        self.final_mlp = _Linears(channels, narrow)
        self.decoder_norm = nn.LayerNorm(narrow)
        self.query_feat = nn.Embedding(SLOTS, channels)
        self.id_embedding = nn.Embedding(SLOTS + 1, channels)
        self.conv = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.LeakyReLU(LEAK),
            nn.Conv2d(channels, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.LeakyReLU(LEAK),
        )

    def forward(self, deep: Tensor, covered: Tensor, temporal: Temporal | None = None) -> Instances:
        """Decode one window.

        Args:
            deep: ``[B, T, 128, h, w]`` from the dense decoder.
            covered: ``[B, T, N, h, w]`` bool, which of its cells each instance's mask touches. A slot that no frame's
                mask touches is no key of any attention.
            temporal: mixes the frames before the logits are formed.
        """
        batch, length, _, height, width = deep.shape
        slots = torch.arange(1, covered.shape[2] + 1, device=deep.device)
        # The last instance wins where masks overlap, and the background has a position of its own.
        identity = (covered * slots[:, None, None]).amax(2).flatten(1)
        valid = F.pad(covered.flatten(3).any(3).any(1), (0, SLOTS - covered.shape[2]))

        pixels = self.feat_proj(deep.movedim(2, 4).flatten(1, 3))
        pixel_position = self.id_embedding(identity)
        tokens = self.query_feat.weight.expand(batch, -1, -1)
        token_position = self.id_embedding.weight[1:]

        for look, think, talk, tell in zip(
            self.token_feat_ca_layers, self.mlp_layers, self.sa_layers, self.feat_token_ca_layers, strict=True
        ):
            tokens = look(tokens, token_position, pixels, pixel_position)
            tokens = talk(think(tokens), token_position, valid)
            pixels = tell(pixels, pixel_position, tokens, token_position, valid)
        tokens = self.final_token_feat_ca(tokens, token_position, pixels, pixel_position)
        tokens = self.decoder_norm(self.final_mlp(tokens))

        maps = pixels.view(batch, length, height, width, -1).movedim(4, 2)
        features = self._smooth(maps)
        mixed, memory = (features, None)
        if temporal is not None:
            maps, memory = temporal(maps)
            mixed = self._smooth(maps)
        return Instances(torch.einsum("bsc,btchw->btshw", tokens, mixed), features, tokens, memory)

    def _smooth(self, maps: Tensor) -> Tensor:
        smoothed: Tensor = self.conv(maps.flatten(0, 1))
        return smoothed.view(*maps.shape[:2], *smoothed.shape[1:])


class Attention(nn.Module):
    """Single-head attention with one packed projection for queries, keys and values."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * channels, channels))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * channels))
        self.out_proj = nn.Linear(channels, channels)
        nn.init.xavier_uniform_(self.in_proj_weight)
        nn.init.zeros_(self.out_proj.bias)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, valid: Tensor | None = None) -> Tensor:
        """``[B, q, C]``, ``[B, k, C]``, ``[B, k, C]`` and ``[B, k]`` bool (keys that count) to ``[B, q, C]``."""
        weights = self.weights(query, key, valid)
        (_, _, to_value), (_, _, bias) = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        mixed: Tensor = self.out_proj(weights @ F.linear(value, to_value, bias))
        return mixed

    def weights(self, query: Tensor, key: Tensor, valid: Tensor | None = None) -> Tensor:
        """``[B, q, k]``, how much of each key every query takes; rows sum to 1. Training has a loss on it."""
        (to_query, to_key, _), (query_bias, key_bias, _) = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        queries = F.linear(query, to_query, query_bias) / math.sqrt(query.shape[-1])
        scores = queries @ F.linear(key, to_key, key_bias).transpose(1, 2)
        if valid is not None:
            # Not minus infinity: a sample without any instance has to stay finite beside the others of its batch.
            scores = scores.masked_fill(~valid[:, None], torch.finfo(scores.dtype).min)
        return scores.softmax(-1)


class CrossAttention(nn.Module):
    """``norm(x + attention(x, others))``; positions are added to queries and keys, not to values."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.multihead_attn = Attention(channels)
        self.norm = nn.LayerNorm(channels)

    def forward(
        self, x: Tensor, position: Tensor, others: Tensor, others_position: Tensor, valid: Tensor | None = None
    ) -> Tensor:
        """``[B, q, C]`` to the same; ``others`` is ``[B, k, C]``, ``valid`` its ``[B, k]`` bool."""
        seen = self.multihead_attn(x + position, others + others_position, others, valid)
        updated: Tensor = self.norm(x + seen)
        return updated


class SelfAttention(nn.Module):
    """``norm(x + attention(x, x))``; positions as in :class:`CrossAttention`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.self_attn = Attention(channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor, position: Tensor, valid: Tensor) -> Tensor:
        """``[B, n, C]`` to the same; ``valid`` is ``[B, n]`` bool."""
        placed = x + position
        updated: Tensor = self.norm(x + self.self_attn(placed, placed, x, valid))
        return updated


class Mlp(nn.Module):
    """``norm(x + linear(relu(linear(x))))`` over the last axis."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(channels, channels)
        self.linear2 = nn.Linear(channels, channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """``[..., C]`` to the same."""
        updated: Tensor = self.norm(x + self.linear2(F.relu(self.linear1(x))))
        return updated


class _Linears(nn.Module):
    """A linear layer under the key the checkpoints have for a stack of them."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(channels_in, channels_out)])

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x
