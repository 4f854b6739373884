"""Products of many rows by one small weight, by the library that multiplies fastest."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def product(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Multiply as :func:`torch.nn.functional.linear` does, on some processors in less than half the time.

    PyTorch multiplies matrices by MKL, which leaves AVX-512 unused on AMD's processors, and convolves by oneDNN, which
    uses it. So on the CPU the rows become the pixels of a picture and the product a 1×1 convolution.

    Args:
        rows: ``[n, in]``.
        weight: ``[out, in]``.
        bias: ``[out]`` or None.

    Returns:
        ``[n, out]``, in autocast's precision where autocast is on.
    """
    if not len(rows) or not convolves(rows):
        return F.linear(rows, weight, bias)
    return convolved(rows.view(1, 1, *rows.shape), weight[:, :, None, None], bias).view(len(rows), -1)


def convolves(values: Tensor) -> bool:
    """Whether :func:`convolved` takes such values."""
    mine: bool = values.device.type == "cpu" and values.dtype == torch.float32 and torch._C._has_mkldnn
    return mine and not torch.is_autocast_enabled("cpu")


def convolved(pictures: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A convolution without padding, by oneDNN.

    Args:
        pictures: ``[M, h, w, in]``.
        weight: ``[out, in, kh, kw]``.
        bias: ``[out]`` or None.

    Returns:
        ``[M, h - kh + 1, w - kw + 1, out]``.
    """
    # Not conv2d, which takes MKL for a single picture on a single thread.
    made = torch.mkldnn_convolution(pictures.permute(0, 3, 1, 2), weight, bias, (0, 0), (1, 1), (1, 1), 1)
    return made.permute(0, 2, 3, 1)
