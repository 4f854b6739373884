"""Sparse convolution against dense convolution masked to the active sites."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from matting.networks import sites as sites_module
from matting.networks import sparse
from matting.networks.sites import Sites
from matting.networks.sparse import (
    InverseConv2d,
    PointwiseConv2d,
    SparseConv2d,
    StridedConv2d,
    SubmanifoldConv2d,
)

Case = tuple[type[SparseConv2d], Callable[[Tensor, Tensor], Tensor], bool, bool]


def _submanifold(dense: Tensor, weight: Tensor) -> Tensor:
    return functional.conv2d(dense, weight.permute(0, 3, 1, 2), padding=1)


def _strided(dense: Tensor, weight: Tensor) -> Tensor:
    return functional.conv2d(dense, weight.permute(0, 3, 1, 2), stride=2, padding=1)


def _inverse(dense: Tensor, weight: Tensor) -> Tensor:
    return functional.conv_transpose2d(dense, weight.permute(3, 0, 1, 2), stride=2, padding=1, output_padding=1)


CASES: dict[str, Case] = {
    "submanifold": (SubmanifoldConv2d, _submanifold, False, False),
    "strided": (StridedConv2d, _strided, False, True),
    "inverse": (InverseConv2d, _inverse, True, False),
}
"""Layer, dense counterpart, and whether its input and its output live on the coarser sites."""


def spread(sites: Sites, features: Tensor) -> Tensor:
    """``[M, C, H, W]`` with zeros where there is no site."""
    maps, height, width = sites.shape
    dense = features.new_zeros(maps, height, width, features.shape[1])
    return dense.index_put((sites.map, sites.y, sites.x), features).permute(0, 3, 1, 2)


def at(sites: Sites, dense: Tensor) -> Tensor:
    return dense.permute(0, 2, 3, 1)[sites.map, sites.y, sites.x]


@st.composite
def active_sets(draw: st.DrawFn) -> Tensor:
    maps, height, width = draw(st.integers(1, 3)), 2 * draw(st.integers(1, 8)), 2 * draw(st.integers(1, 8))
    share = draw(st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0]))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    return torch.rand(maps, height, width, generator=generator) < share


@pytest.mark.parametrize("kind", CASES)
@settings(deadline=None, max_examples=60)
@given(
    active=active_sets(),
    channels=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    bias=st.booleans(),
    seed=st.integers(0, 99),
)
def test_values_and_gradients_are_those_of_the_masked_dense_convolution(
    kind: str, active: Tensor, channels: tuple[int, int], bias: bool, seed: int
) -> None:
    make, dense_conv, from_coarser, to_coarser = CASES[kind]
    torch.manual_seed(seed)
    sites = Sites(active)
    given_at, found_at = (sites.coarser if yes else sites for yes in (from_coarser, to_coarser))
    layer = make(*channels, bias=bias).double()
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    features = torch.randn(given_at.count, channels[0], dtype=torch.float64, requires_grad=True)

    found = layer(features, sites)
    wanted = at(found_at, dense_conv(spread(given_at, features), layer.weight))
    if layer.bias is not None:
        wanted = wanted + layer.bias
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-12)

    weights = torch.randn_like(found)
    sought = [features, *layer.parameters()]
    ours = torch.autograd.grad((found * weights).sum(), sought)
    theirs = torch.autograd.grad((wanted * weights).sum(), sought)
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their, rtol=0, atol=1e-11)


@settings(deadline=None, max_examples=30)
@given(active=active_sets())
def test_coarser_sites_are_those_a_strided_convolution_reaches(active: Tensor) -> None:
    sites = Sites(active)
    reached = (
        functional.conv2d(active[:, None].double(), torch.ones(1, 1, 3, 3, dtype=torch.float64), stride=2, padding=1)
        > 0
    )
    assert torch.equal(torch.stack([sites.coarser.map, sites.coarser.y, sites.coarser.x], 1), reached[:, 0].nonzero())


@pytest.mark.parametrize("kind", CASES)
@settings(deadline=None, max_examples=20)
@given(active=active_sets(), margins=st.tuples(*(4 * [st.integers(0, 3)])))
def test_room_around_the_sites_changes_nothing(kind: str, active: Tensor, margins: tuple[int, ...]) -> None:
    make, _, from_coarser, _ = CASES[kind]
    torch.manual_seed(0)
    tight, roomy = Sites(active), Sites(functional.pad(active, tuple(2 * margin for margin in margins)))
    layer = make(3, 4)
    features = torch.randn((tight.coarser if from_coarser else tight).count, 3)
    if tight.coarser.count == roomy.coarser.count:  # a pixel of the last row may reach a coarse row beyond it
        torch.testing.assert_close(layer(features, roomy), layer(features, tight), rtol=0, atol=1e-6)


def test_many_blocks_are_as_good_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    sites = Sites(torch.rand(2, 32, 32) < 0.4)
    layer = SubmanifoldConv2d(8, 8).double()
    features = torch.randn(sites.count, 8, dtype=torch.float64, requires_grad=True)

    def run() -> list[Tensor]:
        found = layer(features, sites)
        return [found, *torch.autograd.grad(found.square().sum(), [features, layer.weight])]

    whole = run()
    monkeypatch.setattr(sparse, "_GATHERED_VALUES_CPU", 7 * 72)
    for one, many in zip(whole, run(), strict=True):
        torch.testing.assert_close(one, many, rtol=1e-12, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(
    active=active_sets(),
    channels=st.sampled_from([(3, 5), (16, 32), (8, 2), (16, 1)]),
    bias=st.booleans(),
    block=st.sampled_from([1, 20_000, 1 << 19]),
    seed=st.integers(0, 99),
)
def test_along_lines_is_what_the_table_gives(
    active: Tensor, channels: tuple[int, int], bias: bool, block: int, seed: int
) -> None:
    torch.manual_seed(seed)
    sites = Sites(active)
    layer = SubmanifoldConv2d(*channels, bias=bias)
    features = torch.randn(sites.count, channels[0], requires_grad=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sites_module, "LINE", 8)
        patch.setattr(sparse, "_GATHERED_VALUES_CPU", block)
        found = layer(features, sites)
        found_gradients = torch.autograd.grad(found.square().sum(), [features, *layer.parameters()])
    exact = layer.double()(features.double(), Sites(active))
    torch.testing.assert_close(found.double(), exact, rtol=1e-5, atol=1e-5)
    gradients = torch.autograd.grad(exact.square().sum(), [features, *layer.parameters()])
    for ours, theirs in zip(found_gradients, gradients, strict=True):
        torch.testing.assert_close(ours.double(), theirs.double(), rtol=1e-4, atol=1e-4)


def test_pointwise_weights_are_read_as_the_public_library_reads_them() -> None:
    layer = PointwiseConv2d(3, 2, bias=True)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).view(2, 1, 1, 3))
    layer.bias = torch.nn.Parameter(torch.tensor([10.0, 20.0]))
    # The buffer 0…5 in rows of two, not in the declared rows of three.
    assert layer(torch.tensor([[1.0, 10.0, 100.0]])).tolist() == [[430.0, 551.0]]


@pytest.mark.parametrize("kind", CASES)
def test_autocast_computes_and_differentiates_in_half_precision(kind: str) -> None:
    make, _, from_coarser, _ = CASES[kind]
    torch.manual_seed(0)
    sites = Sites(torch.rand(1, 24, 24) < 0.4)
    layer = make(16, 16)
    features = torch.randn((sites.coarser if from_coarser else sites).count, 16, requires_grad=True)
    exact = layer(features, sites)
    with torch.autocast("cpu", torch.bfloat16):
        rough = layer(features, sites)
    assert rough.dtype == torch.bfloat16
    assert float((rough - exact).detach().abs().max()) < 0.02 * float(exact.detach().abs().max())
    wanted = torch.autograd.grad(exact.square().sum(), [features, layer.weight])
    found = torch.autograd.grad(rough.float().square().sum(), [features, layer.weight])
    for value, reference in zip(found, wanted, strict=True):
        assert value.dtype == torch.float32
        assert float((value - reference).norm()) < 0.02 * float(reference.norm())


def test_neighbours_are_found_once_for_all_layers_of_a_scale() -> None:
    sites = Sites(torch.ones(1, 4, 4, dtype=torch.bool))
    assert sites.neighbours is sites.neighbours
    assert sites.coarser is sites.coarser
    assert sites.neighbours[0].tolist() == [16, 16, 16, 16, 0, 1, 16, 4, 5]
