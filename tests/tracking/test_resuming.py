"""Tracks that are stopped again and again go on where they were and give the same as ones that were not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from moving_shapes import Disc, Pictures, Scene
from test_tracker_contract import Seeds, StopsAfter

from matting.errors import Cancelled, OutputError
from matting.job import JobContext
from matting.tracking import trail as trails
from matting.tracking.flow import FlowTracker
from matting.tracking.tracker import FrameMasks, Tracker
from matting.tracking.trail import Trail
from matting.tracking.waypoint import read_state, write_state

LENGTH = 14
# The second disc goes behind the first one, where it is lost.
SCENE = Scene((Disc(9, (100, 40), (-1, 0), (60, 90, 190)), Disc(14, (40, 40), (3.5, 0.5), (190, 70, 60))), LENGTH)
LEAVING = Scene((Disc(9, (20, 30), (-4, 0), (60, 90, 190)), Disc(14, (80, 40), (0, 0.5), (190, 70, 60))), LENGTH)
EMPTY = np.zeros(SCENE.size_hw, bool)
BOTH = {t: SCENE.seen(t) for t in range(LENGTH)}

CASES: dict[str, tuple[Scene, range, Seeds]] = {
    "forward": (SCENE, range(LENGTH), {0: BOTH[0]}),
    "backward": (SCENE, range(LENGTH), {LENGTH - 1: BOTH[LENGTH - 1]}),
    "both ways from the middle": (SCENE, range(LENGTH), {6: BOTH[6]}),
    "turns": (SCENE, range(LENGTH), {0: BOTH[0], 5: BOTH[5], 6: BOTH[6], 11: BOTH[11]}),
    "prompts between": (SCENE, range(LENGTH), {0: BOTH[0], 4: {2: BOTH[4][2]}, 9: {1: BOTH[9][1]}, 13: BOTH[13]}),
    "somebody appears later": (SCENE, range(2, LENGTH), {3: {5: BOTH[3][1]}, 7: {2: BOTH[7][2], 5: BOTH[7][1]}}),
    "absent and there": (SCENE, range(LENGTH), {0: {1: EMPTY, 2: BOTH[0][2]}, 5: {1: BOTH[5][1]}, 10: {1: EMPTY}}),
    "somebody leaves": (LEAVING, range(LENGTH), {0: LEAVING.seen(0)}),
    "all given": (SCENE, range(3, 9), BOTH),
    "nobody anywhere": (SCENE, range(LENGTH), {2: {1: EMPTY}, 9: {1: EMPTY}}),
    "a part": (SCENE, range(4, 8), {1: BOTH[1], 10: BOTH[10]}),
}  # fmt: skip


def whole(tracker: Tracker, clip: Pictures, span: range, seeds: Seeds) -> dict[int, FrameMasks]:
    return {found.index: found for found in tracker.track(clip, span, seeds, JobContext())}


def gone_on(
    tracker: Tracker, clip: Pictures, span: range, seeds: Seeds, folder: Path, reports: int, key: str = ""
) -> tuple[dict[int, FrameMasks], bool]:
    """What one run gives, and whether it came to the end; it is stopped after some reports."""
    found: dict[int, FrameMasks] = {}
    try:
        with Trail(folder, key) as trail:
            for masks in tracker.track(clip, span, seeds, StopsAfter(reports), trail):
                assert masks.index not in found, "each frame exactly once"
                found[masks.index] = masks
    except Cancelled:
        return found, False
    return found, True


def assert_same(found: Mapping[int, FrameMasks], expected: Mapping[int, FrameMasks]) -> None:
    assert sorted(found) == sorted(expected)
    for index, masks in expected.items():
        assert found[index].ids == masks.ids
        assert found[index].masks.dtype == bool
        assert found[index].masks.tobytes() == masks.masks.tobytes(), index
        assert masks.certainty is not None
        assert np.asarray(found[index].certainty).tobytes() == masks.certainty.tobytes(), index


@pytest.mark.parametrize(("every", "reports"), [(1, 7), (3, 10)])
@pytest.mark.parametrize("case", CASES)
def test_stopped_again_and_again(
    tracker: Tracker, case: str, every: int, reports: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trails, "EVERY_FRAMES", every)
    scene, span, seeds = CASES[case]
    expected = whole(tracker, scene, span, seeds)
    before: set[int] = set()
    for run in range(4 * LENGTH):
        clip = Pictures(scene.pictures())
        found, finished = gone_on(tracker, clip, span, seeds, tmp_path / "trail", reports)
        if finished:
            break
        assert (tmp_path / "trail").is_dir()
        assert len(clip.asked - set(seeds)) <= reports + 1, "what is behind is not looked at again"
        lost = before - set(found)
        assert len(lost) <= every, f"run {run} has lost more than lies between two waypoints"
        before = set(found)
    assert finished
    assert_same(found, expected)
    assert not (tmp_path / "trail").exists()


@pytest.mark.parametrize("case", ["turns", "somebody leaves"])
def test_whoever_asks_may_stop_asking_at_any_frame(
    tracker: Tracker, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trails, "EVERY_FRAMES", 2)
    scene, span, seeds = CASES[case]
    expected = whole(tracker, scene, span, seeds)
    for frames in range(1, LENGTH):
        with suppress(GeneratorExit), Trail(tmp_path / "trail") as trail:
            asking = tracker.track(scene, span, seeds, JobContext(), trail)
            found = {masks.index: masks for masks in islice(asking, frames)}
            raise GeneratorExit
        assert_same(found, {index: expected[index] for index in found})
    last, finished = gone_on(tracker, scene, span, seeds, tmp_path / "trail", 1000)
    assert finished
    assert_same(last, expected)


@pytest.mark.parametrize("reports", [6, 20, 27])
def test_a_long_way_is_not_gone_again(
    tracker: Tracker, reports: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped on the way there, at the turn, and on the way back: only what is missing is looked at."""
    monkeypatch.setattr(trails, "EVERY_FRAMES", 4)
    seeds = {0: BOTH[0], LENGTH - 1: BOTH[LENGTH - 1]}
    uninterrupted = StopsAfter(10**6)
    expected = {f.index: f for f in tracker.track(SCENE, range(LENGTH), seeds, uninterrupted)}
    gone_on(tracker, SCENE, range(LENGTH), seeds, tmp_path / "trail", reports)
    clip, rest = Pictures(SCENE.pictures()), StopsAfter(10**6)
    with Trail(tmp_path / "trail") as trail:
        found = {f.index: f for f in tracker.track(clip, range(LENGTH), seeds, rest, trail)}
    assert_same(found, expected)
    assert len(clip.asked - set(seeds)) <= max(0, LENGTH - reports) + 4
    missing = len(uninterrupted.fractions) - reports
    assert len(rest.fractions) <= missing + 4 + len(seeds), "at most what lies between two waypoints, and the seeds"


def damaged(path: Path, place: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(place * (len(content) - 1))] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("file", ["waypoint", "spill", "found"])
@pytest.mark.parametrize("place", [0.0, 0.1, 0.6, None], ids=str)
def test_what_is_damaged_is_not_gone_on_from(file: str, place: float | None, tmp_path: Path) -> None:
    tracker, seeds, folder = FlowTracker(), {0: BOTH[0], 4: BOTH[4], 13: BOTH[13]}, tmp_path / "trail"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trails, "EVERY_FRAMES", 1)
        gone_on(tracker, SCENE, range(LENGTH), seeds, folder, 21)
        assert (folder / file).stat().st_size > 100
        if place is None:
            (folder / file).unlink()
        else:
            damaged(folder / file, place)
        clip = Pictures(SCENE.pictures())
        found, finished = gone_on(tracker, clip, range(LENGTH), seeds, folder, 1000)
    assert finished
    assert clip.asked == set(range(LENGTH)), "from the start"
    assert_same(found, whole(tracker, SCENE, range(LENGTH), seeds))


def test_another_tracks_trail_is_not_gone_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "EVERY_FRAMES", 2)
    tracker, folder = FlowTracker(), tmp_path / "trail"
    gone_on(tracker, SCENE, range(LENGTH), {0: BOTH[0]}, folder, 8, "one")
    other = {0: {1: BOTH[0][2]}}
    found, _ = gone_on(tracker, SCENE, range(LENGTH), other, folder, 8, "other")
    assert len(found) == 7, "what the first one found is not taken for its own"
    monkeypatch.setattr(FlowTracker, "name", "flow/0")
    clip = Pictures(SCENE.pictures())
    found, finished = gone_on(FlowTracker(), clip, range(LENGTH), other, folder, 1000, "other")
    assert finished
    assert 0 in clip.asked, "nor what another version found"
    assert_same(found, whole(tracker, SCENE, range(LENGTH), other))


def test_two_at_once_leave_each_other_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "EVERY_FRAMES", 1)
    tracker, seeds = FlowTracker(), {0: BOTH[0], 13: BOTH[13]}
    expected = whole(tracker, SCENE, range(LENGTH), seeds)
    with Trail(tmp_path / "trail") as first:
        one = tracker.track(SCENE, range(LENGTH), seeds, JobContext(), first)
        found = [next(one), next(one)]
        other, finished = gone_on(tracker, SCENE, range(LENGTH), seeds, tmp_path / "trail", 1000)
        assert finished
        found += list(one)
    assert_same(other, expected)
    assert_same({masks.index: masks for masks in found}, expected)
    assert not (tmp_path / "trail").exists()


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trails, "EVERY_FRAMES", 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with Trail(tmp_path / "trail") as trail, pytest.raises(OutputError, match="No space left on device"):
        list(FlowTracker().track(SCENE, range(LENGTH), {0: BOTH[0]}, JobContext(), trail))


def test_states_come_back_as_they_were(tmp_path: Path) -> None:
    state = {
        "list": [1, 0.1, "é", None, True, np.arange(3, dtype=np.float16)],
        "deep": {"none": np.zeros((0, 2), np.uint8), "one": np.asarray(2.5), "big": 2**100},
    }
    write_state(tmp_path / "state", state)
    back = read_state(tmp_path / "state")
    assert back is not None
    assert json.dumps(back, default=lambda a: [a.dtype.str, a.tolist()]) == json.dumps(
        state, default=lambda a: [a.dtype.str, a.tolist()]
    )
    assert back["deep"]["none"].shape == (0, 2)


def test_nothing_that_could_run_is_read(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_state(tmp_path / "state", {"object": object()})
    with pytest.raises(ValueError, match="allow_pickle"):
        write_state(tmp_path / "state", {"objects": np.asarray([object()], object)})
