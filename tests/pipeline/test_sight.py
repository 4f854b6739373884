"""What the pipeline shows a seeder of a frame."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from matting.media import Clip, open_clip
from matting.pipeline.sight import sight_of
from matting.pipeline.workspace import Workspace
from matting.project.document import Instance, Prompt
from matting.project.project import Project


@pytest.fixture
def clip(tmp_path: Path) -> Iterator[Clip]:
    folder = tmp_path / "grey"
    folder.mkdir()
    for t in range(20):
        cv2.imwrite(str(folder / f"g{t:02d}.png"), np.full((30, 40, 3), 10 * t, np.uint8))
    with open_clip(folder) as opened:
        yield opened


def workspace(clip: Clip, folder: Path) -> Workspace:
    project = Project.create(folder / "p.matteo", clip.info)
    instance = Instance(id=1, name="ann", prompts=(Prompt(frame=10, points=((5, 5, 1),)),))
    project.document = project.document.model_copy(update={"instances": (instance,)})
    return Workspace.of(project, clip)


def test_the_neighbours_are_those_of_the_clip_in_order(clip: Clip, tmp_path: Path) -> None:
    sight = sight_of(workspace(clip, tmp_path), 10)
    assert (sight.picture == 100).all()
    assert [(n.distance, int(n.picture[0, 0, 0])) for n in sight.neighbours] == [(-6, 40), (-2, 80), (2, 120), (6, 160)]


def test_no_neighbour_lies_beyond_a_cut_and_the_seed_is_another_one(clip: Clip, tmp_path: Path) -> None:
    whole = workspace(clip, tmp_path)
    cut = whole.with_document(whole.document.model_copy(update={"cuts": (9, 13)}))
    assert [n.distance for n in sight_of(cut, 10).neighbours] == [2]
    assert cut.seed_key(10) != whole.seed_key(10)
    far = whole.with_document(whole.document.model_copy(update={"cuts": (1, 19)}))
    assert far.seed_key(10) == whole.seed_key(10)


def test_a_frame_that_was_clicked_on_is_not_read_again(
    clip: Clip, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = workspace(clip, tmp_path)
    first = sight_of(work, 11)
    monkeypatch.setattr(type(clip), "frame", None)
    assert sight_of(work, 11) is first
