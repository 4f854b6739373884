"""What is unknown, found along the picture's colour lines."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatting.laplacian.cf_laplacian import cf_laplacian

from matting.arrays import FloatArray
from matting.inference.colour_lines import along_colours


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 14), st.integers(1, 14), st.floats(0.05, 1), st.floats(0.01, 1), st.integers(0, 2**31))
def test_it_is_the_solution_of_the_reference_anywhere_in_the_picture(
    height: int, width: int, share: float, most_trust: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    unknown = rng.random((height, width)) < share
    unknown[rng.integers(height), rng.integers(width)] = True
    opaque = (rng.random((height, width)) < 0.5) & ~unknown
    guess, trust = rng.random((2, height, width)).astype(np.float32)
    trust = (trust + np.float32(0.01)) * np.float32(most_trust)
    smooth: FloatArray = cf_laplacian(picture / 255.0, 1e-6, 1).toarray()[unknown.ravel()]
    weight = trust[unknown].astype(float)
    truth = np.linalg.solve(
        smooth[:, unknown.ravel()] + np.diag(weight), weight * guess[unknown] - smooth @ opaque.ravel().astype(float)
    )
    found = along_colours(picture, unknown, opaque, guess, trust)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, truth, atol=2e-3)


def test_each_step_leads_from_the_guess_to_the_solution() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    unknown = np.zeros((40, 50), bool)
    unknown[5:35, 10:40] = True
    guess = rng.random(unknown.shape, np.float32)
    opaque, trust = np.arange(50) > 25 + 0 * guess, np.full_like(guess, 1e-3)
    steps = [along_colours(picture, unknown, opaque & ~unknown, guess, trust, most) for most in (0, 3, 9, 27, 100)]
    np.testing.assert_array_equal(steps[0], guess[unknown])
    away = [np.abs(found - steps[-1]).mean() for found in steps[:-1]]
    assert all(after < before for before, after in pairwise(away))
    assert away[-1] < away[0] / 50
