from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from matting.errors import ShapeError
from matting.networks.maggie_instances import Attention
from matting.training import losses
from matting.training.losses import Scales

REPRODUCED = 1e-5
"""Relative difference from the authors' values, float32 on the CPU (measured: 1.7e-7)."""
TERMS = {"l1": "rec", "laplacian": "lap", "gradient": "grad", "dtssd": "dtSSD"}


@cache
def golden() -> dict[str, Tensor]:
    with np.load(Path(__file__).parent / "golden" / "losses.npz") as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored.files}


def golden_case() -> tuple[Scales, Tensor, Scales]:
    g = golden()
    pred = Scales(g["pred_alpha_os8"], g["pred_alpha_os4"], g["pred_alpha_os1"])
    coarse = losses.coarse_weight(pred.os8, g["alpha_gt"])
    return pred, g["alpha_gt"], Scales(coarse, g["weight_os4"], g["weight_os1"])


def assert_reproduced(value: Tensor, name: str) -> None:
    assert value.item() == pytest.approx(golden()[name].item(), rel=REPRODUCED), name


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", ["image", "video"])
def test_terms_and_total_of_maggie_are_the_authors(kind: str) -> None:
    loss = (losses.image_loss if kind == "image" else losses.video_loss)(*golden_case())

    for term, name in TERMS.items():
        scales = getattr(loss, term)
        if kind == "image" and term == "dtssd":
            assert scales is None
            continue
        for scale, value in zip(Scales._fields, scales, strict=True):
            assert_reproduced(value, f"{kind}_loss_{name}_{scale}")
        assert_reproduced(scales.weighted(losses.SCALE_WEIGHTS), f"{kind}_loss_{name}")
    assert_reproduced(loss.total(), f"{kind}_total")


def test_difference_loss_is_the_authors() -> None:
    g = golden()
    loss = losses.difference_loss(g["temp_diff_forward_logits"], g["temp_diff_backward_logits"], g["temp_gt"])

    assert_reproduced(loss.bce, "temp_loss_temp_bce")
    assert_reproduced(loss.dtssd, "temp_loss_temp_dtssd")
    assert_reproduced(loss.total(), "temp_loss_temp")


def test_attention_loss_is_the_authors() -> None:
    matrix, regions = golden()["att_matrix"], golden()["att_guidance"].bool()

    assert_reproduced(losses.attention_loss([matrix], regions, 3), "att_loss_b2_f3")
    assert_reproduced(losses.attention_loss([matrix] * 3, regions, 3), "att_loss_b2_f3")


def test_total_weighs_attention_by_5_and_difference_by_1() -> None:
    plain = losses.video_loss(*golden_case()).total()
    extended = losses.video_loss(*golden_case(), attention=torch.tensor(0.5), difference=torch.tensor(0.25)).total()

    assert (extended - plain).item() == pytest.approx(2.75, rel=1e-6)


def test_every_golden_result_is_compared() -> None:
    results = {name for name in golden() if golden()[name].ndim == 0}
    per_kind = {
        f"{kind}_loss_{name}{scale}"
        for kind in ("image", "video")
        for name in TERMS.values()
        for scale in ("", "_os8", "_os4", "_os1")
        if (kind, name) != ("image", "dtSSD")
    }
    single = {"image_total", "video_total", "att_loss_b2_f3"}
    temporal = {"temp_loss_temp", "temp_loss_temp_bce", "temp_loss_temp_dtssd"}

    assert results == per_kind | single | temporal


def weighted(term: Callable[[Tensor, Tensor, Tensor], Tensor], *shape: int) -> tuple[Callable[..., Tensor], Tensor]:
    truth, weight = random(*shape, seed=1), random(*shape, seed=2)
    return (lambda pred: term(pred, truth, weight)), random(*shape)


def coarse(pred: Tensor, truth: Tensor, _: Tensor) -> Tensor:
    return losses.l1(pred, truth, losses.coarse_weight(pred, truth))


def two_levels(pred: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    return losses.laplacian_by_size(pred, truth, weight, levels=2)


def composed(pred: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    foregrounds = random(2, 2, 3, 3, 4, seed=3)
    return losses.composition(
        pred, foregrounds, random(2, 3, 3, 4, seed=4), random(2, 3, 3, 4, seed=5), weight.amax(-3)
    )


@pytest.mark.parametrize(
    ("loss", "pred"),
    [
        weighted(losses.l1, 2, 3, 4),
        weighted(losses.laplacian, 1, 9, 11),
        weighted(two_levels, 2, 5, 6),
        weighted(losses.gradient, 2, 4, 5),
        weighted(losses.dtssd, 3, 2, 3, 4),
        weighted(coarse, 2, 3, 4),
        weighted(composed, 2, 2, 3, 4),
    ],
    ids=["l1", "laplacian", "laplacian_by_size", "gradient", "dtssd", "coarse_weight", "composition"],
)
def test_gradients_of_weighted_terms(loss: Callable[..., Tensor], pred: Tensor) -> None:
    assert torch.autograd.gradcheck(loss, pred.requires_grad_())


def test_gradients_of_the_difference_loss() -> None:
    ahead, back = (random(3, 1, 2, 3, seed=s).sub(0.5).mul(4).requires_grad_() for s in (0, 1))
    changed = random(3, 1, 2, 3, seed=2).gt(0.5)

    assert torch.autograd.gradcheck(lambda a, b: losses.difference_loss(a, b, changed).total(), (ahead, back))


def test_gradients_of_the_attention_loss() -> None:
    scores, regions = random(2, 3, 8).requires_grad_(), random(2, 3, 8, seed=1).gt(0.7)

    assert torch.autograd.gradcheck(lambda x: losses.attention_loss([x.softmax(-1), x.softmax(-1)], regions, 2), scores)


def test_gradients_of_the_totals_are_finite_where_mattes_are_flat() -> None:
    flat = torch.zeros(3, 2, 40, 48)
    pred = Scales(*(flat.clone().requires_grad_() for _ in range(3)))
    weight = Scales(*(torch.ones_like(flat) for _ in range(3)))

    maggie = losses.video_loss(pred, flat, weight).total()
    msg_vim = losses.msg_vim_loss(
        pred, flat, weight, torch.zeros(3, 2, 3, 40, 48), torch.zeros(3, 3, 40, 48), torch.zeros(3, 3, 40, 48)
    ).total()
    (maggie + msg_vim).backward()  # type: ignore[no-untyped-call]

    assert maggie.item() == 0
    assert msg_vim.item() == 0
    for matte in pred:
        assert matte.grad is not None
        assert torch.isfinite(matte.grad).all()


def test_no_weight_anywhere_gives_no_loss() -> None:
    pred, truth, _ = golden_case()
    nowhere = Scales(*(torch.zeros_like(truth) for _ in range(3)))

    assert losses.video_loss(pred, truth, nowhere).total().item() == 0


def pyramid(x: NDArray[np.float64], levels: int) -> list[NDArray[np.float64]]:
    """The Laplacian pyramid as textbooks draw it, by scipy."""
    row = np.array([1, 4, 6, 4, 1]) / 16
    found = []
    for _ in range(levels):
        smaller = ndimage.convolve(x, np.outer(row, row), mode="mirror")[::2, ::2]
        enlarged = np.zeros_like(x)
        enlarged[::2, ::2] = 4 * smaller
        found.append(x - ndimage.convolve(enlarged, np.outer(row, row), mode="mirror"))
        x = smaller
    return found


@pytest.mark.parametrize("shape", [(40, 48), (33, 51)])
def test_laplacian_of_any_shape_is_that_of_two_separate_pyramids(shape: tuple[int, int]) -> None:
    pred, truth, weight = (random(*shape, seed=s) for s in range(3))
    level_weights = [weight.numpy()[:: 2**k, :: 2**k] for k in range(5)]
    pairs = zip(pyramid(pred.numpy(), 5), pyramid(truth.numpy(), 5), level_weights, strict=True)
    errors = [float((w * abs(p - g)).sum() / w.sum()) for p, g, w in pairs]

    assert losses.laplacian(pred, truth, weight).item() == pytest.approx(3 * sum(errors[:3]), rel=1e-6)
    expected = sum(2**k * error for k, error in enumerate(errors))
    assert losses.laplacian_by_size(pred, truth, weight).item() == pytest.approx(expected, rel=1e-6)


def test_laplacian_does_not_see_a_constant_offset() -> None:
    truth = random(1, 40, 48)

    assert losses.laplacian(truth + 0.3, truth, torch.ones_like(truth)).item() == pytest.approx(0, abs=1e-12)


def test_laplacian_refuses_maps_too_small_for_its_levels() -> None:
    small = torch.zeros(1, 8, 20)

    with pytest.raises(ShapeError, match="at least 9 x 9"):
        losses.laplacian(small, small, small)
    with pytest.raises(ShapeError, match="at least 33 x 33"):
        losses.laplacian_by_size(small, small, small)


def test_losses_over_time_refuse_too_few_frames() -> None:
    one, two = torch.zeros(1, 1, 4, 4), torch.zeros(2, 1, 4, 4)

    with pytest.raises(ShapeError, match="two frames"):
        losses.dtssd(one, one)
    with pytest.raises(ShapeError, match="three frames"):
        losses.difference_loss(two, two, two)


def test_dtssd_does_not_see_an_error_that_stays() -> None:
    truth = random(3, 2, 4, 5)
    offset = random(1, 2, 4, 5, seed=1)

    assert losses.dtssd(truth + offset, truth, torch.ones_like(truth)).item() == pytest.approx(0, abs=1e-12)


def test_coarse_weight_counts_unsure_pixels_twice_and_empty_slots_only_where_grey() -> None:
    truth = torch.tensor([[[0.0, 1.0, 0.5, 0.0]], [[0.0, 0.0, 0.0, 0.0]]])
    pred = torch.tensor([[[0.0, 1.0, 1.0, 0.5]], [[0.0, 1.0, 0.5, 1 / 255]]], requires_grad=True)

    weight = losses.coarse_weight(pred, truth)

    assert weight.tolist() == [[[1, 1, 2, 2]], [[0, 0, 1, 1]]]
    assert not weight.requires_grad


def test_attention_regions_are_the_touched_cells_by_frame_row_and_column() -> None:
    truth = torch.zeros(1, 2, 3, 16, 24)
    truth[0, 1, 2, 15, 8] = 0.01

    regions = losses.attention_regions(truth)

    assert regions.shape == (1, 3, 12)
    assert regions.nonzero().tolist() == [[0, 2, 6 + 3 + 1]]


def test_attention_costs_nothing_inside_and_one_per_instance_outside() -> None:
    regions = torch.zeros(2, 3, 4, dtype=torch.bool)
    regions[:, :2, :2] = True
    inside = torch.tensor([0.5, 0.5, 0, 0]).expand(2, 3, 4)

    assert losses.attention_loss([inside], regions, 1).item() == 0
    assert losses.attention_loss([inside.flip(-1)], regions, 1).item() == 2
    assert losses.attention_loss([inside, inside.flip(-1)], regions, 2).item() == 0.5


def test_attention_loss_teaches_the_attention_of_the_network() -> None:
    torch.manual_seed(0)
    attention = Attention(8)
    regions = losses.attention_regions(torch.rand(1, 2, 3, 16, 16) - 0.99)

    weights = attention.weights(torch.rand(1, 3, 8), torch.rand(1, 8, 8))
    losses.attention_loss([weights], regions, 2).backward()  # type: ignore[no-untyped-call]

    grad = attention.in_proj_weight.grad
    assert grad is not None
    query, key, value = grad.chunk(3)
    assert query.abs().max() > 0
    assert key.abs().max() > 0
    assert not value.any()


def test_composition_is_zero_for_the_mattes_that_the_picture_was_made_with() -> None:
    alphas = random(3, 2, 4, 5) / 2
    foregrounds, background = random(3, 2, 3, 4, 5, seed=1), random(3, 3, 4, 5, seed=2)
    first, second = alphas[:, :1], alphas[:, 1:]
    frames = first * foregrounds[:, 0] + second * foregrounds[:, 1] + (1 - first - second) * background

    assert losses.composition(alphas, foregrounds, background, frames).item() == pytest.approx(0, abs=1e-12)


def test_composition_is_the_error_of_the_picture() -> None:
    white, black = torch.ones(1, 1, 3, 2, 2), torch.zeros(1, 3, 2, 2)
    alphas = torch.tensor([[[[0.5, 0.0], [0.0, 0.0]]]])
    left = torch.tensor([[[1.0, 0.0], [1.0, 0.0]]])

    assert losses.composition(alphas, white, black, black).item() == 0.125
    assert losses.composition(alphas, white, black, black, left).item() == 0.25


def test_msg_vim_adds_its_terms_with_a_fifth_of_each_coarse_scale_and_two_of_the_finest() -> None:
    truth = random(2, 2, 33, 33) / 2
    pred = Scales(*(random(2, 2, 33, 33, seed=s) / 2 for s in (1, 2, 3)))
    weight = Scales(*(torch.ones_like(truth) for _ in range(3)))
    scene = random(2, 2, 3, 33, 33, seed=4), random(2, 3, 33, 33, seed=5), random(2, 3, 33, 33, seed=6)

    loss = losses.msg_vim_loss(pred, truth, weight, *scene)

    expected = sum((term.os8 + term.os4 + 2 * term.os1) / 5 for term in loss)
    assert loss.total().item() == pytest.approx(float(expected), rel=1e-6)
    assert loss.l1.os4.item() == pytest.approx((pred.os4 - truth).abs().mean().item(), rel=1e-6)
    assert loss.composition.os1.item() == pytest.approx(losses.composition(pred.os1, *scene).item(), rel=1e-6)
