from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matting.errors import ShapeError
from matting.synthesis.layers import Layer, compose, overlap, recompose, stored_alphas, visible

SIZE = (6, 7)


def layers(seed: int, count: int) -> list[Layer]:
    rng = np.random.default_rng(seed)
    return [
        Layer(rng.random((*SIZE, 3), np.float32), np.clip(rng.normal(0.5, 0.6, SIZE), 0, 1).astype(np.float32))
        for _ in range(count)
    ]


@given(seed=st.integers(0, 10_000), count=st.integers(0, 5))
def test_the_layers_give_the_frame_and_alphas_never_exceed_one(seed: int, count: int) -> None:
    background = np.random.default_rng(seed + 1).random((*SIZE, 3), np.float32)
    made = compose(layers(seed, count), background)
    np.testing.assert_array_equal(made.frame, recompose(made.alphas, made.foregrounds, made.background))
    assert made.alphas.sum(axis=0, dtype=int).max(initial=0) <= 255


@given(seed=st.integers(0, 10_000))
def test_pasting_one_after_the_other_gives_the_same_picture(seed: int) -> None:
    background = np.random.default_rng(seed + 1).random((*SIZE, 3), np.float32)
    people = layers(seed, 3)
    over = background
    for layer in people:
        over = layer.colour * layer.opacity[..., None] + over * (1 - layer.opacity[..., None])
    # Rounding of three alphas, three colours and the background, 8 bits each.
    assert np.abs(compose(people, background).frame - over * 255).max() <= 2.5


def test_who_comes_later_hides_who_came_before() -> None:
    opaque = np.ones(SIZE, np.float32)
    half = np.full(SIZE, 0.5, np.float32)
    np.testing.assert_allclose(visible([opaque, half, opaque * 0], SIZE)[:, 0, 0], (0.5, 0.5, 0))
    assert overlap(opaque, visible([opaque, half], SIZE)[0]) == pytest.approx(0.5)
    assert overlap(opaque * 0, opaque * 0) == 0


def test_rounding_takes_from_the_largest() -> None:
    alphas = np.array((0.5, 0.5), np.float32)[:, None, None]
    assert stored_alphas(alphas).ravel().tolist() in ([127, 128], [128, 127])


def test_sizes_must_agree() -> None:
    with pytest.raises(ShapeError):
        compose(layers(0, 1), np.zeros((4, 4, 3), np.float32))
