"""MaGGIe's sparse detail path: fine mattes at the unsure pixels of each instance, and nowhere else.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), section 3.3. Attribute names give
    the keys of the public checkpoints.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.layers import LEAK
from matting.networks.maggie_instances import WIDTH, Mlp
from matting.networks.progressive import unknown
from matting.networks.sparse import (
    InverseConv2d,
    PointwiseConv2d,
    Sites,
    SparseSequential,
    StridedConv2d,
    SubmanifoldConv2d,
)

# What the public code writes where there is no site: a matte of 0 that also pulls its neighbours down when the map is
# enlarged.
_NO_SITE_LOGIT = -99.0
_SIZE_OS4 = 13
_SIZE_OS1 = 7
SITES_AT_ONCE = 1 << 16
"""Instances do not touch each other on the way, so they go in turn; features of so many sites stay in buffers that the
C library reuses, where larger ones are taken from the system, page by page, for every layer."""


class DetailPath(nn.Module):
    """Carries an instance's features from 1/8 to full size at its unsure pixels; see the module's description."""

    def __init__(self) -> None:
        super().__init__()
        self.inst_spec_layer = Mlp(WIDTH)
        # Never run. The public code finds the sites of each scale with it; only where its windows lie matters.
        self.dummy_downscale = nn.ModuleList(
            [SubmanifoldConv2d(3, 32), StridedConv2d(32, 32), StridedConv2d(32, 64), StridedConv2d(64, 64)]
        )
        self.layer3 = SparseSequential(
            InverseConv2d(WIDTH, 64), nn.BatchNorm1d(64), nn.LeakyReLU(LEAK), SubmanifoldConv2d(64, 64)
        )
        self.guidance_layer = SparseSequential(
            PointwiseConv2d(128, 64),
            nn.BatchNorm1d(64),
            nn.LeakyReLU(LEAK),
            SubmanifoldConv2d(64, 64, bias=True),
            nn.Sigmoid(),
        )
        self.layer3_smooth = _smooth(64, 64)
        self.refine_OS4 = _head(64)
        self.layer4 = SparseSequential(
            InverseConv2d(64, 32), nn.BatchNorm1d(32), nn.LeakyReLU(LEAK), PointwiseConv2d(32, 32)
        )
        self.layer4_smooth = _smooth(64, 32)
        self.layer5 = SparseSequential(
            InverseConv2d(32, 32), nn.BatchNorm1d(32), nn.LeakyReLU(LEAK), SubmanifoldConv2d(32, 32)
        )
        self.layer5_smooth = _smooth(64, 32)
        self.refine_OS1 = _head(32)

    def details(
        self, features: Tensor, tokens: Tensor, shortcuts: tuple[Tensor, Tensor, Tensor], chosen: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The mattes at 1/4 and at full size.

        Args:
            features: ``[B, T, 64, H/8, W/8]`` of the frames.
            tokens: ``[B, 10, 64]`` of the slots.
            shortcuts: the encoder's ``[B, T, 32, H, W]``, ``[B, T, 32, H/2, W/2]`` and ``[B, T, 64, H/4, W/4]``.
            chosen: ``[B, T, N, H, W]`` bool, the pixels to look at.

        Returns:
            Two ``[B, T, N, H, W]`` in [0, 1]: the matte at 1/4, enlarged, and the matte at full size. Zero away from
            the chosen pixels.
        """
        if self.training or chosen.shape[2] <= 1:  # statistics are taken over all sites
            return self._details(features, tokens, shortcuts, chosen)
        parts = [
            self._details(features, tokens[:, start:stop], shortcuts, chosen[:, :, start:stop])
            for start, stop in _portions(chosen.sum((0, 1, 3, 4)).tolist())
        ]
        at_quarter, at_full = (torch.cat(maps, 2) for maps in zip(*parts, strict=True))
        return at_quarter, at_full

    def _details(
        self, features: Tensor, tokens: Tensor, shortcuts: tuple[Tensor, Tensor, Tensor], chosen: Tensor
    ) -> tuple[Tensor, Tensor]:
        if not chosen.any():
            nothing = torch.zeros_like(chosen, dtype=features.dtype)
            return nothing, nothing
        _, length, instances = chosen.shape[:3]
        full_shortcut, half_shortcut, quarter_shortcut = shortcuts
        full = Sites(chosen.flatten(0, 2))
        half = full.coarser
        quarter = half.coarser
        eighth = quarter.coarser

        sample, instance = eighth.map // (instances * length), eighth.map % instances
        x = _at(eighth, features, instances) * tokens[sample, instance]
        x = self.layer3(self.inst_spec_layer(x), quarter)
        picture = _at(quarter, quarter_shortcut, instances)
        x = self.layer3_smooth(picture * self.guidance_layer(torch.cat([picture, x], 1), quarter), quarter)
        logit = quarter.to_dense(self.refine_OS4(x, quarter)[:, 0].float(), _NO_SITE_LOGIT)
        logit = F.interpolate(logit[:, None], scale_factor=4.0, mode="bilinear", align_corners=False)
        at_quarter = alpha_of(logit)[:, 0].view(chosen.shape)

        x = self.layer4(x, half)
        x = self.layer4_smooth(torch.cat([_at(half, half_shortcut, instances), x], 1), half)
        x = self.layer5(x, full)
        x = self.layer5_smooth(torch.cat([_at(full, full_shortcut, instances), x], 1), full)
        alpha = alpha_of(self.refine_OS1(x, full)[:, 0].float())
        return at_quarter, full.to_dense(alpha, 0.0).view(chosen.shape)


def _portions(sites: list[int]) -> list[tuple[int, int]]:
    """Neighbouring instances, start and stop, that have up to :data:`SITES_AT_ONCE` sites together."""
    starts, amount = [0], 0
    for instance, more in enumerate(sites):
        amount += more
        if amount > SITES_AT_ONCE and instance > starts[-1]:
            starts.append(instance)
            amount = more
    return list(zip(starts, [*starts[1:], len(sites)], strict=True))


def alpha_of(logit: Tensor) -> Tensor:
    """Opacity in [0, 1] of a logit: ``(tanh(x) + 1) / 2``."""
    return (torch.tanh(logit) + 1) / 2


def fuse(
    coarse: Tensor, at_quarter: Tensor, at_full: Tensor, chosen: Tensor, sizes: tuple[int, int] = (_SIZE_OS4, _SIZE_OS1)
) -> tuple[Tensor, Tensor, Tensor]:
    """Replace a matte by the next finer one where it is unsure.

    Args:
        coarse, at_quarter, at_full: ``[..., H, W]`` in [0, 1].
        chosen: ``[..., H, W]`` bool, where the finer mattes exist.
        sizes: of the elliptical elements by which the unsure pixels of the first and second step are grown.

    Returns:
        The matte, and the bool maps of where the one at 1/4 and the one at full size were taken, all ``[..., H, W]``.
    """
    take_quarter = unknown(coarse, sizes[0], strict=True) & chosen
    alpha = torch.where(take_quarter, at_quarter, coarse)
    take_full = unknown(alpha, sizes[1], strict=True) & chosen
    return torch.where(take_full, at_full, alpha), take_quarter, take_full


def _smooth(channels_in: int, channels_out: int) -> SparseSequential:
    """The norm comes after the ReLU, and nothing after the norm."""
    return SparseSequential(
        PointwiseConv2d(channels_in, channels_out, bias=True), nn.ReLU(), nn.BatchNorm1d(channels_out)
    )


def _head(channels: int) -> SparseSequential:
    return SparseSequential(
        SubmanifoldConv2d(channels, 32), nn.BatchNorm1d(32), nn.LeakyReLU(LEAK), SubmanifoldConv2d(32, 1, bias=True)
    )


def _at(sites: Sites, dense: Tensor, instances: int) -> Tensor:
    """``[sites, C]``: what ``[B, T, C, h, w]`` features, shared by a frame's instances, hold at the sites."""
    frame = sites.map // instances
    length = dense.shape[1]
    return dense.movedim(2, -1)[frame // length, frame % length, sites.y, sites.x]
