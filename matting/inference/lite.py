"""Mattes by lite: each person is looked at through a window of their own, and what lite doubts is settled by colour."""

from __future__ import annotations

from functools import partial
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.arrays import FloatArray, Mask
from matting.inference.device import Placed
from matting.inference.enlarging import enlarged
from matting.inference.finishing import REACH_PX, finished, without_speckle
from matting.inference.msg_vim import normalised, others
from matting.inference.windowed import PIXELS_AT_ONCE, WindowedMatter
from matting.networks.lite import MULTIPLE_PX, Lite


class LiteMatter(WindowedMatter[Lite]):
    """Runs lite on one person after the other, who costs what their part of the picture costs in ten frames.

    Args:
        placed: the network with its weights.
        name: method and version, naming the weights as well.
        short_side_px: pictures are brought to it for the network, and mattes back by what the colours of the source
            show (:mod:`enlarging`); None for the source's own size. Lite knows people of some size only, so smaller
            pictures are brought up to it as well.
        pixels_at_once: pixels of a person's window, over frames, given to the network at once. Bounds the memory; the
            mattes are the same up to rounding.
    """

    def __init__(
        self,
        placed: Placed[Lite],
        name: str = "lite/3",
        short_side_px: int | None = None,
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        super().__init__(placed, name, short_side_px, pixels_at_once)

    def _matte_window(self, frames: NDArray[np.uint8], target: Mask) -> FloatArray:
        size_hw = self._working_size(frames.shape[1:3])
        small = np.stack([_brought_to(frame, size_hw) for frame in frames])
        found = self._found(small, np.array([[_guide(mask, size_hw) for mask in masks] for masks in target]))
        parts = zip(found.swapaxes(0, 1), small, frames, strict=True)
        return np.stack([_brought_back(mattes, picture, frame) for mattes, picture, frame in parts])

    def _found(self, small: NDArray[np.uint8], target: Mask) -> FloatArray:
        """``[T, h, w, 3]`` and ``[N, T, h, w]`` to mattes shaped like the masks."""
        found = np.zeros(target.shape, np.float32)
        pictures, reference = normalised(_extended(small)), others(target)
        for mattes, guide, rest in zip(found, target, reference, strict=True):
            if not guide.any():
                continue
            rows, columns = _window(guide.any(axis=0))
            seen = pictures[..., rows, columns]
            guides = torch.from_numpy(np.stack((_extended(guide), _extended(rest)), 1)[..., rows, columns])
            fused = self._placed.run(
                partial(self._run, seen, guides), partial(self._halve, seen.shape[-2] * seen.shape[-1])
            )
            for matte, picture, alpha, mask in zip(mattes, small, fused, guide, strict=True):
                shown = picture[rows, columns]
                height, width = shown.shape[:2]
                matte[rows, columns] = finished(shown, alpha[:height, :width], mask[rows, columns])
        return found

    def _run(self, pictures: Tensor, guides: Tensor) -> FloatArray:
        """``[T, 3, h, w]`` and ``[T, 2, h, w]``, sides multiples of 32, to ``[T, h, w]``."""
        length, _, height, width = pictures.shape
        at_once = max(1, self._pixels_at_once // (height * width))
        memory, parts = None, []
        for start in range(0, length, at_once):
            chosen = slice(start, start + at_once)
            seen, guide = (given[None, chosen].to(self._placed.device) for given in (pictures, guides))
            target, reference = guide.to(seen.dtype).chunk(2, dim=2)
            alpha, memory = self._placed.network.matte(seen, target, reference, memory)
            parts.append(alpha[0].cpu().numpy())
        return np.concatenate(parts)

    def _working_size(self, size_hw: tuple[int, ...]) -> tuple[int, int]:
        height, width = size_hw
        ratio = 1.0 if self._short_side_px is None else self._short_side_px / min(size_hw)
        return round(height * ratio), round(width * ratio)


def _brought_to(frame: NDArray[np.uint8], size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    if frame.shape[:2] == size_hw:
        return frame
    how = cv2.INTER_AREA if size_hw[0] < frame.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size_hw[::-1], interpolation=how), np.uint8)


def _guide(mask: Mask, size_hw: tuple[int, int]) -> Mask:
    if mask.shape != size_hw:
        mask = cv2.resize(mask.astype(np.uint8), size_hw[::-1], interpolation=cv2.INTER_NEAREST) > 0
    return without_speckle(mask)


def _brought_back(mattes: FloatArray, small: NDArray[np.uint8], frame: NDArray[np.uint8]) -> FloatArray:
    """``[N, h, w]`` as they are on the small picture to ``[N, H, W]`` on the source."""
    size_hw = frame.shape[:2]
    if mattes.shape[1:] == size_hw:
        return mattes
    if mattes.shape[1] < size_hw[0]:
        return enlarged(mattes, small, frame)
    return np.stack([cv2.resize(alpha, size_hw[::-1], interpolation=cv2.INTER_AREA) for alpha in mattes])


def _extended(array: NDArray[Any]) -> NDArray[Any]:
    """``[T, h, w, ...]`` mirrored to the right and below until both sides are multiples of 32."""
    added = [(0, -side % MULTIPLE_PX) for side in array.shape[1:3]]
    return np.pad(array, [(0, 0), *added, *[(0, 0)] * (array.ndim - 3)], mode="reflect")


def _window(mask: Mask) -> tuple[slice, slice]:
    """Where lite has a say on a person, ``[h, w]`` and not empty; its sides are multiples of 32.

    May reach as far beyond the right and lower edge as :func:`_extended` extends them.
    """
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    rows, columns = (
        _stretch(first - REACH_PX, first + count + REACH_PX, side)
        for first, count, side in ((y, height, mask.shape[0]), (x, width, mask.shape[1]))
    )
    return rows, columns


def _stretch(start: int, stop: int, side: int) -> slice:
    """The shortest one of a multiple of 32 that holds ``start`` to ``stop``, as far as those are within a side."""
    start, most = max(start, 0), side + -side % MULTIPLE_PX
    length = min(stop, side) - start
    length += -length % MULTIPLE_PX
    start = min(start, most - length)
    return slice(start, start + length)
