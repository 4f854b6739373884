"""Mattes by MSG-VIM: the authors' inference path, and a matter for pictures and instances of any number.

Source:
    Li et al., "Video Instance Matting" (WACV 2024), and the inference script of SHI-Labs/VIM. Differs from the script:
    the last frames of a clip whose length is no multiple of the window are matted as a shorter window (the script drops
    them), pictures may be smaller than the padding, and a frame without any opaque pixel survives the clean-up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from matting.arrays import FloatArray, Mask, StoredAlpha
from matting.inference.allocator import keep_freed
from matting.inference.device import Placed
from matting.inference.windowed import PIXELS_AT_ONCE, WINDOW, WindowedMatter
from matting.networks.msg_vim import DEVIATION, MEAN, MsgVim

BORDER_PX = 32
"""Mirrored picture round the picture, besides what makes its sides multiples of :data:`MULTIPLE_PX`."""
MULTIPLE_PX = 32
PIXELS_AT_ONCE_KEPT = 3 * 2**18
"""More than :data:`PIXELS_AT_ONCE` where the C library keeps memory (:mod:`matting.inference.allocator`): three
pictures of 288x512 take 2.7 times as long as one, and no more memory than the one of 576x1024 that always fits ..."""
PIXELS_AT_ONCE_CUDA = 2**23
"""... but keeps a GPU busier."""
BYTES_PER_PIXEL = 1024
"""What each of them takes while the network works (measured: 0.7 kB on the CPU)."""
OPAQUE = 0.05
"""Above this, alpha counts as a part of an instance when the largest part is looked for."""


class MsgVimMatter(WindowedMatter[MsgVim]):
    """Runs MSG-VIM on all instances of a window together; its mattes are changed in no other way.

    Args:
        placed: the network with its weights.
        name: method and version, naming the weights as well.
        short_side_px: larger pictures are brought down to it for the network, and their mattes up again, bilinearly;
            None for the source's own size.
        pixels_at_once: padded pixels, over frames and instances, given to the network at once. Bounds the memory; the
            mattes are the same up to rounding.
    """

    def __init__(
        self,
        placed: Placed[MsgVim],
        name: str = "msg-vim/1",
        short_side_px: int | None = None,
        pixels_at_once: int = PIXELS_AT_ONCE,
    ) -> None:
        super().__init__(placed, name, short_side_px, pixels_at_once)

    def _matte_window(self, frames: NDArray[np.uint8], target: Mask) -> FloatArray:
        size_hw = frames.shape[1:3]
        seen, guides = self._brought_down(frames, target)
        sides = zip(seen.shape[1:3], border(seen.shape[1:3]), strict=True)
        padded = math.prod(side + sum(added) for side, added in sides)
        fused = self._placed.run(
            lambda: run(self._placed.network, seen, guides, others(guides), self._pixels_at_once),
            lambda: self._halve(padded),
        )
        matted = without_border(fused, seen.shape[1:3]).swapaxes(0, 1)
        if matted.shape[2:] == size_hw:
            return matted
        return np.stack([[cv2.resize(alpha, size_hw[::-1]) for alpha in frame] for frame in matted])

    def _brought_down(self, frames: NDArray[np.uint8], target: Mask) -> tuple[NDArray[np.uint8], Mask]:
        """Frames ``[T, H, W, 3]`` and masks ``[N, T, H, W]`` at the size for the network."""
        height, width = frames.shape[1:3]
        if self._short_side_px is None or min(height, width) <= self._short_side_px:
            return frames, target
        ratio = self._short_side_px / min(height, width)
        size_wh = round(width * ratio), round(height * ratio)
        small = np.stack([cv2.resize(frame, size_wh, interpolation=cv2.INTER_AREA) for frame in frames])
        chosen = [
            [cv2.resize(mask.astype(np.uint8), size_wh, interpolation=cv2.INTER_NEAREST) for mask in of_instance]
            for of_instance in target
        ]
        return small.astype(np.uint8), np.array(chosen) > 0


def as_published(
    network: MsgVim, frames: NDArray[np.uint8], target: Mask, reference: Mask, largest_only: bool = False
) -> StoredAlpha:
    """The pictures that the authors' script writes, each instance by itself.

    Args:
        network: with its weights, in evaluation mode.
        frames: ``[T, H, W, 3]`` uint8 RGB.
        target: ``[N, T, H, W]`` bool, each instance.
        reference: ``[N, T, H, W]`` bool, for each instance all others.
        largest_only: keep the largest connected part of each matte (the script's optional clean-up).

    Returns:
        ``[N, T, H, W]`` uint8: alpha times 255, cut off rather than rounded.
    """
    starts = range(0, len(frames), WINDOW)
    windows = [slice(start, start + WINDOW) for start in starts]
    fused = np.concatenate([run(network, frames[w], target[:, w], reference[:, w]) for w in windows], axis=1)
    if largest_only:
        fused = np.stack([[largest_part(alpha) for alpha in instance] for instance in fused])
    stored: StoredAlpha = without_border(fused * np.float32(255), (frames.shape[1], frames.shape[2])).astype(np.uint8)
    return stored


@torch.inference_mode()
def run(
    network: MsgVim,
    frames: NDArray[np.uint8],
    target: Mask,
    reference: Mask,
    pixels_at_once: int = PIXELS_AT_ONCE,
) -> FloatArray:
    """Fused mattes of one window, its border still on.

    Args:
        network: with its weights, in evaluation mode.
        frames: ``[T, H, W, 3]`` uint8 RGB.
        target: ``[N, T, H, W]`` bool, each instance.
        reference: ``[N, T, H, W]`` bool, for each instance all others.
        pixels_at_once: see :class:`MsgVimMatter`.

    Returns:
        ``[N, T, H', W']`` float32 in [0, 1], where H' and W' include what :func:`border` adds.
    """
    device = next(network.parameters()).device
    pictures = normalised(with_border(frames, 1)).to(device)
    guides = [torch.from_numpy(with_border(masks, 2)).to(device) for masks in (target, reference)]
    fused = np.empty(guides[0].shape, np.float32)
    for instances, parts in _portions(fused.shape, pixels_at_once):
        memory = None
        for part in parts:
            seen = pictures[part].expand(len(fused[instances]), -1, -1, -1, -1)
            chosen, others_chosen = (guide[instances, part, None].to(seen.dtype) for guide in guides)
            out = network(seen, chosen, others_chosen, memory)
            memory = out.memory
            fused[instances, part] = out.alpha[:, :, 0].float().cpu().numpy()
    return fused


def pixels_for(budget_bytes: int, device_type: str) -> int:
    """How many pixels to give the network at once where so much memory may be used."""
    on_cpu = PIXELS_AT_ONCE_KEPT if device_type == "cpu" and keep_freed() else PIXELS_AT_ONCE
    most = PIXELS_AT_ONCE_CUDA if device_type == "cuda" else on_cpu
    return max(1, min(most, budget_bytes // BYTES_PER_PIXEL))


def _portions(shape: tuple[int, ...], pixels_at_once: int) -> Iterator[tuple[slice, list[slice]]]:
    """Which instances to take together and, for each such group, which frames in turn."""
    count, length, height, width = shape
    pictures = max(1, pixels_at_once // (height * width))
    instances = min(count, pictures)
    at_once = max(1, pictures // instances)
    for first in range(0, count, instances):
        yield (
            slice(first, first + instances),
            [slice(start, start + at_once) for start in range(0, length, at_once)],
        )


def others(target: Mask) -> Mask:
    """For each instance the union of all others: ``[N, ...]`` to the same shape."""
    covered = target.sum(axis=0, dtype=np.int32)
    return np.asarray((covered - target) > 0)


def normalised(frames: NDArray[np.uint8]) -> Tensor:
    """``[T, H, W, 3]`` uint8 RGB to ``[T, 3, H, W]`` float32 with ImageNet's mean and deviation taken out."""
    # By rows: what is three values long takes four times as long.
    rows = torch.from_numpy(frames).flatten(2).float().div_(255)
    mean, deviation = (torch.tensor(values).repeat(frames.shape[2]) for values in (MEAN, DEVIATION))
    return rows.sub_(mean).div_(deviation).view(frames.shape).permute(0, 3, 1, 2)


def border(size_hw: tuple[int, ...]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Pixels added (above, below) and (left, right)."""
    below, right = (BORDER_PX + -side % MULTIPLE_PX for side in size_hw)
    return (BORDER_PX, below), (BORDER_PX, right)


def with_border(array: NDArray[Any], height_axis: int) -> NDArray[Any]:
    """Mirror pictures beyond their edges, as often as it takes; the edge pixel is not repeated."""
    size_hw = array.shape[height_axis], array.shape[height_axis + 1]
    widths = [(0, 0)] * array.ndim
    widths[height_axis : height_axis + 2] = border(size_hw)
    return np.pad(array, widths, mode="reflect")


def without_border(alphas: FloatArray, size_hw: tuple[int, ...]) -> FloatArray:
    """Cut ``[..., H', W']`` back to ``[..., H, W]``."""
    height, width = size_hw
    return alphas[..., BORDER_PX : BORDER_PX + height, BORDER_PX : BORDER_PX + width]


def largest_part(alpha: FloatArray) -> FloatArray:
    """Keep the largest connected part (with diagonals) of a matte ``[H, W]``; one without any stays as it is."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((alpha > OPAQUE).astype(np.uint8), connectivity=8)
    if count == 1:
        return alpha
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where(labels == largest, alpha, np.float32(0))
