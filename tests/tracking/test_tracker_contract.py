"""What every tracker promises."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest
from moving_shapes import Disc, Pictures, Scene, overlap

from matting.arrays import Mask
from matting.errors import Cancelled
from matting.frames import FrameSource
from matting.job import JobContext
from matting.tracking.tracker import FrameMasks, Tracker

LENGTH = 13
LEFT = Disc(13, (30, 40), (2, 0.5), (190, 70, 60))
RIGHT = Disc(12, (108, 50), (-2, 0), (60, 90, 190))
SCENE = Scene((LEFT, RIGHT), LENGTH)
EMPTY = np.zeros(SCENE.size_hw, bool)

Seeds = Mapping[int, Mapping[int, Mask]]


def knows_something(tracker: Tracker) -> bool:
    """Cutie has weights by formula here: what it finds means nothing, how it finds it does."""
    return tracker.name.startswith("flow")


def tracked(tracker: Tracker, clip: FrameSource, span: range, seeds: Seeds) -> dict[int, FrameMasks]:
    found = list(tracker.track(clip, span, seeds, JobContext()))
    assert sorted(masks.index for masks in found) == list(span), "each frame of the span exactly once"
    for masks in found:
        assert masks.masks.dtype == bool
        assert masks.masks.shape == (len(masks.ids), *clip.size_hw)
        assert masks.masks.sum(axis=0).max(initial=0) <= 1, "no pixel belongs to two"
        if masks.certainty is not None:
            assert masks.certainty.shape == (len(masks.ids),)
            assert masks.certainty.min(initial=0) >= 0
            assert masks.certainty.max(initial=0) <= 1
            assert all(masks.certainty[masks.ids.index(i)] == 1 for i in seeds.get(masks.index, {}))
    return {masks.index: masks for masks in found}


class StopsAfter(JobContext):
    """Somebody who presses Stop after some reports."""

    def __init__(self, reports: int) -> None:
        super().__init__()
        self._left = reports
        self.fractions: list[float] = []

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        self.fractions.append(fraction)
        self._left -= 1
        if self._left == 0:
            self.cancel()


class TestTracker:
    def test_has_a_name_with_a_version(self, tracker: Tracker) -> None:
        method, version = tracker.name.split("/")
        assert method
        assert int(version.partition(":")[0]) > 0

    def test_finds_every_instance_on_every_frame(self, tracker: Tracker) -> None:
        found = tracked(tracker, SCENE, range(LENGTH), {0: SCENE.seen(0), 12: SCENE.seen(12)})
        for index, masks in found.items():
            assert masks.ids == (1, 2)
            for instance, truth in SCENE.seen(index).items():
                assert overlap(masks.masks[instance - 1], truth) > 0.9 or not knows_something(tracker), (
                    index,
                    instance,
                )

    def test_seeds_come_back_exactly(self, tracker: Tracker) -> None:
        ragged = np.random.default_rng(0).random(SCENE.size_hw) > 0.7
        seeds = {3: {5: ragged}, 6: {5: ~ragged, 2: ragged}, 9: {2: EMPTY}}
        found = tracked(tracker, SCENE, range(LENGTH), seeds)
        for index, given in seeds.items():
            for instance, mask in given.items():
                assert np.array_equal(found[index].masks[found[index].ids.index(instance)], mask), (index, instance)

    def test_overlapping_seeds_share_their_pixels(self, tracker: Tracker) -> None:
        left, right = EMPTY.copy(), EMPTY.copy()
        left[20:60, 10:60], right[20:60, 40:90] = True, True
        found = tracked(tracker, SCENE, range(4, 5), {4: {1: left, 2: right}})[4].masks
        assert np.array_equal(found[0] | found[1], left | right)
        assert found[0][~right].sum() == left[~right].sum()
        assert found[1][~left].sum() == right[~left].sum()

    def test_an_empty_seed_says_absent(self, tracker: Tracker) -> None:
        seeds = {0: {1: EMPTY}, 4: {1: SCENE.seen(4)[1]}, 8: {1: EMPTY}, 11: {1: EMPTY}}
        found = tracked(tracker, SCENE, range(LENGTH), seeds)
        assert found[4].masks.any()
        for index in (0, 8, 9, 10, 11, 12):
            assert not found[index].masks.any(), index
        if knows_something(tracker):
            assert overlap(found[5].masks[0], SCENE.seen(5)[1]) > 0.9, "the absence lies still ahead"

    def test_without_seeds_there_is_nobody(self, tracker: Tracker) -> None:
        found = tracked(tracker, SCENE, range(2, 5), {})
        assert all(masks.ids == () for masks in found.values())

    def test_an_empty_span_has_no_frames(self, tracker: Tracker) -> None:
        assert not tracked(tracker, SCENE, range(3, 3), {0: SCENE.seen(0)})

    def test_a_track_depends_on_nothing_outside_its_seeds(self, tracker: Tracker) -> None:
        near = {4: SCENE.seen(4), 9: SCENE.seen(9)}
        other = {0: {1: ~SCENE.seen(0)[1], 2: EMPTY}, 12: {1: EMPTY, 2: SCENE.seen(12)[1]}}
        found = [
            tracked(tracker, SCENE, range(LENGTH), {**near, **far})
            for far in ({0: SCENE.seen(0), 12: SCENE.seen(12)}, other, {})
        ]
        for index in range(4, 10):
            assert np.array_equal(found[0][index].masks, found[1][index].masks), index
            assert np.array_equal(found[0][index].masks, found[2][index].masks), index

    def test_pictures_outside_the_seeds_do_not_matter(self, tracker: Tracker) -> None:
        seeds = {4: SCENE.seen(4), 9: SCENE.seen(9)}
        changed = [SCENE.frame(t) if 4 <= t <= 9 else np.full_like(SCENE.frame(t), 77) for t in range(LENGTH)]
        found = [tracked(tracker, clip, range(LENGTH), seeds) for clip in (SCENE, Pictures(changed))]
        for index in range(4, 10):
            assert np.array_equal(found[0][index].masks, found[1][index].masks), index

    @pytest.mark.parametrize("span", [range(5, 8), range(2, 4), range(3, 4), range(10, 13), range(8)], ids=str)
    def test_a_part_of_the_span_gives_the_same_masks(self, tracker: Tracker, span: range) -> None:
        seeds = {3: SCENE.seen(3), 6: {2: SCENE.seen(6)[2]}, 9: SCENE.seen(9)}
        whole = tracked(tracker, SCENE, range(LENGTH), seeds)
        part = tracked(tracker, SCENE, span, seeds)
        for index in span:
            assert np.array_equal(part[index].masks, whole[index].masks), index

    def test_looks_only_at_frames_that_matter(self, tracker: Tracker) -> None:
        clip = Pictures(SCENE.pictures())
        tracked(tracker, clip, range(5, 7), {0: SCENE.seen(0), 4: SCENE.seen(4), 8: SCENE.seen(8), 12: SCENE.seen(12)})
        assert clip.asked <= set(range(4, 9))

    def test_gives_the_same_masks_again(self, tracker: Tracker) -> None:
        seeds = {0: SCENE.seen(0), 12: {1: SCENE.seen(12)[1]}}
        once, again = (tracked(tracker, SCENE, range(LENGTH), seeds) for _ in range(2))
        assert all(np.array_equal(once[index].masks, again[index].masks) for index in range(LENGTH))

    @pytest.mark.parametrize("reports", [1, 6, 16])
    def test_stops_when_asked(self, tracker: Tracker, reports: int) -> None:
        stop = StopsAfter(reports)
        with pytest.raises(Cancelled):
            list(tracker.track(SCENE, range(LENGTH), {0: SCENE.seen(0), 12: SCENE.seen(12)}, stop))
        assert len(stop.fractions) == reports

    def test_tells_its_progress(self, tracker: Tracker) -> None:
        watch = StopsAfter(1000)
        list(tracker.track(SCENE, range(LENGTH), {0: SCENE.seen(0), 6: SCENE.seen(6)}, watch))
        assert watch.fractions == sorted(watch.fractions)
        assert watch.fractions[0] < 0.1
        assert watch.fractions[-1] > 0.9

    @pytest.mark.parametrize("size_hw", [(1, 1), (1, 7), (3, 200), (37, 53), (301, 5), (29, 701)], ids=str)
    def test_any_size(self, tracker: Tracker, size_hw: tuple[int, int]) -> None:
        picture = np.full((*size_hw, 3), 90, np.uint8)
        seed = np.ones(size_hw, bool)
        found = tracked(tracker, Pictures([picture] * 4), range(4), {0: {1: seed}, 3: {1: seed}})
        assert np.array_equal(found[3].masks[0], seed)

    def test_deep_pictures(self, tracker: Tracker) -> None:
        deep = [picture.astype(np.uint16) * 257 for picture in SCENE.pictures()]
        seeds = {0: SCENE.seen(0), 12: SCENE.seen(12)}
        shallow_masks = tracked(tracker, SCENE, range(LENGTH), seeds)
        deep_masks = tracked(tracker, Pictures(deep), range(LENGTH), seeds)
        assert all(np.array_equal(deep_masks[t].masks, shallow_masks[t].masks) for t in range(LENGTH))

    def test_memory_does_not_grow_with_the_span(self, tracker: Tracker) -> None:
        def peak(length: int) -> int:
            scene = Scene((Disc(6, (12, 20), (0.2, 0), (190, 70, 60)),), length, (48, 64))
            # One prompt at either end: everything in between waits for the backward pass.
            seeds = {0: scene.seen(0), length - 1: scene.seen(length - 1)}
            tracemalloc.start()
            try:
                for masks in tracker.track(scene, range(length), seeds, JobContext()):
                    del masks
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

        peak(4)  # fills the caches
        assert peak(100) <= 1.1 * peak(10)
