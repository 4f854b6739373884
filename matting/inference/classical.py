"""Mattes without any weights: closed-form matting in a band round each mask.

Source:
    Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting" (PAMI 2008). The matting Laplacian is
    PyMatting's. Differs from the paper: the constraints are the band's edges and a graded trust in the mask.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray
from pymatting.laplacian.cf_laplacian import cf_laplacian
from scipy.sparse import coo_array, csr_array, diags_array
from scipy.sparse.linalg import cg

from matting.arrays import FloatArray, Mask
from matting.inference.band import Band, band_around, band_px
from matting.inference.matter import Guided, Matted, Matter, Scope

_EPSILON = 1e-6
_TOLERANCE = 1e-4
_MOST_STEPS = 100
# PyMatting's Laplacian takes 400 bytes for every pixel it is given, known or not.
_STRIP_PIXELS = 250_000
# The solution creeps a few stored steps away from 0 and 1 all over the band; such haze would put a look's tint, or a
# hole, where there is none.
_HAZE = 0.04


class ClassicalMatter(Matter):
    """A :class:`~matting.inference.matter.Matter` that solves each instance of each frame by itself.

    Safe to call from several threads at once: of PyMatting only kernels without numba's parallel loops are used (its
    ``workqueue`` threading layer would abort the process when entered twice).
    """

    name = "classical/1"
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


def along_colours(
    picture: NDArray[np.uint8], unknown: Mask, opaque: Mask, guess: FloatArray, trust: FloatArray
) -> FloatArray:
    """What fits the picture's local colour lines and a guess best, where something is unknown.

    Args:
        picture: ``[h, w, 3]`` uint8.
        unknown: ``[h, w]``, where to look for it; not empty.
        opaque: ``[h, w]``, where it is 1; 0 everywhere else.
        guess: ``[h, w]`` float32.
        trust: ``[h, w]`` float32 > 0, the weight of the guess against the matting Laplacian.

    Returns:
        ``[n]`` float32 over the n unknown pixels in reading order; may leave [0, 1] a little.
    """
    smooth, pull = _system(picture / 255.0, unknown, opaque)
    weight, start = trust[unknown], guess[unknown]
    matrix = csr_array(smooth + diags_array(weight))
    # Single precision halves the time of the steps, which wait for memory; the trust keeps them well conditioned.
    found, _ = cg(
        matrix,
        pull + weight * start,
        x0=start,
        rtol=_TOLERANCE,
        maxiter=_MOST_STEPS,
        M=diags_array(1 / matrix.diagonal()),
    )
    return np.asarray(found, np.float32)


def _system(picture: NDArray[np.float64], unknown: Mask, opaque: Mask) -> tuple[csr_array, FloatArray]:
    """The matting Laplacian between unknown pixels, and what the opaque ones pull them to.

    Returns:
        ``[n, n]`` float32 and ``[n]`` float32 over the n unknown pixels in reading order.
    """
    height, width = unknown.shape
    number = np.cumsum(unknown).reshape(height, width) - 1
    count = int(number[-1, -1]) + 1
    pull = np.zeros(count, np.float32)
    parts = []
    rows = max(1, _STRIP_PIXELS // width)
    for top in range(0, height, rows):
        # A window belongs to the strip of its middle row, so a strip takes in one more row on either side.
        strip = slice(max(0, top - 1), min(height, top + rows + 1))
        wanted = unknown[strip].ravel()
        if wanted.any():
            laplacian = cf_laplacian(picture[strip], _EPSILON, 1, ~unknown[strip])[wanted].astype(np.float32)
            numbers = number[strip].ravel()[wanted]
            pull[numbers] -= laplacian @ opaque[strip].ravel().astype(np.float32)
            part = coo_array(laplacian[:, wanted])
            parts.append((part.data, numbers[part.row], numbers[part.col]))
    values, row, column = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return csr_array((values, (row, column)), shape=(count, count)), pull
