from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from matting import weights
from matting.arrays import Picture
from matting.errors import MediaError
from matting.finding import mask_rcnn
from matting.finding.proposal import Box, Proposal, overlap
from matting.job import JobContext
from matting.media import open_clip
from matting.pipeline.finding import find_people, method
from matting.weights.folder import Record, write_record
from resources import SAMPLE

FRAME = 80


def true_boxes() -> list[Box]:
    """Round the people of the sample who are on the frame."""
    boxes = []
    for path in sorted(SAMPLE.glob(f"alpha/*/{FRAME:05d}.png")):
        alpha = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        assert alpha is not None
        x, y, width, height = cv2.boundingRect((alpha > 127).astype(np.uint8))
        if width:
            boxes.append((float(x), float(y), float(x + width), float(y + height)))
    return boxes


def people(taken: list[Box], device: str = "auto") -> list[Proposal]:
    with open_clip(SAMPLE / "clip.mp4") as clip:
        return find_people(clip, FRAME, JobContext(), taken, device=device)


def test_without_weights_the_people_of_the_sample_are_found_the_same_every_time() -> None:
    found, truth = people([]), true_boxes()
    assert len(truth) == 2
    assert all(max(overlap(box, proposal.box) for proposal in found) > 0.5 for box in truth)
    assert all(proposal.mask is None for proposal in found)
    assert people([]) == found
    assert people(truth[:1]) == [proposal for proposal in found if overlap(proposal.box, truth[0]) < 0.3]


def test_mask_rcnn_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    known = weights.model("mask-rcnn")
    monkeypatch.setenv("MATTEO_MODELS", str(tmp_path))
    folder = tmp_path / known.id
    folder.mkdir()
    (folder / known.file_name).write_bytes(b"weights")
    write_record(known, Record(known.file_name, 7, "0" * 64, "by hand"))
    asked: list[tuple[Path, torch.device]] = []

    class Finder:
        def __init__(self, path: Path, device: torch.device, tell: Callable[[str], None]) -> None:
            asked.append((path, device))
            tell("There is little room.")

        def find(self, frame: Picture, taken: Sequence[Box]) -> list[Proposal]:
            return [Proposal((0, 0, 5, 5), 0.9, np.ones(frame.shape[:2], np.bool_), "mask-rcnn")]

    monkeypatch.setattr(mask_rcnn, "MaskRcnnFinder", Finder)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    told: list[str] = []
    monkeypatch.setattr(JobContext, "noticed", lambda _, text: told.append(text))
    for device in ("auto", "cpu"):
        assert [proposal.source for proposal in people([], device)] == ["mask-rcnn"]
    file = folder / known.file_name
    assert asked == [(file, torch.device("cuda", 0)), (file, torch.device("cpu"))]
    assert told == ["There is little room."] * 2
    assert method() == "Mask R-CNN"


def test_a_frame_that_is_not_there_is_named() -> None:
    with open_clip(SAMPLE / "clip.mp4") as clip, pytest.raises(MediaError, match="no frame 125"):
        find_people(clip, 125, JobContext())
