"""Where a matte is unsure: exactly as OpenCV's ellipse has it, on every device."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from golden_files import golden

from matting.networks import progressive
from matting.networks.progressive import dilate, ellipse, unknown


def test_ellipses_are_the_authors() -> None:
    case = golden("msg_vim", "dilation")
    for size in range(1, 30):
        np.testing.assert_array_equal(ellipse(size), case[f"ellipse_{size}"])


@pytest.mark.parametrize(("width", "size"), [(30, 15), (15, 7)])
def test_unsure_pixels_are_the_authors(width: int, size: int) -> None:
    case = golden("msg_vim", "dilation")
    found = unknown(torch.from_numpy(case["pred"]), size)
    np.testing.assert_array_equal(found.numpy(), case[f"unk_w{width}"] > 0)


def test_the_thresholds_themselves_are_unsure_unless_strict() -> None:
    ends = torch.tensor([[0.0, 1 / 255, 0.5, 254 / 255, 1.0]])
    assert unknown(ends, 1).tolist() == [[False, True, True, True, False]]
    assert unknown(ends, 1, strict=True).tolist() == [[False, False, True, False, False]]


@pytest.mark.parametrize("size", [1, 2, 7, 8, 13, 15, 26, 29])
def test_both_ways_of_dilating_agree_with_opencv(size: int) -> None:
    chosen = np.random.default_rng(size).random((3, 33, 50)) > 0.985
    expected = np.stack([cv2.dilate(one.astype(np.uint8), ellipse(size)) > 0 for one in chosen])
    maps = torch.from_numpy(chosen)
    assert torch.equal(dilate(maps, size), torch.from_numpy(expected))
    assert torch.equal(progressive._dilate_anywhere(maps, size), torch.from_numpy(expected))
