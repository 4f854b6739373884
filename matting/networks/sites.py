"""Where features live that are not everywhere: the active sites of some maps, and which of them are neighbours.

Index tables are built once per scale and shared by all layers of the scale.
"""

from __future__ import annotations

from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

LINE = 256
"""Places in one line of :attr:`Sites.lines`; many lines let all cores work, long ones repeat few places."""


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
        return torch.zeros_like(self._line) if self.shape[0] == 1 else self._line // (self.shape[1] + 2)

    @cached_property
    def y(self) -> Tensor:
        """``[sites]`` int64, the line of the map, not of the window."""
        return self._line - self.map * (self.shape[1] + 2) + (self._corner[0] - 1)

    @cached_property
    def x(self) -> Tensor:
        """``[sites]`` int64, the column of the map, not of the window."""
        return self._places - self._line * (self.shape[2] + 2) + (self._corner[1] - 1)

    @cached_property
    def _line(self) -> Tensor:
        """``[sites]`` int64, the line with margins, counted through all maps."""
        return self._places // (self.shape[2] + 2)

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
    def lines(self) -> Tensor:
        """``[L, LINE + 2, 3]`` int32: all sites in reading order, each run of them with the places at its two ends.

        So the places left and right of a site are those before and after it, and along the line a convolution needs no
        table. The rows given are those above, at and below each place; ``count`` where there is no site. Each line
        begins with the last two places of the line before.
        """
        places = self._places_of_lines
        count = -(-len(places) // LINE)
        # What comes before the first place and after the last is next to no site; any place does.
        padded = torch.cat([places[:1], places, places[-1:].expand(count * LINE + 1 - len(places))])
        line = self.shape[2] + 2
        shifts = torch.tensor([-line, 0, line], device=places.device)
        wanted = padded.unfold(0, LINE + 2, LINE)[..., None] + shifts
        return self._rows.index_select(0, wanted.flatten()).view(count, LINE + 2, 3)

    @cached_property
    def among_lines(self) -> Tensor:
        """``[sites]`` int64: where each site is among the middle places of all :attr:`lines`."""
        return (self._rows.index_select(0, self._places_of_lines) < self.count).nonzero()[:, 0]

    @cached_property
    def middle_lines(self) -> Tensor:
        """``[L, LINE + 2, 1]`` int32, of :attr:`lines` the rows at each place."""
        return self.lines[..., 1:2].contiguous()

    @cached_property
    def above_at_below(self) -> Tensor:
        """``[sites * 3]`` int32: of three values for each middle place of :attr:`lines`, the first of the place above
        each site, the second of the site's own and the third of that below; where there is none, one past them all.
        """
        places = self._places_of_lines
        count = -(-len(places) // LINE) * LINE
        first = torch.full_like(self._rows, 3 * count)
        first[places] = 3 * torch.arange(len(places), dtype=torch.int32, device=places.device)
        line = self.shape[2] + 2
        shifts = torch.tensor([-line, 0, line], device=places.device)
        offsets = torch.arange(3, dtype=torch.int32, device=places.device)
        found = first.index_select(0, (self._places[:, None] + shifts).flatten()).view(-1, 3) + offsets
        return found.clamp_(max=3 * count).flatten()

    @cached_property
    def _places_of_lines(self) -> Tensor:
        """Sites and the places left and right of them, in reading order."""
        active = F.pad(self._active, (1, 1, 1, 1)).flatten()
        near = active.clone()
        near[1:] |= active[:-1]
        near[:-1] |= active[1:]
        return near.nonzero()[:, 0]

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
        parents = self.coarser._row_at(self.y >> 1, self.x >> 1, self.map)
        return 4 * parents.long() + 2 * (self.y & 1) + (self.x & 1)

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
