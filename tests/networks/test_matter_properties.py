"""What must hold of a learned matter whatever its weights: who else is there, what comes later, any picture size."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from formula_weights import formula_weights
from golden_files import golden_layout
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tolerances import FINE_ALPHA, FINE_SHARE, FUSED_ALPHA
from torch import Tensor, nn

from matting.arrays import FloatArray, Mask
from matting.inference.device import Placed
from matting.inference.maggie import MaggieMatter
from matting.inference.matter import Matter
from matting.inference.msg_vim import MsgVimMatter
from matting.networks.folding import folded
from matting.networks.maggie import FrameFeatures, MaGGIe
from matting.networks.msg_vim import MsgVim

Clip = tuple[NDArray[np.uint8], Mask]


def maggie(video: bool) -> MaGGIe:
    network = MaGGIe(video).eval()
    network.load_state_dict(formula_weights(golden_layout("maggie", "layout_video" if video else "layout_image")))
    return folded(network)


@pytest.fixture(scope="module")
def image_network() -> MaGGIe:
    return maggie(video=False)


@pytest.fixture(scope="module", params=["msg-vim", "maggie-image", "maggie-video"])
def matter(request: pytest.FixtureRequest, msg_vim: MsgVim) -> Matter:
    if request.param == "msg-vim":
        return MsgVimMatter(Placed(folded(msg_vim)))
    return MaggieMatter(Placed(maggie(request.param == "maggie-video")), short_side_px=None)


def strips(length: int, instances: int, size_hw: tuple[int, int] = (40, 60)) -> Clip:
    """Noise, and upright strips side by side that sway by a pixel."""
    frames = np.random.default_rng(5).integers(0, 256, (length, *size_hw, 3), np.uint8)
    masks = np.zeros((length, instances, *size_hw), np.bool_)
    wide = size_hw[1] // instances
    for t, i in np.ndindex(length, instances):
        masks[t, i, 5:-5, i * wide + t % 2 : (i + 1) * wide - 2 + t % 2] = True
    return frames, masks


def assert_same_mattes(found: FloatArray, wanted: FloatArray, atol: float = FINE_ALPHA) -> None:
    """Up to rounding, and up to single pixels where rounding decides a comparison."""
    assert found.shape == wanted.shape
    assert (np.abs(found - wanted) > atol).mean() <= FINE_SHARE


def test_who_is_not_there_changes_nobody_and_comes_out_blank(matter: Matter) -> None:
    """MaGGIe tells instances apart by their slots, so for it this holds of empty slots behind the others only."""
    frames, masks = strips(4, 2)
    alone = matter.matte(frames, masks)
    with_nobody = matter.matte(frames, np.concatenate([masks, np.zeros_like(masks)], axis=1))
    assert alone.any(axis=(2, 3)).all()
    assert not with_nobody[:, 2:].any()
    assert_same_mattes(with_nobody[:, :2], alone)


def test_what_comes_later_changes_only_what_the_scope_says(matter: Matter) -> None:
    frames, masks = strips(7, 2)
    short, long = matter.matte(frames[:5], masks[:5]), matter.matte(frames, masks)
    settled = [t for t in range(5) if matter.scope.window(t, range(5)) == matter.scope.window(t, range(7))]
    if matter.scope.block > 1:  # the block looks back only, so what is appended to it changes nothing before
        settled = list(range(5))
    assert len(settled) >= 4
    assert_same_mattes(long[settled], short[settled], FUSED_ALPHA)


@pytest.mark.parametrize("order", [[1, 0, 2], [2, 0, 1]])
def test_maggie_knows_instances_by_their_slots_and_by_nothing_else(image_network: MaGGIe, order: list[int]) -> None:
    """Permuting instances permutes alphas when the slots' learned vectors go along.

    Without those, MaGGIe's mattes may change by design: each slot has a query, a position and a mask embedding of its
    own, which training makes alike only approximately. MSG-VIM has no slots; there it holds as it stands.
    """
    frames, masks = strips(1, 3)
    wanted = MaggieMatter(Placed(image_network), short_side_px=None).matte(frames, masks)[:, order]
    moved = copy.deepcopy(image_network)
    slots = order + list(range(3, 10))
    behind_background = [0] + [slot + 1 for slot in slots]
    head = moved.decoder.refine_OS8
    for table, rows in (
        (head.query_feat, slots),
        (head.id_embedding, behind_background),
        (moved.encoder.mask_embed_layer, behind_background),
    ):
        table.weight.data = table.weight.data[rows]
    assert_same_mattes(MaggieMatter(Placed(moved), short_side_px=None).matte(frames, masks[:, order]), wanted)
    unmoved = MaggieMatter(Placed(image_network), short_side_px=None).matte(frames, masks[:, order])
    assert (np.abs(unmoved - wanted) > FINE_ALPHA).mean() > 0.01  # the vectors do matter


class MaskAsMatte(nn.Module):
    """In place of either network: the mattes are the masks, so whatever moves or cuts them shows."""

    video = False

    def __init__(self) -> None:
        super().__init__()
        self.anchor = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.decoder = SimpleNamespace(sites_at_once=0)

    def forward(self, frames: Tensor, target: Tensor, reference: Tensor, memory: Tensor | None) -> SimpleNamespace:
        assert frames.shape[-2] % 32 == frames.shape[-1] % 32 == 0
        assert not (target * reference).any()
        return SimpleNamespace(alpha=target, memory=None)

    def features(self, frames: Tensor, masks: Tensor) -> FrameFeatures:
        assert frames.shape[-2] % 64 == frames.shape[-1] % 64 == 0
        return FrameFeatures(frames, ((frames, frames, frames),), masks)

    def decode(self, features: FrameFeatures) -> SimpleNamespace:
        return SimpleNamespace(alpha=features.covered)


@settings(deadline=None, max_examples=60)
@given(height=st.integers(1, 140), width=st.integers(1, 140), seed=st.integers(0, 99))
def test_what_is_added_round_a_picture_of_any_size_comes_off_again(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    frames = random.integers(0, 256, (1, height, width, 3), np.uint8)
    owner = random.integers(0, 3, (height, width))
    masks = np.stack([owner == i for i in range(2)])[None]
    stand_in = cast(Any, MaskAsMatte())
    for matter in (
        MsgVimMatter(Placed(stand_in)),
        MaggieMatter(Placed(stand_in), short_side_px=None, coarse_masks=False),
    ):
        np.testing.assert_array_equal(matter.matte(frames, masks), masks)


@settings(deadline=None, max_examples=20)
@given(height=st.integers(33, 140), width=st.integers(33, 140))
def test_mattes_of_scaled_pictures_lie_where_their_masks_do(height: int, width: int) -> None:
    """Nearest on the way down and bilinear on the way up: edges move by less than a pixel of the small picture."""
    masks = np.zeros((1, 1, height, width), np.bool_)
    masks[0, 0, height // 4 : -height // 4, width // 3 : -width // 3] = True
    frames = np.zeros((1, height, width, 3), np.uint8)
    stand_in = cast(Any, MaskAsMatte())
    for matter in (
        MsgVimMatter(Placed(stand_in), short_side_px=32),
        MaggieMatter(Placed(stand_in), short_side_px=32, coarse_masks=False),
    ):
        alphas = matter.matte(frames, masks)[0, 0]
        rows, columns = (np.flatnonzero((alphas > 0.5).any(axis=axis)) for axis in (1, 0))
        wanted = (np.flatnonzero(masks[0, 0].any(axis=axis)) for axis in (1, 0))
        step = min(height, width) / 32
        for found, meant in zip((rows, columns), wanted, strict=True):
            assert abs(found[0] - meant[0]) <= step + 1
            assert abs(found[-1] - meant[-1]) <= step + 1
