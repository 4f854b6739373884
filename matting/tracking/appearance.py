"""What an instance and its surroundings look like on a prompted frame, place by place."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray

_CELL_PX = 20
_LIGHTNESS_STEP, _CHROMA_STEP, _CHROMA_REACH = 20, 10, 60
"""Steps in which Lab is counted; chroma beyond ±reach counts as its end."""
_COLOURS = (255 // _LIGHTNESS_STEP + 1, *(2 * _CHROMA_REACH // _CHROMA_STEP + 1,) * 2)
_SPREAD = 0.08
"""Share of each count that also goes to either neighbouring cell or colour."""
_UNSEEN_PX = 1.0
"""Pixels of either side taken for granted, so that a colour never seen decides nothing."""

Colours: TypeAlias = NDArray[np.int32]
"""Which of the counted colours each pixel has, ``[h, w]``."""


def counted_colours(lab: NDArray[np.uint8]) -> Colours:
    """Reduce ``[h, w, 3]`` Lab, uint8 as OpenCV scales it, to the colours that are told apart."""
    values = np.arange(256)
    chroma = (np.clip(values - 128, -_CHROMA_REACH, _CHROMA_REACH) + _CHROMA_REACH) // _CHROMA_STEP
    first = (values // _LIGHTNESS_STEP * _COLOURS[1] * _COLOURS[2]).astype(np.int32)
    second, third = (chroma * _COLOURS[2]).astype(np.int32), chroma.astype(np.int32)
    return first[lab[..., 0]] + second[lab[..., 1]] + third[lab[..., 2]]


class LocalColours:
    """Counts of colours inside and outside a mask, in square cells laid over the mask's surroundings.

    Counting by place lets a white shirt before a dark wall count as the person although the dog beside has the same
    white. The counts never change after the prompted frame, so that they cannot drift.

    Source:
        the local classifiers of Bai et al., "Video SnapCut" (SIGGRAPH 2009), with the grid of Chen et al.,
        "Real-time edge-aware image processing with the bilateral grid" (SIGGRAPH 2007).
    """

    def __init__(self, colours: Colours, mask: FloatArray, corner_xy: tuple[int, int]) -> None:
        """Count.

        Args:
            colours: ``[h, w]``, the surroundings of the mask.
            mask: ``[h, w]`` in [0, 1].
            corner_xy: where the pixel [0, 0] of both lies in the frame.
        """
        self._corner_xy = np.asarray(corner_xy, np.float32)
        self._cells = mask.shape[0] // _CELL_PX + 2, mask.shape[1] // _CELL_PX + 2
        y, x = np.indices(mask.shape, np.float32)
        bins = self._bins(np.stack((x, y), axis=-1) + self._corner_xy, colours).ravel()
        inside, outside = self._counts(bins, mask), self._counts(bins, 1 - mask)
        self._evidence = np.log((inside + _UNSEEN_PX) / (outside + _UNSEEN_PX)).ravel()

    def evidence(self, positions: FloatArray, colours: Colours) -> FloatArray:
        """How much colours found at places speak for the instance.

        Args:
            positions: ``[h, w, 2]`` (x, y) on the prompted frame.
            colours: ``[h, w]``.

        Returns:
            ``[h, w]`` logarithm of the odds; 0 where nothing is known.
        """
        return self._evidence[self._bins(positions, colours)]

    def _bins(self, positions: FloatArray, colours: Colours) -> NDArray[np.int32]:
        cells = ((positions - self._corner_xy) / np.float32(_CELL_PX) + np.float32(0.5)).astype(np.int32)
        column = np.clip(cells[..., 0], 0, self._cells[1] - 1)
        row = np.clip(cells[..., 1], 0, self._cells[0] - 1)
        return (row * np.int32(self._cells[1]) + column) * np.int32(np.prod(_COLOURS)) + colours

    def _counts(self, bins: NDArray[np.int32], weights: FloatArray) -> FloatArray:
        shape = (*self._cells, *_COLOURS)
        counts = np.bincount(bins, weights.ravel(), int(np.prod(shape))).astype(np.float32).reshape(shape)
        for axis in range(counts.ndim):
            along = np.moveaxis(counts, axis, 0)
            spread = np.float32(1 - 2 * _SPREAD) * along
            spread[1:] += np.float32(_SPREAD) * along[:-1]
            spread[:-1] += np.float32(_SPREAD) * along[1:]
            counts = np.moveaxis(spread, 0, axis)
        return counts
