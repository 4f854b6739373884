"""Places to look at: found after tracking, kept, told on the command line, and settled by the artist."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from figures_clip import HEIGHT, WIDTH, Run, centres, prompts_for

from matting.frames import FrameSource
from matting.job import JobContext
from matting.pipeline import cut, review, workspace
from matting.pipeline.workspace import REVIEW, Workspace
from matting.project.document import Prompt
from matting.project.project import Project
from matting.tracking.seeds import Seeds
from matting.tracking.tracker import FrameMasks

ANN, BEN = 1, 2
GIVEN, LAST = (0, 8, 11), 11
"""Until frame 11 the figures do not meet."""
WRONG_AT, GONE_TO = 5, (0, -30)


class Slipping:
    """Knows where the figures are but on one frame, where ann's mask has slipped off her."""

    name = "slipping/1"

    def track(self, clip: FrameSource, span: range, seeds: Seeds, ctx: JobContext) -> Iterator[FrameMasks]:
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
    for module in (cut, workspace):
        monkeypatch.setattr(module, "tracker_named", lambda name: Slipping())


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


def test_given_and_approved_frames_are_never_flagged(work: Workspace) -> None:
    assert places(work) == [(ANN, "5")]
    x, y = centres(WRONG_AT)[0]
    prompt = Prompt(frame=WRONG_AT, points=((float(x), float(y), 1),), box=(x - 12, y - 20, x + 12, y + 20))
    document = work.document.with_instance(work.document.instance(ANN).with_prompt(prompt))
    assert places(reviewed(work.with_document(document))) == []


class TestLooksRight:
    def test_it_leaves_the_queue(self, work: Workspace) -> None:
        settled = review.dismissed(work, [ANN], range(5, 6))
        assert places(work.with_document(settled)) == []
        assert places(work) == [(ANN, "5")], "the document before is as it was"

    def test_only_for_as_long_as_the_masks_stay(self, work: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
        settled = work.with_document(review.dismissed(work, [ANN], range(5, 6)))
        monkeypatch.setattr(Slipping, "name", "slipping/2")
        monkeypatch.setattr("test_review.GONE_TO", (0, -31))
        again = reviewed(settled.with_document(settled.document))
        assert places(again) == [(ANN, "5")]

    def test_it_survives_being_saved(self, work: Workspace) -> None:
        Project(work.folder, review.dismissed(work, [ANN], range(5, 6))).save()
        assert places(work.with_document(Project.load(work.folder).document)) == []
