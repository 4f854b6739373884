from __future__ import annotations

import cv2
import numpy as np
import pytest

from matting.errors import MediaError
from matting.finding.proposal import Box, Proposal, overlap
from matting.job import JobContext
from matting.media import open_clip
from matting.pipeline.finding import find_people
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


def people(taken: list[Box]) -> list[Proposal]:
    with open_clip(SAMPLE / "clip.mp4") as clip:
        return find_people(clip, FRAME, JobContext(), taken)


def test_without_weights_the_people_of_the_sample_are_found_the_same_every_time() -> None:
    found, truth = people([]), true_boxes()
    assert len(truth) == 2
    assert all(max(overlap(box, proposal.box) for proposal in found) > 0.5 for box in truth)
    assert all(proposal.mask is None for proposal in found)
    assert people([]) == found
    assert people(truth[:1]) == [proposal for proposal in found if overlap(proposal.box, truth[0]) < 0.3]


def test_a_frame_that_is_not_there_is_named() -> None:
    with open_clip(SAMPLE / "clip.mp4") as clip, pytest.raises(MediaError, match="no frame 125"):
        find_people(clip, 125, JobContext())
