"""Spectral norm in its three ways of evaluating, against its definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from matting.networks.layers import Evaluation, SpectralNorm


def convolution(transposed: bool = False) -> nn.Conv2d | nn.ConvTranspose2d:
    torch.manual_seed(5)
    if transposed:
        return nn.ConvTranspose2d(6, 4, 4, 2, 1, bias=False)
    return nn.Conv2d(6, 4, 3, 1, 1, bias=False)


def picture() -> Tensor:
    return torch.randn(2, 6, 8, 8, generator=torch.Generator().manual_seed(2))


def singular_value(layer: SpectralNorm) -> float:
    raw = layer.module
    return float(raw.weight_u @ raw.weight_bar.detach().flatten(1) @ raw.weight_v)


def stored(layer: SpectralNorm) -> list[Tensor]:
    return [layer.module.weight_u.clone(), layer.module.weight_v.clone()]


@pytest.mark.parametrize("transposed", [False, True])
def test_training_finds_the_largest_singular_value(transposed: bool) -> None:
    plain = convolution(transposed)
    layer = SpectralNorm(plain)
    rows = plain.weight.shape[0]
    assert layer.module.weight_u.shape == (rows,)
    for _ in range(60):
        layer(picture())
    largest = np.linalg.svd(plain.weight.detach().numpy().reshape(rows, -1), compute_uv=False)[0]
    assert singular_value(layer) == pytest.approx(largest, rel=1e-4)
    torch.testing.assert_close(layer.eval()(picture()) * largest, plain(picture()), rtol=1e-3, atol=1e-3)


def test_evaluation_as_stored_divides_by_u_w_v_and_changes_nothing() -> None:
    plain = convolution()
    layer = SpectralNorm(plain, Evaluation.STORED).eval()
    before = stored(layer)
    torch.testing.assert_close(layer(picture()) * singular_value(layer), plain(picture()), rtol=1e-4, atol=1e-4)
    assert all(torch.equal(old, new) for old, new in zip(before, stored(layer), strict=True))


def test_a_step_that_is_kept_moves_on_and_one_that_is_not_stays() -> None:
    kept = SpectralNorm(convolution(), Evaluation.STEP_KEPT).eval()
    passing = SpectralNorm(convolution(), Evaluation.STEP).eval()
    passing.load_state_dict(kept.state_dict())
    before = stored(passing)
    first, again = passing(picture()), passing(picture())
    assert torch.equal(first, again)
    assert all(torch.equal(old, new) for old, new in zip(before, stored(passing), strict=True))
    assert torch.equal(kept(picture()), first)
    one, two = (float((picture_out / first).median().detach()) for picture_out in (kept(picture()), kept(picture())))
    assert 1 > one > two


def test_gradients_flow_through_the_singular_value_but_not_its_vectors() -> None:
    layer = SpectralNorm(convolution())
    layer.module.double()
    loss = (layer(picture().double()) + layer(picture().double() * 2)).square().sum()  # two calls in one graph
    loss.backward()
    gradient = layer.module.weight_bar.grad
    assert gradient is not None
    assert layer.module.weight_u.grad is None
    # The output does not depend on the weight's length, so no gradient points along it.
    weight = layer.module.weight_bar.detach()
    along = float((gradient * weight).sum())
    assert abs(along) < 1e-9 * float(gradient.norm() * weight.norm())
