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
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.products import product

# The gathered block of one step: it should stay in a core's cache until the GEMM has read it.
_GATHERED_VALUES_CPU = 1 << 19
_GATHERED_VALUES_GPU = 1 << 26


class Sites:
    """The active sites of M maps at one scale, numbered in reading order (map, y, x).

    Args:
        active: ``[M, H, W]`` bool, the maps or the same window of each; H and W even where :attr:`coarser` is used.
        corner: y and x of the window's first pixel in the maps; even where :attr:`coarser` is used.

    Attributes:
        count: the number of sites.
    """

    def __init__(self, active: Tensor, corner: tuple[int, int] = (0, 0)) -> None:
        self._active = active
        self._corner = corner
        # Places in maps with a margin of one pixel, which spares the bounds checks.
        self._places = F.pad(active, (1, 1, 1, 1)).flatten().nonzero()[:, 0]
        self.count = len(self._places)

    @property
    def shape(self) -> tuple[int, int, int]:
        """M, H and W; the latter two of the window."""
        maps, height, width = self._active.shape
        return maps, height, width

    @cached_property
    def map(self) -> Tensor:
        """``[sites]`` int64, the map that each site is in."""
        return self._places // ((self.shape[1] + 2) * (self.shape[2] + 2))

    @cached_property
    def y(self) -> Tensor:
        """``[sites]`` int64, the line of the map, not of the window."""
        return self._places // (self.shape[2] + 2) % (self.shape[1] + 2) + (self._corner[0] - 1)

    @cached_property
    def x(self) -> Tensor:
        """``[sites]`` int64, the column of the map, not of the window."""
        return self._places % (self.shape[2] + 2) + (self._corner[1] - 1)

    @cached_property
    def coarser(self) -> Sites:
        """The sites of half the size that a 3×3 stride-2 convolution reaches: 3×3 max-pool of the activity."""
        active = F.pad(self._active, (1, 0, 1, 0))
        lines = active[:, :-1:2] | active[:, 1::2] | active[:, 2::2]
        reached = lines[..., :-1:2] | lines[..., 1::2] | lines[..., 2::2]
        return Sites(reached, (self._corner[0] // 2, self._corner[1] // 2))

    @cached_property
    def neighbours(self) -> Tensor:
        """``[sites, 9]`` int32: the rows of the 3×3 window in reading order; ``count`` where there is no site."""
        return self._rows_near([(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)])

    @cached_property
    def quads(self) -> Tensor:
        """``[sites, 4]`` int32: the rows of each site, the one right of it, below it, and right of that."""
        return self._rows_near([(0, 0), (0, 1), (1, 0), (1, 1)])

    @cached_property
    def children(self) -> Tensor:
        """``[coarser.count, 9]`` int32: the rows of this scale under the 3×3 stride-2 window of each coarser site."""
        c = self.coarser
        return torch.stack(
            [self._row_at(2 * c.y + dy, 2 * c.x + dx, c.map) for dy in (-1, 0, 1) for dx in (-1, 0, 1)], 1
        )

    @cached_property
    def among_children(self) -> Tensor:
        """``[sites]`` int64: where each site is among the 2×2 pixels under every coarser site, all in reading order."""
        parents = self.coarser._row_at(self.y // 2, self.x // 2, self.map)
        return 4 * parents.long() + 2 * (self.y % 2) + self.x % 2

    def to_dense(self, values: Tensor, empty: float) -> Tensor:
        """Spread ``[sites]`` values over the ``[M, H, W]`` window, with ``empty`` where there is no site."""
        return values.new_full(self.shape, empty).masked_scatter(self._active, values)

    @cached_property
    def _rows(self) -> Tensor:
        """``[M * (H+2) * (W+2)]`` int32, the row at every place."""
        maps, height, width = self.shape
        size, device = maps * (height + 2) * (width + 2), self._places.device
        rows = torch.full((size,), self.count, dtype=torch.int32, device=device)
        rows[self._places] = torch.arange(self.count, dtype=torch.int32, device=device)
        return rows

    def _rows_near(self, steps: list[tuple[int, int]]) -> Tensor:
        """``[sites, len(steps)]`` int32: the rows so many lines and columns, at most one, from each site."""
        width = self.shape[2] + 2
        shifts = torch.tensor([dy * width + dx for dy, dx in steps], device=self._places.device)
        return self._rows.index_select(0, (self._places[:, None] + shifts).flatten()).view(-1, len(steps))

    def _row_at(self, y: Tensor, x: Tensor, maps: Tensor) -> Tensor:
        """The rows at places of the maps, at most one pixel outside the window."""
        _, height, width = self.shape
        line = maps * (height + 2) + y + (1 - self._corner[0])
        return self._rows.index_select(0, line * (width + 2) + x + (1 - self._corner[1]))


class SparseConv2d(nn.Module):
    """What the sparse layers share: a weight ``(out, k, k, in)`` and perhaps a bias ``(out,)``."""

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, *, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, kernel, kernel, in_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        # The public training draws Xavier numbers with the axes read in this order.
        nn.init.xavier_uniform_(self.weight)

    def _gather(self, features: Tensor, table: Tensor) -> Tensor:
        return gather_gemm(features, self.weight.flatten(1, 2), self.bias, table)


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
    """The transposed convolution back from the coarser sites: 3×3, stride 2, padding 1, output padding 1.

    The 2×2 pixels under a coarser site are fed by that site, the one right of it, below it, and right of that. So one
    product gives all four, of which those that are no sites are left out.
    """

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[sites.coarser, in]`` to ``[sites, out]``."""
        children = gather_gemm(features, self._weight_of_children(), None, sites.coarser.quads)
        found = children.view(-1, len(self.weight)).index_select(0, sites.among_children)
        return found if self.bias is None else found + self.bias

    def _weight_of_children(self) -> Tensor:
        """``[4 * out, 4, in]``: of each of the 2×2 pixels, for each of the four sites."""
        # An even line takes the middle tap from its own site and none from the next, an odd one the last and the first.
        none = self.weight.shape[1]
        taps = torch.tensor([1, none, 2, 0], device=self.weight.device)
        padded = F.pad(self.weight, (0, 0, 0, 1, 0, 1))
        apart = padded.index_select(1, taps).index_select(2, taps).view(len(padded), 2, 2, 2, 2, -1)
        return apart.permute(1, 3, 0, 2, 4, 5).reshape(4 * len(padded), 4, -1)


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
        return product(features, matrix.t(), self.bias)


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
    outputs, taps, _ = weight.shape
    if outputs * 4 <= weight.shape[2]:
        # Few outputs: multiply first, then there is less to gather.
        products = product(features, weight.transpose(0, 1).flatten(0, 1)).view(-1, outputs)
        places = table * taps + torch.arange(taps, dtype=table.dtype, device=table.device)
        gathered = F.pad(products, (0, 0, 0, taps)).index_select(0, places.flatten())
        out = gathered.view(-1, taps, outputs).sum(1)
        return out if bias is None else out + bias
    multiplied: Tensor = _GatherGemm.apply(features, weight, bias, table)
    return multiplied


class _GatherGemm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, table: Tensor) -> Tensor:
        ctx.save_for_backward(features, weight, table)
        ctx.biased = bias is not None
        out = features.new_empty(len(table), weight.shape[0])
        matrix = weight.flatten(1)
        for rows, gathered in _blocks(features, table):
            out[rows] = product(gathered, matrix, bias)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None]:
        features, weight, table = ctx.saved_tensors
        (grad,) = grads
        matrix = weight.flatten(1)
        to_features = features.new_zeros(len(features) + 1, features.shape[1])
        to_weight = torch.zeros_like(matrix)
        for rows, gathered in _blocks(features, table):
            to_weight.addmm_(grad[rows].t(), gathered)
            to_features.index_add_(0, table[rows].flatten(), (grad[rows] @ matrix).view(-1, features.shape[1]))
        to_bias = grad.sum(0) if ctx.biased else None
        return to_features[:-1], to_weight.view_as(weight), to_bias, None


def _blocks(features: Tensor, table: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Runs of rows with what they gather, ``[rows, taps * in]``."""
    padded = F.pad(features, (0, 0, 0, 1))
    width = table.shape[1] * features.shape[1]
    step = max(1, (_GATHERED_VALUES_CPU if features.device.type == "cpu" else _GATHERED_VALUES_GPU) // width)
    for start in range(0, len(table), step):
        rows = slice(start, start + step)
        yield rows, padded.index_select(0, table[rows].flatten()).view(-1, width)
