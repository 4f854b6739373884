"""What must hold for any mattes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from matting.evaluation import metrics
from matting.evaluation.metrics import Definition, Tally
from matting.evaluation.opacity import as_float, stack
from matting.evaluation.streaming import MOVING, STILL, ClipTallies

Clip = NDArray[np.uint8]
DEFINITIONS = st.sampled_from(Definition)


@st.composite
def clips(draw: st.DrawFn, least_frames: int = 1) -> tuple[Clip, Clip]:
    """Moving soft blobs ``[T, N, H, W]`` and a disturbed copy."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 16)))
    frames, instances = draw(st.integers(least_frames, 7)), draw(st.integers(1, 3))
    rows, columns = np.mgrid[:20, :28]
    truth = np.zeros((frames, instances, 20, 28))
    for t, n in np.ndindex(frames, instances):
        y, x = 10 + rng.normal(0, 1), 6 + 8 * n + t / 2
        truth[t, n] = np.clip(1.5 - np.hypot(rows - y, columns - x) / 4, 0, 1)
    noise = rng.normal(0, draw(st.sampled_from([0.0, 0.02, 0.2])), truth.shape)
    pred = np.clip(truth + noise * (truth > 0), 0, 1)
    return (255 * pred).astype(np.uint8), (255 * truth).astype(np.uint8)


def streamed(pred: Clip, truth: Clip, definition: Definition) -> dict[str, Tally]:
    tallies = ClipTallies(len(truth), truth.shape[1], definition)
    for p, g in zip(pred, truth, strict=True):
        tallies.add(p, g)
    return tallies.tallies


@settings(deadline=None, max_examples=15)
@given(clips(), DEFINITIONS)
def test_a_perfect_prediction_has_no_error(pair: tuple[Clip, Clip], definition: Definition) -> None:
    _, truth = pair
    assert all(tally.average(definition) == 0 for tally in streamed(truth, truth, definition).values())
    quality = metrics.vimq(as_float(truth), as_float(truth), definition)
    assert (quality.rq, quality.tq) == (1, 1)
    assert set(quality.mq.values()) == {1}


@settings(deadline=None, max_examples=15)
@given(clips(), DEFINITIONS, st.randoms(use_true_random=False))
def test_the_order_of_predictions_does_not_matter_to_vimq(
    pair: tuple[Clip, Clip], definition: Definition, random: np.random.Generator
) -> None:
    pred, truth = (as_float(side) for side in pair)
    order = list(range(pred.shape[1]))
    random.shuffle(order)
    one, other = (metrics.vimq(p, truth, definition) for p in (pred, np.ascontiguousarray(pred[:, order])))
    assert (one.rq, one.tq, *one.mq.values()) == pytest.approx((other.rq, other.tq, *other.mq.values()))


@settings(deadline=None, max_examples=15)
@given(clips())
def test_plain_streaming_equals_the_whole_array(pair: tuple[Clip, Clip]) -> None:
    plain = Definition.PLAIN
    found, (pred, truth) = streamed(*pair, plain), (as_float(side) for side in pair)
    trimap = metrics.trimap(pair[1])
    whole = {
        "mad": metrics.mad(pred, truth, plain),
        "mse": metrics.mse(pred, truth, plain),
        "sad": metrics.sad(pred, truth),
        "grad": metrics.grad(pred, truth, plain),
        "conn": metrics.conn(pred, truth),
        "dtssd": metrics.dtssd(pred, truth, plain),
        "messddt": metrics.messddt(pred, truth, plain),
        "mad_f": metrics.mad(pred, truth, plain, trimap == metrics.FOREGROUND),
        "mad_u": metrics.mad(pred, truth, plain, trimap == metrics.UNKNOWN),
    }
    assert found.keys() == whole.keys() == {*STILL, *MOVING}
    for name, tally in whole.items():
        assert found[name].score == pytest.approx(tally.score), name
        assert np.array_equal(found[name].count, tally.count), name


def test_no_prediction_at_all_is_no_quality() -> None:
    truth = np.ones((3, 2, 8, 8), np.float32)
    quality = metrics.vimq(np.zeros((3, 0, 8, 8), np.float32), truth)
    assert (quality.rq, quality.tq, quality.vimq("mse")) == (0, 0, 0)


def test_an_empty_region_counts_only_as_published() -> None:
    alpha = np.zeros((1, 1, 8, 8), np.float32)
    nowhere = np.zeros(alpha.shape, np.bool_)
    assert metrics.mad(alpha, alpha, Definition.PUBLISHED, nowhere).count.sum() == 1
    assert metrics.mad(alpha, alpha, Definition.PLAIN, nowhere).count.sum() == 0


def test_eight_and_sixteen_bits_come_together_as_what_they_mean() -> None:
    opaque = stack([np.full((2, 2), 255, np.uint8), np.full((2, 2), 65535, np.uint16)])
    assert np.array_equal(as_float(opaque), np.ones((2, 2, 2), np.float32))


def test_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="pred is 1×1×4×5, expected 1×1×4×4"):
        metrics.mad(np.zeros((1, 1, 4, 5), np.float32), np.zeros((1, 1, 4, 4), np.float32))
