"""Turning masks into mattes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, StoredAlpha, check_shape
from matting.errors import ShapeError


class Guided(NamedTuple):
    """One frame and its guidance: ``[H, W, 3]`` uint8 RGB, and ``[N, H, W]`` bool."""

    frame: NDArray[np.uint8]
    masks: Mask


class Matted(NamedTuple):
    """What came of a frame.

    Attributes:
        alphas: ``[N, H, W]`` float32, see :meth:`Matter.matte`.
        carried: what the mattes of the frames after this one need of those before them; None where they need nothing.
    """

    alphas: FloatArray
    carried: FloatArray | None


@dataclass(frozen=True)
class Scope:
    """What an alpha depends on beyond its own frame and mask.

    Attributes:
        block: frames are matted in blocks of so many, counted from the start of the span.
        around: so many frames before and after also matter; at the ends of the span the window is moved inwards.
        carries: whether something is handed from each frame to the next, so that all earlier frames matter.
        most_instances: how many are matted at once, all of which matter to each other; None where only those matter
            to each other that come near, see :func:`reach_px`.
    """

    block: int = 1
    around: int = 0
    carries: bool = False
    most_instances: int | None = None

    def window(self, frame: int, span: range) -> range:
        """The frames of ``span`` whose pictures and masks the alphas of ``frame`` are made from."""
        if self.around:
            start = max(min(frame - self.around, span.stop - 2 * self.around - 1), span.start)
            return range(start, min(start + 2 * self.around + 1, span.stop))
        start = frame - (frame - span.start) % self.block
        return range(start, min(start + self.block, span.stop))


class Matter(Protocol):
    """One way of turning guidance masks into alphas."""

    @property
    def name(self) -> str:
        """Method and version; a part of the key of everything derived from its alphas."""
        ...

    @property
    def scope(self) -> Scope:
        """What its alphas depend on."""
        ...

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        """Matte a clip of any length; no more than a window of it is held.

        Args:
            steps: the frames in order, all of one size, with the same instances in the same places; an instance may
                have an empty mask. They begin a span, or a block of it, or, with ``carried``, the window of the frame
                after the one that ``carried`` came with.
            carried: from the frame that ``steps`` begin with.

        Yields:
            One result for each step, in order. With ``carried`` the first one only repeats it.
        """
        ...

    def matte(self, frames: NDArray[np.uint8], masks: Mask) -> FloatArray:
        """Estimate the opacity of each instance in a clip that fits into memory.

        Args:
            frames: ``[T, H, W, 3]`` uint8 RGB.
            masks: ``[T, N, H, W]`` bool; no pixel belongs to two instances.

        Returns:
            ``[T, N, H, W]`` float32 in [0, 1], finite, the sum over N at most 1; zero farther than
            :func:`reach_px` from the mask where ``scope`` names no ``most_instances``, and all zero where the mask is
            empty.

        Raises:
            ShapeError: frames and masks disagree in size or number, or are not uint8 and bool (uint8 masks will do).
        """
        check_shape("frames", frames, (None, None, None, 3))
        length, height, width = frames.shape[:3]
        check_shape("masks", masks, (length, None, height, width))
        if frames.dtype != np.uint8 or masks.dtype not in (np.bool_, np.uint8):
            raise ShapeError(f"frames are {frames.dtype} and masks {masks.dtype}, expected uint8 and bool")
        alphas = np.zeros(masks.shape, np.float32)
        for alpha, matted in zip(alphas, self.stream(map(Guided, frames, masks.astype(np.bool_))), strict=True):
            alpha[:] = matted.alphas
        return alphas


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
