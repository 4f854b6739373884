from __future__ import annotations

import numpy as np
import pytest

from matting.arrays import Picture
from matting.compositing.behind import cover, flat
from matting.compositing.blur import blur_inside, gaussian
from matting.compositing.depth import to_depth
from matting.compositing.spread import spread


@pytest.mark.parametrize("size_hw", [(36, 64), (100, 30), (1, 1), (50, 50), (7, 301)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_cover_fills_the_frame_without_distortion(size_hw: tuple[int, int], dtype: type) -> None:
    peak = np.iinfo(dtype).max
    picture: Picture = np.zeros((50, 50, 3), dtype)
    picture[:, 25:] = peak
    covered = cover(picture, size_hw)
    assert covered.shape == (*size_hw, 3)
    assert covered.dtype == dtype
    if size_hw[1] > 8:
        assert covered[:, : size_hw[1] // 2 - 3].max() <= peak // 20
        assert covered[:, size_hw[1] // 2 + 3 :].min() >= peak - peak // 20


def test_cover_leaves_a_fitting_picture_alone() -> None:
    picture = np.random.default_rng(0).integers(0, 255, (9, 16, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cover(picture, (9, 16)), picture)


def test_depths_convert_exactly() -> None:
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    deep = to_depth(every, np.zeros((1, 1, 3), np.uint16))
    assert deep.max() == 65535
    np.testing.assert_array_equal(to_depth(deep, every), every)


def test_flat_colour() -> None:
    assert (flat("#ff0080", np.zeros((2, 3, 3), np.uint8)) == [255, 0, 128]).all()


@pytest.mark.parametrize("radius", [0.7, 5.0, 13.0, 47.0])
def test_wide_blurs_have_the_width_asked_for(radius: float) -> None:
    step = np.zeros((40, 600), np.float32)
    step[:, 300:] = 1
    profile = np.diff(gaussian(step, radius)[20])
    place = np.arange(len(profile)) - (profile * np.arange(len(profile))).sum() / profile.sum()
    assert np.sqrt((profile * place**2).sum()) == pytest.approx(radius, rel=0.06)


def test_blur_takes_nothing_from_outside() -> None:
    rng = np.random.default_rng(0)
    opacity = np.zeros((60, 60), np.float32)
    opacity[15:45, 15:45] = 1
    colors = np.where(opacity[..., None] > 0, rng.uniform(0.4, 0.6, (60, 60, 3)), 55.0).astype(np.float32)
    for radius in (3.0, 20.0):
        inside = blur_inside(colors, opacity, radius)[15:45, 15:45]
        assert inside.min() > 0.39
        assert inside.max() < 0.61


def test_spread_keeps_what_is_known_and_continues_it() -> None:
    columns = np.mgrid[:50, :70][1].astype(np.float32)
    values = np.dstack([columns, 70 - columns])
    weights = np.ones((50, 70), np.float32)
    weights[15:35, 20:45] = 0
    filled = spread(np.where(weights[..., None] > 0, values, 999), weights)
    np.testing.assert_allclose(filled[weights > 0], values[weights > 0], atol=1e-4)
    assert np.abs(filled - values).max() < 9
    assert not spread(values, np.zeros((50, 70), np.float32)).any()
