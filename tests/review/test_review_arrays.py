"""Masks made wrong by hand are found where they are wrong, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import Mask
from matting.review.confidence import FLAGGED_BELOW, Confidence, confidences
from matting.review.evidence import Measured, measure, packed, unpacked
from matting.review.flags import Flag, Runs
from matting.review.references import References
from matting.review.sight import look_over
from matting.review.swaps import Crossings, Swap

HEIGHT, WIDTH, FRAMES = 96, 160, 24
ANN, BEN = 1, 2
IDS = (ANN, BEN)
Ids = NDArray[np.uint8]
Wrong = Callable[[int, Ids], Ids]


def textured(seed: int, color: tuple[int, int, int], size: tuple[int, int]) -> NDArray[np.uint8]:
    noise = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(*size, 1)), (0, 0), 1.5)[..., None]
    return np.asarray(np.clip(noise / noise.std() * 20 + np.array(color), 0, 255), np.uint8)


WALL = textured(0, (110, 120, 100), (HEIGHT, WIDTH))
SKINS = {ANN: textured(1, (200, 60, 50), (37, 37)), BEN: textured(2, (50, 80, 200), (37, 37))}
ROUND = cv2.circle(np.zeros((37, 37), np.uint8), (18, 18), 18, 1, -1) > 0


def corners(t: int) -> dict[int, tuple[int, int]]:
    """Two discs that come close to one another and part again: at frame 12 they all but touch."""
    apart = abs(t - 12)
    return {ANN: (40 - 2 * apart + 4, 28), BEN: (82 + 2 * apart - 4, 28)}


def scene(t: int) -> tuple[NDArray[np.uint8], Ids]:
    picture, ids = WALL.copy(), np.zeros((HEIGHT, WIDTH), np.uint8)
    for who, (x, y) in corners(t).items():
        picture[y : y + 37, x : x + 37][ROUND] = SKINS[who][ROUND]
        ids[y : y + 37, x : x + 37][ROUND] = who
    return picture, ids


def as_it_is(t: int, ids: Ids) -> Ids:
    return ids


def measured(wrong: Wrong = as_it_is, given: tuple[int, ...] = (0,)) -> list[Measured]:
    """The whole clip with the masks that ``wrong`` makes of the true ones."""

    def true_mask(t: int, who: int) -> Mask:
        return np.asarray(scene(t)[1] == who)

    sights = (look_over(t, scene(t)[0], wrong(t, scene(t)[1])) for t in range(FRAMES))
    references = References(dict.fromkeys(IDS, given), true_mask, lambda t: scene(t)[0])
    return list(measure(sights, IDS, references))


def flagged(frames: list[Measured], who: int = ANN) -> dict[int, str]:
    found = {m.index: confidences(m)[IDS.index(who)] for m in frames}
    return {t: c.reason for t, c in found.items() if c.value < FLAGGED_BELOW}


def moved(ids: Ids, who: int, dx: int, dy: int) -> Ids:
    """The index picture with one mask moved."""
    y, x = np.nonzero(ids == who)
    result = np.where(ids == who, 0, ids).astype(np.uint8)
    result[(y + dy) % HEIGHT, (x + dx) % WIDTH] = who
    return result


def test_true_masks_are_trusted_throughout() -> None:
    frames = measured()
    assert [m.index for m in frames] == list(range(FRAMES))
    assert flagged(frames, ANN) == flagged(frames, BEN) == {}
    assert min(c.value for m in frames for c in confidences(m)) > 0.7


def test_a_mask_that_slips_onto_the_wall_is_found_there_only() -> None:
    slipped = measured(lambda t, ids: moved(ids, ANN, 0, 30) if t in (8, 9) else ids)
    assert set(flagged(slipped)) == {8, 9}
    assert flagged(slipped, BEN) == {}


@pytest.mark.parametrize("wrong_at", [0, 5, 11, FRAMES - 1])
def test_a_mask_that_shrinks_for_one_frame_is_found_there_only(wrong_at: int) -> None:
    def shrunken(t: int, ids: Ids) -> Ids:
        small = ids.copy()
        if t == wrong_at:
            x, y = corners(t)[ANN]
            small[y : y + 37, x : x + 26][ids[y : y + 37, x : x + 26] == ANN] = 0
        return small

    found = flagged(measured(shrunken, given=(8,)))
    assert set(found) == {wrong_at}
    assert found[wrong_at] in ("jump", "motion", "smaller")


def test_who_is_lost_is_found_and_who_was_said_not_to_be_there_is_not() -> None:
    def gone(t: int, ids: Ids) -> Ids:
        return np.where((ids == ANN) & (t >= 10), 0, ids).astype(np.uint8)

    found = flagged(measured(gone))
    assert set(found) >= set(range(10, FRAMES))
    assert set(found) <= set(range(9, FRAMES)), "the last frame before may be a victim of the comparison"
    assert {found[t] for t in range(14, FRAMES)} == {"lost"}

    def said(t: int, who: int) -> Mask:
        return np.asarray((gone(t, scene(t)[1])) == who)

    sights = (look_over(t, scene(t)[0], gone(t, scene(t)[1])) for t in range(FRAMES))
    references = References({ANN: (0, 10), BEN: (0,)}, said, lambda t: scene(t)[0])
    after = {t for t in flagged(list(measure(sights, IDS, references))) if t > 10}
    assert after == set(), "nobody expects ann after frame 10"


def test_a_tracker_that_is_unsure_is_heard() -> None:
    sights = (look_over(t, *scene(t), {ANN: 0.1 if t == 5 else 0.9, BEN: 0.9}) for t in range(FRAMES))
    references = References(dict.fromkeys(IDS, (0,)), lambda t, who: scene(t)[1] == who, lambda t: scene(t)[0])
    assert flagged(list(measure(sights, IDS, references))) == {5: "doubt"}


def test_what_was_measured_survives_being_kept() -> None:
    frames = measured()[:8]
    for before, after in zip(frames, unpacked(packed(frames), 0), strict=True):
        assert before.index == after.index
        for name in ("motion", "jump", "size", "colours", "touch", "doubt", "lost"):
            np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


class TestSwaps:
    def exchanged(self, since: int, until: int = FRAMES) -> list[Swap]:
        crossings = Crossings(IDS)
        for m in measured(lambda t, ids: (3 - ids) * (ids > 0) if since <= t < until else ids):
            crossings.add(m)
        return crossings.swaps

    @pytest.mark.parametrize("since", [11, 13, 16])
    def test_is_named_at_its_frame(self, since: int) -> None:
        assert self.exchanged(since) == [Swap(ANN, BEN, since, FRAMES - 1)]

    def test_ends_where_they_are_themselves_again(self) -> None:
        assert self.exchanged(11, 18) == [Swap(ANN, BEN, 11, 17)]

    def test_true_masks_have_none(self) -> None:
        assert self.exchanged(FRAMES) == []

    def test_two_frames_are_no_swap(self) -> None:
        assert self.exchanged(12, 14) == []

    def test_both_are_in_the_review_queue_from_there(self) -> None:
        frames = measured(lambda t, ids: (3 - ids) * (ids > 0) if t >= 13 else ids)
        assert set(flagged(frames, ANN)) >= set(range(13, FRAMES))
        assert max(set(range(13)) & set(flagged(frames, ANN)), default=-1) in (-1, 12)


class TestRuns:
    def grouped(self, values: dict[int, float], settled: tuple[int, ...] = ()) -> Iterator[Flag]:
        runs = Runs((ANN,))
        for t in range(20):
            runs.add(t, [None if t in settled else Confidence(values.get(t, 0.9), "jump")])
        yield from runs.flags()

    def test_the_worst_frame_stands_for_its_run(self) -> None:
        (flag,) = self.grouped({4: 0.4, 5: 0.1, 6: 0.3})
        assert (flag.first, flag.last, flag.worst, flag.confidence) == (4, 6, 5, 0.1)
        assert flag.span == "4-6"
        assert flag.words({}) == "area jumps"

    def test_short_gaps_do_not_part_a_run_but_given_frames_do(self) -> None:
        assert [f.span for f in self.grouped({4: 0.4, 7: 0.4, 11: 0.4})] == ["4-7", "11"]
        assert [f.span for f in self.grouped({4: 0.4, 6: 0.4}, settled=(5,))] == ["4", "6"]

    def test_given_frames_are_never_flagged(self) -> None:
        assert list(self.grouped({4: 0.0}, settled=(4,))) == []

    def test_who_touches_is_named(self) -> None:
        runs = Runs(IDS)
        runs.add(3, [Confidence(0.2, "touch", 1), Confidence(0.9, "motion")])
        assert [f.words({BEN: "Ben"}) for f in runs.flags()] == ["touches Ben"]
