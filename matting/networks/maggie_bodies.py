"""The coarse mattes of MaGGIe's video model: what is nearly opaque is opaque, and far from a body there is nothing.

Source:
    The public code of Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from matting.networks.maggie_details import enlarged
from matting.networks.progressive import unknown
from matting.networks.windows import window, windows

_CELL_PX = 8
_SURE = 0.95
_BOX_SIGMA = 3.0
_BOX_RADIUS = 3
_BOX_ALPHA = 0.1
_BOX_MARGIN = 30
_BOX_FAINT = 0.05
"""Where all around is fainter no smoothed value comes near :data:`_BOX_ALPHA`: the kernel sums to 1.03."""
_FAINT_LOGIT = math.atanh(2 * _BOX_FAINT - 1)
_REACH_CELLS = 6
"""A box ends before that many cells from the last one that is not faint: enlarging carries 4 px, the kernel and the
stretching after it 3 px each, the margin 30 px."""


def bodies(logits: Tensor, unsure_px: int) -> tuple[Tensor, Tensor]:
    """Mattes of coarse logits, cut to a :func:`body_box` each; on the CPU nothing is computed far from it.

    Args:
        logits: ``[..., h, w]``.
        unsure_px: side of the elliptical element by which the unsure pixels are grown.

    Returns:
        ``[..., 8h, 8w]`` in [0, 1], and bool where they are unsure.
    """
    maps = logits.flatten(0, -3)
    size = _CELL_PX * maps.shape[1], _CELL_PX * maps.shape[2]
    coarse = torch.zeros(len(maps), *size, device=maps.device)
    chosen = torch.zeros_like(coarse, dtype=torch.bool)
    whole = slice(0, maps.shape[1]), slice(0, maps.shape[2])
    step = 1 if maps.device.type == "cpu" else len(maps)
    for first in range(0, len(maps), step):
        some = slice(first, first + step)
        cells = window(maps[some] > _FAINT_LOGIT, _REACH_CELLS, alignment=1) or whole
        alpha, box = _boxed(maps[some], cells, size)
        if cells != whole and box[0, 0, 0] and box[0, -1, -1]:  # there is no body, and then no box
            cells = whole
            alpha, box = _boxed(maps[some], cells, size)
        place = some, *(slice(_CELL_PX * side.start, _CELL_PX * side.stop) for side in cells)
        chosen[place] = unknown(alpha, unsure_px, strict=True) & box
        coarse[place] = alpha.mul_(box)
    return coarse.view(*logits.shape[:-2], *size), chosen.view(*logits.shape[:-2], *size)


def _boxed(logits: Tensor, cells: tuple[slice, slice], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Mattes of a part of some maps, and the box in it."""
    rows, columns = cells
    top, left = max(0, rows.start - 1), max(0, columns.start - 1)  # enlarging looks at the next cell
    large = enlarged(logits[:, top : rows.stop + 1, left : columns.stop + 1])
    y, x = _CELL_PX * (rows.start - top), _CELL_PX * (columns.start - left)
    height, width = _CELL_PX * (rows.stop - rows.start), _CELL_PX * (columns.stop - columns.start)
    alpha = snap(large[:, y : y + height, x : x + width])
    return alpha, body_box(alpha, (_CELL_PX * rows.start, _CELL_PX * columns.start), size)


def snap(alpha: Tensor) -> Tensor:
    """Let what is nearly opaque be opaque, in place; ``[..., H, W]`` in [0, 1]."""
    return alpha.masked_fill_(alpha >= _SURE, 1.0)


def body_box(alpha: Tensor, corner: tuple[int, int] = (0, 0), size: tuple[int, int] | None = None) -> Tensor:
    """A rectangle round the body of each matte; faint patches far from it lie outside.

    The public code smooths the matte with a kernel that is flat from top to bottom and bell-shaped from left to right,
    on which the thresholds were tuned.

    Args:
        alpha: ``[..., h, w]`` in [0, 1], both sides above 6: the matte, or a part of it that reaches beyond the box.
        corner: y and x of the part.
        size: H and W of the whole matte where it is a part.

    Returns:
        ``[..., h, w]`` bool; everything where the matte is faint all over.
    """
    (top, left), (height, width) = corner, size or alpha.shape[-2:]
    x = torch.arange(-_BOX_RADIUS, _BOX_RADIUS + 1, dtype=alpha.dtype, device=alpha.device)
    bell = torch.exp(-(x**2) / (2 * _BOX_SIGMA**2))
    row = (bell / bell.sum()) ** 2
    maps = alpha.flatten(0, -3) if alpha.ndim > 2 else alpha[None]
    box = torch.ones_like(maps, dtype=torch.bool)
    for number, rows, columns in windows(maps > _BOX_FAINT, _BOX_MARGIN):
        # Without padding: the public code pads and then cuts off as much.
        smooth = _sums(_sums(maps[number, rows, columns], row, -1), torch.ones_like(row), -2)
        smooth = _stretched(_stretched(smooth, -2, _moved(rows, top), height), -1, _moved(columns, left), width)
        body = smooth > _BOX_ALPHA
        if body.device.type == "cpu":
            found = window(body, 0, alignment=1)
            if found is not None:
                box[number] = False
                box[number, _around(found[0], rows), _around(found[1], columns)] = True
            continue
        tall, wide = _span(body.any(-1), rows, maps.shape[1]), _span(body.any(-2), columns, maps.shape[2])
        box[number] = (tall[:, :, None] & wide[:, None, :]) | ~body.flatten(1).any(1)[:, None, None]
    return box.view(alpha.shape)


def _around(seen: slice, part: slice) -> slice:
    """From the margin before the first seen place to just before the margin after the last, of a part of the line."""
    return slice(max(0, part.start + seen.start - _BOX_MARGIN), part.start + seen.stop - 1 + _BOX_MARGIN)


def _sums(maps: Tensor, weights: Tensor, dim: int) -> Tensor:
    """Weighted sums of adjacent values; much faster than a convolution with a single channel."""
    length = maps.shape[dim] - len(weights) + 1
    sums = maps.narrow(dim, 0, length) * weights[0]
    for shift in range(1, len(weights)):
        sums.addcmul_(maps.narrow(dim, shift, length), weights[shift])
    return sums


def _stretched(maps: Tensor, dim: int, part: slice, length: int) -> Tensor:
    """Stretch lines that :func:`_sums` made shorter than ``length`` back to it, bilinearly; of a part of each line.

    ``maps`` hold the sums of this part only, as far as they lie in it; beyond them the nearest is taken.
    """
    lost = 2 * _BOX_RADIUS
    place = torch.arange(part.start, part.stop, dtype=maps.dtype, device=maps.device)
    source = ((place + 0.5) * ((length - lost) / length) - 0.5).clamp(min=0) - part.start
    source = source.clamp(0, maps.shape[dim] - 1)
    before = source.long()
    after = (before + 1).clamp(max=maps.shape[dim] - 1)
    share = (source - before).view([-1 if axis == dim else 1 for axis in range(-maps.ndim, 0)])
    stretched: Tensor = maps.index_select(dim, before).lerp(maps.index_select(dim, after), share)
    return stretched


def _span(seen: Tensor, part: slice, length: int) -> Tensor:
    """``[M, length]`` bool, as :func:`_around` says, for ``seen`` bool of a part of the line."""
    place = torch.arange(length, device=seen.device)
    first = part.start + seen.int().argmax(-1, keepdim=True)
    last = part.stop - 1 - seen.flip(-1).int().argmax(-1, keepdim=True)
    inside: Tensor = (place >= first - _BOX_MARGIN) & (place < last + _BOX_MARGIN)
    return inside


def _moved(part: slice, start: int) -> slice:
    return slice(part.start + start, part.stop + start)
