"""MaGGIe's sparse detail path: fine mattes at the unsure pixels of each instance, and nowhere else.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), section 3.3. Attribute names give
    the keys of the public checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.layers import LEAK
from matting.networks.maggie_instances import Mlp
from matting.networks.progressive import unknown
from matting.networks.sites import Sites
from matting.networks.sparse import (
    InverseConv2d,
    PointwiseConv2d,
    SparseSequential,
    StridedConv2d,
    SubmanifoldConv2d,
)
from matting.networks.windows import ALIGNMENT_PX, window, windows

# What the public code writes where there is no site: a matte of 0 that also pulls its neighbours down when the map is
# enlarged.
_NO_SITE_LOGIT = -99.0
_SIZE_OS4 = 13
_SIZE_OS1 = 7
SITES_AT_ONCE = 1 << 17
"""Features of so many sites stay in buffers that the C library reuses, where larger ones are taken from the system,
page by page, for every layer."""
_MARGIN_PX = 16
"""Around the sites of a window: the coarser sites and the matte enlarged from 1/4 reach so far, and no further."""
_HALO_PX = 40
"""So many rows beyond its own a strip has to see: 3 px at full size, 4 at 1/4, 1 at 1/8 by the convolutions, 1 at 1/4
to enlarge the matte there, and what a coarser site may be missing at the edge."""

Scales = tuple[Tensor, Tensor, Tensor]
"""What the encoder passes on at full size, 1/2 and 1/4."""


class DetailPath(nn.Module):
    """Carries an instance's features from 1/8 to full size at its unsure pixels; see the module's description.

    Args:
        width: channels at full size; twice as many at 1/4 and 1/8.

    Attributes:
        sites_at_once: bounds the memory. Frames and instances do not touch each other on the way. So on the CPU
            instances go in turn, elsewhere frames do, and instances so many at a time that no more pixels are unsure in
            them; where there are more in a single one, it goes in strips of rows. The mattes are the same up to
            rounding.
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
        self, features: Tensor, tokens: Tensor, frames: Sequence[Scales], chosen: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The mattes at 1/4 and at full size.

        Args:
            features: ``[B, T, 64, H/8, W/8]`` of the frames.
            tokens: ``[B, 10, 64]`` of the slots.
            frames: of each frame the encoder's ``[B, 32, H, W]``, ``[B, 32, H/2, W/2]`` and ``[B, 64, H/4, W/4]``.
            chosen: ``[B, T, N, H, W]`` bool, the pixels to look at.

        Returns:
            Two ``[B, T, N, H, W]`` in [0, 1]: the matte at 1/4, enlarged, and the matte at full size. Zero away from
            the chosen pixels.
        """
        if self.training:  # statistics are taken over all sites
            return self._details(features, tokens, frames, chosen)
        at_quarter = torch.zeros_like(chosen, dtype=torch.float32)
        at_full = torch.zeros_like(at_quarter)
        for times, instances in self._groups(chosen):
            active = chosen[:, times, instances]
            for seen, kept, columns in self._strips(active):
                found = self._details(
                    features[:, times],
                    tokens[:, instances],
                    frames[times],
                    active[..., seen.start : seen.stop, columns],
                    corner=(seen.start, columns.start),
                )
                for whole, part in zip((at_quarter, at_full), found, strict=True):
                    target = whole[:, times, instances, kept.start : kept.stop, columns]
                    target.copy_(part[..., kept.start - seen.start : kept.stop - seen.start, :])
        return at_quarter, at_full

    def _groups(self, chosen: Tensor) -> Iterator[tuple[slice, slice]]:
        """Which frames and instances of ``[B, T, N, H, W]`` are computed together."""
        if chosen.device.type == "cpu":
            yield from ((slice(None), slice(number, number + 1)) for number in range(chosen.shape[2]))
            return
        for time in range(chosen.shape[1]):
            first = together = 0
            for number, count in enumerate(chosen[:, time].sum((0, 2, 3)).tolist()):
                if together and together + count > self.sites_at_once:
                    yield slice(time, time + 1), slice(first, number)
                    first, together = number, 0
                together += count
            yield slice(time, time + 1), slice(first, chosen.shape[2])

    def _strips(self, active: Tensor) -> Iterator[tuple[range, range, slice]]:
        """Rows to look at, which of them to keep, and columns, so that all that is active is kept once."""
        found = window(active.flatten(0, -3), _MARGIN_PX)
        if found is None:
            return
        rows, columns = found
        waiting = [range(rows.start, rows.stop)]
        while waiting:
            kept = waiting.pop()
            seen = range(max(rows.start, kept.start - _HALO_PX), min(rows.stop, kept.stop + _HALO_PX))
            if len(kept) < 2 * _HALO_PX or int(active[..., seen.start : seen.stop, :].sum()) <= self.sites_at_once:
                yield seen, kept, columns
            else:
                middle = (kept.start + kept.stop) // 2 // ALIGNMENT_PX * ALIGNMENT_PX
                waiting += [range(kept.start, middle), range(middle, kept.stop)]

    def _details(
        self,
        features: Tensor,
        tokens: Tensor,
        frames: Sequence[Scales],
        chosen: Tensor,
        corner: tuple[int, int] = (0, 0),
    ) -> tuple[Tensor, Tensor]:
        """:meth:`details` in ``[B, T, N, h, w]`` windows of the frames; features and shortcuts are of whole ones."""
        if not chosen.any():
            nothing = torch.zeros_like(chosen, dtype=torch.float32)
            return nothing, nothing
        _, length, instances = chosen.shape[:3]
        full_shortcut, half_shortcut, quarter_shortcut = zip(*frames, strict=True)
        full = Sites(chosen.flatten(0, 2), corner)
        half = full.coarser
        quarter = half.coarser
        eighth = quarter.coarser

        token = eighth.map // (instances * length) * instances + eighth.map % instances
        x = _at(eighth, features.unbind(1), instances) * tokens[:, :instances].flatten(0, 1).index_select(0, token)
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


def alpha_of(logit: Tensor) -> Tensor:
    """Opacity in [0, 1] of a logit: ``(tanh(x) + 1) / 2``.

    That is exactly 0 from about -9 down, on which the fusion over time relies. It is computed as a sigmoid, on the CPU
    ten times as fast; what is taken away and added again rounds it as the hyperbolic tangent is rounded.
    """
    return (torch.sigmoid(2 * logit) - 0.5) + 0.5


def enlarged(logits: Tensor) -> Tensor:
    """``[..., h, w]`` coarse logits to ``[..., 8h, 8w]`` mattes in [0, 1]."""
    maps = logits.float().flatten(0, -3)[None]
    large = alpha_of(F.interpolate(maps, scale_factor=8.0, mode="bilinear", align_corners=False))
    return large.view(*logits.shape[:-2], *large.shape[-2:])


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
    alpha = coarse.clone()
    take_quarter, take_full = torch.zeros_like(chosen), torch.zeros_like(chosen)
    maps = [whole.flatten(0, -3) for whole in (coarse, at_quarter, at_full, chosen)]
    results = [whole.view(maps[0].shape) for whole in (alpha, take_quarter, take_full)]
    for place in windows(maps[3], sizes[0]):
        sure, quarter, full, inside = (whole[place] for whole in maps)
        first = unknown(sure, sizes[0], strict=True) & inside
        finer = torch.where(first, quarter, sure)
        second = unknown(finer, sizes[1], strict=True) & inside
        for whole, part in zip(results, (torch.where(second, full, finer), first, second), strict=True):
            whole[place] = part
    return alpha, take_quarter, take_full


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


def _at(sites: Sites, frames: Sequence[Tensor], instances: int) -> Tensor:
    """``[sites, C]``: what the ``[B, C, h, w]`` features of each frame, shared by its instances, hold at the sites."""
    batch, width = len(frames[0]), frames[0].shape[-1]
    place = sites.y * width + sites.x
    rows = [frame[number].movedim(0, -1).flatten(0, 1) for number in range(batch) for frame in frames]
    if len(rows) == 1:
        return rows[0].index_select(0, place)
    firsts = torch.arange(1, len(rows), device=place.device) * instances
    parts = place.tensor_split(torch.searchsorted(sites.map, firsts).tolist())
    return torch.cat([row.index_select(0, part) for row, part in zip(rows, parts, strict=True)])
