"""Mattes without any weights: closed-form matting in a band round each mask.

Source:
    Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting" (PAMI 2008). Differs from the paper: the
    constraints are the band's edges and a graded trust in the mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.inference.band import Band, band_around, band_px
from matting.inference.colour_lines import along_colours
from matting.inference.matter import Guided, Matted, Matter, Scope

# The solution creeps a few stored steps away from 0 and 1 all over the band; such haze would put a look's tint, or a
# hole, where there is none.
_HAZE = 0.04


class ClassicalMatter(Matter):
    """A :class:`~matting.inference.matter.Matter` that solves each instance of each frame by itself.

    Safe to call from several threads at once.
    """

    name = "classical/2"
    scope = Scope()

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        """See :meth:`matting.inference.matter.Matter.stream`."""
        for frame, masks in steps:
            yield Matted(_matte_frame(frame, masks), None)


def _matte_frame(frame: NDArray[np.uint8], masks: Mask) -> FloatArray:
    alphas = np.zeros(masks.shape, np.float32)
    anyone = masks.any(axis=0)
    for alpha, mask in zip(alphas, masks, strict=True):
        if mask.any():
            band = band_around(mask, anyone & ~mask, band_px(frame.shape[:2]))
            alpha[band.box] = _solve(frame[band.box], band)
    # Where two people meet both bands claim the pixel: each keeps its share of it.
    alphas /= np.maximum(alphas.sum(axis=0), 1)
    return alphas


def _solve(picture: NDArray[np.uint8], band: Band) -> FloatArray:
    """The alpha that fits the picture's local colour lines, the band's edges and the trust in the mask best."""
    alpha = band.opaque.astype(np.float32)
    if band.unknown.any():
        found = along_colours(picture, band.unknown, band.opaque, band.guess, band.trust)
        alpha[band.unknown] = np.clip((found - _HAZE) / (1 - 2 * _HAZE), 0, 1)
    return alpha
