"""Approved spans: kept whatever else changes, feeding the frames beside them, and changing nothing by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from figures_clip import Run

from matting.errors import ProjectError
from matting.job import JobContext
from matting.pipeline.approve import approve
from matting.pipeline.cut import cut, track
from matting.pipeline.workspace import MASKS, State, Workspace
from matting.project.document import Document, Instance, Lock, Prompt
from matting.project.project import Project

ANN, BEN = 1, 2


@pytest.fixture
def work(project: Path) -> Iterator[Workspace]:
    opened = Project.load(project)
    with opened.open_clip() as clip:
        yield Workspace.of(opened, clip)


def locked(work: Workspace, frames: range, who: int = ANN) -> Workspace:
    lock = approve(work, who, frames, JobContext())
    return work.with_document(work.document.with_instance(work.document.instance(who).with_lock(lock)))


def prompted(work: Workspace, prompt: Prompt, who: int = ANN) -> Workspace:
    return work.with_document(work.document.with_instance(work.document.instance(who).with_prompt(prompt)))


def masks(work: Workspace, who: int = ANN) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.stack([work.masks(t)[work.ids.index(who)] for t in work.document.frames])


def alphas(work: Workspace, who: int = ANN) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.stack([work.alpha(t, who) for t in work.document.frames])


ELSEWHERE = Prompt(frame=0, points=((70.0, 8.0, 1),), box=(60.0, 2.0, 80.0, 14.0))
"""Ann's first prompt moved to the background."""


class TestApproving:
    def test_makes_nothing_stale(self, work: Workspace) -> None:
        after = locked(work, range(5, 13))
        assert {after.mask_state(chunk) for chunk in after.chunks} == {State.CURRENT}
        assert {after.alpha_state(chunk, i) for chunk in after.chunks for i in after.ids} == {State.CURRENT}
        for who in (ANN, BEN):
            np.testing.assert_array_equal(masks(after, who), masks(work, who))
            np.testing.assert_array_equal(alphas(after, who), alphas(work, who))

    def test_frames_that_were_never_tracked_are_refused(self, work: Workspace) -> None:
        work.store.prune([])
        with pytest.raises(ProjectError, match="Frame 6 of ann is not tracked yet"):
            approve(work, ANN, range(6, 9), JobContext())

    def test_a_span_that_it_touches_becomes_part_of_it(self, work: Workspace) -> None:
        after = locked(locked(work, range(4, 9)), range(8, 12))
        assert [lock.frames for lock in after.document.instance(ANN).locks] == [range(4, 12)]

    def test_stale_masks_can_be_approved_as_they_are_shown(self, work: Workspace) -> None:
        before = masks(work)
        after = locked(prompted(work, ELSEWHERE), range(2, 6))
        track(after, JobContext())
        np.testing.assert_array_equal(masks(after)[2:6], before[2:6])


class TestAfterAChange:
    def test_approved_frames_are_as_they_were_and_the_others_follow(self, work: Workspace) -> None:
        before, before_alphas = masks(work), alphas(work)
        after = prompted(locked(work, range(5, 13)), ELSEWHERE)
        cut(after, JobContext())
        np.testing.assert_array_equal(masks(after)[5:13], before[5:13])
        np.testing.assert_array_equal(alphas(after)[5:13], before_alphas[5:13])
        assert not (masks(after)[0] & before[0]).any()

    def test_they_feed_both_sides(self, work: Workspace) -> None:
        # Without the lock the bad prompt on the first frame would spoil the frames up to the next prompt, the 19th.
        before = masks(work)
        bad = prompted(work, ELSEWHERE)
        after = prompted(locked(work, range(8, 11)), ELSEWHERE)
        track(bad, JobContext())
        track(after, JobContext())

        def overlap(workspace: Workspace, frame: int) -> float:
            found = masks(workspace)[frame]
            return float((found & before[frame]).sum() / (found | before[frame]).sum())

        assert overlap(bad, 7) < 0.1
        assert overlap(bad, 11) < 0.5
        assert overlap(after, 7) > 0.9
        assert overlap(after, 11) > 0.8

    def test_a_correction_reaches_no_further_than_the_lock(self, work: Workspace) -> None:
        after = locked(work, range(8, 16))
        left = prompted(after, Prompt(frame=4, points=((28.0, 34.0, 1),)))
        assert [left.mask_state(chunk) for chunk in left.chunks] == [State.STALE, State.CURRENT, State.CURRENT]
        right = prompted(after, Prompt(frame=18, points=((56.0, 34.0, 1),)))
        assert [right.mask_state(chunk) for chunk in right.chunks] == [State.CURRENT, State.CURRENT, State.STALE]

    def test_nobody_takes_what_is_approved_for_another(self, work: Workspace) -> None:
        after = locked(work, range(0, 20))
        spot = masks(after)[4]
        y, x = (int(v) for v in np.argwhere(spot).mean(axis=0))
        greedy = prompted(after, Prompt(frame=4, points=((x, y, 1),)), BEN)
        cut(greedy, JobContext())
        np.testing.assert_array_equal(masks(greedy)[4], spot)
        assert not (masks(greedy, BEN)[4] & spot).any()
        total = sum(alphas(greedy, who).astype(int) for who in (ANN, BEN))
        assert np.max(total) <= 255
        np.testing.assert_array_equal(alphas(greedy), alphas(after))

    def test_where_everybody_is_approved_nothing_is_tracked(
        self, work: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both = locked(locked(work, range(0, 20)), range(0, 20), BEN)
        changed = prompted(both, ELSEWHERE)
        monkeypatch.setattr("matting.tracking.flow.FlowTracker.track", lambda *_: pytest.fail("tracked"))
        track(changed, JobContext())
        assert {changed.mask_state(chunk) for chunk in changed.chunks} == {State.CURRENT}
        np.testing.assert_array_equal(masks(changed), masks(both))

    def test_unlocked_it_is_as_if_it_had_never_been(self, work: Workspace) -> None:
        after = prompted(locked(work, range(5, 13)), ELSEWHERE)
        never = prompted(work, ELSEWHERE)
        unlocked = after.with_document(
            after.document.with_instance(after.document.instance(ANN).without_lock(7))
        )  # fmt: skip
        assert [unlocked.mask_key(c) for c in unlocked.chunks] == [never.mask_key(c) for c in never.chunks]


def test_approved_masks_outlive_the_store(work: Workspace) -> None:
    after = locked(work, range(5, 13))
    before = masks(after)[5:13]
    after.store.prune([])
    assert not after.store.has(MASKS, 0, after.mask_key(after.chunks[0]))
    for frame in range(5, 13):
        picture = after.index_picture(frame)
        assert picture is not None
        np.testing.assert_array_equal(picture == ANN, before[frame - 5])


def test_a_lock_whose_masks_are_gone_says_what_to_do(work: Workspace) -> None:
    after = locked(work, range(5, 13))
    after.approved.store.prune([])
    after.store.prune([])
    with pytest.raises(ProjectError, match="unlock the frames 5-12"):
        after.index_picture(6)


class TestDocument:
    def test_locks_must_be_apart(self) -> None:
        with pytest.raises(ValueError, match="must not overlap"):
            Instance(id=1, name="a", locks=(Lock(first=0, last=4, masks="a"), Lock(first=4, last=6, masks="b")))

    def test_older_documents_have_none(self, work: Workspace) -> None:
        text = work.document.model_dump_json(exclude={"instances": {"__all__": {"locks"}}})
        assert Document.model_validate_json(text) == work.document


class TestCommand:
    def test_locks_and_unlocks(self, project: Path, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert matteo("lock", project, "--instance", "ann", "--frames", "5-12") == 0
        assert "ann: locked 5-12" in capsys.readouterr().out
        assert [lock.frames for lock in Project.load(project).document.instance(ANN).locks] == [range(5, 13)]
        assert matteo("lock", project, "--instance", "ann", "--frames", "7-7", "--undo") == 0
        assert "ann: locked nowhere" in capsys.readouterr().out

    def test_prompts_given_anew_leave_the_lock_alone(
        self, project: Path, clip: Path, prompts: Path, matteo: Run, work: Workspace
    ) -> None:
        before = masks(work)
        assert matteo("lock", project, "--instance", "ann", "--frames", "5-12") == 0
        given = json.loads(prompts.read_text())
        given["instances"][0]["prompts"][0] = ELSEWHERE.model_dump(exclude={"mask", "drawn"})
        prompts.write_text(json.dumps(given))
        assert matteo("cut", clip, "--prompts", prompts, "--project", project) == 0
        after = masks(work.with_document(Project.load(project).document))
        np.testing.assert_array_equal(after[5:13], before[5:13])
        assert (after[2] != before[2]).any()
