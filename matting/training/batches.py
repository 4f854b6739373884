"""What a network sees in one step of training: crops of made clips, with guidance as trackers give it.

Everything follows from a seed and the number of the step, so a run that was interrupted goes on exactly where it was.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from matting.errors import MediaError
from matting.files import replacing
from matting.networks.msg_vim import DEVIATION, MEAN
from matting.synthesis.guidance import Harm, guidance

_KEPT_CLIPS = 200
_NARROWEST = 0.35
"""Least part of a clip's height that a crop shows."""


class Batch(NamedTuple):
    """B instances over T frames.

    Attributes:
        frames: ``[B, T, 3, H, W]`` float32, ImageNet-normalised RGB.
        target: ``[B, T, 1, H, W]`` of 0 and 1, guidance of the instance.
        reference: ``[B, T, 1, H, W]`` of 0 and 1, guidance of all others together.
        truth: ``[B, T, 2, H, W]`` in [0, 1]: alphas of the instance and of all others together.
    """

    frames: Tensor
    target: Tensor
    reference: Tensor
    truth: Tensor


class Clips:
    """Clips made ahead of time, one ``.npz`` each with ``frames`` and ``alphas``; a few are kept in memory."""

    def __init__(self, folder: Path) -> None:
        """Look what is there; raises MediaError where there is no clip."""
        self._paths = sorted(folder.glob("*.npz"))
        if not self._paths:
            raise MediaError(f"{folder} holds no clips; make some with: matteo train clips {folder}")
        self._kept: OrderedDict[int, tuple[NDArray[np.uint8], NDArray[np.uint8]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, place: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """``[T, H, W, 3]`` RGB and ``[T, N, H, W]`` alphas, uint8."""
        if place in self._kept:
            self._kept.move_to_end(place)
        else:
            with np.load(self._paths[place]) as clip:
                self._kept[place] = clip["frames"], clip["alphas"]
            if len(self._kept) > _KEPT_CLIPS:
                self._kept.popitem(last=False)
        return self._kept[place]


def write_clip(path: Path, frames: NDArray[np.uint8], alphas: NDArray[np.uint8]) -> None:
    """Keep a clip, ``[T, H, W, 3]`` and ``[T, N, H, W]``; raises OutputError."""
    with replacing(path) as partial:
        np.savez_compressed(partial, frames=frames, alphas=alphas)


def batch(clips: Clips, seed: int, step: int, size: int, length: int, side_px: int, harm: Harm | None = None) -> Batch:
    """The batch of a step.

    Args:
        clips: where pictures come from.
        seed, step: decide everything.
        size: how many instances.
        length: how many frames of each.
        side_px: height and width of the crops.
        harm: of the guidance; the usual one if None.
    """
    dice = [np.random.default_rng((seed, step, place)) for place in range(size)]
    return joined([_sample(clips, rng, length, side_px, harm) for rng in dice])


def joined(samples: Sequence[Batch]) -> Batch:
    """Several batches as one."""
    return Batch(*(torch.cat(parts) for parts in zip(*samples, strict=True)))


def _sample(clips: Clips, rng: Generator, length: int, side_px: int, harm: Harm | None) -> Batch:
    frames, alphas = clips[int(rng.integers(len(clips)))]
    start = int(rng.integers(0, len(frames) - length + 1))
    order = np.arange(start, start + length)[:: int(rng.choice((-1, 1)))]
    who = int(rng.integers(alphas.shape[1]))
    rows, columns = _crop(alphas[order, who], rng)
    flip = bool(rng.random() < 0.5)
    pictures = np.stack([_scaled(frames[t][rows, columns], side_px, flip) for t in order])
    truth = np.stack([np.stack([_scaled(a[rows, columns], side_px, flip) for a in alphas[t]]) for t in order])
    return as_batch(pictures, truth, guidance(truth, rng, harm), who)


def as_batch(frames: NDArray[np.uint8], alphas: NDArray[np.uint8], masks: NDArray[np.bool_], who: int) -> Batch:
    """One instance of a clip as a batch: ``[T, H, W, 3]``, ``[T, N, H, W]`` and ``[T, N, H, W]``, its place in N."""
    others = [place for place in range(alphas.shape[1]) if place != who]
    rest = np.minimum(alphas[:, others].sum(axis=1, dtype=np.int32), 255)
    normalised = (frames.astype(np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    return Batch(
        torch.from_numpy(normalised).permute(0, 3, 1, 2)[None],
        torch.from_numpy(masks[None, :, who, None].astype(np.float32)),
        torch.from_numpy(np.asarray(masks[:, others].any(axis=1), np.float32)[None, :, None]),
        torch.from_numpy(np.stack([alphas[:, who], rest], axis=1).astype(np.float32) / 255)[None],
    )


def _crop(alpha: NDArray[np.uint8], rng: Generator) -> tuple[slice, slice]:
    """A square round some place at the edge of the instance, now and then anywhere."""
    height, width = alpha.shape[1:]
    side = min(round(height * rng.uniform(_NARROWEST, 1.0)), height, width)
    edge = np.argwhere((alpha[0] > 12) & (alpha[0] < 243))
    if len(edge) and rng.random() < 0.9:
        y, x = edge[int(rng.integers(len(edge)))] - rng.integers(0, side, 2)
    else:
        y, x = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    top, left = int(np.clip(y, 0, height - side)), int(np.clip(x, 0, width - side))
    return slice(top, top + side), slice(left, left + side)


def _scaled(picture: NDArray[np.uint8], side_px: int, flip: bool) -> NDArray[np.uint8]:
    method = cv2.INTER_AREA if picture.shape[0] > side_px else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(picture, (side_px, side_px), interpolation=method), np.uint8)
    return scaled[:, ::-1] if flip else scaled
