"""How good a network is on clips it never saw: a fixed set of drawn ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from matting.arrays import FloatArray, Mask
from matting.evaluation import metrics
from matting.evaluation.metrics import Definition, Tally
from matting.files import replacing
from matting.networks.maggie import MaGGIe
from matting.synthesis.guidance import guidance
from matting.synthesis.procedural import procedural_clip
from matting.training.batches import as_batch
from matting.training.maggie import in_slots
from matting.training.run import moved

FRAMES, SIZE = 3, (160, 288)
_SHOWN = 6
"""People on a contact sheet."""
_METRICS: dict[str, Callable[[FloatArray, FloatArray], Tally]] = {
    "mad": lambda pred, truth: metrics.mad(pred, truth, Definition.PLAIN),
    "mse": lambda pred, truth: metrics.mse(pred, truth, Definition.PLAIN),
    "grad": lambda pred, truth: metrics.grad(pred, truth, Definition.PLAIN),
    "dtssd": lambda pred, truth: metrics.dtssd(pred, truth, Definition.PLAIN),
}


class Known(NamedTuple):
    """A clip to measure on.

    Attributes:
        frames: ``[T, H, W, 3]`` uint8 RGB.
        alphas: ``[T, N, H, W]`` uint8.
        masks: ``[T, N, H, W]`` bool, guidance as trackers give it.
    """

    frames: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    masks: Mask

    @property
    def truth(self) -> FloatArray:
        return np.asarray(self.alphas.astype(np.float32) / 255, np.float32)


def held_out(first_seed: int, count: int) -> list[Known]:
    """Drawn clips of two people, always the same."""
    clips = (procedural_clip(seed, SIZE, FRAMES, people=2) for seed in range(first_seed, first_seed + count))
    return [
        Known(clip.frames, clip.alphas, guidance(clip.alphas, np.random.default_rng(first_seed + place)))
        for place, clip in enumerate(clips)
    ]


@torch.no_grad()
def mattes(network: nn.Module, clip: Known) -> FloatArray:
    """``[T, N, H, W]`` of everybody, by a network in evaluation mode, on the device where it is."""
    device = next(network.parameters()).device
    if isinstance(network, MaGGIe):
        slots = in_slots(clip.frames, clip.alphas, clip.masks, np.arange(clip.masks.shape[1]))
        used = slots.masks[:, :, : clip.masks.shape[1]]
        return _array(network(slots.frames.to(device), used.to(device)).alpha[0])
    people = []
    for who in range(clip.masks.shape[1]):
        given = as_batch(clip.frames, clip.alphas, clip.masks, who)
        seen = moved(given, device).ready()
        out = network(seen.frames, seen.target, seen.reference)
        people.append(_array(out.alpha[0, :, 0]))
    return np.stack(people, axis=1)


def measure(found: Sequence[FloatArray], clips: Sequence[Known]) -> dict[str, float]:
    """Errors of mattes ``[T, N, H, W]``, plainly defined, and ``mask``: the ``mad`` of the guidance itself."""
    errors = {name: _average(metric, found, clips) for name, metric in _METRICS.items()}
    return {**errors, "mask": _average(_METRICS["mad"], [clip.masks.astype(np.float32) for clip in clips], clips)}


def contact_sheet(found: Sequence[FloatArray], clips: Sequence[Known]) -> NDArray[np.uint8]:
    """A row for each of some people in the middle of their clips: frame, guidance, truth, matte; ``[h, w, 3]`` RGB."""
    rows = []
    for alphas, clip in zip(found, clips, strict=True):
        middle = len(clip.frames) // 2
        for who in range(clip.masks.shape[1]):
            greys = clip.masks[middle, who] * 255.0, clip.alphas[middle, who], alphas[middle, who] * 255
            shown = [np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, axis=-1) for grey in greys]
            rows.append(np.hstack([clip.frames[middle], *shown]))
    return np.vstack(rows[:_SHOWN])


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """As safetensors in half precision, counters left out of it; raises OutputError."""
    stored = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous() for name, tensor in weights.items()
    }
    with replacing(path) as partial:
        safetensors.torch.save_file(stored, partial)


def _average(
    metric: Callable[[FloatArray, FloatArray], Tally], found: Sequence[FloatArray], clips: Sequence[Known]
) -> float:
    tallies = [metric(alphas, clip.truth).total() for alphas, clip in zip(found, clips, strict=True)]
    return sum(tallies[1:], tallies[0]).average(Definition.PLAIN)


def _array(alphas: Tensor) -> FloatArray:
    return np.asarray(alphas.float().cpu().numpy(), np.float32)
