"""What pixels nearby of nearly the same colour say.

Source:
    The bilateral grid of Chen, Paris, Durand, "Real-time Edge-Aware Image Processing with the Bilateral Grid"
    (SIGGRAPH 2007): pixels meet in cells of place and colour, and the cells are blurred.
"""

from __future__ import annotations

import numpy as np

from matting.arrays import FloatArray, Picture

_CELLS = 24
_COLOUR_CELLS = (16.0, 8.0, 8.0)


def mean_of_alike(lab: Picture, values: FloatArray, weight: FloatArray, doubt: float, unknown: float) -> FloatArray:
    """Mean of a value over the pixels like each pixel.

    Args:
        lab: ``[h, w, 3]`` uint8.
        values: ``[h, w]``.
        weight: ``[h, w]`` of each pixel's value, at least 0.
        doubt: weight that ``unknown`` has everywhere.
        unknown: what comes out where no pixel alike has any weight.

    Returns:
        ``[h, w]`` float32.
    """
    height, width = values.shape
    step = max(height, width) / _CELLS
    rows, columns = np.mgrid[:height, :width]
    places = [(rows / step).astype(np.intp), (columns / step).astype(np.intp)]
    places += [(lab[..., channel] / size).astype(np.intp) for channel, size in enumerate(_COLOUR_CELLS)]
    places = [place - place.min() for place in places]
    shape = tuple(int(place.max()) + 1 for place in places)
    cells = np.ravel_multi_index(tuple(places), shape).ravel()
    count, total = (
        _blurred(np.bincount(cells, part.ravel(), int(np.prod(shape))).astype(np.float32).reshape(shape)).ravel()[cells]
        for part in (weight, weight * values)
    )
    mean: FloatArray = ((total + doubt * unknown) / (count + doubt)).reshape(height, width).astype(np.float32)
    return mean


def _blurred(grid: FloatArray) -> FloatArray:
    for axis in range(grid.ndim):
        wide = 2 * grid
        later = tuple(np.s_[1:] if a == axis else np.s_[:] for a in range(grid.ndim))
        earlier = tuple(np.s_[:-1] if a == axis else np.s_[:] for a in range(grid.ndim))
        wide[later] += grid[earlier]
        wide[earlier] += grid[later]
        grid = wide * np.float32(0.25)
    return grid
