"""MaGGIe's reference vectors, what to compare in them and how near it has to be.

Opacities are stored in 16 bits, which rounds them by 8e-6; maps before fusion carry every third row and column, the
difference maps every fourth, intermediate tensors some of their channels or sites.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from golden_files import golden
from numpy.typing import NDArray
from torch import Tensor

from matting.networks.maggie import MaGGIe, Mattes

IMAGE_CASES = (
    "image_96x128_n2",
    "image_128x192_n5",
    "image_128x160_n3_lowmask",
    "image_64x96_n10",
    "image_192x256_n2_inject",
)
VIDEO_CASES = ("video_96x128_t3_n2", "video_96x128_t3_n3_mem", "video_192x256_t3_n2_inject")

Case = dict[str, NDArray[Any]]

_MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
_DEVIATION = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)


def maggie_case(name: str) -> Case:
    """A case, its opacities as float32."""
    stored = golden("maggie", name)
    return {key: value / np.float32(65535) if value.dtype == np.uint16 else value for key, value in stored.items()}


def inputs(case: Case) -> tuple[Tensor, Tensor]:
    """``[1, T, 3, H, W]`` normalised frames and ``[1, T, N, h, w]`` masks."""
    frames = (torch.from_numpy(case["frames"]).permute(0, 3, 1, 2).float() / 255 - _MEAN) / _DEVIATION
    return frames[None], torch.from_numpy(case["masks"]).float()[None]


def run(network: MaGGIe, case: Case) -> Mattes:
    """The network's result on a case, with everything the case injects."""

    def optional(key: str) -> Tensor | None:
        return torch.from_numpy(case[key]) if key in case else None

    with torch.inference_mode():
        found = network(
            *inputs(case),
            memory=optional("in_mem_feat"),
            previous=optional("in_prev_pred"),
            coarse_logits=optional("inject_os8_logits"),
        )
    assert isinstance(found, Mattes)
    return found


def assert_close_mostly(found: NDArray[Any], wanted: NDArray[Any], atol: float, share: float, what: str) -> None:
    """All but a share of the values lie within ``atol``."""
    off = np.abs(found - wanted) > atol
    assert off.mean() <= share, f"{what}: {off.mean():.2%} of the values are off by more than {atol}"
