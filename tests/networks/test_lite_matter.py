"""Lite from pictures to mattes: each person through a window, clips as artists have them."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor, nn

from matting.arrays import Mask
from matting.inference.device import Placed
from matting.inference.lite import LiteMatter
from matting.inference.loading import load
from matting.networks.lite import Lite
from matting.synthesis.procedural import procedural_clip
from resources import ROOT

WEIGHTS = ROOT / "lite.safetensors"


class MaskAsMatte(nn.Module):
    """In place of lite: mattes are the masks, so whatever moves or cuts them shows; notes what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[tuple[int, int]] = []

    def matte(self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None) -> tuple[Tensor, None]:
        assert not (target * reference).any()
        self.sizes.append((frames.shape[-2], frames.shape[-1]))
        return target[:, :, 0], None


def matter_of(network: nn.Module, short_side_px: int | None = None) -> LiteMatter:
    return LiteMatter(Placed(cast(Any, network)), short_side_px=short_side_px)


def people(size_hw: tuple[int, int], *discs: tuple[int, int, int]) -> tuple[NDArray[np.uint8], Mask]:
    """A grey frame and a round mask ``(x, y, radius)`` for each."""
    masks = np.zeros((1, len(discs), *size_hw), np.uint8)
    for mask, (x, y, radius) in zip(masks[0], discs, strict=True):
        cv2.circle(mask, (x, y), radius, 1, cv2.FILLED)
    return np.full((1, *size_hw, 3), 90, np.uint8), masks > 0


@settings(deadline=None, max_examples=60)
@given(
    height=st.integers(20, 150), width=st.integers(20, 150), x=st.floats(0, 1), y=st.floats(0, 1), r=st.integers(3, 60)
)
def test_windows_lie_where_people_are_in_pictures_of_any_size(
    height: int, width: int, x: float, y: float, r: int
) -> None:
    frames, masks = people((height, width), (round(x * (width - 1)), round(y * (height - 1)), r))
    network = MaskAsMatte()
    found = matter_of(network).matte(frames, masks)
    np.testing.assert_array_equal(found, masks)
    assert all(side % 32 == 0 for side in network.sizes[0])


def test_a_person_costs_what_the_part_of_the_picture_costs_that_they_are_in() -> None:
    frames, masks = people((288, 512), (40, 60, 20), (400, 150, 60))
    network = MaskAsMatte()
    np.testing.assert_array_equal(matter_of(network).matte(frames, masks), masks)
    assert network.sizes == [(128, 96), (192, 192)]


def test_whoever_is_nowhere_on_the_small_picture_comes_out_blank() -> None:
    frames, masks = people((400, 400), (200, 200, 80))
    masks = np.concatenate((masks, np.zeros_like(masks)), axis=1)
    masks[0, 1, 13, 17] = True  # a single pixel, which is not among those that the small picture has
    network = MaskAsMatte()
    found = matter_of(network, 96).matte(frames, masks)
    assert len(network.sizes) == 1
    assert not found[0, 1].any()
    assert (found[0, 0] > 0.5).mean() > 0.1


def test_mattes_do_not_depend_on_how_much_is_computed_at_once_nor_on_what_is_far_away() -> None:
    clip = procedural_clip(31, (160, 288), 4, people=1)
    masks = clip.alphas > 127
    matter = load(WEIGHTS, "cpu", None)
    whole = matter.matte(clip.frames, masks)
    assert ((whole > 0.1) & (whole < 0.9)).mean() > 0.01
    one_by_one = LiteMatter(Placed(cast(LiteMatter, matter)._placed.network), pixels_at_once=1)
    np.testing.assert_allclose(one_by_one.matte(clip.frames, masks), whole, atol=1e-3)
    wider = np.concatenate((clip.frames, np.full((4, 160, 320, 3), 200, np.uint8)), axis=2)
    np.testing.assert_allclose(
        matter.matte(wider, np.pad(masks, ((0, 0), (0, 0), (0, 0), (0, 320))))[..., :288], whole, atol=1e-3
    )


def test_what_only_helps_to_learn_is_left_out_and_nothing_else() -> None:
    torch.manual_seed(0)
    network = Lite().eval()
    frames, guides = torch.randn(2, 3, 3, 64, 96), (torch.rand(2, 3, 2, 64, 96) > 0.5).float()
    with torch.inference_mode():
        full = network(frames, guides[:, :, :1], guides[:, :, 1:])
        alpha, memory = network.matte(frames, guides[:, :, :1], guides[:, :, 1:])
    torch.testing.assert_close(alpha, full.alpha[:, :, 0])
    torch.testing.assert_close(memory, full.memory)
