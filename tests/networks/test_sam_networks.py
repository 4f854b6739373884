"""MobileSAM against vectors of its authors' code, its trunk against timm's; SAM's layouts and loading."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import timm
import torch
from formula_weights import formula_weights
from golden_files import golden, golden_layout
from segment_anything import SamPredictor, sam_model_registry
from segment_anything.modeling import MaskDecoder, Sam
from torch import Tensor
from torch.nn.functional import interpolate

from matting.errors import CheckpointError
from matting.networks import create
from matting.networks.checkpoints import convert, kind_of, network_from
from matting.networks.sam import Predictor, full_size, low_size
from matting.networks.tiny_vit import TinyViT

CPU = torch.device("cpu")
EMBEDDING, LOGITS = 2e-3, 1e-2
"""How far the embedding and the logits may lie from the authors', relative to the deviation of each."""

Weights = dict[str, Tensor]


@pytest.fixture(scope="module")
def weights() -> Weights:
    """What the public checkpoint of MobileSAM would hold."""
    return formula_weights(golden_layout("mobile_sam"))


@pytest.fixture(scope="module")
def predictor(weights: Weights) -> Predictor:
    network = create("mobile-sam", faithful=True)
    network.load_state_dict(convert("mobile-sam", weights))
    return Predictor(network, CPU)


def test_mobile_sam_gives_the_authors_numbers(predictor: Predictor) -> None:
    case = golden("mobile_sam", "case")
    embedding = predictor.embed(case["image"])
    mean, deviation, largest = case["embedding_stats"]
    assert embedding.shape == (256, 64, 64)
    assert np.abs(embedding[::16, ::4, ::4] - case["embedding_sub"]).max() < EMBEDDING * deviation
    assert abs(embedding.mean() - mean) < EMBEDDING * deviation
    assert abs(embedding.std() - deviation) < EMBEDDING * deviation
    assert abs(np.abs(embedding).max() - largest) < EMBEDDING * deviation
    size_hw = case["image"].shape[:2]
    by_points = predictor.candidates(embedding, size_hw, case["points_xy"], case["labels"])
    by_box = predictor.candidates(embedding, size_hw, box=case["box_xyxy"], several=False)
    for found, logits, quality in (
        (by_points, case["low_res_points"], case["iou_points"]),
        (by_box, case["low_res_box"], case["iou_box"]),
    ):
        assert found.logits.shape == (len(quality), 256, 256)
        assert np.abs(found.logits[:, ::2, ::2] - logits).max() < LOGITS * logits.std()
        assert np.abs(found.quality - quality).max() < LOGITS
    halved = embedding.astype(np.float16).astype(np.float32)
    from_half = predictor.candidates(halved, size_hw, case["points_xy"], case["labels"])
    for one, other in zip(by_points.logits, from_half.logits, strict=True):
        masks = full_size(one, size_hw) > 0, full_size(other, size_hw) > 0
        assert (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum() > 0.999


@pytest.mark.usefixtures("full_gpu")
def test_without_room_on_the_gpu_a_click_is_answered_by_the_cpu_and_it_is_told_once(predictor: Predictor) -> None:
    case, told = golden("mobile_sam", "case"), list[str]()
    wanted = predictor.embed(case["image"])
    gpu = torch.device("cuda", 0)
    sentence = "Full GPU (cuda:0) ran out of memory; going on on the CPU, which is slower."
    other = Predictor(predictor.placed.network, gpu, told.append)
    assert told == [sentence]
    np.testing.assert_array_equal(other.embed(case["image"]), wanted)
    other.placed.device = gpu  # room for the weights, none for a picture
    np.testing.assert_array_equal(other.embed(case["image"]), wanted)
    asked = case["image"].shape[:2], case["points_xy"], case["labels"]
    other.placed.device = gpu
    found = other.candidates(wanted, *asked)
    np.testing.assert_array_equal(found.logits, predictor.candidates(wanted, *asked).logits)
    assert told == [sentence] * 3
    other.candidates(wanted, *asked)
    assert len(told) == 3


def test_what_the_trunk_learned_about_distances_counts(weights: Weights) -> None:
    own = {k.removeprefix("image_encoder."): v for k, v in weights.items() if k.startswith("image_encoder.")}
    ours, without = TinyViT().eval(), TinyViT(biased=False).eval()
    for encoder in (ours, without):
        encoder.load_state_dict(own)
    theirs = timm.create_model("tiny_vit_5m_224", num_classes=0).eval()
    theirs.stages[3].downsample.conv2.conv.stride = (1, 1)
    result = theirs.load_state_dict({_timm_name(key): value for key, value in own.items()}, strict=False)
    assert all(key.startswith("head.") for key in result.missing_keys)
    picture = torch.from_numpy(np.random.default_rng(0).normal(size=(1, 3, 192, 160)).astype(np.float32))
    with torch.inference_mode():
        expected = ours.neck(theirs.stages(theirs.patch_embed(picture)))
        torch.testing.assert_close(ours(picture), expected, rtol=0, atol=2e-4)
        assert (without(picture) - expected).abs().max() > 5e-3


def _timm_name(key: str) -> str:
    key = key.replace("patch_embed.seq.0", "patch_embed.conv1").replace("patch_embed.seq.2", "patch_embed.conv2")
    key = re.sub(r"layers\.(\d)\.downsample", lambda m: f"stages.{int(m[1]) + 1}.downsample", key)
    return key.replace("layers.", "stages.").replace(".c.", ".conv.")


@pytest.mark.parametrize("kind", ["sam-vit-b", "sam-vit-l", "sam-vit-h"])
def test_sam_takes_exactly_what_its_authors_save(kind: str) -> None:
    with torch.device("meta"):
        public = sam_model_registry[kind.removeprefix("sam-").replace("-", "_")]().state_dict()
    assert kind_of(public) == kind
    converted = convert(kind, public)
    assert {key: tensor.shape for key, tensor in create(kind).state_dict().items()} == {
        key: tensor.shape for key, tensor in converted.items()
    }
    missing = "image_encoder.blocks.3.attn.rel_pos_h"
    with pytest.raises(CheckpointError, match=rf"{re.escape(missing)} \(.*\) is missing"):
        convert(kind, {key: value for key, value in public.items() if key != missing})


def test_a_file_of_vit_b_answers_as_the_authors_predictor_does(tmp_path: Path) -> None:
    with torch.device("meta"):
        public = sam_model_registry["vit_b"]().state_dict()
    layout = {key: {"shape": list(tensor.shape), "dtype": "float32"} for key, tensor in public.items()}
    path = tmp_path / "sam_vit_b_01ec64.pth"
    torch.save(formula_weights(layout), path)
    network = network_from(path)
    frame = golden("mobile_sam", "case")["image"][:, 40:240]
    seen: list[Tensor] = []
    cast(Sam, network).image_encoder.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    ours = Predictor(network, CPU)
    embedding = ours.embed(frame)

    theirs = SamPredictor(cast(Sam, network))
    resized = torch.from_numpy(theirs.transform.apply_image(frame)).permute(2, 0, 1)[None]
    torch.testing.assert_close(seen[0], theirs.model.preprocess(resized), rtol=0, atol=1e-5)
    theirs.original_size, theirs.input_size = frame.shape[:2], resized.shape[-2:]
    theirs.features, theirs.is_image_set = torch.from_numpy(embedding)[None], True
    points, labels, box = np.array([[100.0, 190], [20, 60]]), np.array([1, 0]), np.array([10.0, 20, 150, 300])
    previous = low_size(np.arange(200) > np.arange(360)[:, None], 8)
    masks, quality, logits = theirs.predict(points, labels, box, previous[None])
    found = ours.candidates(embedding, (360, 200), points, labels, box, previous)
    np.testing.assert_allclose(found.logits, logits, rtol=0, atol=1e-4 * np.abs(logits).max())
    np.testing.assert_allclose(found.quality, quality, rtol=0, atol=1e-4)
    for place in range(3):
        assert ((full_size(found.logits[place], (360, 200)) > 0) != masks[place]).mean() < 1e-3


PROMPTS: dict[str, dict[str, Any]] = {
    "a point": {"points": np.array([[700.0, 300]]), "labels": np.array([1])},
    "ten points": {
        "points": np.random.default_rng(2).uniform(0, 1080, (10, 2)),
        "labels": np.arange(10) % 2,
    },
    "twenty points": {
        "points": np.random.default_rng(1).uniform(0, 1080, (20, 2)),
        "labels": np.arange(20) % 2,
    },
    "a box": {"box": np.array([500.0, 100, 1300, 1000])},
    "a box, a point and a drawing": {
        "box": np.array([500.0, 100, 1300, 1000]),
        "points": np.array([[700.0, 300]]),
        "labels": np.array([0]),
        "previous": low_size(np.arange(1080)[:, None] > np.arange(1920) // 2, 8),
    },
    "nothing": {},
}


@pytest.mark.parametrize("several", [True, False])
@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_decoder_gives_what_the_authors_gives(
    weights: Weights, predictor: Predictor, prompt: str, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedding = np.random.default_rng(0).normal(0, 1, (256, 64, 64)).astype(np.float32)
    ours = predictor.candidates(embedding, (1080, 1920), **PROMPTS[prompt], several=several)
    monkeypatch.setattr("matting.networks.sam.decode", _authors_decode)
    theirs = predictor.candidates(embedding, (1080, 1920), **PROMPTS[prompt], several=several)
    assert ours.logits.shape == theirs.logits.shape == (3 if several else 1, 256, 256)
    np.testing.assert_allclose(ours.logits, theirs.logits, rtol=0, atol=5e-5 * theirs.logits.std())
    np.testing.assert_allclose(ours.quality, theirs.quality, rtol=0, atol=1e-5)
    for one, other in zip(ours.logits, theirs.logits, strict=True):
        moved = (full_size(one, (1080, 1920)) > 0) != (full_size(other, (1080, 1920)) > 0)
        assert moved.sum() <= 10


def _authors_decode(
    decoder: MaskDecoder, picture: Tensor, places: Tensor, prompt: Tensor, several: bool
) -> tuple[Tensor, Tensor]:
    as_pictures = (rows.T.reshape(1, 256, 64, 64) for rows in (picture, places))
    logits, quality = decoder(*as_pictures, prompt[None], torch.zeros(1, 256, 1, 1), several)
    return logits[0], quality[0]


def test_files_of_mobile_sam_are_checked_before_use(weights: Weights, tmp_path: Path) -> None:
    path = tmp_path / "mobile_sam.pt"
    torch.save(weights, path)
    assert kind_of(weights) == "mobile-sam"
    assert torch.equal(network_from(path).state_dict()["image_encoder.head.bias"], weights["image_encoder.head.bias"])
    with pytest.raises(CheckpointError, match="weights of mobile-sam, not of sam-vit-b"):
        convert("sam-vit-b", weights)
    wrong = weights | {"image_encoder.neck.0.weight": torch.zeros(256, 320, 3, 3)}
    with pytest.raises(CheckpointError, match=r"image_encoder\.neck\.0\.weight is 256×320×3×3, expected 256×320×1×1"):
        convert("mobile-sam", wrong)
    path.write_bytes(path.read_bytes()[: 1 << 20])
    with pytest.raises(CheckpointError, match=r"mobile_sam\.pt is damaged"):
        network_from(path)


@pytest.mark.parametrize("size_hw", [(360, 640), (1080, 1920), (301, 97), (1, 1), (1, 7)])
def test_logits_are_enlarged_as_the_authors_do(size_hw: tuple[int, int]) -> None:
    logits = np.random.default_rng(0).normal(0, 8, (256, 256)).astype(np.float32)
    scale = 1024 / max(size_hw)
    height, width = (max(1, int(side * scale + 0.5)) for side in size_hw)
    square = interpolate(torch.from_numpy(logits)[None, None], (1024, 1024), mode="bilinear", align_corners=False)
    theirs = interpolate(square[..., :height, :width], size_hw, mode="bilinear", align_corners=False)[0, 0].numpy()
    ours = full_size(logits, size_hw)
    assert ours.shape == size_hw
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-3)


@pytest.mark.parametrize("size_hw", [(360, 640), (1080, 1920), (301, 97), (1, 1), (1, 7)])
def test_masks_go_to_the_networks_size_and_back(size_hw: tuple[int, int]) -> None:
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    middle = size_hw[0] / 2, size_hw[1] / 2
    mask = ((rows + 0.5 - middle[0]) / middle[0]) ** 2 + ((columns + 0.5 - middle[1]) / middle[1]) ** 2 < 0.5
    back = full_size(low_size(mask, 8), size_hw) > 0
    assert (back & mask).sum() / (back | mask).sum() > 0.97
