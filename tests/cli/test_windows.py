"""Matters that look around and carry something on: stopped and resumed, edited, and in folders without a project."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from figures_clip import FRAMES, HEIGHT, WIDTH, Run, centres

from matting.arrays import FloatArray
from matting.errors import Cancelled
from matting.frames import to_8_bit
from matting.inference.matter import Guided, Matted, Matter, Scope
from matting.job import JobContext
from matting.pipeline.matte import matte
from matting.pipeline.workspace import State, Workspace
from matting.project.document import Weights
from matting.project.masks import read_picture
from matting.project.project import Project


class Blocks(Matter):
    """A matte is the share of its block's frames that have the mask there."""

    name = "blocks/1"
    scope = Scope(block=6, most_instances=8)

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        block: list[Guided] = []
        for step in steps:
            block.append(step)
            if len(block) == self.scope.block:
                yield from self._finished(block)
                block = []
        yield from self._finished(block)

    def _finished(self, block: list[Guided]) -> Iterator[Matted]:
        for step in block:
            share = np.mean([other.masks for other in block], axis=0, dtype=np.float32)
            light = step.frame[..., 0] / np.float32(255)
            yield Matted(np.asarray(share / len(step.masks) * light, np.float32), None)


class Chain(Matter):
    """A matte is made of the frames before and after, and of what the matte before was."""

    name = "chain/1"
    scope = Scope(around=1, carries=True, most_instances=8)

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        window: list[Guided] = []
        last = carried
        for step in steps:
            window = [*window[-2:], step]
            if len(window) == 1:
                continue
            if len(window) == 2:
                yield self._first(window) if carried is None else Matted(carried[:], carried)
                last = self._first(window).carried if carried is None else carried
                continue
            assert last is not None
            last = self._mixed(window, last)
            yield Matted(last, last)
        assert last is not None
        yield Matted(self._mixed(window, last), last)

    def _first(self, window: list[Guided]) -> Matted:
        start = self._mixed(window, np.zeros(window[0].masks.shape, np.float32))
        return Matted(start, start)

    def _mixed(self, window: list[Guided], last: FloatArray) -> FloatArray:
        masks = np.mean([step.masks for step in window], axis=0, dtype=np.float32) / len(last)
        light = np.mean([step.frame[..., 1] for step in window], axis=0, dtype=np.float32) / np.float32(255)
        return np.asarray(masks * np.float32(0.3) * light + last * np.float32(0.7), np.float32)


class StopAt(JobContext):
    """Presses Stop after so many reports."""

    def __init__(self, reports: int) -> None:
        super().__init__()
        self.left = reports

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        self.left -= 1
        if self.left == 0:
            self.cancel()


class Seen:
    """Counts the frames that a matter is given."""

    def __init__(self, matter: Matter) -> None:
        self.name, self.scope, self.frames = matter.name, matter.scope, 0
        self._matter = matter

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        return self._matter.stream(self._counted(steps), carried)

    def _counted(self, steps: Iterable[Guided]) -> Iterator[Guided]:
        for step in steps:
            self.frames += 1
            yield step


@pytest.fixture(params=[Blocks, Chain], ids=["blocks", "chain"])
def seen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Seen:
    seen = Seen(request.param())
    monkeypatch.setattr("matting.pipeline.matte.open_matter", lambda *_: seen)
    monkeypatch.setattr("matting.pipeline.workspace.scope_of", lambda _: seen.scope)
    monkeypatch.setattr("matting.pipeline.workspace.matter_name", lambda _: seen.name)
    return seen


def tracked(clip: Path, prompts: Path, folder: Path, matteo: Run) -> Workspace:
    assert matteo("cut", clip, "--prompts", prompts, "--project", folder, "--matter", "none") == 0
    project = Project.load(folder)
    methods = project.document.methods.model_copy(update={"matter": "classical"})
    project.document = project.document.model_copy(update={"methods": methods})
    return Workspace.of(project, project.open_clip())


def alphas(work: Workspace) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.stack([[work.alpha(t, i) for i in work.ids] for t in work.document.frames])


@pytest.fixture
def work(clip: Path, prompts: Path, tmp_path: Path, matteo: Run) -> Iterator[Workspace]:
    made = tracked(clip, prompts, tmp_path / "whole.matteo", matteo)
    with made.clip:
        yield made


def test_a_stopped_run_goes_on_to_the_same_bits(
    work: Workspace, seen: Seen, clip: Path, prompts: Path, tmp_path: Path, matteo: Run
) -> None:
    matte(work, JobContext())
    whole = alphas(work)
    assert whole.max() > 30
    assert seen.frames == FRAMES
    other = tracked(clip, prompts, tmp_path / "stopped.matteo", matteo)
    with other.clip:
        for reports in (10, 11):  # in the second chunk, and in the third
            with pytest.raises(Cancelled):
                matte(other, StopAt(reports))
        seen.frames = 0
        matte(other, JobContext())
        np.testing.assert_array_equal(alphas(other), whole)
        # Resumed at the third chunk, with as much before it as the matter needs.
        assert seen.frames == (FRAMES - 12 if seen.scope.block == 6 else FRAMES - 15)


def test_a_late_edit_leaves_what_lies_before_it(work: Workspace, seen: Seen) -> None:
    matte(work, JobContext())
    first, _, last = work.chunks
    ben = work.document.instance(2)
    edited = ben.with_prompt(ben.prompts[-1].model_copy(update={"points": (), "box": (80, 20, 120, 60)}))
    changed = work.with_document(work.document.with_instance(edited))
    assert changed.alpha_state(last, 1) is State.STALE
    from matting.pipeline.cut import track

    track(changed, JobContext())
    presences = changed.presences(first)
    assert presences is not None
    if presences == work.presences(first):  # then not even its masks changed
        assert changed.alpha_state(first, 1) is State.CURRENT
    assert changed.alpha_state(last, 1) is State.STALE  # although only the other one was edited
    seen.frames = 0
    matte(changed, JobContext())
    assert changed.alpha_state(last, 1) is State.CURRENT
    assert {work.alpha_state(chunk, i) for chunk in work.chunks for i in work.ids} == {State.CURRENT}


def test_nothing_that_is_needed_is_pruned(work: Workspace, seen: Seen) -> None:
    matte(work, JobContext())
    before = alphas(work)
    work.store.prune(work.referenced())
    np.testing.assert_array_equal(alphas(work), before)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matting.pipeline.matte.open_matter", lambda *_: pytest.fail("everything was there"))
        matte(work, JobContext())


def test_a_gap_in_the_masks_begins_a_new_span(clip: Path, tmp_path: Path, seen: Seen) -> None:
    from matting.media import open_clip
    from matting.pipeline.folders import matte_folder

    masks = tmp_path / "masks"
    masks.mkdir()
    given = [*range(7), *range(12, 16)]
    for t in given:
        picture = np.zeros((72, 128), np.uint8)
        for place, (x, y) in enumerate(centres(t)):
            cv2.ellipse(picture, (x, y), (10, 18), 0, 0, 360, place + 1, -1)
        cv2.imwrite(str(masks / f"{t:05d}.png"), picture)
    with open_clip(clip) as footage:
        matte_folder(footage, masks, tmp_path / "out", seen, False, JobContext())  # type: ignore[arg-type]
        written = [read_picture(tmp_path / "out" / "1" / f"{t:05d}.png") for t in given]
        steps = []
        for t in given[7:]:
            index = read_picture(masks / f"{t:05d}.png")
            steps.append(Guided(to_8_bit(footage.frame(t)), np.stack([index == 1, index == 2])))
    alone = [matted.alphas[0] for matted in seen.stream(steps)]
    for stored, alpha in zip(written[7:], alone, strict=True):
        np.testing.assert_allclose(stored, alpha * 255, atol=1.01)


def test_more_than_a_matter_takes_at_once_still_add_up_to_one(
    work: Workspace, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "scope", replace(seen.scope, most_instances=1))
    matte(work, JobContext())
    both = alphas(work)
    assert all(both[:, place].any() for place in (0, 1))
    assert both.sum(axis=1, dtype=int).max() <= 255
    assert seen.frames == 2 * FRAMES  # each by itself
    with monkeypatch.context() as patch:
        patch.setattr("matting.pipeline.matte.open_matter", lambda *_: pytest.fail("everything was there"))
        matte(work, JobContext())


def test_cropped_it_sees_only_where_somebody_is(work: Workspace, seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matting.pipeline.parties.MARGIN_PX", 0)
    matte(work, JobContext())
    whole = alphas(work)
    weights = Weights(path="w.pth", kind="msg-vim", fingerprint="0", crop=True)
    methods = work.document.methods.model_copy(update={"weights": weights})
    cropped = work.with_document(work.document.model_copy(update={"methods": methods}))
    x0, y0, x1, y1 = cropped.region(cropped.shots[0], cropped.ids)
    assert (x1 - x0) * (y1 - y0) < WIDTH * HEIGHT
    assert cropped.alpha_state(work.chunks[0], 1) is State.STALE
    matte(cropped, JobContext())
    # These matters look at each pixel by itself, so that cropping changes nothing but what is seen.
    np.testing.assert_array_equal(alphas(cropped), whole)
