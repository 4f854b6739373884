"""Sparse 2-D convolution in plain PyTorch: features live on the active sites of some maps, and nowhere else.

A set of sites (:class:`Sites`) knows which of its rows are neighbours. That index table is built once per scale and
shared by all layers of the scale; a layer gathers the neighbours' features and multiplies them by its weight in one
GEMM. Features are ``[sites, channels]`` matrices, so norms and activations between the layers are the ordinary ones.

Weights have the layout of the public checkpoints, ``(out, kh, kw, in)``.
Why not the ``spconv`` library: ``docs/adr/0004-sparse-convolution-in-plain-torch.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# The gathered block of one step: it should stay in a core's cache until the GEMM has read it.
_GATHERED_VALUES_CPU = 1 << 18
_GATHERED_VALUES_GPU = 1 << 26


class Sites:
    """The active sites of M maps at one scale, numbered in reading order (map, y, x).

    Args:
        active: ``[M, H, W]`` bool; H and W even where :attr:`coarser` is used.

    Attributes:
        map, y, x: ``[sites]`` int64, where each site is.
        count: the number of sites.
    """

    def __init__(self, active: Tensor) -> None:
        self._active = active
        self.map, self.y, self.x = active.nonzero(as_tuple=True)
        self.count = len(self.map)

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, H, W."""
        maps, height, width = self._active.shape
        return maps, height, width

    @cached_property
    def coarser(self) -> Sites:
        """The sites of half the size that a 3×3 stride-2 convolution reaches: 3×3 max-pool of the activity."""
        pooled = F.max_pool2d(self._active.float(), 3, stride=2, padding=1)
        return Sites(pooled > 0)

    @cached_property
    def neighbours(self) -> Tensor:
        """``[sites, 9]`` int32: the rows of the 3×3 window in reading order; ``count`` where there is no site."""
        return torch.stack([self._row_at(self.y + dy, self.x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], 1)

    @cached_property
    def children(self) -> Tensor:
        """``[coarser.count, 9]`` int32: the rows of this scale under the 3×3 stride-2 window of each coarser site."""
        c = self.coarser
        return torch.stack(
            [self._row_at(2 * c.y + dy, 2 * c.x + dx, c.map) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], 1
        )

    @cached_property
    def parents(self) -> list[Parents]:
        """The coarser sites that feed each site of this scale through a 3×3 stride-2 transposed convolution.

        Output row y takes tap k from coarse row ``(y + 1 - k) / 2`` where that is whole: one tap where y is even, two
        where it is odd. So the sites fall into four classes by parity, of 1, 2, 2 and 4 taps instead of 9.
        """
        found = []
        for odd_y in (0, 1):
            for odd_x in (0, 1):
                rows = ((self.y & 1 == odd_y) & (self.x & 1 == odd_x)).nonzero()[:, 0]
                taps = [(ky, kx) for ky in _taps(odd_y) for kx in _taps(odd_x)]
                y, x, maps = self.y[rows], self.x[rows], self.map[rows]
                table = [self.coarser._row_at((y + 1 - ky) // 2, (x + 1 - kx) // 2, maps) for ky, kx in taps]
                found.append(Parents(rows, torch.stack(table, 1), [3 * ky + kx for ky, kx in taps]))
        return found

    def to_dense(self, values: Tensor, empty: float) -> Tensor:
        """Spread ``[sites]`` values over ``[M, H, W]`` maps, with ``empty`` where there is no site."""
        dense = values.new_full(self.shape, empty)
        dense[self.map, self.y, self.x] = values
        return dense

    @cached_property
    def _rows(self) -> Tensor:
        """``[M * (H+2) * (W+2)]`` int32, the row at every place; the margin spares the bounds checks."""
        maps, height, width = self.shape
        rows = torch.full((maps, height + 2, width + 2), self.count, dtype=torch.int32, device=self.map.device)
        rows[self.map, self.y + 1, self.x + 1] = torch.arange(self.count, dtype=torch.int32, device=self.map.device)
        return rows.flatten()

    def _row_at(self, y: Tensor, x: Tensor, maps: Tensor | None = None) -> Tensor:
        _, height, width = self.shape
        maps = self.map if maps is None else maps
        return self._rows[(maps * (height + 2) + y + 1) * (width + 2) + x + 1]


class Parents(NamedTuple):
    """One parity class of :attr:`Sites.parents`: n sites that are fed through the same k taps.

    Attributes:
        rows: ``[n]`` int64, the sites.
        table: ``[n, k]`` int32, rows of the coarser sites; their count where there is no site.
        taps: the k places of the 3×3 weight in reading order.
    """

    rows: Tensor
    table: Tensor
    taps: list[int]


def _taps(odd: int) -> tuple[int, ...]:
    return (0, 2) if odd else (1,)


class SparseConv2d(nn.Module):
    """What the sparse layers share: a weight ``(out, k, k, in)`` and perhaps a bias ``(out,)``."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, *, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, kernel, kernel, in_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        # The public training draws Xavier numbers with the axes read in this order.
        nn.init.xavier_uniform_(self.weight)

    def _gather(self, features: Tensor, table: Tensor, taps: list[int] | None = None) -> Tensor:
        weight = self.weight.flatten(1, 2)
        return gather_gemm(features, weight if taps is None else weight[:, taps], self.bias, table)


class SubmanifoldConv2d(SparseConv2d):
    """3×3, stride 1, padding 1, on the same sites."""

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[sites, in]`` to ``[sites, out]``."""
        return self._gather(features, sites.neighbours)


class StridedConv2d(SparseConv2d):
    """3×3, stride 2, padding 1, to the coarser sites."""

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[sites, in]`` to ``[sites.coarser, out]``."""
        return self._gather(features, sites.children)


class InverseConv2d(SparseConv2d):
    """The transposed convolution back from the coarser sites: 3×3, stride 2, padding 1, output padding 1."""

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[sites.coarser, in]`` to ``[sites, out]``."""
        parts = [self._gather(features, table, taps) for _, table, taps in sites.parents]
        order = torch.cat([rows for rows, _, _ in sites.parents])
        stacked = torch.cat(parts)
        return torch.empty_like(stacked).index_copy(0, order, stacked)


class PointwiseConv2d(SparseConv2d):
    """1×1 as the public weights mean it.

    The library they were trained with reads the buffer of a 1×1 weight as an (in, out) matrix, whatever its declared
    shape (spconv issue 450), so that is what the checkpoints hold.
    """

    def __init__(self, in_channels: int, out_channels: int, *, bias: bool = False) -> None:
        super().__init__(in_channels, out_channels, kernel=1, bias=bias)

    def forward(self, features: Tensor, sites: Sites | None = None) -> Tensor:
        """``[sites, in]`` to ``[sites, out]``; needs no neighbours."""
        matrix = self.weight.reshape(self.weight.shape[3], self.weight.shape[0])
        return F.linear(features, matrix.t(), self.bias)


class SparseSequential(nn.ModuleList):
    """Sparse layers with the norms and activations between them, one after the other on the same sites."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(layers)

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[rows, in]`` to ``[rows, out]``; the rows are those of the sparse layers inside."""
        for layer in self:
            features = layer(features, sites) if isinstance(layer, SparseConv2d) else layer(features)
        return features


def gather_gemm(features: Tensor, weight: Tensor, bias: Tensor | None, table: Tensor) -> Tensor:
    """Multiply every row's gathered neighbours by a weight.

    Memory is bounded in both directions: the gathered matrix exists only in blocks and is gathered again for the
    gradient instead of being kept.

    Args:
        features: ``[n, in]``.
        weight: ``[out, taps, in]``.
        bias: ``[out]`` or None.
        table: ``[m, taps]`` int32, rows of ``features``; n stands for zeros.

    Returns:
        ``[m, out]``, in autocast's precision where autocast is on.
    """
    kind = features.device.type
    if torch.is_autocast_enabled(kind):
        dtype = torch.get_autocast_dtype(kind)
        features, weight = features.to(dtype), weight.to(dtype)
        bias = bias if bias is None else bias.to(dtype)
    if weight.shape[0] * 4 <= weight.shape[2]:
        # Few outputs: multiply first, then there is less to gather.
        products = F.pad(features @ weight.flatten(0, 1).t(), (0, 0, 0, 1)).view(-1, *weight.shape[:2])
        out = torch.stack([products[table[:, tap], :, tap] for tap in range(weight.shape[1])]).sum(0)
    else:
        out = _GatherGemm.apply(features, weight, table)
    return out if bias is None else out + bias


class _GatherGemm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, table: Tensor) -> Tensor:
        ctx.save_for_backward(features, weight, table)
        out = features.new_empty(len(table), weight.shape[0])
        matrix = weight.flatten(1).t()
        for rows, gathered in _blocks(features, table):
            torch.mm(gathered, matrix, out=out[rows])
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, None]:
        features, weight, table = ctx.saved_tensors
        (grad,) = grads
        matrix = weight.flatten(1)
        to_features = features.new_zeros(len(features) + 1, features.shape[1])
        to_weight = torch.zeros_like(matrix)
        for rows, gathered in _blocks(features, table):
            to_weight.addmm_(grad[rows].t(), gathered)
            to_features.index_add_(0, table[rows].flatten(), (grad[rows] @ matrix).view(-1, features.shape[1]))
        return to_features[:-1], to_weight.view_as(weight), None


def _blocks(features: Tensor, table: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Runs of rows with what they gather, ``[rows, taps * in]``."""
    padded = F.pad(features, (0, 0, 0, 1))
    width = table.shape[1] * features.shape[1]
    step = max(1, (_GATHERED_VALUES_CPU if features.device.type == "cpu" else _GATHERED_VALUES_GPU) // width)
    for start in range(0, len(table), step):
        rows = slice(start, start + step)
        yield rows, padded.index_select(0, table[rows].flatten()).view(-1, width)
