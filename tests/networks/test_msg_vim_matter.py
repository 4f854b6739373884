"""MSG-VIM from pictures to mattes: the authors' path, and clips as artists have them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from golden_files import golden
from numpy.typing import NDArray
from tolerances import FUSED_ALPHA, FUSED_SHARE, STORED_STEPS

from matting.inference.allocator import keep_freed
from matting.inference.device import Placed
from matting.inference.msg_vim import (
    MsgVimMatter,
    as_published,
    border,
    largest_part,
    normalised,
    others,
    pixels_for,
    run,
    with_border,
    without_border,
)
from matting.networks.msg_vim import MsgVim

PUBLIC = {"public_t3_90x118_n2": False, "public_t6_64x96_n4": False, "public_post_t2_70x64_n2": True}
"""Whether the case was cleaned up to the largest part."""


def scene(length: int, size_hw: tuple[int, int], count: int) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Noise, and upright strips side by side as masks."""
    random = np.random.default_rng(7)
    frames = random.integers(0, 256, (length, *size_hw, 3), np.uint8)
    owners = np.arange(size_hw[1]) * (count + 1) // size_hw[1]
    masks = np.broadcast_to(owners == np.arange(count)[:, None, None], (length, count, *size_hw))
    return frames, masks.copy()


@pytest.mark.parametrize("name", PUBLIC)
def test_network_input_is_the_authors(name: str) -> None:
    case = golden("msg_vim", name)
    expected = case["net_input_inst0_frame0"]
    np.testing.assert_array_equal(normalised(with_border(case["frames"][:1], 1))[0].numpy(), expected[:3])
    for channel, guide in ((3, "tg"), (4, "re")):
        chosen = case[guide][0, 0] >= 128
        np.testing.assert_array_equal(with_border(chosen, 0), expected[channel] > 0)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_path_gives_the_authors_mattes(msg_vim: MsgVim, name: str) -> None:
    case = golden("msg_vim", name)
    target, reference = case["tg"] >= 128, case["re"] >= 128
    fused = run(msg_vim, case["frames"], target, reference)
    assert (np.abs(fused - case["fused"][:, :, 0]) > FUSED_ALPHA).mean() <= FUSED_SHARE
    stored = as_published(msg_vim, case["frames"], target, reference, largest_only=PUBLIC[name])
    off = np.abs(stored.astype(int) - case["alpha_u8"].astype(int)) > STORED_STEPS
    assert off.mean() <= FUSED_SHARE
    if PUBLIC[name]:
        plain = as_published(msg_vim, case["frames"], target, reference)
        assert (plain != stored).any()  # there was something to clean up


def test_largest_part_is_exact_on_the_authors_mattes() -> None:
    case = golden("msg_vim", "public_post_t2_70x64_n2")
    size_hw = case["frames"].shape[1:3]
    for fused, stored in zip(case["fused"].reshape(-1, 160, 128), case["alpha_u8"].reshape(-1, *size_hw), strict=True):
        cleaned = without_border(largest_part(fused) * np.float32(255), size_hw)
        np.testing.assert_array_equal(cleaned.astype(np.uint8), stored)
    nothing = np.full((8, 8), 0.03, np.float32)
    np.testing.assert_array_equal(largest_part(nothing), nothing)


@pytest.mark.parametrize("size_hw", [(64, 96), (90, 118), (1, 5), (33, 2), (31, 257)])
def test_border_makes_sides_that_the_network_takes_and_comes_off_again(size_hw: tuple[int, int]) -> None:
    (above, below), (left, right) = border(size_hw)
    assert (above, left) == (32, 32)
    assert (size_hw[0] + above + below) % 32 == (size_hw[1] + left + right) % 32 == 0
    assert 32 <= below < 64
    picture = np.random.default_rng(1).random((1, *size_hw), np.float32)
    np.testing.assert_array_equal(without_border(with_border(picture, 1), size_hw), picture)


def test_reference_is_everybody_else() -> None:
    masks = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], np.bool_)
    assert others(masks).astype(int).tolist() == [[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 0]]


def test_all_frames_come_back_and_the_last_window_is_a_window_of_its_own(msg_vim: MsgVim) -> None:
    frames, masks = scene(length=12, size_hw=(20, 27), count=2)
    matter = MsgVimMatter(Placed(msg_vim))
    alphas = matter.matte(frames, masks)
    assert alphas.shape == (12, 2, 20, 27)
    check_alphas(alphas)
    tail = matter.matte(frames[10:], masks[10:])
    np.testing.assert_allclose(alphas[10:], tail, rtol=0, atol=FUSED_ALPHA)
    assert list(matter.scope.window(11, range(12))) == [10, 11]


def test_mattes_do_not_depend_on_how_much_is_computed_at_once(msg_vim: MsgVim) -> None:
    frames, masks = scene(length=3, size_hw=(32, 40), count=3)
    together = MsgVimMatter(Placed(msg_vim)).matte(frames, masks)
    one_by_one = MsgVimMatter(Placed(msg_vim), pixels_at_once=1).matte(frames, masks)
    two_by_two = MsgVimMatter(Placed(msg_vim), pixels_at_once=2 * 96 * 128).matte(frames, masks)
    for found in (one_by_one, two_by_two):
        assert (np.abs(found - together) > FUSED_ALPHA).mean() <= FUSED_SHARE


def test_instances_that_are_not_there_get_nothing_and_change_nothing(msg_vim: MsgVim) -> None:
    frames, masks = scene(length=3, size_hw=(24, 30), count=2)
    matter = MsgVimMatter(Placed(msg_vim))
    masks[1, 0] = False
    alphas = matter.matte(frames, masks)
    check_alphas(alphas)
    assert not alphas[1, 0].any()
    assert alphas[0, 0].any()
    crowded = np.insert(masks, 1, False, axis=1)
    np.testing.assert_array_equal(matter.matte(frames, crowded), np.insert(alphas, 1, 0, axis=1))
    assert not matter.matte(frames, np.zeros_like(masks)).any()
    assert matter.matte(frames, masks[:, :0]).shape == (3, 0, 24, 30)
    assert matter.matte(frames[:0], masks[:0]).shape == (0, 2, 24, 30)


def test_instances_in_another_order_get_the_same_mattes(msg_vim: MsgVim) -> None:
    frames, masks = scene(length=2, size_hw=(24, 30), count=3)
    matter = MsgVimMatter(Placed(msg_vim))
    order = [2, 0, 1]
    found, wanted = matter.matte(frames, masks[:, order]), matter.matte(frames, masks)[:, order]
    assert (np.abs(found - wanted) > FUSED_ALPHA).mean() <= FUSED_SHARE


def check_alphas(alphas: NDArray[Any]) -> None:
    assert alphas.dtype == np.float32
    assert np.isfinite(alphas).all()
    assert alphas.min() >= 0
    assert alphas.sum(axis=1).max() <= 1 + 1e-6


def test_as_much_is_computed_at_once_as_memory_allows() -> None:
    assert pixels_for(64 << 30, "cpu") == (3 << 18 if keep_freed() else 1 << 18)
    assert pixels_for(64 << 30, "cuda") == 1 << 23
    assert pixels_for(300 << 20, "cuda") == 300 << 10
    assert pixels_for(0, "cpu") == 1
