"""How long the networks take: one measurement for each kind of network, on made-up people."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from matting.arrays import Mask
from matting.inference.allocator import keep_freed
from matting.inference.device import autocast, budget_bytes, choose, precision_named
from matting.inference.msg_vim import normalised, others, pixels_for, run
from matting.networks import create
from matting.networks.folding import folded
from matting.networks.layers import Evaluation, evaluate_with
from matting.networks.maggie import WINDOW, FrameFeatures, MaGGIe
from matting.networks.maggie_instances import SLOTS
from matting.networks.msg_vim import MsgVim
from matting.networks.progressive import unknown

UNKNOWN = 0.06
"""Share of the picture in which the coarse matte of each person is unsure, and which is therefore refined."""
LENGTH = 2
"""Frames of MSG-VIM that are measured together; each costs the same."""
ELEMENT = 15
"""Size of the element by which MaGGIe widens what is unsure."""
_SURE = 4.0
"""Logits of this size are surely opaque or clear."""
_MIB = 1 << 20


@dataclass(frozen=True)
class Speed:
    """What came out.

    Attributes:
        refined: share of the picture that was refined for each instance; None where a network refines everything.
        seconds: for one output frame with all its instances, the best of a few runs.
        peak_mib: the most memory held; on the CPU by the whole process.
        error_max, error_mean: how far mattes lie from those in float32 on the same device; None in float32.
    """

    refined: float | None
    seconds: float
    peak_mib: float
    error_max: float | None = None
    error_mean: float | None = None


@dataclass(frozen=True)
class _Work:
    """What is measured: ``run`` gives the mattes of ``frames`` frames; ``refined`` as in :class:`Speed`."""

    run: Callable[[], Tensor]
    frames: int
    refined: float | None


@torch.inference_mode()
def measure(
    kind: str,
    device: str,
    size_hw: tuple[int, int],
    instances: int,
    repeats: int,
    threads: int = 0,
    precision: str = "fp32",
) -> Speed:
    """Time a network with random weights in this process, which should do nothing else.

    Random weights do not change how long MSG-VIM takes. MaGGIe is given coarse mattes that leave :data:`UNKNOWN` of
    the picture open for each person. The video model is timed in the middle of a clip: one new frame, one window.

    Args:
        kind: one of :data:`matting.networks.KINDS`.
        device: auto, cpu or cuda[:k].
        size_hw: of the picture; sides are taken up to multiples of 64 for MaGGIe, and get a border for MSG-VIM.
        instances: 1 to 10.
        repeats: runs, of which the best counts; one more goes before them.
        threads: PyTorch uses on the CPU; 0 for as many as there are cores.
        precision: fp32, bf16 or fp16. The error of the latter two is that of random weights, which spread mattes over
            all of [0, 1]; trained ones, whose mattes are mostly 0 and 1, should be less sensitive.
    """
    torch.manual_seed(0)
    if threads:
        torch.set_num_threads(threads)
    place = choose(device)
    if place.type == "cpu":
        keep_freed()
    network = create(kind)
    # The vectors of a network that never learnt are random, too, and would divide its weights by nearly nothing.
    evaluate_with(network, Evaluation.STEP)
    network = folded(network).to(place).to(memory_format=torch.channels_last)
    if not isinstance(network, MsgVim | MaGGIe):
        raise TypeError(f"{kind} is not measured")
    dtype = precision_named(precision)
    with autocast(place, dtype):
        work = _work(network, place, size_hw, instances)
        found = work.run().float()
        best = min(_seconds(work.run, place) for _ in range(repeats))
    peak = torch.cuda.max_memory_allocated(place) if place.type == "cuda" else _peak_bytes()
    speed = Speed(work.refined, best / work.frames, peak / _MIB)
    if dtype == torch.float32:
        return speed
    off = (found - _work(network, place, size_hw, instances).run()).abs()
    return replace(speed, error_max=float(off.max()), error_mean=float(off.mean()))


def _work(network: MsgVim | MaGGIe, place: torch.device, size_hw: tuple[int, int], instances: int) -> _Work:
    height, width = size_hw
    if isinstance(network, MsgVim):
        frames, masks = _people(size_hw, instances, LENGTH)
        pixels = pixels_for(budget_bytes(place), place.type)
        return _Work(lambda: torch.from_numpy(run(network, frames, masks, others(masks), pixels)), LENGTH, None)
    frames, masks = _people((height + -height % 64, width + -width % 64), instances, WINDOW)
    logits, refined = _coarse(masks, place)
    pictures = normalised(frames).to(place)[None]
    guides = torch.from_numpy(masks.swapaxes(0, 1).copy()).to(place, torch.float32)[None]
    if not network.video:
        one, guide = pictures[:, :1], guides[:, :1]
        return _Work(lambda: network(one, guide, coarse_logits=logits[:1]).alpha, 1, refined)
    known = network.features(pictures[:, :2], guides[:, :2])
    previous = guides[:, 1]

    def next_frame() -> Tensor:
        newest = network.features(pictures[:, 2:], guides[:, 2:])
        window = FrameFeatures.join([known, newest])
        return network.decode(window, previous=previous, coarse_logits=logits, first=1).alpha

    return _Work(next_frame, 1, refined)


def _seconds(work: Callable[[], Tensor], place: torch.device) -> float:
    started = time.perf_counter()
    work()
    if place.type == "cuda":
        torch.cuda.synchronize(place)
    return time.perf_counter() - started


def _peak_bytes() -> int:
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _people(size_hw: tuple[int, int], instances: int, length: int) -> tuple[NDArray[np.uint8], Mask]:
    """Noise ``[T, H, W, 3]`` and upright ellipses ``[N, T, H, W]`` in a row, which overlap where there are many."""
    height, width = size_hw
    frames = np.random.default_rng(0).integers(0, 256, (length, height, width, 3), np.uint8)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centres = width * (np.arange(instances) + 0.5) / instances
    masks = [((x - c) / (0.32 * height)) ** 2 + ((y - height / 2) / (0.45 * height)) ** 2 < 1 for c in centres]
    return frames, np.repeat(np.stack(masks)[:, None], length, axis=1)


def _coarse(masks: Mask, place: torch.device) -> tuple[Tensor, float]:
    """Logits ``[T, 10, H/8, W/8]`` of soft-edged masks, and which share of the picture each leaves open.

    The edges are as soft as it takes to come near :data:`UNKNOWN`; in small pictures even hard ones leave more open.
    """
    length, height, width = masks.shape[1:]
    inside = torch.zeros(length, SLOTS, height // 8, width // 8)
    for slot, mask in enumerate(masks[:, 0].astype(np.uint8)):
        depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5)
        inside[:, slot] = torch.from_numpy(depth[4::8, 4::8])
    softest, hardest = 0.01, 10.0
    refined = 0.0
    for _ in range(20):
        slope = (softest * hardest) ** 0.5
        logits = (inside * slope).clamp(-_SURE, _SURE)
        large = interpolate(logits[:1, : len(masks)], scale_factor=8.0, mode="bilinear", align_corners=False)
        refined = float(unknown((torch.tanh(large) + 1) / 2, ELEMENT, strict=True).float().mean())
        softest, hardest = (slope, hardest) if refined > UNKNOWN else (softest, slope)
    return logits.to(place), refined
