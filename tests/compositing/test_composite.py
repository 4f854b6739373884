from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.arrays import Picture, StoredAlpha
from matting.compositing.backdrops import Backdrop, Blurred, Color, Image, Original, Plate, Transparent
from matting.compositing.composite import Layer, composite, cutout, matte_picture, merge_mattes, needs_plate
from matting.compositing.foreground import estimate_foreground
from matting.compositing.looks import Blur, Keep, Look, Recolor, Remove
from matting.errors import ShapeError

LOOKS: list[Look] = [Keep(), Remove(), Recolor(color="#2060c0"), Blur(radius=2.5)]


def picture(rng: np.random.Generator, size_hw: tuple[int, int], dtype: type) -> Picture:
    drawn: Picture = rng.integers(0, np.iinfo(dtype).max, (*size_hw, 3), endpoint=True).astype(dtype)
    return drawn


def stored_alphas(rng: np.random.Generator, count: int, size_hw: tuple[int, int]) -> StoredAlpha:
    """Soft discs, some of them cut off by the border or absent, that share out at most 255 at every pixel."""
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    left_over = np.full(size_hw, 255, np.int64)
    alphas = np.zeros((count, *size_hw), np.uint8)
    for alpha in alphas:
        center, radius = rng.uniform(0, 1, 2) * size_hw, rng.uniform(0, 0.6) * max(size_hw)
        distance = np.hypot(rows - center[0], columns - center[1])
        alpha[:] = np.minimum(np.clip((radius - distance) * 60, 0, 255), left_over)
        left_over -= alpha
    return alphas


class Scene:
    def __init__(self, seed: int, count: int, size_hw: tuple[int, int], dtype: type) -> None:
        rng = np.random.default_rng(seed)
        self.frame = picture(rng, size_hw, dtype)
        self.plate = picture(rng, size_hw, dtype)
        self.behind = picture(rng, size_hw, dtype)
        self.alphas = stored_alphas(rng, count, size_hw)

    def layers(self, looks: list[Look]) -> list[Layer]:
        return [Layer(alpha, look) for alpha, look in zip(self.alphas, looks, strict=True)]

    def compose(self, looks: list[Look], backdrop: Backdrop) -> Picture:
        return composite(self.frame, self.layers(looks), backdrop, plate=self.plate, behind=self.behind)


scenes = st.builds(
    Scene,
    seed=st.integers(0, 2**31),
    count=st.just(3),
    size_hw=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    dtype=st.sampled_from([np.uint8, np.uint16]),
)
three_looks = st.lists(st.sampled_from(LOOKS), min_size=3, max_size=3)
quick = settings(max_examples=40, deadline=None)


@quick
@given(scenes, three_looks)
def test_pixels_without_a_changed_instance_are_bit_identical(scene: Scene, looks: list[Look]) -> None:
    result = scene.compose(looks, Original())
    changed = [alpha for alpha, look in zip(scene.alphas, looks, strict=True) if not isinstance(look, Keep)]
    untouched = ~np.any([alpha > 0 for alpha in changed], axis=0) if changed else np.ones(scene.frame.shape[:2], bool)
    assert result.dtype == scene.frame.dtype
    np.testing.assert_array_equal(result[untouched], scene.frame[untouched])


@quick
@given(scenes)
def test_without_looks_the_frame_comes_back(scene: Scene) -> None:
    np.testing.assert_array_equal(scene.compose([Keep()] * 3, Original()), scene.frame)


@quick
@given(scenes, three_looks)
def test_outside_the_kept_instances_there_is_the_backdrop_alone(scene: Scene, looks: list[Look]) -> None:
    result = scene.compose(looks, Image(path="behind.png"))
    kept = sum(a.astype(int) for a, look in zip(scene.alphas, looks, strict=True) if not isinstance(look, Remove))
    empty = np.broadcast_to(kept, scene.frame.shape[:2]) == 0
    np.testing.assert_array_equal(result[empty], scene.behind[empty])


@quick
@given(scenes, three_looks)
def test_transparent_alpha_is_the_sum_of_the_stored_ones(scene: Scene, looks: list[Look]) -> None:
    result = scene.compose(looks, Transparent())
    total = np.zeros(scene.frame.shape[:2], np.int64)
    for alpha, look in zip(scene.alphas, looks, strict=True):
        total += 0 if isinstance(look, Remove) else alpha
    assert total.max() <= 255
    scale = np.iinfo(scene.frame.dtype).max // 255
    np.testing.assert_array_equal(result[..., 3], total * scale)
    assert not result[total == 0].any()


def slow_foregrounds(scene: Scene) -> list[NDArray[np.float64]]:
    return [estimate_foreground(scene.frame, alpha).astype(np.float64) for alpha in scene.alphas]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_backdrop_formula(dtype: type) -> None:
    scene = Scene(3, 3, (48, 64), dtype)
    fronts = slow_foregrounds(scene)
    opacity = [alpha[..., None] / 255.0 for alpha in scene.alphas]
    kept = (0, 2)
    expected = sum(opacity[i] * fronts[i] for i in kept) + (1 - sum(opacity[i] for i in kept)) * scene.behind
    result = scene.compose([Keep(), Remove(), Keep()], Image(path="x"))
    assert np.abs(result - np.clip(expected, 0, np.iinfo(dtype).max)).max() < 0.52


def test_original_formula_with_a_look() -> None:
    scene = Scene(4, 3, (48, 64), np.uint8)
    everything = [alpha[..., None] / 255.0 for alpha in scene.alphas]
    blurred = scene.compose([Keep(), Blur(radius=3), Keep()], Original())
    alone = composite(scene.frame, [Layer(scene.alphas[1], Blur(radius=3))], Transparent())[..., :3].astype(np.float64)
    front = slow_foregrounds(scene)[1]
    expected = scene.frame + everything[1] * (alone - front)
    assert np.abs(blurred - np.clip(expected, 0, 255)).max() <= 1.01


def test_removal_puts_the_plate_where_the_instance_was_alone() -> None:
    rng = np.random.default_rng(5)
    plate = rng.integers(60, 190, (60, 60, 3)).astype(np.uint8)
    person = rng.integers(0, 255, (60, 60, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:60, :60]
    alpha = np.clip((20 - np.hypot(rows - 30, columns - 30)) * 40, 0, 255).astype(np.uint8)
    opacity = alpha[..., None] / 255.0
    frame = np.rint(opacity * person + (1 - opacity) * plate).astype(np.uint8)
    result = composite(frame, [Layer(alpha, Remove())], Original(), plate=plate)
    assert np.abs(result.astype(int) - plate).max() <= 1


def test_removal_leaves_a_kept_instance_in_front_alone() -> None:
    scene = Scene(6, 2, (40, 40), np.uint8)
    scene.alphas[0], scene.alphas[1] = 0, 0
    scene.alphas[0, 5:30, 5:30], scene.alphas[1, 20:35, 20:35] = 255, 255
    scene.alphas[0, 20:30, 20:30] = 0
    result = scene.compose([Remove(), Keep()], Original())
    np.testing.assert_array_equal(result[20:35, 20:35], scene.frame[20:35, 20:35])
    np.testing.assert_array_equal(result[5:20, 5:30], scene.plate[5:20, 5:30])


def test_plate_and_color_backdrops() -> None:
    scene = Scene(7, 3, (30, 30), np.uint16)
    empty = scene.alphas.sum(axis=0, dtype=int) == 0
    np.testing.assert_array_equal(scene.compose([Keep()] * 3, Plate())[empty], scene.plate[empty])
    colored = scene.compose([Keep()] * 3, Color(color="#ff8000"))
    assert (colored[empty] == [65535, 128 * 257, 0]).all()


def test_blurred_backdrop_does_not_smear_people() -> None:
    frame = np.full((80, 120, 3), 40, np.uint8)
    frame[20:60, 40:80] = 250
    alpha = np.zeros((80, 120), np.uint8)
    alpha[20:60, 40:80] = 255
    result = composite(frame, [Layer(alpha, Keep())], Blurred(radius=15))
    assert result[alpha == 0].max() <= 41
    np.testing.assert_array_equal(result[alpha == 255], frame[alpha == 255])


def test_cutout_of_a_deep_source_scales_alpha_exactly() -> None:
    scene = Scene(9, 1, (32, 32), np.uint16)
    result = cutout(scene.frame, scene.alphas[0])
    assert result.dtype == np.uint16
    np.testing.assert_array_equal(result[..., 3], scene.alphas[0].astype(np.uint16) * 257)
    opaque = scene.alphas[0] == 255
    assert opaque.any()
    np.testing.assert_array_equal(result[opaque][:, :3], scene.frame[opaque])


def test_mattes_add_up() -> None:
    alphas = stored_alphas(np.random.default_rng(1), 4, (20, 30))
    merged = merge_mattes(alphas, (20, 30))
    assert merged.dtype == np.uint8
    np.testing.assert_array_equal(merged, alphas.sum(axis=0, dtype=int))
    np.testing.assert_array_equal(matte_picture(merged)[..., 1], merged)
    assert not merge_mattes([], (20, 30)).any()


def test_what_needs_a_plate() -> None:
    assert needs_plate([Keep(), Remove()], Original())
    assert needs_plate([Keep()], Plate())
    assert not needs_plate([Remove()], Color(color="#000000"))
    assert not needs_plate([Recolor(color="#000000")], Original())


def test_callers_mistakes_are_told() -> None:
    scene = Scene(2, 1, (10, 10), np.uint8)
    scene.alphas[0] = 255
    with pytest.raises(ValueError, match="needs a plate"):
        composite(scene.frame, scene.layers([Remove()]), Original())
    with pytest.raises(ValueError, match="needs its picture"):
        composite(scene.frame, scene.layers([Keep()]), Image(path="x.png"))
    with pytest.raises(ShapeError, match="alpha is 4×4"):
        composite(scene.frame, [Layer(np.zeros((4, 4), np.uint8), Keep())], Original())
