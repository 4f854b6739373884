"""What other matters are measured against: the mask as it is, a guided filter, and PyMatting's methods with a trimap.

Sources:
    He, Sun, Tang, "Guided Image Filtering" (PAMI 2013), with colours as the guide. Levin, Lischinski, Weiss, "A
    Closed-Form Solution to Natural Image Matting" (PAMI 2008); Chen, Li, Tang, "KNN Matting" (PAMI 2013).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pymatting import estimate_alpha_cf, estimate_alpha_knn, ichol

from matting.arrays import FloatArray, Mask
from matting.inference.band import band_around, band_px
from matting.inference.matter import Guided, Matted, Matter, Scope

_SMOOTH = 1e-4
"""Least variance of colours, in [0, 1], that counts as an edge."""
_SHIFTS = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
"""Added to the diagonal of closed-form's matrix until it can be factorised. PyMatting starts at 0, and prints a warning
each time that fails."""
Estimate = Callable[[NDArray[np.uint8], Mask, Mask], FloatArray]
"""From a picture, one mask and all other masks together, each ``[H, W]``, an alpha ``[H, W]`` in [0, 1]."""


class Baseline(Matter):
    """Solves each instance of each frame by itself; where two claim a pixel, each keeps its share of it."""

    scope = Scope()

    def __init__(self, name: str, estimate: Estimate) -> None:
        self._name, self._estimate = name, estimate

    @property
    def name(self) -> str:
        return self._name

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        """See :meth:`matting.inference.matter.Matter.stream`."""
        for frame, masks in steps:
            alphas = np.zeros(masks.shape, np.float32)
            anyone = masks.any(axis=0)
            for alpha, mask in zip(alphas, masks, strict=True):
                if mask.any():
                    alpha[:] = self._estimate(frame, mask, anyone & ~mask)
            yield Matted(alphas / np.maximum(alphas.sum(axis=0), 1), None)


def baselines() -> tuple[Baseline, ...]:
    """All of them, the cheapest first."""
    return (
        Baseline("mask", lambda frame, mask, others: mask.astype(np.float32)),
        Baseline("guided filter", _filtered),
        Baseline(
            "closed-form", _with_trimap(partial(estimate_alpha_cf, preconditioner=partial(ichol, shifts=_SHIFTS)))
        ),
        Baseline("knn", _with_trimap(estimate_alpha_knn)),
    )


def _with_trimap(solve: Callable[..., NDArray[Any]]) -> Estimate:
    """A method of PyMatting that takes a picture and a trimap, both in [0, 1]."""

    def estimate(frame: NDArray[np.uint8], mask: Mask, others: Mask) -> FloatArray:
        band = band_around(mask, others, band_px(frame.shape[:2]))
        alpha = np.zeros(mask.shape, np.float32)
        trimap = np.where(band.unknown, 0.5, band.opaque)
        # Nothing to go by where all is unknown, as when the mask is noise.
        known = (trimap == 1).any() and (trimap == 0).any()
        alpha[band.box] = np.clip(solve(frame[band.box] / 255.0, trimap), 0, 1) if known else band.guess
        return alpha

    return estimate


def _filtered(frame: NDArray[np.uint8], mask: Mask, others: Mask) -> FloatArray:
    """The mask as a linear function of the colours in each window; half as wide as the band, where it is best."""
    radius = max(1, band_px(frame.shape[:2]) // 2)
    picture, guess = frame.astype(np.float32) / 255, mask.astype(np.float32)

    def mean(values: NDArray[Any]) -> FloatArray:
        blurred = cv2.blur(values, (2 * radius + 1,) * 2, borderType=cv2.BORDER_REFLECT)
        return np.asarray(blurred, np.float32).reshape(values.shape)

    colour, level = mean(picture), mean(guess)
    products = mean((picture[..., :, None] * picture[..., None, :]).reshape(*mask.shape, 9))
    spread = products.reshape(*mask.shape, 3, 3) - colour[..., :, None] * colour[..., None, :]
    shared = mean(picture * guess[..., None]) - colour * level[..., None]
    slope = np.linalg.solve(spread + _SMOOTH * np.eye(3), shared[..., None])[..., 0].astype(np.float32)
    offset = level - (slope * colour).sum(axis=-1)
    fitted: FloatArray = np.clip((mean(slope) * picture).sum(axis=-1) + mean(offset), 0, 1).astype(np.float32)
    return fitted
