"""Sparse 2-D convolution in plain PyTorch: features live on the active sites of some maps, and nowhere else.

A set of sites (:class:`~matting.networks.sites.Sites`) knows which of its rows are neighbours; a layer gathers the
neighbours' features and multiplies them by its weight in one GEMM. Features are ``[sites, channels]`` matrices, so the
norms and activations between the layers are the ordinary ones.

Weights have the layout of the public checkpoints, ``(out, kh, kw, in)``.
Why not the ``spconv`` library: ``docs/adr/0004-sparse-convolution-in-plain-torch.md``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from matting.networks.products import convolved, convolves, product
from matting.networks.sites import Sites

# The gathered block of one step: it should stay in a core's cache until the GEMM has read it.
_GATHERED_VALUES_CPU = 1 << 19
_GATHERED_VALUES_GPU = 1 << 26


class SparseConv2d(nn.Module):
    """What the sparse layers share: a weight ``(out, k, k, in)`` and perhaps a bias ``(out,)``.

    Attributes:
        slope: of the leaky ReLU that comes after the layer and is done with it, while its values are still in the
            cache; None for none. Such a layer gives no gradient.
    """

    slope: float | None = None

    def __init__(self, in_channels: int, out_channels: int, kernel: int = 3, *, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, kernel, kernel, in_channels))
        self.bias = nn.Parameter(torch.zeros(out_channels)) if bias else None
        # The public training draws Xavier numbers with the axes read in this order.
        nn.init.xavier_uniform_(self.weight)

    def scale_and_shift(self, scale: Tensor, shift: Tensor) -> None:
        """Multiply all further results by ``[out]`` and add ``[out]``."""
        self.weight = nn.Parameter(self.weight * scale[:, None, None, None])
        self.bias = nn.Parameter(shift if self.bias is None else self.bias * scale + shift)

    def _gather(self, features: Tensor, table: Tensor) -> Tensor:
        return gather_gemm(features, self.weight.flatten(1, 2), self.bias, table, self.slope)


class SubmanifoldConv2d(SparseConv2d):
    """3×3, stride 1, padding 1, on the same sites."""

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[sites, in]`` to ``[sites, out]``."""
        if sites.count and convolves(features):
            found: Tensor = _AlongLines.apply(features, self.weight, self.bias, sites, self.slope)
            return found
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
        bias = None if self.bias is None else self.bias.repeat(4)
        children = gather_gemm(features, self._weight_of_children(), bias, sites.coarser.quads, self.slope)
        return children.view(-1, len(self.weight)).index_select(0, sites.among_children)

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

    def scale_and_shift(self, scale: Tensor, shift: Tensor) -> None:
        """See :meth:`SparseConv2d.scale_and_shift`."""
        matrix = self.weight.reshape(self.weight.shape[3], self.weight.shape[0]) * scale
        super().scale_and_shift(torch.ones_like(scale), shift)
        self.weight = nn.Parameter(matrix.view_as(self.weight))

    def forward(self, features: Tensor, sites: Sites | None = None) -> Tensor:
        """``[sites, in]`` to ``[sites, out]``; needs no neighbours."""
        matrix = self.weight.reshape(self.weight.shape[3], self.weight.shape[0])
        return _leaking(product(features, matrix.t(), self.bias), self.slope)


class SparseSequential(nn.ModuleList):
    """Sparse layers with the norms and activations between them, one after the other on the same sites."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(layers)

    def forward(self, features: Tensor, sites: Sites) -> Tensor:
        """``[rows, in]`` to ``[rows, out]``; the rows are those of the sparse layers inside."""
        for layer in self:
            features = layer(features, sites) if isinstance(layer, SparseConv2d) else layer(features)
        return features


def gather_gemm(
    features: Tensor, weight: Tensor, bias: Tensor | None, table: Tensor, slope: float | None = None
) -> Tensor:
    """Multiply every row's gathered neighbours by a weight.

    Memory is bounded in both directions: the gathered matrix exists only in blocks and is gathered again for the
    gradient instead of being kept.

    Args:
        features: ``[n, in]``.
        weight: ``[out, taps, in]``.
        bias: ``[out]`` or None.
        table: ``[m, taps]`` int32, rows of ``features``; n stands for zeros.
        slope: see :class:`SparseConv2d`.

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
        return _leaking(out if bias is None else out + bias, slope)
    multiplied: Tensor = _GatherGemm.apply(features, weight, bias, table, slope)
    return multiplied


class _GatherGemm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, table: Tensor, slope: float | None
    ) -> Tensor:
        ctx.save_for_backward(features, weight, table)
        ctx.biased, ctx.slope = bias is not None, slope
        out = features.new_empty(len(table), weight.shape[0])
        matrix = weight.flatten(1)
        for rows, gathered in _blocks(features, table):
            out[rows] = _leaking(product(gathered, matrix, bias), slope)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
        assert ctx.slope is None
        features, weight, table = ctx.saved_tensors
        to_features, to_weight = _gradients(features, weight.flatten(1), table, *grads)
        return to_features, to_weight.view_as(weight), grads[0].sum(0) if ctx.biased else None, None, None


class _AlongLines(torch.autograd.Function):
    """The 3×3 convolution as one along :attr:`Sites.lines`, for which three rows are gathered where a table needs nine.

    With few outputs one row is enough: each place gives what the site below, at and above it has to add up.
    """

    @staticmethod
    def forward(
        ctx: Any, features: Tensor, weight: Tensor, bias: Tensor | None, sites: Sites, slope: float | None
    ) -> Tensor:
        ctx.save_for_backward(features, weight)
        ctx.biased, ctx.sites, ctx.slope = bias is not None, sites, slope
        outputs = len(weight)
        if outputs * 4 > features.shape[1]:
            out = features.new_empty(sites.count, outputs)
            first = 0
            for places, made in _along(features, weight, bias, sites.lines):
                last = int(torch.searchsorted(sites.among_lines, places.stop))
                among = sites.among_lines[first:last] - places.start
                torch.index_select(_leaking(made, slope), 0, among, out=out[first:last])
                first = last
            return out
        in_line = weight.transpose(0, 1).reshape(3 * outputs, 1, 3, -1)
        parts = [made for _, made in _along(features, in_line, None, sites.middle_lines)]
        apart = torch.cat([*parts, features.new_zeros(1, 3 * outputs)])
        found = apart.view(-1, outputs).index_select(0, sites.above_at_below)
        found = found.view(-1, 3, outputs).sum(1)
        return _leaking(found if bias is None else found + bias, slope)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor | None, None, None]:
        assert ctx.slope is None
        features, weight = ctx.saved_tensors
        to_features, to_weight = _gradients(features, weight.flatten(1), ctx.sites.neighbours, *grads)
        return to_features, to_weight.view_as(weight), grads[0].sum(0) if ctx.biased else None, None, None


def _along(features: Tensor, weight: Tensor, bias: Tensor | None, lines: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Runs of places of ``[L, LINE + 2, k]`` lines with their ``[places, out]`` by an ``[out, k, 3, in]`` weight."""
    # In memory as oneDNN reads it, or it would be brought into that order for every block.
    taps = weight.transpose(1, 2).flatten(2).contiguous()[:, None].permute(0, 3, 1, 2)
    length = lines.shape[1] - 2
    for some, gathered in _blocks(features, lines):
        yield slice(some.start * length, some.stop * length), convolved(gathered[None], taps, bias).flatten(0, 2)


def _leaking(values: Tensor, slope: float | None) -> Tensor:
    return values if slope is None else F.leaky_relu_(values, slope)


def _gradients(features: Tensor, matrix: Tensor, table: Tensor, grad: Tensor) -> tuple[Tensor, Tensor]:
    """Of the features and of the ``[out, taps * in]`` weight, from that of the ``[m, out]`` result."""
    to_features = features.new_zeros(len(features) + 1, features.shape[1])
    to_weight = torch.zeros_like(matrix)
    for rows, gathered in _blocks(features, table):
        to_weight.addmm_(grad[rows].t(), gathered)
        to_features.index_add_(0, table[rows].flatten(), (grad[rows] @ matrix).view(-1, features.shape[1]))
    return to_features[:-1], to_weight


def _blocks(features: Tensor, table: Tensor) -> Iterator[tuple[slice, Tensor]]:
    """Runs along the first axis of ``[m, ..., taps]`` with what they gather, ``[run, ..., taps * in]``."""
    padded = F.pad(features, (0, 0, 0, 1))
    values = table[0].numel() * features.shape[1] if len(table) else 1
    step = max(1, (_GATHERED_VALUES_CPU if features.device.type == "cpu" else _GATHERED_VALUES_GPU) // values)
    for start in range(0, len(table), step):
        rows = slice(start, start + step)
        part = table[rows]
        yield rows, padded.index_select(0, part.flatten()).view(*part.shape[:-1], -1)
