from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.inference.baselines import Baseline, baselines
from matting.synthesis.guidance import salt_and_pepper

NAMES = [matter.name for matter in baselines()]


def named(name: str) -> Baseline:
    return next(matter for matter in baselines() if matter.name == name)


def discs(grown_px: int = 0) -> FloatArray:
    """Two discs that do not touch, ``[2, 90, 160]`` float32, their edges soft."""
    alphas = np.zeros((2, 90 * 4, 160 * 4), np.uint8)
    for alpha, x in zip(alphas, (45, 115), strict=True):
        cv2.circle(alpha, (x * 4, 180), (22 + grown_px) * 4, 255, -1)
    small = [cv2.resize(alpha, (160, 90), interpolation=cv2.INTER_AREA) for alpha in alphas]
    return np.stack(small).astype(np.float32) / np.float32(255)


def picture(truth: FloatArray) -> NDArray[np.uint8]:
    """Reddish discs before plain blue."""
    share = truth.sum(axis=0)[..., None]
    noise = np.random.default_rng(0).normal(0, 1, (90, 160, 3))
    shown = share * (200, 60, 50) + (1 - share) * (40, 60, 190) + noise
    return np.asarray(np.clip(shown, 0, 255), np.uint8)


def test_the_mask_stays_as_it_is() -> None:
    masks = discs() > 0.5
    np.testing.assert_array_equal(named("mask").matte(picture(discs())[None], masks[None])[0], masks)


@pytest.mark.parametrize(("name", "share"), [("guided filter", 0.75), ("closed-form", 0.15), ("knn", 0.4)])
@pytest.mark.parametrize("grown_px", [-2, 2])
def test_a_mask_that_is_off_comes_nearer_to_what_the_picture_shows(name: str, share: float, grown_px: int) -> None:
    truth, masks = discs(), discs(grown_px) > 0.5
    found = named(name).matte(picture(truth)[None], masks[None])[0]
    assert np.square(found - truth).mean() < share * np.square(masks - truth).mean()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_alphas_add_up_to_one_at_most_whatever_the_masks(name: str, share: float) -> None:
    masks = salt_and_pepper(discs(10)[None] > 0.5, share, np.random.default_rng(1))
    found = named(name).matte(picture(discs())[None], masks)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.sum(axis=1).max() <= 1 + 1e-6


@pytest.mark.parametrize("name", NAMES)
def test_nobody_and_everything(name: str) -> None:
    frame = picture(discs())[None]
    masks = np.stack([np.zeros((90, 160), np.bool_), np.ones((90, 160), np.bool_)])[None]
    found = named(name).matte(frame, masks)[0]
    assert not found[0].any()
    np.testing.assert_allclose(found[1], 1, atol=1e-4)
