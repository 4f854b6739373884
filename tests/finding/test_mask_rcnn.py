"""Mask R-CNN through its real way of loading, with a checkpoint of the public layout whose answer is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.detection import maskrcnn_resnet50_fpn_v2

from matting.errors import CheckpointError
from matting.finding.mask_rcnn import PERSON, MaskRcnnFinder
from matting.finding.proposal import Proposal, overlap

CATEGORIES = 91
CONFIDENCE = 7.0
SIZE_HW = (60, 90)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """A network that takes everything for a person who fills their box."""
    torch.manual_seed(0)
    made: dict[str, Tensor] = maskrcnn_resnet50_fpn_v2(weights=None, weights_backbone=None).state_dict()
    for name in (
        "rpn.head.bbox_pred",
        "roi_heads.box_predictor.cls_score",
        "roi_heads.box_predictor.bbox_pred",
        "roi_heads.mask_predictor.mask_fcn_logits",
    ):
        made[f"{name}.weight"].zero_()
        made[f"{name}.bias"].zero_()
    made["roi_heads.box_predictor.cls_score.bias"][PERSON] = CONFIDENCE
    made["roi_heads.mask_predictor.mask_fcn_logits.bias"][PERSON] = 4.0
    return made


@pytest.fixture(scope="module")
def checkpoint(weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "maskrcnn_resnet50_fpn_v2_coco-73cbd019.pth"
    torch.save(weights, path)
    return path


def picture() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (*SIZE_HW, 3), np.uint8)


def find(checkpoint: Path) -> list[Proposal]:
    finder = MaskRcnnFinder(checkpoint)
    finder._network.transform.min_size = (160,)  # not 800: what it costs is not the matter here
    return finder.find(picture())


@pytest.fixture(scope="module")
def found(checkpoint: Path) -> list[Proposal]:
    return find(checkpoint)


def test_people_come_out_with_masks_in_pixels_of_the_frame(found: list[Proposal]) -> None:
    assert found
    certainty = math.exp(CONFIDENCE) / (math.exp(CONFIDENCE) + CATEGORIES - 1)
    for proposal in found:
        assert proposal.source == "mask-rcnn"
        assert proposal.score == pytest.approx(certainty, abs=1e-4)
        x0, y0, x1, y1 = proposal.box
        assert 0 <= x0 < x1 <= SIZE_HW[1]
        assert 0 <= y0 < y1 <= SIZE_HW[0]
        assert proposal.mask is not None
        assert proposal.mask.shape == SIZE_HW
        rows, columns = np.nonzero(proposal.mask)
        drawn = float(columns.min()), float(rows.min()), float(columns.max() + 1), float(rows.max() + 1)
        assert overlap(drawn, proposal.box) > 0.6
    for place, one in enumerate(found):
        assert all(overlap(one.box, other.box) <= 0.45 for other in found[place + 1 :])


@pytest.mark.usefixtures("full_gpu")
def test_without_room_on_the_gpu_the_cpu_looks_for_people(checkpoint: Path, found: list[Proposal]) -> None:
    told: list[str] = []
    finder = MaskRcnnFinder(checkpoint, torch.device("cuda", 0), told.append)
    finder._network.transform.min_size = (160,)
    assert told == ["Full GPU (cuda:0) ran out of memory; going on on the CPU, which is slower."]
    finder._placed.device = torch.device("cuda", 0)  # room for the weights, none for a picture
    assert [proposal.box for proposal in finder.find(picture())] == [proposal.box for proposal in found]
    assert len(told) == 2


def test_other_categories_are_nobody(weights: dict[str, Tensor], tmp_path: Path) -> None:
    dog = {key: tensor.clone() for key, tensor in weights.items() if key == "roi_heads.box_predictor.cls_score.bias"}
    dog["roi_heads.box_predictor.cls_score.bias"][:] = 0
    dog["roi_heads.box_predictor.cls_score.bias"][18] = CONFIDENCE
    torch.save(weights | dog, tmp_path / "dogs.pth")
    assert find(tmp_path / "dogs.pth") == []


def test_a_file_that_is_something_else_is_refused(weights: dict[str, Tensor], tmp_path: Path) -> None:
    other, cut, text = tmp_path / "other.pth", tmp_path / "cut.pth", tmp_path / "text.pth"
    torch.save({"backbone.body.conv1.weight": torch.zeros(64, 3, 7, 7)}, other)
    torch.save(weights | {"roi_heads.box_predictor.cls_score.bias": torch.zeros(2)}, cut)
    text.write_text("no weights")
    for path, reason in ((other, "does not hold"), (cut, "does not hold"), (text, "damaged")):
        with pytest.raises(CheckpointError, match=reason):
            MaskRcnnFinder(path)
