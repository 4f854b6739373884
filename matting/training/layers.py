"""What the pictures of a batch are made of, for losses that compose them again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Layers(NamedTuple):
    """Of B instances over T frames; colours in [0, 1], straight.

    Attributes:
        foregrounds: ``[B, T, 2, 3, H, W]``: of the instance and of all others together.
        background: ``[B, T, 3, H, W]``.
        clean: ``[B, T, 3, H, W]``: what the true mattes give of these, before grain and compression.
    """

    foregrounds: Tensor
    background: Tensor
    clean: Tensor


def layers_of(
    alphas: NDArray[np.uint8], foregrounds: NDArray[np.uint8], backgrounds: NDArray[np.uint8], who: int
) -> Layers:
    """Those of one instance of a clip.

    Args:
        alphas: ``[T, N, H, W]``, what is to be seen.
        foregrounds: ``[T, N, H, W, 3]``, straight.
        backgrounds: ``[T, H, W, 3]``.
        who: the instance's place in N. Of the others together the colour is the mean by what is to be seen of each.
    """
    opacity = alphas.astype(np.float32)[..., None] / 255
    colours = foregrounds.astype(np.float32) / 255
    others = [place for place in range(alphas.shape[1]) if place != who]
    rest = opacity[:, others].sum(axis=1)
    mixed = (opacity[:, others] * colours[:, others]).sum(axis=1) / np.maximum(rest, 1e-6)
    background = backgrounds.astype(np.float32) / 255
    clean = (opacity * colours).sum(axis=1) + (1 - opacity.sum(axis=1)) * background
    both = np.stack([colours[:, who], mixed], axis=1)
    return Layers(*(torch.from_numpy(np.moveaxis(part, -1, -3)[None].copy()) for part in (both, background, clean)))
