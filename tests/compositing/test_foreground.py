from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from matting.arrays import Picture, StoredAlpha
from matting.compositing.foreground import estimate_foreground


def known_composite(size_hw: tuple[int, int], dtype: type) -> tuple[Picture, StoredAlpha, Picture]:
    """A textured red disc with a wide soft edge on green: the frame, its alpha, and the disc's true colours."""
    height, width = size_hw
    peak = np.iinfo(dtype).max
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.standard_normal((height, width, 1)), (0, 0), 4)[..., None]
    front = np.clip(np.array([0.8, 0.2, 0.15]) + 0.4 * texture, 0, 1)
    disc = np.zeros(size_hw)
    cv2.circle(disc, (width // 2, height // 2), min(size_hw) // 3, 1, -1)
    alpha = np.rint(cv2.GaussianBlur(disc, (0, 0), min(size_hw) / 40) * 255).astype(np.uint8)
    opacity = alpha[..., None] / 255
    frame = opacity * front + (1 - opacity) * np.array([0.1, 0.9, 0.3])
    return np.rint(frame * peak).astype(dtype), alpha, np.rint(front * peak).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size_hw", [(160, 200), (900, 900)], ids=["solved whole", "refined from smaller"])
def test_edges_lose_the_background(size_hw: tuple[int, int], dtype: type) -> None:
    frame, alpha, truth = known_composite(size_hw, dtype)
    estimate = estimate_foreground(frame, alpha)
    assert estimate.dtype == np.float32
    edge = (alpha > 25) & (alpha < 230)
    raw = np.abs(frame[edge].astype(float) - truth[edge]).mean()
    assert np.abs(estimate[edge] - truth[edge]).mean() < 0.15 * raw
    assert np.isfinite(estimate).all()
    np.testing.assert_array_equal(estimate[alpha == 255], frame[alpha == 255])


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 9), (9, 1), (2, 2), (3, 5)])
def test_tiny_frames(size_hw: tuple[int, int]) -> None:
    frame = np.full((*size_hw, 3), 90, np.uint8)
    estimate = estimate_foreground(frame, np.full(size_hw, 100, np.uint8))
    assert estimate.shape == frame.shape
    assert np.isfinite(estimate).all()


def test_an_absent_instance_has_the_frames_colours() -> None:
    frame = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    np.testing.assert_array_equal(estimate_foreground(frame, np.zeros((20, 20), np.uint8)), frame)


def test_threads_agree() -> None:
    frame, alpha, _ = known_composite((120, 120), np.uint8)
    expected = estimate_foreground(frame, alpha)
    with ThreadPoolExecutor(4) as pool:
        for estimate in pool.map(lambda _: estimate_foreground(frame, alpha), range(12)):
            np.testing.assert_array_equal(estimate, expected)
