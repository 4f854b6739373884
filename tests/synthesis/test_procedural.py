from __future__ import annotations

import numpy as np
import pytest

from matting.synthesis.layers import recompose
from matting.synthesis.procedural import LayeredClip, procedural_clip

SIZE = (96, 160)


@pytest.fixture(scope="module")
def clips() -> list[LayeredClip]:
    return [procedural_clip(seed, SIZE, frames=2, people=2) for seed in range(6)]


def test_the_same_seed_gives_the_same_clip(clips: list[LayeredClip]) -> None:
    again = procedural_clip(3, SIZE, frames=2, people=2)
    for name in ("frames", "clean", "alphas", "foregrounds", "backgrounds"):
        np.testing.assert_array_equal(getattr(again, name), getattr(clips[3], name))
    assert (clips[2].clean != clips[3].clean).any()


def test_every_frame_is_what_its_layers_give(clips: list[LayeredClip]) -> None:
    for clip in clips:
        for frame, alphas, foregrounds, background in zip(
            clip.clean, clip.alphas, clip.foregrounds, clip.backgrounds, strict=True
        ):
            np.testing.assert_array_equal(frame, recompose(alphas, foregrounds, background))
            assert alphas.sum(axis=0, dtype=int).max() <= 255


def test_people_have_soft_edges_solid_bodies_and_move(clips: list[LayeredClip]) -> None:
    alphas = np.concatenate([clip.alphas.reshape(-1, *SIZE) for clip in clips])
    soft, solid = (alphas > 5) & (alphas < 250), alphas >= 250
    assert solid.mean() > 0.02
    assert 0.05 < soft.sum() / (soft | solid).sum() < 0.6
    assert all((clip.alphas[0] != clip.alphas[1]).any() for clip in clips)


def test_backgrounds_can_be_given() -> None:
    grey = np.full((40, 60, 3), 0.5, np.float32)
    plain = [procedural_clip(seed, SIZE, frames=1, people=1, pictures=[grey]).backgrounds for seed in range(8)]
    corners = [int(picture[0, :5, 0].max()) - int(picture[0, :5, 0].min()) for picture in plain]
    assert 1 <= sum(spread == 0 for spread in corners) < 8  # half of them, the rest is painted
