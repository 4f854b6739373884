"""MaGGIe against vectors made with the authors' code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from formula_weights import formula_weights
from golden_files import golden_layout
from hypothesis import given, settings
from hypothesis import strategies as st
from maggie_cases import IMAGE_CASES, VIDEO_CASES, assert_close_mostly, inputs, maggie_case, run
from tolerances import COARSE_ALPHA, FINE_ALPHA, FINE_SHARE, INTERMEDIATE, MASK_SHARE, MEMORY
from torch import Tensor

from matting.errors import ShapeError
from matting.networks import create
from matting.networks.maggie import FrameFeatures, MaGGIe
from matting.networks.maggie_bodies import body_box
from matting.networks.maggie_details import alpha_of, fuse
from matting.networks.progressive import unknown
from matting.networks.sites import Sites
from matting.networks.sparse import SparseSequential

Make = Callable[..., MaGGIe]


@pytest.fixture(scope="module")
def make() -> Make:
    """A network filled by formula, afresh: a faithful one changes with every call."""
    weights: dict[bool, dict[str, Tensor]] = {}

    def filled(video: bool, faithful: bool = True) -> MaGGIe:
        kind = "video" if video else "image"
        if video not in weights:
            weights[video] = formula_weights(golden_layout("maggie", f"layout_{kind}"))
        network = create(f"maggie-{kind}", faithful=faithful)
        network.load_state_dict(weights[video])
        assert isinstance(network, MaGGIe)
        return network

    return filled


@pytest.fixture(scope="module")
def image_network(make: Make) -> MaGGIe:
    return make(video=False, faithful=False)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_layout_is_the_public_one(kind: str) -> None:
    ours = {key: list(value.shape) for key, value in create(f"maggie-{kind}").state_dict().items()}
    assert ours == {key: entry["shape"] for key, entry in golden_layout("maggie", f"layout_{kind}").items()}


@pytest.mark.parametrize("faithful", [True, False])
@pytest.mark.parametrize("name", [*IMAGE_CASES, *VIDEO_CASES])
def test_mattes_are_the_authors(make: Make, name: str, faithful: bool) -> None:
    """Without ``faithful`` only the difference head differs: the public one steps its norms between its calls."""
    case = maggie_case(name)
    found = run(make(name in VIDEO_CASES, faithful), case)
    for scale in ("alpha_os8", "alpha_os4"):
        np.testing.assert_allclose(
            getattr(found, scale).numpy()[0, ..., ::3, ::3], case[scale], rtol=0, atol=COARSE_ALPHA, err_msg=scale
        )
    for mask in ("detail_mask", "weight_os4", "weight_os1"):
        assert (getattr(found, mask).numpy()[0] != case[mask]).mean() <= MASK_SHARE, mask
    assert_close_mostly(found.alpha_os1.numpy()[0, ..., ::3, ::3], case["alpha_os1"], FINE_ALPHA, FINE_SHARE, "os1")
    if name in VIDEO_CASES:
        assert found.refined_before_temporal is not None
        before = found.refined_before_temporal.numpy()[0, ..., ::3, ::3]
        assert_close_mostly(before, case["refined_before_temporal"], FINE_ALPHA, FINE_SHARE, "before fusion over time")
        assert found.memory is not None
        np.testing.assert_allclose(found.memory.numpy()[0, :, ::8], case["mem_feat"], rtol=0, atol=MEMORY)
    if faithful:
        assert_close_mostly(found.alpha.numpy()[0], case["refined"], FINE_ALPHA, FINE_SHARE, "the matte")
        for key in set(case) & {"diff_forward", "diff_backward"}:
            maps = getattr(found, key).numpy()[0, ..., ::4, ::4]
            np.testing.assert_allclose(maps, case[key], rtol=0, atol=FINE_ALPHA, err_msg=key)


def test_first_differing_stage_is_named(make: Make) -> None:
    """Every stage on the way is the authors'; a failure says which is the first that is not."""
    case = maggie_case("image_96x128_n2")
    network = make(video=False)
    seen = _stages(network)
    run(network, case)
    order = [key for key in _STAGES if key in case or f"{key}_feat" in case]
    assert len(order) == len(_STAGES)
    for stage in order:
        found, wanted = _chosen(stage, seen[stage], case)
        worst = np.abs(found - wanted).max() / np.abs(wanted).max()
        assert worst <= INTERMEDIATE, f"{stage} is the first stage to differ: by {worst:.1e} of its largest value"


_STAGES = {
    "mid_enc_input_s4": "encoder",
    "mid_fea1_s4": "encoder.shortcut.0",
    "mid_fea2_s2": "encoder.shortcut.1",
    "mid_fea3": "encoder.shortcut.2",
    "mid_fea4": "encoder.shortcut.3",
    "mid_fea5": "encoder.shortcut.4",
    "mid_enc_os32": "encoder.layer_bottleneck",
    "mid_aspp": "aspp",
    "mid_dec_l1": "decoder.layer1",
    "mid_dec_l2": "decoder.layer2",
    "mid_os8_in": "decoder.refine_OS8",
    "mid_os8_feat": "decoder.refine_OS8.conv",
    "mid_tokens": "decoder.refine_OS8.decoder_norm",
    "mid_os8_logits": "decoder.refine_OS8",
    "mid_inst_spec_layer": "decoder.inst_spec_layer",
    "mid_sp_layer3": "decoder.layer3",
    "mid_sp_guidance_layer": "decoder.guidance_layer",
    "mid_sp_layer3_smooth": "decoder.layer3_smooth",
    "mid_sp_refine_OS4": "decoder.refine_OS4",
    "mid_sp_layer4": "decoder.layer4",
    "mid_sp_layer4_smooth": "decoder.layer4_smooth",
    "mid_sp_layer5": "decoder.layer5",
    "mid_sp_layer5_smooth": "decoder.layer5_smooth",
    "mid_sp_refine_OS1": "decoder.refine_OS1",
}
"""Stages in the order in which they are computed, and the module that shows them."""


def _stages(network: MaGGIe) -> dict[str, Any]:
    seen: dict[str, Any] = {}

    def note(stage: str) -> Callable[[Any, Any, Any], None]:
        def hook(module: Any, given: Any, result: Any) -> None:
            if stage == "mid_enc_input_s4":
                seen[stage] = given[0]
            elif stage == "mid_os8_in":
                seen[stage] = given[0][0]
            elif stage == "mid_os8_logits":
                seen[stage] = result.logits[0]
            elif isinstance(module, SparseSequential):  # instance by instance
                seen.setdefault(stage, []).append((result, given[1]))
            elif stage == "mid_inst_spec_layer":
                seen[stage] = torch.cat([seen[stage], result]) if stage in seen else result
            else:
                seen[stage] = result

        return hook

    for stage, module in _STAGES.items():
        network.get_submodule(module).register_forward_hook(note(stage))
    return seen


def _chosen(stage: str, seen: Any, case: dict[str, Any]) -> tuple[Any, Any]:
    """What was seen of a stage, cut like what the case carries of it, and the latter."""
    if stage.startswith("mid_sp_"):
        features: dict[tuple[int, int, int], Any] = {}
        for instance, (values, sites) in enumerate(seen):
            assert isinstance(sites, Sites)
            features |= {(instance, *where): value for where, value in zip(_places(sites), values.numpy(), strict=True)}
        return np.stack([features[tuple(site)] for site in case[f"{stage}_idx"].tolist()]), case[f"{stage}_feat"]
    found, wanted = seen.numpy(), case[stage]
    if stage == "mid_inst_spec_layer":  # its sites come in no known order
        nearest = np.abs(found[:, None] - wanted[None]).max(2).argmin(0)
        return found[nearest], wanted
    if stage[-3:] in ("_s4", "_s2"):
        step = int(stage[-1])
        found = found[..., ::step, ::step]
    return found[:, :: found.shape[1] // wanted.shape[1]], wanted


def _places(sites: Sites) -> list[tuple[int, int]]:
    return list(zip(sites.y.tolist(), sites.x.tolist(), strict=True))


def test_a_faithful_network_moves_on_and_a_stateless_one_does_not(make: Make) -> None:
    case = maggie_case("image_64x96_n10")
    for faithful in (True, False):
        network = make(video=False, faithful=faithful)
        first, second = run(network, case), run(network, case)
        change = float((first.alpha - second.alpha).abs().max())
        assert change > 0.1 if faithful else change == 0


def test_overlapping_windows_share_the_features_of_their_frames(make: Make) -> None:
    case = maggie_case("video_96x128_t3_n2")
    network = make(video=True, faithful=False)
    frames, masks = inputs(case)
    with torch.inference_mode():
        whole = network(frames, masks)
        parts = [network.features(frames[:, k : k + 1], masks[:, k : k + 1]) for k in range(3)]
        joined = network.decode(FrameFeatures.join(parts))
    torch.testing.assert_close(joined.alpha_os8, whole.alpha_os8, rtol=0, atol=COARSE_ALPHA)
    assert_close_mostly(joined.alpha.numpy(), whole.alpha.numpy(), FINE_ALPHA, FINE_SHARE, "the matte")


@torch.inference_mode()
def test_a_window_that_continues_may_spare_its_first_frame(make: Make) -> None:
    case = maggie_case("video_96x128_t3_n3_mem")
    network = make(video=True, faithful=False)
    features = network.features(*inputs(case))
    memory, previous = (torch.from_numpy(case[key]) for key in ("in_mem_feat", "in_prev_pred"))
    whole = network.decode(features, memory, previous)
    spared = network.decode(features, memory, previous, first=1)
    torch.testing.assert_close(spared.alpha_os8, whole.alpha_os8[:, 1:], rtol=0, atol=COARSE_ALPHA)
    assert_close_mostly(spared.alpha.numpy(), whole.alpha[:, 1:].numpy(), FINE_ALPHA, FINE_SHARE, "the matte")


@settings(deadline=None, max_examples=4)
@given(order=st.permutations(range(5)))
def test_permuting_instances_permutes_mattes(image_network: MaGGIe, order: list[int]) -> None:
    """Slots have embeddings of their own, so this holds where those are permuted too: nothing else tells slots apart.

    The masks share no cell of 8×8 pixels; in a shared one the later instance gives the position.
    """
    case = maggie_case("image_128x192_n5")
    boxes = [(0, 40, 0, 64), (0, 32, 80, 112), (48, 128, 16, 80), (56, 96, 96, 136), (16, 120, 144, 192)]
    case["masks"] = np.zeros_like(case["masks"])
    for number, (top, bottom, left, right) in enumerate(boxes):
        case["masks"][0, number, top:bottom, left:right] = True
    plain = run(image_network, case)
    assert 0.1 < float(plain.detail_mask.float().mean()) < 0.9
    slots = [number + 1 for number in order]
    tables = [
        image_network.encoder.mask_embed_layer.weight,
        image_network.decoder.refine_OS8.id_embedding.weight,
    ]
    query = image_network.decoder.refine_OS8.query_feat.weight
    kept = [table.detach().clone() for table in (*tables, query)]
    with torch.no_grad():
        for table in tables:
            table[1:6] = table[slots].clone()
        query[:5] = query[order].clone()
    try:
        permuted = run(image_network, {**case, "masks": case["masks"][:, order]})
    finally:
        with torch.no_grad():
            for table, old in zip((*tables, query), kept, strict=True):
                table.copy_(old)
    torch.testing.assert_close(permuted.alpha_os8, plain.alpha_os8[:, :, order], rtol=0, atol=COARSE_ALPHA)
    wanted = plain.alpha[:, :, order].numpy()
    assert_close_mostly(permuted.alpha.numpy(), wanted, FINE_ALPHA, FINE_SHARE, "the matte")


@torch.inference_mode()
def test_an_instance_does_not_change_the_details_of_another(image_network: MaGGIe) -> None:
    case = maggie_case("image_192x256_n2_inject")
    frames, masks = inputs(case)
    features = image_network.features(frames, masks)
    found = image_network.instances(features)
    coarse = image_network.coarse(torch.from_numpy(case["inject_os8_logits"])[None], 2)
    chosen = unknown(coarse, 15, strict=True)
    both = fuse(coarse, *image_network.details(features, found, chosen), chosen)[0]
    alone = chosen.clone()
    alone[:, :, 1] = False
    only_first = fuse(coarse, *image_network.details(features, found, alone), alone)[0]
    torch.testing.assert_close(only_first[:, :, 0], both[:, :, 0], rtol=0, atol=1e-6)
    assert torch.equal(only_first[:, :, 1], coarse[:, :, 1])


def test_a_sample_without_any_instance_stays_finite_and_leaves_its_neighbour_alone(image_network: MaGGIe) -> None:
    frames, masks = inputs(maggie_case("image_96x128_n2"))
    with torch.inference_mode():
        alone = image_network(frames, masks)
        pair = image_network(frames.expand(2, -1, -1, -1, -1), torch.cat([masks, 0 * masks]))
    assert bool(torch.isfinite(pair.alpha).all())
    torch.testing.assert_close(pair.alpha_os8[:1], alone.alpha_os8, rtol=0, atol=COARSE_ALPHA)


def test_without_unsure_pixels_the_coarse_matte_is_the_matte(image_network: MaGGIe) -> None:
    frames, masks = inputs(maggie_case("image_64x96_n10"))
    logits = torch.full((1, 10, 8, 12), 20.0)
    with torch.inference_mode():
        found = image_network(frames, masks, coarse_logits=logits)
    assert bool((found.alpha == 1).all())
    assert not found.detail_mask.any()
    assert not found.alpha_os1.any()


@pytest.mark.parametrize(("size", "instances"), [((96, 100), 2), ((96, 128), 11), ((96, 128), 0)])
def test_what_does_not_fit_is_refused(image_network: MaGGIe, size: tuple[int, int], instances: int) -> None:
    with pytest.raises(ShapeError, match="multiples of 32"):
        image_network(torch.zeros(1, 1, 3, *size), torch.zeros(1, 1, instances, *size))


@torch.inference_mode()
def test_half_precision_keeps_the_matte(image_network: MaGGIe) -> None:
    case = maggie_case("image_192x256_n2_inject")
    exact = run(image_network, case)
    with torch.autocast("cpu", torch.bfloat16):
        rough = run(image_network, case)
    assert rough.alpha.dtype == torch.float32
    # These weights amplify every rounding; real ones are better behaved.
    assert float((rough.alpha - exact.alpha).abs().mean()) < 0.05


def test_training_reaches_every_weight(make: Make) -> None:
    network = make(video=True, faithful=False).train()
    frames, masks = inputs(maggie_case("video_96x128_t3_n2"))
    frames, masks = frames[..., :64, :64], masks[..., :64, :64]
    logits = torch.randn(1, 3, 10, 8, 8, generator=torch.Generator().manual_seed(0))
    features = network.features(frames, masks)
    found = network.instances(features)
    chosen = unknown(network.coarse(logits, 2), 15, strict=True)
    at_quarter, at_full = network.details(features, found, chosen)
    forward, backward = network.differences(found)
    scales = (network.coarse(found.logits, 2), at_quarter, at_full, forward, backward)
    torch.autograd.backward([scale.square().mean() for scale in scales])
    without = {name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None}
    assert without == {f"decoder.dummy_downscale.{k}.weight" for k in range(4)}


@torch.inference_mode()
@pytest.mark.parametrize("sites_at_once", [20_000, 8_000, 1_000])
def test_details_in_pieces_are_those_of_the_whole(sites_at_once: int) -> None:
    """Instances, then frames, then strips of rows; 1000 is less than any strip, so strips get as small as they can."""
    torch.manual_seed(0)
    path = MaGGIe(video=True).eval().decoder
    features, tokens = torch.randn(1, 2, 64, 64, 12), torch.randn(1, 10, 64)
    frames = [(torch.randn(1, 32, 512, 96), torch.randn(1, 32, 256, 48), torch.randn(1, 64, 128, 24)) for _ in range(2)]
    chosen = torch.nn.functional.max_pool2d((torch.rand(4, 1, 512, 96) > 0.995).float(), 5, 1, 2) > 0
    chosen = chosen.view(1, 2, 2, 512, 96)
    assert chosen.sum() > 20_000
    whole = path.details(features, tokens, frames, chosen)
    path.sites_at_once = sites_at_once
    for found, wanted in zip(path.details(features, tokens, frames, chosen), whole, strict=True):
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-6)


@torch.inference_mode()
@settings(deadline=None, max_examples=12)
@given(
    top=st.integers(0, 88), left=st.integers(0, 120), height=st.integers(1, 40), width=st.integers(1, 40),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_details_in_a_window_are_those_of_the_whole_picture(
    top: int, left: int, height: int, width: int, seed: int
) -> None:
    torch.manual_seed(0)
    path = MaGGIe(video=False).eval().decoder
    features, tokens = torch.randn(1, 1, 64, 12, 16), torch.randn(1, 10, 64)
    full, half, quarter = torch.randn(1, 32, 96, 128), torch.randn(1, 32, 48, 64), torch.randn(1, 64, 24, 32)
    chosen = torch.zeros(1, 1, 2, 96, 128, dtype=torch.bool)
    patch = chosen[..., 1, top : top + height, left : left + width]
    patch |= torch.rand(patch.shape, generator=torch.Generator().manual_seed(seed)) < 0.7
    wanted = path._details(features, tokens, [(full, half, quarter)], chosen)
    for found, whole in zip(path.details(features, tokens, [(full, half, quarter)], chosen), wanted, strict=True):
        torch.testing.assert_close(found, whole, rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    size=st.tuples(st.integers(2, 5), st.integers(2, 5)), blobs=st.integers(0, 3),
    level=st.sampled_from([0.08, 0.3, 1]), seed=st.integers(0, 999),
)  # fmt: skip
def test_the_box_of_a_body_is_that_of_the_whole_smoothed_matte(
    size: tuple[int, int], blobs: int, level: float, seed: int
) -> None:
    height, width = 32 * size[0], 32 * size[1]
    random = np.random.default_rng(seed)
    alpha = np.full((height, width), 0.01, np.float32)
    for _ in range(blobs):
        y, x, radius = random.integers(0, height), random.integers(0, width), random.integers(0, 12)
        alpha[max(0, y - radius) : y + radius, max(0, x - radius) : x + radius] = level
    bell = np.exp(-(np.arange(-3, 4) ** 2) / 18)
    row = torch.tensor((bell / bell.sum()) ** 2, dtype=torch.float32)
    matte = torch.from_numpy(alpha)
    smooth = torch.nn.functional.conv2d(matte[None, None], row.expand(1, 1, 7, 7))
    body = torch.nn.functional.interpolate(smooth, (height, width), mode="bilinear")[0, 0].numpy() > 0.1
    wanted = np.ones_like(body)
    if body.any():
        rows, columns = np.nonzero(body)
        wanted[:] = False
        wanted[max(0, rows.min() - 30) : rows.max() + 30, max(0, columns.min() - 30) : columns.max() + 30] = True
    np.testing.assert_array_equal(body_box(matte), wanted)


def test_opacity_is_that_of_the_hyperbolic_tangent() -> None:
    logits = torch.linspace(-40, 40, 80_001)
    found = alpha_of(logits)
    assert float((found - (logits.double().tanh() + 1) / 2).abs().max()) < 1e-7
    assert ((found == 0) != (logits.tanh() == -1)).float().mean() < 1e-4  # one more or less at the edge
    assert ((found == 1) != ((logits.tanh() + 1) / 2 == 1)).float().mean() < 0.01
