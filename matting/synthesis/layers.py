"""Composing a picture of several people from one layer each, so that the truth of every layer is known.

Sources:
    Li et al., "Video Instance Matting" (WACV 2024), equations 2 and 3; Huynh et al., "MaGGIe" (CVPR 2024), section 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.errors import ShapeError


@dataclass(frozen=True)
class Layer:
    """One person alone.

    Attributes:
        colour: ``[H, W, 3]`` float32 in [0, 1], straight (not multiplied by opacity).
        opacity: ``[H, W]`` float32 in [0, 1], as if nobody else were there.
    """

    colour: FloatArray
    opacity: FloatArray


@dataclass(frozen=True)
class Composed:
    """A picture and what it is made of.

    Attributes:
        frame: ``[H, W, 3]`` uint8 RGB.
        alphas: ``[N, H, W]`` uint8, what is to be seen of each instance; the sum over N is at most 255.
        foregrounds: ``[N, H, W, 3]`` uint8, straight colours; undefined where nothing is to be seen.
        background: ``[H, W, 3]`` uint8.
    """

    frame: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    foregrounds: NDArray[np.uint8]
    background: NDArray[np.uint8]


def compose(layers: Sequence[Layer], background: FloatArray) -> Composed:
    """Paste layers onto a background, one after the other.

    ``I = sum_i alpha_i F_i + (1 - sum_i alpha_i) B``, where pasting an instance multiplies the alphas of those before
    it by one minus its own. The picture is computed from the stored, rounded values, so it can be made again from them.

    Args:
        layers: from back to front.
        background: ``[H, W, 3]`` float32 in [0, 1].

    Raises:
        ShapeError: the sizes differ.
    """
    size_hw = background.shape[:2]
    for layer in layers:
        if layer.colour.shape != (*size_hw, 3) or layer.opacity.shape != size_hw:
            raise ShapeError(f"a layer is {layer.colour.shape} and {layer.opacity.shape}, the background {size_hw}")
    alphas = stored_alphas(visible([layer.opacity for layer in layers], size_hw))
    foregrounds = np.zeros((len(layers), *size_hw, 3), np.uint8)
    for place, layer in enumerate(layers):
        foregrounds[place] = to_8_bit(layer.colour)
    behind = to_8_bit(background)
    return Composed(recompose(alphas, foregrounds, behind), alphas, foregrounds, behind)


def visible(opacities: Sequence[FloatArray], size_hw: tuple[int, int]) -> FloatArray:
    """What is to be seen of each layer, ``[N, H, W]`` in [0, 1]; opacities come from back to front."""
    seen = np.zeros((len(opacities), *size_hw), np.float32)
    free = np.ones(size_hw, np.float32)
    for place in range(len(opacities) - 1, -1, -1):
        seen[place] = opacities[place] * free
        free *= 1 - opacities[place]
    return seen


def stored_alphas(alphas: FloatArray) -> NDArray[np.uint8]:
    """``[N, H, W]`` in [0, 1] as uint8; where rounding makes the sum exceed 255, the largest gives."""
    stored = np.rint(alphas * 255).astype(np.int32)
    if len(stored):
        excess = np.maximum(stored.sum(axis=0) - 255, 0)
        largest = stored.argmax(axis=0)[None]
        np.put_along_axis(stored, largest, np.take_along_axis(stored, largest, 0) - excess[None], 0)
    return stored.astype(np.uint8)


def recompose(
    alphas: NDArray[np.uint8], foregrounds: NDArray[np.uint8], background: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """The picture ``[H, W, 3]`` of stored layers ``[N, H, W]``, ``[N, H, W, 3]`` on a background ``[H, W, 3]``."""
    opacity = alphas.astype(np.float32)[..., None] / 255
    rest = 1 - opacity.sum(axis=0)
    total = rest * background.astype(np.float32) + (opacity * foregrounds.astype(np.float32)).sum(axis=0)
    return np.asarray(np.rint(np.clip(total, 0, 255)), np.uint8)


def to_8_bit(picture: FloatArray) -> NDArray[np.uint8]:
    """[0, 1] as 0…255, clipped."""
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def overlap(alone: FloatArray, seen: FloatArray) -> float:
    """Which share of an instance's opacity others hide, in [0, 1]; 0 for one that is not there at all.

    Args:
        alone: ``[H, W]``, as if nobody else were there.
        seen: ``[H, W]``, what is to be seen.
    """
    total = float(alone.sum())
    return 0.0 if total <= 0 else 1 - float(seen.sum()) / total
