"""MaGGIe's matter: the published pipelines from picture to matte, and what every clip may ask of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from formula_weights import formula_weights
from golden_files import golden_layout
from maggie_cases import assert_close_mostly, maggie_case
from numpy.typing import NDArray
from tolerances import END_TO_END_ALPHA, END_TO_END_SHARE
from torch import Tensor

from matting.arrays import FloatArray, Mask
from matting.errors import ShapeError
from matting.inference.device import Placed
from matting.inference.maggie import MaggieMatter, finish, groups, padded_size, prepare, scaled_size
from matting.inference.matter import Guided
from matting.networks.maggie import FrameFeatures, MaGGIe, Mattes

SHORT = 64


class Restored(MaGGIe):
    """Faithful, but set back before each call from outside: what the vectors without memory were made with."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__(video=True, faithful=True)
        self._stored = {key: value for key, value in weights.items() if key.endswith(("_u", "_v"))}
        self.load_state_dict(weights)
        self.eval()
        self.pictures = 0

    def features(self, frames: Tensor, masks: Tensor) -> FrameFeatures:
        self.pictures += frames.shape[0] * frames.shape[1]
        self.load_state_dict(self._stored, strict=False)
        return super().features(frames, masks)

    def decode(self, *given: Any, **named: Any) -> Mattes:
        self.load_state_dict(self._stored, strict=False)
        return super().decode(*given, **named)


@pytest.fixture(scope="module")
def video_weights() -> dict[str, Tensor]:
    return formula_weights(golden_layout("maggie", "layout_video"))


@pytest.fixture(scope="module")
def image_network() -> MaGGIe:
    network = MaGGIe(video=False).eval()
    network.load_state_dict(formula_weights(golden_layout("maggie", "layout_image")))
    return network


@pytest.fixture(scope="module")
def video_network(video_weights: dict[str, Tensor]) -> MaGGIe:
    network = MaGGIe(video=True).eval()
    network.load_state_dict(video_weights)
    return network


@pytest.fixture(scope="module")
def matter(video_network: MaGGIe) -> MaggieMatter:
    return MaggieMatter(Placed(video_network), short_side_px=SHORT)


def published(matter: MaggieMatter, frames: NDArray[np.uint8], masks: Mask, short_side_px: int) -> FloatArray:
    """Mattes as the authors' scripts save them: without what a matter promises beyond."""
    height, width = frames.shape[1:3]
    steps = map(Guided, frames, masks)
    return np.stack([finish(a, (height, width), short_side_px) for _, a in matter.network_alphas(steps)])


def moving_boxes(length: int, instances: int, size: tuple[int, int] = (70, 90)) -> tuple[NDArray[np.uint8], Mask]:
    random = np.random.default_rng(1)
    frames = random.integers(0, 256, (length, *size, 3), np.uint8)
    masks = np.zeros((length, instances, *size), np.bool_)
    wide = size[1] // instances
    for frame in range(length):
        for number in range(instances):
            left = number * wide + frame % 2
            masks[frame, number, 10 : size[0] - 10, left : left + max(1, wide - 2)] = True
    return frames, masks


def test_image_pipeline_is_the_published_one(image_network: MaGGIe) -> None:
    case = maggie_case("e2e_image_150x211")
    frame, masks = prepare(Guided(case["frame"], case["masks"]), 200)
    assert frame.shape == (256, 320, 3)
    picture = frame.transpose(2, 0, 1)[:, ::4, ::4].astype(int)
    assert np.abs(picture - case["net_image_u8_s1"]).max() <= 1
    np.testing.assert_array_equal(masks[:, ::8, ::8], case["net_mask_os8"])
    matter = MaggieMatter(Placed(image_network), short_side_px=200)
    found = published(matter, case["frame"][None], case["masks"][None], 200)[0]
    assert_close_mostly(found, case["alpha"], END_TO_END_ALPHA, END_TO_END_SHARE, "image")


def test_demo_pipeline_is_the_published_one(image_network: MaGGIe) -> None:
    case = maggie_case("e2e_demo_200x266")
    matter = MaggieMatter(Placed(image_network), coarse_masks=False)
    found = published(matter, case["frame"][None], case["masks"][None], 576)[0]
    assert_close_mostly(found, case["alpha"], END_TO_END_ALPHA, END_TO_END_SHARE, "demo")


def test_video_pipeline_is_the_published_one(video_weights: dict[str, Tensor]) -> None:
    case = maggie_case("e2e_video_110x150_t6_n3")
    network = Restored(video_weights)
    found = published(MaggieMatter(Placed(network), short_side_px=120), case["frames"], case["masks"], 120)
    assert_close_mostly(found, case["alpha_stateless"], END_TO_END_ALPHA, END_TO_END_SHARE, "video")
    assert network.pictures == 6  # once per frame, not once per window


def test_without_faithful_norms_only_fusion_over_time_differs(video_network: MaGGIe) -> None:
    """The made-up vectors are far from their fixed point, so the difference head's few steps show."""
    case = maggie_case("e2e_video_110x150_t6_n3")
    found = published(MaggieMatter(Placed(video_network), short_side_px=120), case["frames"], case["masks"], 120)
    off = np.abs(found - case["alpha_stateless"]) > END_TO_END_ALPHA
    assert off[0].mean() <= END_TO_END_SHARE  # the first frame is not fused
    assert off.mean() < 0.02


@pytest.mark.parametrize(("height", "expected"), [(519, 575), (1038, 575), (1080, 576), (576, 576)])
def test_sizes_are_cut_off_as_published(height: int, expected: int) -> None:
    assert scaled_size((height, 2 * height), 576)[0] == expected
    assert padded_size((height, 2 * height), 576)[0] == 576


@pytest.mark.parametrize("length", [0, 1, 2, 3, 5])
def test_every_frame_is_delivered(matter: MaggieMatter, length: int) -> None:
    frames, masks = moving_boxes(length, 2)
    alphas = matter.matte(frames, masks)
    assert alphas.shape == masks.shape
    assert alphas.dtype == np.float32
    assert np.isfinite(alphas).all()
    assert alphas.min(initial=0) >= 0
    assert alphas.sum(axis=1).max(initial=0) <= 1 + 1e-6
    assert all(alpha.any() for alpha in alphas)


def test_a_stream_continues_from_what_it_carried(matter: MaggieMatter) -> None:
    steps = list(map(Guided, *moving_boxes(6, 2)))
    whole = list(matter.stream(steps))
    for start in (0, 1, 3):
        rest = list(matter.stream(steps[start:], whole[start].carried))
        assert len(rest) == 6 - start
        for again, before in zip(rest, whole[start:], strict=True):
            np.testing.assert_array_equal(again.alphas, before.alphas)


def test_no_more_than_a_window_is_read_ahead(matter: MaggieMatter) -> None:
    read: list[int] = []

    def steps() -> Any:
        for number, step in enumerate(map(Guided, *moving_boxes(6, 1))):
            read.append(number)
            yield step

    for done, _ in enumerate(matter.stream(steps())):
        assert len(read) <= max(3, done + 2)


def test_an_instance_that_comes_and_goes_is_blank_while_away(matter: MaggieMatter) -> None:
    frames, masks = moving_boxes(6, 2)
    masks[:2, 1] = False
    masks[4, 0] = False
    alphas = matter.matte(frames, masks)
    assert not alphas[:2, 1].any()
    assert not alphas[4, 0].any()
    assert alphas[2:, 1].reshape(4, -1).any(axis=1).all()


def test_frames_without_anybody_are_blank_and_cost_nothing(video_weights: dict[str, Tensor]) -> None:
    frames, masks = moving_boxes(9, 1)
    masks[2:] = False
    network = Restored(video_weights)
    alphas = MaggieMatter(Placed(network), short_side_px=SHORT).matte(frames, masks)
    assert alphas[:2].any()
    assert not alphas[2:].any()
    assert network.pictures == 4  # the two with a mask and the two that share a window with them


def test_more_than_ten_instances_go_in_groups(image_network: MaGGIe) -> None:
    frames, masks = moving_boxes(1, 13, (64, 130))
    alphas = MaggieMatter(Placed(image_network), short_side_px=SHORT).matte(frames, masks)
    assert alphas.reshape(13, -1).any(axis=1).all()
    assert alphas.sum(axis=1).max() <= 1 + 1e-6
    with pytest.raises(ShapeError, match="13 instances"):
        list(MaggieMatter(Placed(image_network), short_side_px=SHORT).stream(map(Guided, frames, masks)))


def test_groups_hold_neighbours_and_leave_out_who_never_appears() -> None:
    _, masks = moving_boxes(2, 26, (40, 260))
    shuffled = np.random.default_rng(0).permutation(26)
    masks = masks[:, shuffled]
    masks[:, 3] = False
    found = groups(masks)
    assert [len(group) for group in found] == [9, 8, 8]
    places = [sorted(shuffled[group]) for group in found]
    assert all(max(left) < min(right) for left, right in pairwise(places))
    assert not any(3 in group for group in found)
    assert groups(masks & False) == []


def test_no_instances_give_no_alphas(matter: MaggieMatter) -> None:
    frames, masks = moving_boxes(4, 1)
    assert matter.matte(frames, masks[:, :0]).shape == (4, 0, 70, 90)


def test_scope_says_what_mattes_depend_on(matter: MaggieMatter, image_network: MaGGIe) -> None:
    assert matter.scope.window(5, range(20)) == range(4, 7)
    assert matter.scope.carries
    assert MaggieMatter(Placed(image_network)).scope.window(5, range(20)) == range(5, 6)
    assert matter.scope.most_instances == 10
