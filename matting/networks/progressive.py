"""Progressive refinement: where a coarse matte is unsure, and fusing finer ones into it there.

Source:
    Yu et al., "Mask Guided Matting via Progressive Refinement Network" (CVPR 2021), section 3.2. The elliptical element
    and the widths are those of the public code of MSG-VIM and MaGGIe.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from matting.networks.windows import windows

_LOW = 1 / 255
_HIGH = 254 / 255


def unknown(alpha: Tensor, size: int, strict: bool = False) -> Tensor:
    """Where an alpha is neither 0 nor 1 to 8 bits, and the surroundings of that.

    Args:
        alpha: ``[..., H, W]`` floating point in [0, 1].
        size: side of the elliptical element the surroundings are measured with, at least 1. The public code's "width"
            is twice this.
        strict: whether exactly 1/255 and 254/255 are sure (MaGGIe) or not (MSG-VIM).

    Returns:
        ``[..., H, W]`` bool.
    """
    unsure = (alpha > _LOW) & (alpha < _HIGH) if strict else (alpha >= _LOW) & (alpha <= _HIGH)
    return dilate(unsure, size)


def dilate(chosen: Tensor, size: int) -> Tensor:
    """Dilate with the elliptical element of ``size``; pixels outside the picture are not chosen.

    Args:
        chosen: ``[..., H, W]`` bool.
        size: side of the element, at least 1; the anchor is at ``size // 2``.

    Returns:
        ``[..., H, W]`` bool, on the same device.
    """
    if chosen.device.type == "cpu":
        return _dilate_on_cpu(chosen, size)
    return _dilate_anywhere(chosen, size)


def _dilate_on_cpu(chosen: Tensor, size: int) -> Tensor:
    maps = chosen.reshape(-1, *chosen.shape[-2:])
    dilated = torch.zeros_like(maps)
    given, made = (whole.numpy().view(np.uint8) for whole in (maps, dilated))
    for index, rows, columns in windows(maps, size):
        cv2.dilate(given[index, rows, columns][0], ellipse(size), dst=made[index, rows, columns][0])
    return dilated.view(chosen.shape)


def _dilate_anywhere(chosen: Tensor, size: int) -> Tensor:
    # Counting the chosen pixels under the element: the count is a whole number, so no rounding can reach one half.
    element = torch.from_numpy(ellipse(size)).to(chosen.device, torch.float32)
    before, after = size // 2, size - 1 - size // 2
    maps = F.pad(chosen.float().reshape(-1, 1, *chosen.shape[-2:]), (before, after, before, after))
    return (F.conv2d(maps, element[None, None]) > 0.5).reshape(chosen.shape)


@cache
def ellipse(size: int) -> NDArray[np.uint8]:
    """OpenCV's elliptical element, ``[size, size]`` of 0 and 1."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
