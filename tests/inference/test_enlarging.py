"""Mattes brought to the source's size by its colours."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.inference.enlarging import enlarged


def hair(size: int = 384) -> tuple[NDArray[np.uint8], FloatArray]:
    """Dark strands a pixel or two wide before a bright wall, and their exact opacity."""
    rng = np.random.default_rng(5)
    drawn = np.zeros((size * 4, size * 4), np.uint8)
    cv2.circle(drawn, (size * 2, size * 2), size, 255, -1)
    for angle in rng.uniform(0, 2 * np.pi, 250):
        way = np.array((np.cos(angle), np.sin(angle)))
        start, end = (np.rint(size * 2 + way * reach * size).astype(int) for reach in (0.95, rng.uniform(1.1, 1.6)))
        cv2.line(drawn, tuple(map(int, start)), tuple(map(int, end)), 255, 6)
    alpha = np.asarray(cv2.resize(drawn, (size, size), interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
    wall = np.array((200, 180, 150)) + rng.normal(0, 2, (size, size, 3))
    picture = alpha[..., None] * np.array((50, 30, 20)) + (1 - alpha[..., None]) * wall
    return np.rint(np.clip(picture, 0, 255)).astype(np.uint8), alpha


def test_hair_that_a_quarter_of_the_size_blurs_is_found_again() -> None:
    picture, alpha = hair()
    size = (96, 96)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    seen = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    blurred = np.abs(cv2.resize(seen, alpha.shape[::-1]) - alpha).mean()
    found = np.abs(enlarged(seen[None], small, picture)[0] - alpha).mean()
    assert blurred > 0.02
    assert found < blurred / 4


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 40), st.integers(5, 40), st.integers(1, 4), st.integers(0, 2**31))
def test_any_sizes_stay_in_range_and_what_is_sure_stays_sure(height: int, width: int, factor: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    alphas = rng.choice(np.array((0, 0.3, 1), np.float32), (2, height, width), p=(0.6, 0.1, 0.3))
    alphas[1] = float(rng.integers(2))
    small, large = (
        rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
        for h, w in ((height, width), (height * factor, width * factor + 1))
    )
    found = enlarged(alphas, small, large)
    assert found.shape == (2, *large.shape[:2])
    assert found.dtype == np.float32
    assert 0 <= found.min() <= found.max() <= 1
    assert (found[1] == alphas[1, 0, 0]).all()


@settings(max_examples=25, deadline=None)
@given(st.integers(5, 30), st.integers(5, 30), st.floats(1, 5), st.integers(0, 2**31))
def test_what_goes_with_colour_does_so_at_the_large_size_up_to_the_edges(
    height: int, width: int, factor: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    large = rng.integers(0, 256, (round(height * factor), round(width * factor), 3), dtype=np.uint8)
    seen, truth = (np.asarray(0.1 + picture / 255 @ (0.5, 0.2, 0.1), np.float32) for picture in (small, large))
    found = enlarged(seen[None], small, large)[0]
    turned = enlarged(seen.T[None], small.swapaxes(0, 1), large.swapaxes(0, 1))[0].T
    np.testing.assert_allclose(turned, found, atol=1e-4)
    wrong = np.abs(found - truth)
    # A patch in a corner has just four colours, which do not always tell what alpha goes with.
    assert wrong[1:-1, 1:-1].mean() < 0.01
    assert max(side.mean() for side in (wrong[0], wrong[-1], wrong[:, 0], wrong[:, -1])) < 0.05
