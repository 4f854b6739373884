"""Plain Grad against its definition, written out anew, and against numbers that can be had by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import correlate

from matting.evaluation import metrics
from matting.evaluation.metrics import Definition

PLAIN = Definition.PLAIN


def by_definition(pred: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """1e-3 Σ(‖∇p‖ − ‖∇g‖)² of two pictures, ∇ by the derivatives of a Gaussian, each filter of norm 1.

    Nine taps: they end where the Gaussian of σ 1.4, as a density, falls below 0.01, at 1.4·√(−2 ln(0.01·1.4·√2π)).
    """
    y, x = np.mgrid[-4:5, -4:5].astype(float)
    density = np.exp(-(x**2 + y**2) / (2 * 1.4**2)) / (2 * np.pi * 1.4**2)
    along_x, along_y = -x / 1.4**2 * density, -y / 1.4**2 * density
    along_x, along_y = along_x / np.sqrt((along_x**2).sum()), along_y / np.sqrt((along_y**2).sum())

    def size(picture: NDArray[np.float64]) -> NDArray[np.float64]:
        slopes = (correlate(picture, taps, mode="constant") for taps in (along_x, along_y))
        return np.asarray(np.hypot(*slopes))

    return float(1e-3 * ((size(pred) - size(truth)) ** 2).sum())


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1 << 16), st.integers(1, 30), st.integers(1, 30))
def test_it_is_the_definition(seed: int, height: int, width: int) -> None:
    random = np.random.default_rng(seed)
    pred, truth = random.random((2, 2, 3, height, width), np.float32)
    found = metrics.grad(pred, truth, PLAIN)
    for instance in range(3):
        frames = zip(pred[:, instance].astype(float), truth[:, instance].astype(float), strict=True)
        assert found.score[instance] == pytest.approx(sum(by_definition(p, g) for p, g in frames), rel=1e-4, abs=1e-9)


def dots(*places: tuple[int, int, float]) -> NDArray[np.float32]:
    alpha = np.zeros((1, 1, 40, 40), np.float32)
    for y, x, height in places:
        alpha[0, 0, y, x] = height
    return alpha


@pytest.mark.parametrize(
    ("pred", "truth", "score"),
    [
        # A dot shows the two filters themselves, and each has norm 1: Σ‖∇p‖² = height²·(1 + 1).
        (dots((20, 20, 1.0)), dots(), 2e-3),
        (dots((20, 20, 0.5)), dots(), 0.5e-3),
        (dots((20, 20, 1.0)), dots((20, 20, 0.25)), 0.75**2 * 2e-3),
        # Dots more than eight pixels apart do not meet.
        (dots((8, 8, 1.0), (30, 8, 1.0)), dots((8, 30, 1.0)), 3 * 2e-3),
        (dots((20, 20, 1.0)), dots((20, 20, 1.0)), 0.0),
    ],
)
def test_it_can_be_had_by_hand(pred: NDArray[np.float32], truth: NDArray[np.float32], score: float) -> None:
    assert metrics.grad(pred, truth, PLAIN).score[0] == pytest.approx(score, rel=1e-5, abs=1e-12)


def test_beyond_the_border_there_is_nothing() -> None:
    """A flat matte falls off there, and only there: what it scores grows with its edges, not with its area."""
    scores = [
        metrics.grad(np.ones((1, 1, side, 40), np.float32), np.zeros((1, 1, side, 40), np.float32), PLAIN).score[0]
        for side in (40, 60, 80)
    ]
    assert scores[0] > 0
    assert scores[2] - scores[1] == pytest.approx(scores[1] - scores[0], rel=1e-5)
    assert scores[1] < 1.3 * scores[0]
