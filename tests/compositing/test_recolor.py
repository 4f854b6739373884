from __future__ import annotations

import colorsys

import cv2
import numpy as np
import pytest

from matting.arrays import FloatArray
from matting.compositing.recolor import parse_color, recolor


def luma(colors: FloatArray) -> FloatArray:
    weighed: FloatArray = colors @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    return weighed


def cloth(color: tuple[float, float, float]) -> FloatArray:
    """Folds and a weave under light from the left."""
    rows, columns = np.mgrid[:64, :96]
    rng = np.random.default_rng(0)
    light = (
        0.75 + 0.3 * np.sin(columns / 9 + rows / 40) + 0.05 * cv2.GaussianBlur(rng.standard_normal((64, 96)), (0, 0), 1)
    )
    lit: FloatArray = np.clip(light[..., None] * np.array(color), 0, 1).astype(np.float32)
    return lit


@pytest.mark.parametrize("color", ["#2b62d9", "#c03028", "#20a060", "#e0b020"])
@pytest.mark.parametrize("base", [(0.6, 0.45, 0.35), (0.12, 0.12, 0.15), (0.3, 0.5, 0.2)])
def test_hits_the_hue_and_keeps_the_texture(base: tuple[float, float, float], color: str) -> None:
    before = cloth(base)
    after = recolor(before, color, 1.0)
    assert after.dtype == np.float32
    assert after.min() >= 0 <= 1 >= after.max()
    hue = colorsys.rgb_to_hsv(*after.reshape(-1, 3).mean(axis=0))[0]
    wanted = colorsys.rgb_to_hsv(*parse_color(color))[0]
    assert abs((hue - wanted + 0.5) % 1 - 0.5) < 20 / 360
    order = np.argsort(luma(before).ravel())
    assert np.corrcoef(np.argsort(order), np.argsort(np.argsort(luma(after).ravel())))[0, 1] > 0.97
    assert np.corrcoef(luma(before).ravel(), luma(after).ravel())[0, 1] > 0.95


def test_greys_keep_their_order_exactly() -> None:
    ramp = np.repeat(np.linspace(0, 1, 256, dtype=np.float32)[:, None], 3, axis=1)
    for color in ("#102030", "#2b62d9", "#f0e8e0", "#000000", "#ffffff"):
        after = luma(recolor(ramp, color, 1.0))
        assert (np.diff(after) > -1e-4).all()
        assert after[0] < 0.01
        assert after[-1] > 0.99


def test_dark_cloth_becomes_light_and_light_cloth_dark() -> None:
    dark, light = cloth((0.12, 0.12, 0.14)), cloth((0.8, 0.8, 0.75))
    assert luma(recolor(dark, "#f0e060", 1.0)).mean() > 2 * luma(dark).mean()
    assert luma(recolor(light, "#101840", 1.0)).mean() < 0.8 * luma(light).mean()


def test_strength_goes_from_nothing_to_all() -> None:
    before = cloth((0.5, 0.4, 0.3))
    np.testing.assert_array_equal(recolor(before, "#2b62d9", 0.0), before)
    half, whole = recolor(before, "#2b62d9", 0.5), recolor(before, "#2b62d9", 1.0)
    np.testing.assert_allclose(half, (before + whole) / 2, atol=1e-6)
