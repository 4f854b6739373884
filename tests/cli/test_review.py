"""Places to look at: found after tracking, kept, told on the command line, and settled by the artist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from figures_clip import HEIGHT, WIDTH, Run, centres, prompts_for

from matting.errors import ProjectError
from matting.frames import FrameSource
from matting.job import JobContext
from matting.pipeline import cut, review, settling, workspace
from matting.pipeline.approve import approve
from matting.pipeline.workspace import REVIEW, Workspace
from matting.project.document import Document, Prompt
from matting.project.masks import read_picture
from matting.project.project import Project
from matting.tracking.seeds import Seeds
from matting.tracking.tracker import FrameMasks
from matting.tracking.trail import Trail

ANN, BEN = 1, 2
GIVEN, LAST = (0, 8, 11), 11
"""Until frame 11 the figures do not meet."""
WRONG_AT, GONE_TO = 5, (0, -30)


class Slipping:
    """Knows where the figures are but on one frame, where ann's mask has slipped off her."""

    name = "slipping/1"
    joint = False

    def track(
        self, clip: FrameSource, span: range, seeds: Seeds, ctx: JobContext, trail: Trail | None = None
    ) -> Iterator[FrameMasks]:
        for t in span:
            masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
            for place, (x, y) in enumerate(centres(t)):
                dx, dy = GONE_TO if place == 0 and t == WRONG_AT else (0, 0)
                cv2.ellipse(masks[place], (x + dx, y + dy), (10, 18), 0, 0, 360, 1, -1)
            masks[0][masks[1] > 0] = 0
            yield FrameMasks(t, (ANN, BEN), masks > 0, np.array([0.9, 0.8], np.float32))


@pytest.fixture
def cut_it(clip: Path, tmp_path: Path, matteo: Run) -> Callable[[], Path]:
    def cut_it() -> Path:
        prompts, folder = tmp_path / "prompts.json", tmp_path / "shot.matteo"
        prompts.write_text(json.dumps(prompts_for(GIVEN)))
        options = ("--prompts", prompts, "--project", folder, "--matter", "none", "--frames", f"0-{LAST}")
        assert matteo("cut", clip, *options) == 0
        return folder

    return cut_it


@pytest.fixture
def slipping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cut, "open_tracker", lambda *_: Slipping())
    monkeypatch.setattr(workspace, "tracker_name", lambda _: Slipping.name)


@pytest.fixture
def work(slipping: None, cut_it: Callable[[], Path]) -> Iterator[Workspace]:
    opened = Project.load(cut_it())
    with opened.open_clip() as footage:
        yield Workspace.of(opened, footage)


def places(work: Workspace) -> list[tuple[int, str]]:
    return [(flag.instance_id, flag.span) for flag in review.queue(work).flags]


def kept(work: Workspace) -> dict[int, str]:
    """What was measured so far: first frame of the chunk → key."""
    return {c.start: work.review_key(c) for c in work.chunks if work.store.has(REVIEW, c.start, work.review_key(c))}


def reviewed(work: Workspace) -> Workspace:
    cut.track(work, JobContext())
    review.review(work, JobContext())
    return work


@pytest.mark.usefixtures("slipping")
def test_cut_ends_with_the_places_to_look_at(cut_it: Callable[[], Path], capsys: pytest.CaptureFixture[str]) -> None:
    cut_it()
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("review: 1 place (ann 5 ")


def test_review_lists_them(work: Workspace, matteo: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert matteo("review", work.folder, "--json", tmp_path / "places.json") == 0
    assert capsys.readouterr().out.startswith("5: ann ")
    found = json.loads((tmp_path / "places.json").read_text())
    assert [(f["instance_id"], f["first"], f["last"], f["worst"]) for f in found["flags"]] == [(ANN, 5, 5, 5)]
    assert found["flags"][0]["confidence"] < 0.5
    assert found["swaps"] == []


def test_a_clip_that_is_tracked_well_has_none(
    cut_it: Callable[[], Path], matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matteo("review", cut_it()) == 0
    assert "nothing to look at" in capsys.readouterr().out


def test_nothing_is_measured_twice(work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(kept(work)) == [0, 8]
    assert not review.needs_review(work)
    monkeypatch.setattr(review, "measure", lambda *_: pytest.fail("measured again"))
    review.review(work, JobContext())


def test_it_goes_on_where_it_was_stopped(work: Workspace) -> None:
    before = [(flag, flag.confidence) for flag in review.queue(work).flags]
    work.store.prune(entry for entry in work.referenced() if entry[:2] != (REVIEW, 8))
    assert list(kept(work)) == [0]
    assert review.needs_review(work)
    review.review(work, JobContext())
    assert [(flag, flag.confidence) for flag in review.queue(work).flags] == before


def test_a_prompt_makes_only_what_follows_from_it_stale(work: Workspace) -> None:
    before = kept(work)
    x, y = centres(10)[1]
    later = work.document.instance(BEN).with_prompt(Prompt(frame=10, points=((float(x), float(y), 1),)))
    after = reviewed(work.with_document(work.document.with_instance(later)))
    assert kept(after)[0] == before[0], "the next prompt is still the one on frame 8"
    assert kept(after)[8] != before[8]
    assert kept(work) == before, "and going back finds the old ones again"


def test_how_somebody_looked_before_they_left_counts(work: Workspace) -> None:
    def key(prompt: Prompt) -> str:
        ann = work.document.instance(ANN).with_prompt(Prompt(frame=5)).with_prompt(prompt)
        return kept(reviewed(work.with_document(work.document.with_instance(ann))))[8]

    x, y = (float(side) for side in centres(0)[0])
    one, other = (Prompt(frame=0, points=((x, y + step, 1),)) for step in (0, 1))
    assert key(one) == key(one)
    assert key(one) != key(other), "she is said not to be here on frame 5, but is looked for by how she was on frame 0"


def test_given_and_approved_frames_are_never_flagged(work: Workspace) -> None:
    assert places(work) == [(ANN, "5")]
    x, y = centres(WRONG_AT)[0]
    prompt = Prompt(frame=WRONG_AT, points=((float(x), float(y), 1),), box=(x - 12, y - 20, x + 12, y + 20))
    document = work.document.with_instance(work.document.instance(ANN).with_prompt(prompt))
    assert places(reviewed(work.with_document(document))) == []


def right(work: Workspace) -> Document:
    """The document in which ann is right on frame 5."""
    ann = work.document.instance(ANN)
    return work.document.with_instance(ann.with_dismissal(settling.dismissal(work, ANN, range(5, 6))))


class TestLooksRight:
    def test_it_leaves_the_queue(self, work: Workspace) -> None:
        settled = right(work)
        assert places(work.with_document(settled)) == []
        assert places(work) == [(ANN, "5")], "the document before is as it was"

    def test_only_for_as_long_as_the_masks_stay(self, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        settled = work.with_document(right(work))
        monkeypatch.setattr(Slipping, "name", "slipping/2")
        monkeypatch.setattr("test_review.GONE_TO", (0, -31))
        again = reviewed(settled.with_document(settled.document))
        assert places(again) == [(ANN, "5")]

    def test_it_survives_being_saved(self, work: Workspace) -> None:
        Project(work.folder, right(work)).save()
        assert places(work.with_document(Project.load(work.folder).document)) == []

    def test_what_is_not_tracked_cannot_be_right(self, work: Workspace) -> None:
        work.store.prune([])
        fresh = work.with_document(work.document)
        with pytest.raises(ProjectError, match="ann is not tracked in the frames 5-5"):
            settling.dismissal(fresh, ANN, range(5, 6))


class TestSwapFromHere:
    def test_each_gets_the_others_mask_as_a_prompt(self, work: Workspace) -> None:
        ann, ben = settling.swapped(work, ANN, BEN, 9)
        assert (ann.frame, ben.frame) == (9, 9)
        for prompt, whose in ((ann, BEN), (ben, ANN)):
            assert prompt.mask is not None
            kept_mask = read_picture(work.folder / "prompts" / prompt.mask) > 0
            np.testing.assert_array_equal(kept_mask, work.masks(9)[work.ids.index(whose)])

    def test_only_frames_up_to_the_next_prompts_follow_from_it(
        self, cut_it: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = Project.load(cut_it())
        with opened.open_clip() as clip:
            before = Workspace.of(opened, clip)
            document = before.document
            for instance_id, prompt in zip((ANN, BEN), settling.swapped(before, ANN, BEN, 3), strict=True):
                document = document.with_instance(document.instance(instance_id).with_prompt(prompt))
            after = before.with_document(document)
            cut.track(after, JobContext())
            np.testing.assert_array_equal(after.masks(3), before.masks(3)[::-1])
            assert (after.masks(4)[0] & before.masks(4)[1]).sum() > 0.6 * before.masks(4)[1].sum()
            for t in range(8, LAST + 1):
                np.testing.assert_array_equal(after.masks(t), before.masks(t))

    def test_who_is_nowhere_is_said_not_to_be_here(self, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        gone = work.index_picture(9)
        assert gone is not None
        monkeypatch.setattr(Workspace, "index_picture", lambda self, frame: np.where(gone == ANN, 0, gone))
        ann, ben = settling.swapped(work, ANN, BEN, 9)
        assert ann.mask is not None
        assert ben.absent

    def test_approved_or_untracked_frames_are_refused(self, work: Workspace) -> None:
        lock = approve(work, BEN, range(8, 11), JobContext())
        locked = work.with_document(work.document.with_instance(work.document.instance(BEN).with_lock(lock)))
        with pytest.raises(ProjectError, match="ben is locked on frames 8 to 10"):
            settling.swapped(locked, ANN, BEN, 9)
        with pytest.raises(ProjectError, match="Frame 15 is not tracked yet"):
            settling.swapped(work, ANN, BEN, 15)
