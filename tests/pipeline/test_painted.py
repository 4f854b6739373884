"""What is painted lies over what the seeder finds, whichever seeder it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from matting.arrays import Mask, Picture
from matting.media import Clip, open_clip
from matting.pipeline import cut
from matting.pipeline.cut import seed
from matting.pipeline.workspace import Workspace
from matting.project.document import Document, Instance, Prompt
from matting.project.project import Project
from matting.project.prompts import keep_mask
from matting.seeding.drawing import Polygon, Stroke
from matting.seeding.seeder import FramePrompt, Neighbour

SIZE_HW = (60, 80)
BOX = (10.0, 10.0, 40.0, 50.0)


class BoxSeeder:
    """Takes boxes for masks, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    @property
    def name(self) -> str:
        return "boxes/1"

    @property
    def looks_at(self) -> tuple[int, ...]:
        return ()

    def seed(
        self,
        frame: Picture,
        prompt: FramePrompt,
        others: Sequence[FramePrompt],
        neighbours: Sequence[Neighbour] = (),
    ) -> Mask:
        self.asked += 1
        mask = np.zeros(frame.shape[:2], np.bool_)
        if prompt.mask is not None:
            mask |= prompt.mask
        if prompt.box is not None:
            x0, y0, x1, y1 = (int(side) for side in prompt.box)
            mask[y0:y1, x0:x1] = True
        return mask


@pytest.fixture
def seeder(monkeypatch: pytest.MonkeyPatch) -> BoxSeeder:
    seeder = BoxSeeder()
    monkeypatch.setattr(cut, "open_seeder", lambda methods, device, tell: seeder)
    return seeder


@pytest.fixture
def clip(tmp_path: Path) -> Iterator[Clip]:
    folder = tmp_path / "grey"
    folder.mkdir()
    for t in range(3):
        cv2.imwrite(str(folder / f"g{t}.png"), np.full((*SIZE_HW, 3), 90 + t, np.uint8))
    with open_clip(folder) as opened:
        yield opened


def workspace(clip: Clip, folder: Path, *prompts: Prompt) -> Workspace:
    """One instance for each of the prompts, with the ids 1, 2, …"""
    project = Project.create(folder / "p.matteo", clip.info)
    for number, prompt in enumerate(prompts, 1):
        person = Instance(id=number, name=f"person {number}", prompts=(prompt,))
        project.document = project.document.with_instance(person)
    return Workspace.of(project, clip)


def disc(label: int, x: float, y: float, radius: float = 6, order: int = 0) -> Stroke:
    return Stroke(label=1 if label else 0, radius=radius, points=((x, y),), order=order)


def box_mask() -> Mask:
    mask = np.zeros(SIZE_HW, np.bool_)
    mask[10:50, 10:40] = True
    return mask


def test_painting_alone_is_the_mask_and_asks_no_seeder(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    square = Polygon(label=1, points=((5, 5), (25, 5), (25, 25), (5, 25)))
    picture = seed(workspace(clip, tmp_path, Prompt(frame=0, drawn=(square, disc(0, 15, 15)))), 0)
    assert picture[6, 6] == 1
    assert picture[15, 15] == 0
    assert set(np.unique(picture)) == {0, 1}
    assert (picture == 1).sum() == pytest.approx(400 - np.pi * 36, abs=6)
    assert seeder.asked == 0


def test_strokes_correct_exactly_and_the_seeder_is_asked_once(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    bare = workspace(clip, tmp_path, Prompt(frame=0, box=BOX))
    first = seed(bare, 0)
    painted = Prompt(frame=0, box=BOX, drawn=(disc(1, 60, 30), disc(0, 15, 15)))
    second = seed(bare.with_document(document_with(bare.document, painted)), 0)
    changed = first != second
    rows, columns = np.mgrid[: SIZE_HW[0], : SIZE_HW[1]] + 0.5
    near = (np.hypot(columns - 60, rows - 30) <= 6) | ((np.hypot(columns - 15, rows - 15) <= 6) & box_mask())
    assert np.array_equal(changed, near)
    third = seed(bare.with_document(document_with(bare.document, painted.model_copy(update={"drawn": ()}))), 0)
    assert np.array_equal(third, first)
    assert seeder.asked == 1


def test_another_stroke_is_laid_over_what_was_there_with_the_same_result(
    clip: Clip, tmp_path: Path, seeder: BoxSeeder
) -> None:
    """One after the other through the store, or all at once: also where the orders are mixed up across people."""
    random = np.random.default_rng(0)
    mine: list[Stroke] = []
    theirs: list[Stroke] = []
    orders = random.permutation(8)
    for number, order in enumerate(orders):
        stroke = disc(int(random.integers(2)), random.uniform(0, 80), random.uniform(0, 60), 9, int(order))
        (mine if number % 2 else theirs).append(stroke)
        prompts = [Prompt(frame=0, box=BOX, drawn=tuple(mine)), Prompt(frame=0, mask=None, drawn=tuple(theirs))]
        together = seed(workspace(clip, tmp_path / "together", *prompts), 0)
        afresh = seed(workspace(clip, tmp_path / f"afresh{number}", *prompts), 0)
        assert np.array_equal(together, afresh)


def document_with(document: Document, prompt: Prompt) -> Document:
    return document.with_instance(document.instance(1).with_prompt(prompt))


def test_a_painted_pixel_goes_to_whom_it_was_painted_for(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    work = workspace(clip, tmp_path, Prompt(frame=0, box=BOX), Prompt(frame=0, drawn=(disc(1, 35, 30, 10),)))
    picture = seed(work, 0)
    assert picture[30, 35] == 2
    assert picture[30, 15] == 1
    assert (picture == 2).sum() == pytest.approx(np.pi * 100, abs=8)


def test_strokes_lie_over_a_mask_that_was_given(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    name = keep_mask(tmp_path / "p.matteo" / "prompts", box_mask())
    picture = seed(workspace(clip, tmp_path, Prompt(frame=1, mask=name, drawn=(disc(1, 60, 30),))), 1)
    assert picture[30, 60] == 1
    assert np.array_equal(picture[:, :45] == 1, box_mask()[:, :45])
    assert seeder.asked == 0


def test_masks_that_overlap_or_are_corrected_are_the_seeders(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    name = keep_mask(tmp_path / "p.matteo" / "prompts", box_mask())
    seed(workspace(clip, tmp_path, Prompt(frame=1, mask=name), Prompt(frame=1, mask=name)), 1)
    assert seeder.asked == 2
    seed(workspace(clip, tmp_path, Prompt(frame=2, mask=name, points=((15, 15, 0),))), 2)
    assert seeder.asked == 3


def test_erasing_alone_says_that_nobody_is_there(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    prompt = Prompt(frame=0, drawn=(disc(0, 30, 30),))
    assert prompt.absent
    assert not seed(workspace(clip, tmp_path, prompt), 0).any()


def test_the_name_of_a_seed_speaks_of_what_is_painted(clip: Clip, tmp_path: Path, seeder: BoxSeeder) -> None:
    keys = {
        workspace(clip, tmp_path, Prompt(frame=0, box=BOX, drawn=drawn)).seed_key(0)
        for drawn in ((), (disc(1, 5, 5),), (disc(0, 5, 5),), (disc(1, 5, 5, 7),))
    }
    assert len(keys) == 4
