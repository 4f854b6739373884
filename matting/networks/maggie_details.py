"""MaGGIe's sparse detail path: fine mattes at the unsure pixels of each instance, and nowhere else.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), section 3.3. Attribute names give
    the keys of the public checkpoints.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.layers import LEAK
from matting.networks.maggie_instances import Mlp
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
"""Neither instances nor frames touch each other on the way, so they go in turn; features of so many sites stay in
buffers that the C library reuses, where larger ones are taken from the system, page by page, for every layer."""
_INSTANCES, _FRAMES, _ROWS = 2, 1, 3
_HALO_PX = 40
"""So many rows beyond its own a strip has to see: 3 px at full size, 4 at 1/4, 1 at 1/8 by the convolutions, 1 at 1/4
to enlarge the matte there, and what a coarser site may be missing at the edge."""
_LEAST_ROWS = 4 * _HALO_PX


class _Part(NamedTuple):
    """A stretch along one axis: what has to be looked at, and what is kept of the result."""

    seen: range
    kept: range


class DetailPath(nn.Module):
    """Carries an instance's features from 1/8 to full size at its unsure pixels; see the module's description.

    Args:
        width: channels at full size; twice as many at 1/4 and 1/8.

    Attributes:
        sites_at_once: bounds the memory; instances, frames and at last strips of rows are taken one after the other
            until no more pixels are unsure in each. The mattes are the same up to rounding.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        wide = 2 * width
        self.sites_at_once = SITES_AT_ONCE
        self.inst_spec_layer = Mlp(wide)
        # Never run. The public code finds the sites of each scale with it; only where its windows lie matters.
        self.dummy_downscale = nn.ModuleList(
            [
                SubmanifoldConv2d(3, width),
                StridedConv2d(width, width),
                StridedConv2d(width, wide),
                StridedConv2d(wide, wide),
            ]
        )
        self.layer3 = SparseSequential(
            InverseConv2d(wide, wide), nn.BatchNorm1d(wide), nn.LeakyReLU(LEAK), SubmanifoldConv2d(wide, wide)
        )
        self.guidance_layer = SparseSequential(
            PointwiseConv2d(2 * wide, wide),
            nn.BatchNorm1d(wide),
            nn.LeakyReLU(LEAK),
            SubmanifoldConv2d(wide, wide, bias=True),
            nn.Sigmoid(),
        )
        self.layer3_smooth = _smooth(wide, wide)
        self.refine_OS4 = _head(wide, width)
        self.layer4 = SparseSequential(
            InverseConv2d(wide, width), nn.BatchNorm1d(width), nn.LeakyReLU(LEAK), PointwiseConv2d(width, width)
        )
        self.layer4_smooth = _smooth(wide, width)
        self.layer5 = SparseSequential(
            InverseConv2d(width, width), nn.BatchNorm1d(width), nn.LeakyReLU(LEAK), SubmanifoldConv2d(width, width)
        )
        self.layer5_smooth = _smooth(wide, width)
        self.refine_OS1 = _head(width, width)

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
        apart = None if self.training else self._split(chosen)  # in training statistics are taken over all sites
        if apart is None:
            return self._details(features, tokens, shortcuts, chosen)
        axis, parts = apart
        found = []
        for seen, kept in parts:
            maps = self.details(*_within(axis, seen, features, tokens, shortcuts, chosen))
            found.append([matte.narrow(axis, kept.start - seen.start, len(kept)) for matte in maps])
        at_quarter, at_full = (torch.cat(maps, axis) for maps in zip(*found, strict=True))
        return at_quarter, at_full

    def _split(self, chosen: Tensor) -> tuple[int, tuple[_Part, _Part]] | None:
        """Along which axis of ``[B, T, N, H, W]`` to halve what is too much at once; None if it is not, or cannot."""
        if int(chosen.sum()) <= self.sites_at_once:
            return None
        for axis in (_INSTANCES, _FRAMES):
            count = chosen.shape[axis]
            if count > 1:
                first, second = range(count // 2), range(count // 2, count)
                return axis, (_Part(first, first), _Part(second, second))
        height = chosen.shape[_ROWS]
        if height < _LEAST_ROWS:
            return None
        middle = height // 2 // 8 * 8
        upper = _Part(range(middle + _HALO_PX), range(middle))
        lower = _Part(range(middle - _HALO_PX, height), range(middle, height))
        return _ROWS, (upper, lower)

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


def _within(
    axis: int, seen: range, features: Tensor, tokens: Tensor, shortcuts: tuple[Tensor, Tensor, Tensor], chosen: Tensor
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor, Tensor], Tensor]:
    """What :meth:`DetailPath.details` takes, cut down to a stretch of instances, of frames or of rows."""
    part = chosen.narrow(axis, seen.start, len(seen))
    if axis == _INSTANCES:
        return features, tokens.narrow(1, seen.start, len(seen)), shortcuts, part

    def cut(maps: Tensor, scale: int) -> Tensor:
        return maps.narrow(axis, seen.start // scale, len(seen) // scale)

    full, half, quarter = shortcuts
    if axis == _FRAMES:
        return cut(features, 1), tokens, (cut(full, 1), cut(half, 1), cut(quarter, 1)), part
    return cut(features, 8), tokens, (cut(full, 1), cut(half, 2), cut(quarter, 4)), part


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


def _head(channels: int, width: int) -> SparseSequential:
    return SparseSequential(
        SubmanifoldConv2d(channels, width),
        nn.BatchNorm1d(width),
        nn.LeakyReLU(LEAK),
        SubmanifoldConv2d(width, 1, bias=True),
    )


def _at(sites: Sites, dense: Tensor, instances: int) -> Tensor:
    """``[sites, C]``: what ``[B, T, C, h, w]`` features, shared by a frame's instances, hold at the sites."""
    frame = sites.map // instances
    length = dense.shape[1]
    return dense.movedim(2, -1)[frame // length, frame % length, sites.y, sites.x]
