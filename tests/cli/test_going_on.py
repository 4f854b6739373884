"""Tracks that were killed or stopped go on close to where they were, and the results are the same byte for byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from figures_clip import HEIGHT, WIDTH, Run, centres, prompts_for, write_clip
from test_killed import killed_once

from matting.errors import Cancelled
from matting.files import PARTIAL
from matting.job import JobContext
from matting.media import open_clip
from matting.pipeline import cut
from matting.pipeline.workspace import MASKS, TRAILS, Workspace
from matting.project.document import Instance, Prompt
from matting.project.project import Project
from matting.tracking import trail as trails
from matting.tracking.motion import look_at
from matting.tracking.trail import EVERY_FRAMES

FRAMES = 30


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mkv", FRAMES)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps(prompts_for((0, FRAMES - 1))))
    return path


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every frame that the flow tracker reads from the clip."""
    entries: list[int] = []

    def counted(picture: Any) -> Any:
        entries.append(1)
        return look_at(picture)

    monkeypatch.setattr("matting.tracking.flow.look_at", counted)
    return entries


def written(project: Path) -> list[tuple[str, bytes, dict[str, Any]]]:
    """Names, masks and certainties of every chunk."""
    loaded = Project.load(project)
    store = loaded.open_store()
    with loaded.open_clip() as footage:
        work = Workspace.of(loaded, footage)
        chunks = [(chunk.start, work.mask_key(chunk)) for chunk in work.chunks]
    return [(key, store.read(MASKS, t, key).tobytes(), store.facts(MASKS, t, key)) for t, key in chunks]


def test_a_killed_cut(clip: Path, prompts: Path, tmp_path: Path, matteo: Run, looked: list[int]) -> None:
    def arguments(name: str) -> tuple[object, ...]:
        given = ("--prompts", prompts, "--project", tmp_path / name, "--matter", "none", "--cuts", "none")
        return ("cut", clip, *given, "--tracker", "flow", "--seeder", "grabcut")

    def begun() -> bool:
        return any((tmp_path / "killed.matteo").glob(f"store/{TRAILS}/*/*/waypoint"))

    assert matteo(*arguments("whole.matteo")) == 0
    assert len(looked) == FRAMES
    assert killed_once(begun, *arguments("killed.matteo"))
    looked.clear()
    assert matteo(*arguments("killed.matteo")) == 0
    assert len(looked) <= FRAMES - EVERY_FRAMES
    assert written(tmp_path / "killed.matteo") == written(tmp_path / "whole.matteo")
    assert not list((tmp_path / "killed.matteo").glob(f"store/{TRAILS}/*/*"))


@pytest.mark.parametrize("on_the_way_back", [False, True])
def test_a_killed_track(clip: Path, tmp_path: Path, matteo: Run, looked: list[int], on_the_way_back: bool) -> None:
    masks, out = tmp_path / "masks", tmp_path / "out"
    masks.mkdir()
    for t in (0, FRAMES - 1):
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.ellipse(mask, centres(t)[0], (10, 18), 0, 0, 360, 1, -1)
        cv2.imwrite(str(masks / f"{t:05d}.png"), mask)
    arguments = ("track", clip, "--masks", masks, "--tracker", "flow", "--cuts", "none", "--out")
    assert matteo(*arguments, tmp_path / "whole") == 0

    def pictures() -> int:
        return sum(PARTIAL not in path.name for path in tmp_path.glob(f".out{PARTIAL}*/*.png"))

    def begun() -> bool:
        return pictures() >= 6 if on_the_way_back else any(tmp_path.glob(f".out{PARTIAL}*/.trails/*/*/waypoint"))

    assert killed_once(begun, *arguments, out)
    assert not out.exists()
    looked.clear()
    assert matteo(*arguments, out) == 0
    assert len(looked) <= (0 if on_the_way_back else FRAMES - EVERY_FRAMES)
    names = sorted(path.name for path in out.iterdir())
    assert names == [f"{t:05d}.png" for t in range(FRAMES)], "and nothing else"
    assert all((out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes() for name in names)
    assert not list(tmp_path.glob(".out*"))


class StopsAfter(JobContext):
    """Somebody who presses Stop when so many frames are tracked."""

    def __init__(self, frames: int) -> None:
        super().__init__()
        self._left = frames

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        self._left -= message == "Tracking"
        if self._left < 0:
            self.cancel()


def prompt_for(place: int, frame: int) -> Prompt:
    x, y = centres(frame)[place]
    return Prompt(frame=frame, points=((x, y, 1),), box=(x - 12, y - 20, x + 12, y + 20))


@pytest.fixture
def begin(clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Workspace]]:
    """A project with prompts on the frames, and nothing tracked."""
    monkeypatch.setattr(trails, "EVERY_FRAMES", 4)
    footage = open_clip(clip)

    def made(name: str, frames: tuple[int, ...]) -> Workspace:
        project = Project.create(tmp_path / name, footage.info)
        for place, who in enumerate(("ann", "ben")):
            person = Instance(id=place + 1, name=who, prompts=tuple(prompt_for(place, frame) for frame in frames))
            project.document = project.document.with_instance(person)
        project.save()
        return Workspace.of(project, footage)

    with footage:
        yield made


def folders(work: Workspace) -> list[Path]:
    return sorted((work.folder / "store" / TRAILS).glob("*/*"))


@pytest.mark.parametrize("frames", [1, 7, 9, 16, 20, 27])
def test_a_stopped_track_goes_on(begin: Callable[..., Workspace], looked: list[int], frames: int) -> None:
    """With prompted frames amid chunks, so that chunks wait for the next turn while others are finished."""
    prompted = (0, 13, FRAMES - 1)
    stopped, whole = begin("stopped.matteo", prompted), begin("whole.matteo", prompted)
    cut.track(whole, JobContext())
    with pytest.raises(Cancelled):
        cut.track(stopped, StopsAfter(frames))
    assert len(folders(stopped)) == 1
    before, looked[:] = len(looked) - FRAMES, []
    cut.track(stopped, JobContext())
    assert len(looked) <= FRAMES - before + 4
    assert written(stopped.folder) == written(whole.folder)
    assert not folders(stopped)


def test_changed_prompts_begin_anew_and_leave_nothing_behind(begin: Callable[..., Workspace]) -> None:
    stopped, whole = begin("stopped.matteo", (0, FRAMES - 1)), begin("whole.matteo", (0, FRAMES - 1))
    with pytest.raises(Cancelled):
        cut.track(stopped, StopsAfter(9))
    (old,) = folders(stopped)

    def changed(work: Workspace) -> Workspace:
        ben = work.document.instances[1]
        return work.with_document(work.document.with_instance(ben.with_prompt(prompt_for(1, 20))))

    with pytest.raises(Cancelled):
        cut.track(changed(stopped), StopsAfter(3))
    assert old not in folders(stopped)
    assert len(folders(stopped)) == 1
    for work in (changed(stopped), changed(whole)):
        cut.track(work, JobContext())
    for chunk in changed(stopped).chunks:
        key = changed(stopped).mask_key(chunk)
        redone, fresh = (work.store.read(MASKS, chunk.start, key) for work in (stopped, whole))
        assert np.array_equal(redone, fresh)
    assert not folders(stopped)
