"""Somebody the tracker loses is found again, named on the command line, and followed once the artist says yes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from figures_clip import Run
from people_walking import ANN, BEHIND_WALL, BEN, FRAMES, RED, Scene

from matting.arrays import Mask
from matting.errors import ProjectError
from matting.job import JobContext
from matting.pipeline import cut, review, settling
from matting.pipeline.approve import approve
from matting.pipeline.workspace import Workspace
from matting.project.project import Project

CROSSING = Scene(ann=lambda t: (30 + 4 * t, 62), ben=lambda t: (100, 60), looks=RED)
GONE = Scene(ann=lambda t: (30 + 4 * min(t, 16), 60), wall=range(70, 115))
Make = Callable[[Scene], Path]


@pytest.fixture
def make(tmp_path: Path, matteo: Run) -> Make:
    """Cut a scene from the true masks on its first frame."""

    def make(scene: Scene) -> Path:
        clip, folder = tmp_path / "walk", tmp_path / "walk.matteo"
        clip.mkdir()
        for t in range(FRAMES):
            cv2.imwrite(str(clip / f"{t:03d}.png"), scene.draw(t)[0][..., ::-1])
        instances = []
        for who, name in ((ANN, "ann"), (BEN, "ben")):
            mask = scene.draw(0)[1] == who
            if mask.any():
                cv2.imwrite(str(tmp_path / f"{name}.png"), mask * np.uint8(255))
                instances.append({"name": name, "prompts": [{"frame": 0, "mask": f"{name}.png"}]})
        (tmp_path / "prompts.json").write_text(json.dumps({"instances": instances}))
        options = ("--prompts", tmp_path / "prompts.json", "--project", folder)
        assert matteo("cut", clip, *options, "--matter", "none", "--tracker", "flow", "--cuts", "none") == 0
        return folder

    return make


def agreement(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def follow(work: Workspace, scene: Scene, frame: int) -> list[float]:
    """How well Ann is followed from some frame on."""
    place = work.ids.index(ANN)
    return [agreement(work.masks(t)[place], np.asarray(scene.draw(t)[1] == ANN)) for t in range(frame, FRAMES)]


@pytest.mark.parametrize("scene", [BEHIND_WALL, CROSSING], ids=["wall", "somebody else"])
def test_a_yes_takes_up_who_was_lost(
    make: Make, matteo: Run, scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make(scene)
    said = capsys.readouterr().out
    assert matteo("review", folder, "--json", tmp_path / "places.json") == 0
    (told,) = json.loads((tmp_path / "places.json").read_text())["returns"]
    words = f"ann may be back at {told['first']}"
    assert words in said
    assert f"{told['first']}: {words}, x " in capsys.readouterr().out
    project = Project.load(folder)
    with project.open_clip() as clip:
        work = Workspace.of(project, clip)
        (found,) = review.queue(work).returns
        frame = min(found.first + 4, found.last)
        assert max(follow(work, scene, frame)) < 0.1, "the tracker found her by itself, so this tests nothing"
        document = work.document
        for who, prompt in settling.returned(work, frame, {ANN: found.boxes[frame]}).items():
            assert prompt.frame == frame
            document = document.with_instance(document.instance(who).with_prompt(prompt))
        after = work.with_document(document)
        cut.track(after, JobContext())
        review.review(after, JobContext())
        assert min(follow(after, scene, frame)) > 0.7
        assert review.queue(after).returns == ()


def test_who_stays_away_is_not_proposed(make: Make, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make(GONE)
    assert matteo("review", folder) == 0
    assert "may be back" not in capsys.readouterr().out
    project = Project.load(folder)
    with project.open_clip() as clip:
        assert not Workspace.of(project, clip).masks(FRAMES - 1).any(), "nothing was lost"


def test_what_is_locked_is_not_parted(make: Make) -> None:
    project = Project.load(make(CROSSING))
    with project.open_clip() as clip:
        work = Workspace.of(project, clip)
        (found,) = review.queue(work).returns
        # Later on Ann's part lies too far from Ben to be in his mask.
        lock = approve(work, BEN, range(found.first, found.first + 1), JobContext())
        locked = work.with_document(work.document.with_instance(work.document.instance(BEN).with_lock(lock)))
        with pytest.raises(ProjectError, match=f"ben is locked on frames {found.first} to {found.first}"):
            settling.returned(locked, found.first, {ANN: found.boxes[found.first]})
