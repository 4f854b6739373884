"""Networks for inference only: norms multiplied into the convolutions before them, or done in place."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from matting.networks.layers import SpectralNorm
from matting.networks.sparse import SparseConv2d, SparseSequential

Network = TypeVar("Network", bound=nn.Module)


@torch.no_grad()
def folded(network: Network) -> Network:
    """A copy that computes the same up to rounding, in fewer steps, and can no longer be trained or saved.

    Spectral norm becomes a plain weight; a batch norm that directly follows a convolution becomes its weight and bias,
    any other a scale and a shift that overwrite what they are given (it is always the result of a ReLU that nobody else
    reads). A sparse layer does the leaky ReLU after it, too.
    What a power iteration per call would change (:data:`~matting.networks.layers.Evaluation.STEP_KEPT`) is frozen as in
    the first call.

    Args:
        network: with its weights, in evaluation mode; it is left as it is.
    """
    network = copy.deepcopy(network).requires_grad_(False)
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SpectralNorm):
                setattr(parent, name, _plain(child))
        for name, norm_name in list(_neighbours(parent)):
            convolution, norm = getattr(parent, name), getattr(parent, norm_name)
            transposed = isinstance(convolution, nn.ConvTranspose2d)
            setattr(parent, name, fuse_conv_bn_eval(convolution, norm, transposed))
            setattr(parent, norm_name, nn.Identity())
        if isinstance(parent, SparseSequential):
            _fold_sparse(parent)
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm1d | nn.BatchNorm2d):
                setattr(parent, name, _Affine(child))
    return network.requires_grad_(False)


def _fold_sparse(layers: SparseSequential) -> None:
    """Let each sparse layer do the norm and the leaky ReLU that directly follow it."""
    merged: list[nn.Module] = []
    for layer in layers:
        before = merged[-1] if merged else None
        if isinstance(before, SparseConv2d) and before.slope is None:
            if isinstance(layer, nn.BatchNorm1d):
                norm = _Affine(layer)
                before.scale_and_shift(norm.scale[0], norm.shift[0])
                continue
            if isinstance(layer, nn.ReLU | nn.LeakyReLU):
                before.slope = layer.negative_slope if isinstance(layer, nn.LeakyReLU) else 0.0
                continue
        merged.append(layer)
    del layers[:]
    layers.extend(merged)


class _Affine(nn.Module):
    """A batch norm in evaluation, done in place: half the traffic to memory, and no new buffer."""

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: nn.BatchNorm1d | nn.BatchNorm2d) -> None:
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        places = (1, -1) + (1,) * (2 if isinstance(norm, nn.BatchNorm2d) else 0)
        self.register_buffer("scale", scale.view(places))
        self.register_buffer("shift", (norm.bias - norm.running_mean * scale).view(places))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.shift, x, self.scale, out=x)


def _neighbours(parent: nn.Module) -> Iterator[tuple[str, str]]:
    """Names of the convolutions in ``parent`` whose output goes to a batch norm and nowhere else, and of that norm."""
    children = dict(parent.named_children())
    for name, child in children.items():
        if not isinstance(child, nn.Conv2d | nn.ConvTranspose2d):
            continue
        if isinstance(parent, nn.Sequential):
            norm_name = str(int(name) + 1)
        else:
            norm_name = f"{name}_bn" if f"{name}_bn" in children else name.replace("conv", "bn")
        if isinstance(children.get(norm_name), nn.BatchNorm2d):
            yield name, norm_name


def _plain(layer: SpectralNorm) -> nn.Conv2d | nn.ConvTranspose2d:
    weight = layer.weight()
    first, second, size, _ = weight.shape
    plain: nn.Conv2d | nn.ConvTranspose2d
    if layer.transposed:
        plain = nn.ConvTranspose2d(first, second, size, layer.stride, layer.padding, bias=False)
    else:
        plain = nn.Conv2d(second, first, size, layer.stride, layer.padding, bias=False)
    plain.weight = nn.Parameter(weight, requires_grad=False)
    return plain.eval()
