"""What MaGGIe's video model adds: memory between frames, where frames differ, and mattes fused over three frames.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), section 3.4; where the public code
    differs from the paper, the code. Attribute names give the keys of the public checkpoints.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.layers import normed_conv


class ConvGru(nn.Module):
    """A convolutional gated recurrent unit that runs forward over a window and back again with the same cell."""

    def __init__(self, channels: int = 128) -> None:
        super().__init__()
        self.ih = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.Sigmoid())
        self.hh = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Tanh())

    def forward(self, frames: Tensor, memory: Tensor | None = None, first: int = 0) -> tuple[Tensor, Tensor]:
        """Mix the frames of a window.

        Args:
            frames: ``[B, T, C, h, w]``.
            memory: ``[B, C, h, w]``, the state before the first frame; zeros where None.
            first: of the frames whose mixed features are asked for.

        Returns:
            ``[B, T - first, C, h, w]`` mixed features, the mean of both directions except at the last frame, where the
            way back begins; and ``[B, T, C, h, w]`` states of the way forward.
        """
        given = self._what_frames_give(frames)
        state = memory
        forward = []
        for gates, candidate in given:
            state = self._step(gates, candidate, state)
            forward.append(state)
        mixed = forward[-1:]
        for (gates, candidate), there in zip(given[-2::-1][: len(given) - 1 - first], forward[-2::-1], strict=False):
            state = self._step(gates, candidate, state)
            mixed.append((there + state) / 2)
        return torch.stack(mixed[::-1], 1), torch.stack(forward, 1)

    def _what_frames_give(self, frames: Tensor) -> list[tuple[Tensor, Tensor]]:
        """The frames' share of the two convolutions, which both ways need: of the gates and of the candidate state."""
        batch, length, channels = frames.shape[:3]
        (to_gates, gate_bias), (to_candidate, candidate_bias) = _convolution(self.ih), _convolution(self.hh)
        weight = torch.cat([to_gates[:, :channels], to_candidate[:, :channels]])
        bias = torch.cat([gate_bias, candidate_bias])
        both = F.conv2d(frames.flatten(0, 1), weight, bias, padding=1)
        steps = both.view(batch, length, *both.shape[1:]).unbind(1)
        return [(step[:, : 2 * channels], step[:, 2 * channels :]) for step in steps]

    def _step(self, gates: Tensor, candidate: Tensor, state: Tensor | None) -> Tensor:
        """One step from the frame's shares; no state stands for zeros, which spares their convolutions."""
        channels = candidate.shape[1]
        if state is None:
            return gates[:, channels:].sigmoid() * candidate.tanh()
        (to_gates, _), (to_candidate, _) = _convolution(self.ih), _convolution(self.hh)
        gates = (gates + F.conv2d(state, to_gates[:, channels:], padding=1)).sigmoid()
        reset, update = gates.chunk(2, 1)
        candidate = (candidate + F.conv2d(reset * state, to_candidate[:, channels:], padding=1)).tanh()
        mixed: Tensor = (1 - update) * state + update * candidate
        return mixed


def _convolution(layers: nn.Sequential) -> tuple[Tensor, Tensor]:
    """Weight and bias; the checkpoints keep the convolution together with its activation."""
    convolution = layers[0]
    assert isinstance(convolution, nn.Conv2d)
    assert convolution.bias is not None
    return convolution.weight, convolution.bias


class DifferenceHead(nn.Sequential):
    """Where the mattes of two frames differ, seen in their features; one map for all instances."""

    def __init__(self, channels: int = 64) -> None:
        super().__init__(
            normed_conv(2 * channels, channels, size=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            normed_conv(channels, channels // 2),
            nn.BatchNorm2d(channels // 2),
            nn.ReLU(),
            nn.Conv2d(channels // 2, 1, 3, padding=1, bias=False),
        )

    def both_ways(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Compare each frame with the one before and with the one after.

        One call per pair, in this order: each advances the spectral norm's vectors if those are kept.

        Args:
            features: ``[B, T, 64, h, w]``.

        Returns:
            Logits, two ``[B, T, 1, 8h, 8w]``; 0 where there is no other frame.
        """
        frames = features.unbind(1)
        nothing = features.new_zeros(len(features), 1, *features.shape[-2:])
        forward = [nothing] + [self(torch.cat(pair, 1)) for pair in pairwise(frames)]
        backward = [nothing] + [self(torch.cat(pair, 1)) for pair in pairwise(frames[::-1])]
        return _enlarge(forward), _enlarge(backward[::-1])


def _enlarge(logits: list[Tensor]) -> Tensor:
    stacked = torch.stack(logits, 1).float()
    large = F.interpolate(stacked.flatten(0, 1), scale_factor=8.0, mode="bilinear", align_corners=False)
    return large.view(*stacked.shape[:3], *large.shape[-2:])


def fuse_over_time(before: Tensor, alpha: Tensor, forward: Tensor, backward: Tensor) -> Tensor:
    """Take over the neighbours' matte where a frame does not differ from them.

    Args:
        before: ``[B, N, H, W]``, the matte of the first of three frames: its own, or as the window that began one frame
            earlier fused it.
        alpha: ``[B, 2, N, H, W]``, the mattes of the other two.
        forward, backward: ``[B, 3, 1, H, W]`` in [0, 1], how much each frame differs from the one before and after.

    Returns:
        ``[B, 2, N, H, W]``. The middle frame takes the neighbours' value where both sides claim exactly the same
        (mattes are exactly 0 or 1 over wide areas), the last continues from the middle one.
    """
    middle, last = alpha.unbind(1)
    changed, changed_back = forward > 0.5, backward > 0.5
    from_before = torch.where(changed[:, 1], middle, before.to(alpha.dtype))
    from_after = torch.where(changed_back[:, 1], middle, last)
    fused = torch.empty_like(alpha)
    torch.where(from_before == from_after, from_before, middle, out=fused[:, 0])
    torch.where(changed[:, 2], last, fused[:, 0], out=fused[:, 1])
    return fused
