"""What matters have in common whose temporal unit looks back over a window of frames, and begins anew with the next."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.inference.device import Placed
from matting.inference.matter import Guided, Matted, Matter, Scope
from matting.networks.on_device import Network

WINDOW = 10
"""Frames the temporal unit looks back over; it starts anew with each window."""
MOST_IDS = 254
"""Instance ids are 1 to 254, so this many instances are all there can be."""
PIXELS_AT_ONCE = 2**18
"""Padded pixels, over frames and instances, that the network is given at once. With more, the largest buffers of the
CPU exceed the 32 MiB up to which the C library keeps them, and are cleared anew for every layer."""


class WindowedMatter(Matter, Generic[Network]):
    """A :class:`~matting.inference.matter.Matter` that holds a window of frames and mattes it when it is complete.

    Mattes are clamped to [0, 1] and, where they sum to more than 1, scaled down in proportion; they are zero on frames
    where the instance has no mask.

    Args:
        placed: the network with its weights.
        name: method and version, naming the weights as well.
        short_side_px: the size it works at; None for the source's own.
        pixels_at_once: given to the network at once. Bounds the memory; the mattes are the same up to rounding.
    """

    # Every instance is told apart from all others, wherever they are and however many.
    scope = Scope(block=WINDOW, most_instances=MOST_IDS)

    def __init__(
        self,
        placed: Placed[Network],
        name: str,
        short_side_px: int | None = None,
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        self._placed = placed
        self._name = name
        self._short_side_px = short_side_px
        self._pixels_at_once = pixels_at_once

    @property
    def name(self) -> str:
        return self._name

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        """See :meth:`matting.inference.matter.Matter.stream`."""
        remaining = iter(steps)
        while window := list(islice(remaining, WINDOW)):
            frames, masks = (np.stack(parts) for parts in zip(*window, strict=True))
            seen = masks.any(axis=(2, 3))
            present = np.flatnonzero(seen.any(axis=0))
            alphas = np.zeros(masks.shape, np.float32)
            if present.size:
                alphas[:, present] = self._matte_window(frames, masks[:, present].swapaxes(0, 1))
                alphas[~seen] = 0
                np.clip(alphas, 0, 1, out=alphas)
            if present.size > 1:
                alphas /= np.maximum(alphas.sum(axis=1, keepdims=True), 1)
            yield from (Matted(alpha, None) for alpha in alphas)

    @abstractmethod
    def _matte_window(self, frames: NDArray[np.uint8], target: Mask) -> FloatArray:
        """``[T, H, W, 3]`` and ``[N, T, H, W]``, each of the N somewhere to be seen, to alphas ``[T, N, H, W]``."""
        ...

    def _halve(self, least: int) -> bool:
        """Let the network see half as much at once, unless it is a single picture of so many pixels already."""
        if self._pixels_at_once <= least:
            return False
        self._pixels_at_once //= 2
        return True
