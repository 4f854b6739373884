"""What becomes stale by an edit, and what does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from matting.pipeline.workspace import State, Workspace
from matting.project.project import Project


@pytest.fixture
def work(project: Path) -> Iterator[Workspace]:
    opened = Project.load(project)
    with opened.open_clip() as clip:
        yield Workspace.of(opened, clip)


class TestStates:
    def test_after_a_cut_everything_is_current(self, work: Workspace) -> None:
        assert {work.mask_state(chunk) for chunk in work.chunks} == {State.CURRENT}
        assert {work.alpha_state(chunk, i) for chunk in work.chunks for i in work.ids} == {State.CURRENT}

    def test_an_edited_prompt_makes_stale_and_undo_makes_current_again(self, work: Workspace) -> None:
        ann = work.document.instance(1)
        first = ann.prompts[0]
        edited = ann.with_prompt(first.model_copy(update={"points": (*first.points, (3.0, 3.0, 0))}))
        changed = work.with_document(work.document.with_instance(edited))
        assert changed.mask_state(work.chunks[0]) is State.STALE
        assert changed.alpha_state(work.chunks[0], 1) is State.STALE
        undone = changed.with_document(work.document)
        assert undone.mask_state(work.chunks[0]) is State.CURRENT

    def test_a_look_makes_nothing_stale(self, work: Workspace) -> None:
        from matting.compositing.looks import Remove

        ann = work.document.instance(1).model_copy(update={"look": Remove()})
        changed = work.with_document(work.document.with_instance(ann))
        assert changed.referenced() == work.referenced()


def test_alphas_never_exceed_one_in_stored_units(work: Workspace) -> None:
    for t in work.document.frames:
        assert np.sum([work.alpha(t, i).astype(int) for i in work.ids], axis=0).max() <= 255
