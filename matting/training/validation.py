"""How good a network is on clips it never saw: a fixed set of drawn ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from matting.files import replacing
from matting.networks import create
from matting.synthesis.guidance import guidance
from matting.synthesis.procedural import procedural_clip
from matting.training.batches import Batch, as_batch

FRAMES, SIZE = 3, (160, 288)


def validation_batches(first_seed: int, clips: int) -> list[Batch]:
    """Everybody in some drawn clips, with guidance as trackers give it."""
    batches = []
    for seed in range(first_seed, first_seed + clips):
        clip = procedural_clip(seed, SIZE, FRAMES, people=2)
        masks = guidance(clip.alphas, np.random.default_rng(seed))
        batches += [as_batch(clip.frames, clip.alphas, masks, who) for who in range(clip.alphas.shape[1])]
    return batches


@torch.no_grad()
def measure(weights: Mapping[str, Tensor], batches: Sequence[Batch]) -> dict[str, float]:
    """Mean absolute error of lite's fused mattes in thousandths, ``mad``, beside that of the guidance, ``mask``."""
    network = create("lite")
    network.load_state_dict(dict(weights))
    errors, given = [], []
    for known in batches:
        alpha = network(known.frames, known.target, known.reference).alpha
        errors.append(float((alpha - known.truth[:, :, :1]).abs().mean()))
        given.append(float((known.target - known.truth[:, :, :1]).abs().mean()))
    return {"mad": 1e3 * float(np.mean(errors)), "mask": 1e3 * float(np.mean(given))}


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """As safetensors in half precision, counters left out of it; raises OutputError."""
    stored = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous() for name, tensor in weights.items()
    }
    with replacing(path) as partial:
        safetensors.torch.save_file(stored, partial)
