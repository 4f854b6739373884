"""Turning masks into mattes."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, StoredAlpha


class Matter(Protocol):
    """One way of turning guidance masks into alphas."""

    @property
    def name(self) -> str:
        """Method and version; a part of the key of everything derived from its alphas."""
        ...

    def matte(self, frames: NDArray[np.uint8], masks: Mask) -> FloatArray:
        """Estimate the opacity of each instance.

        Args:
            frames: ``[T, H, W, 3]`` uint8 RGB.
            masks: ``[T, N, H, W]`` bool; no pixel belongs to two instances.

        Returns:
            ``[T, N, H, W]`` float32 in [0, 1], finite, the sum over N at most 1; zero farther than
            :func:`reach_px` from the mask, and all zero where the mask is empty.
        """
        ...


def reach_px(size_hw: tuple[int, int]) -> int:
    """How far from its mask an instance's alpha may reach, in pixels: 1/24 of the short side, at least 8."""
    return max(8, min(size_hw) // 24)


def to_stored(alphas: FloatArray) -> StoredAlpha:
    """Quantise alphas of one frame to 8 bits so that they still sum to at most 255 at every pixel.

    Args:
        alphas: ``[N, H, W]`` float32 in [0, 1], the sum over N at most 1.

    Returns:
        ``[N, H, W]`` uint8. Rounded to the nearest; where that makes the sum 256 or more, rounded down.
    """
    scaled = alphas * np.float32(255)
    rounded = np.rint(scaled)
    over = rounded.sum(axis=0) > 255
    if over.any():
        rounded[:, over] = np.floor(scaled[:, over] + np.float32(1e-4))
    stored: StoredAlpha = rounded.astype(np.uint8)
    return stored
