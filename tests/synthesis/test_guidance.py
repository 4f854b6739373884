from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator

from matting.arrays import Mask
from matting.synthesis import guidance as harm
from matting.synthesis.guidance import Harm, guidance

NONE = Harm(0, 0, 0, 0, 0, 0, 0, 0)
FRAMES = 6


@pytest.fixture
def masks() -> Mask:
    """Two squares apart, each a pixel further on every frame."""
    masks = np.zeros((FRAMES, 2, 64, 96), np.bool_)
    for t in range(FRAMES):
        masks[t, 0, 20:44, 10 + t : 34 + t] = True
        masks[t, 1, 20:44, 60 + t : 84 + t] = True
    return masks


def test_without_harm_it_is_the_thresholded_alpha(masks: Mask) -> None:
    np.testing.assert_array_equal(guidance(masks.astype(np.uint8) * 255, np.random.default_rng(0), NONE), masks)


def test_the_same_generator_gives_the_same_guidance(masks: Mask) -> None:
    alphas = masks.astype(np.uint8) * 255
    first, second = (guidance(alphas, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_it_is_wrong_as_often_and_as_much_as_a_tracker(masks: Mask) -> None:
    alphas = masks.astype(np.uint8) * 255
    scores = []
    for seed in range(60):
        given = guidance(alphas, np.random.default_rng(seed))
        scores.append((given & masks).sum() / (given | masks).sum())
    assert 0.6 < np.median(scores) < 0.97
    assert min(scores) < 0.6


@pytest.mark.parametrize(
    "spoil", [harm.erase, harm.paste, harm.merge, harm.temporal, harm.swap, harm.tear, harm.grown_or_shrunk]
)
def test_nothing_that_was_given_is_changed(masks: Mask, spoil: Callable[[Mask, Generator], Mask]) -> None:
    before = masks.copy()
    changed = [(spoil(masks, np.random.default_rng(seed)) != masks).any() for seed in range(10)]
    np.testing.assert_array_equal(masks, before)
    assert any(changed)


def test_a_tear_is_at_the_same_place_of_somebody_on_all_frames(masks: Mask) -> None:
    still = np.repeat(masks[:1], FRAMES, axis=0)
    lost = gained = 0
    for seed in range(40):
        torn = harm.tear(still, np.random.default_rng(seed))
        assert (torn == torn[0]).all()
        lost += int((still & ~torn).sum())
        gained += int((torn & ~still).sum())
        changed = (torn != still).sum(axis=(0, 2, 3)) / still.sum(axis=(0, 2, 3))
        assert changed.max() < 0.5
    assert lost > 0
    assert gained > 0


def test_without_tears_no_die_is_cast_for_them(masks: Mask) -> None:
    alphas = masks.astype(np.uint8) * 255
    first, second = np.random.default_rng(3), np.random.default_rng(3)
    guidance(alphas, first, Harm(torn=0.0))
    guidance(alphas, second)
    assert first.random() == second.random()
    always = guidance(alphas, np.random.default_rng(3), Harm(0, 0, 0, 0, 0, 0, 0, 0, torn=1.0))
    assert (always != guidance(alphas, np.random.default_rng(3), NONE)).any()


def test_erase_only_takes_away(masks: Mask) -> None:
    erased = harm.erase(masks, np.random.default_rng(1))
    assert not (erased & ~masks).any()
    assert erased.sum() < masks.sum()


def test_merged_instances_have_one_mask(masks: Mask) -> None:
    merged = harm.merge(masks, np.random.default_rng(3))
    both = [t for t in range(FRAMES) if (merged[t, 0] == merged[t, 1]).all()]
    assert both
    np.testing.assert_array_equal(merged[both[0], 0], masks[both[0]].any(axis=0))


def test_temporal_guidance_only_adds(masks: Mask) -> None:
    assert not (masks & ~harm.temporal(masks, np.random.default_rng(2))).any()


def test_swapped_instances_have_each_others_mask_for_a_run_of_frames(masks: Mask) -> None:
    swapped = harm.swap(masks, np.random.default_rng(4))
    exchanged = [bool((swapped[t] == masks[t, ::-1]).all()) for t in range(FRAMES)]
    assert any(exchanged)
    first, last = exchanged.index(True), FRAMES - 1 - exchanged[::-1].index(True)
    assert all(exchanged[first : last + 1])


def test_half_of_the_pixels_struck_by_noise_change(masks: Mask) -> None:
    noisy = harm.salt_and_pepper(masks, 0.25, np.random.default_rng(0))
    assert (noisy != masks).mean() == pytest.approx(0.125, abs=0.01)


def test_an_instance_that_is_not_there_does_no_harm() -> None:
    nobody = np.zeros((3, 2, 32, 32), np.uint8)
    for seed in range(20):
        assert guidance(nobody, np.random.default_rng(seed)).sum() == 0
