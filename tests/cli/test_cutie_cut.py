"""Tracking with Cutie from the command line; its weights are filled by formula, so the masks mean nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import formula_cutie
import numpy as np
import pytest
import torch
from figures_clip import FRAMES, HEIGHT, WIDTH, Run, prompts_for
from numpy.typing import NDArray

from matting.pipeline import trackers
from matting.pipeline.workspace import Workspace
from matting.project.masks import read_picture
from matting.project.project import Project


@pytest.fixture
def cutie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr("matting.tracking.cutie_network.model_settings", formula_cutie.small_settings)
    path = formula_cutie.write(tmp_path / "cutie.pth")
    monkeypatch.setattr(trackers, "installed", {"cutie": path}.get)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield path
    torch.set_num_threads(threads)


def masks_of(folder: Path) -> NDArray[np.bool_]:
    project = Project.load(folder)
    with project.open_clip() as clip:
        work = Workspace.of(project, clip)
        return np.stack([work.masks(t) for t in range(FRAMES)])


def test_what_is_redone_fits_what_is_kept(
    cutie: Path, clip: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Adding prompts to a project gives what the same prompts give from the start."""

    def cut(name: str, **frames: tuple[int, ...]) -> NDArray[np.bool_]:
        given = prompts_for(tuple(range(FRAMES)))
        for instance in given["instances"]:  # type: ignore[attr-defined]
            instance["prompts"] = [p for p in instance["prompts"] if p["frame"] in frames[instance["name"]]]
        (tmp_path / "prompts.json").write_text(json.dumps(given))
        options = ("--project", tmp_path / name, "--matter", "none", "--seeder", "grabcut", "--cuts", "none")
        assert matteo("cut", clip, "--prompts", tmp_path / "prompts.json", *options) == 0
        return masks_of(tmp_path / name)

    first = cut("grown.matteo", ann=(0, 9), ben=(0, 9))
    assert "tracker cutie" in capsys.readouterr().out
    grown = cut("grown.matteo", ann=(0, 9, 17), ben=(0, 4, 9))
    fresh = cut("fresh.matteo", ann=(0, 9, 17), ben=(0, 4, 9))
    assert np.array_equal(grown, fresh)
    assert (first != grown).any()


def test_masks_in_masks_out(
    cutie: Path, clip: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    given.mkdir()
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(mask, (30, 34), (10, 18), 0, 0, 360, 1, -1)
    cv2.imwrite(str(given / "00005.png"), mask)
    assert matteo("track", clip, "--masks", given, "--out", out, "--cuts", "8", "--device", "cpu") == 0
    assert "masks by cutie" in capsys.readouterr().out
    assert np.array_equal(read_picture(out / "00005.png"), mask)
    assert len(list(out.iterdir())) == FRAMES
    assert not any(read_picture(out / f"{t:05d}.png").any() for t in range(8, FRAMES))


def test_without_its_weights_it_is_refused_in_a_sentence(
    clip: Path, prompts: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "no.matteo"
    assert matteo("cut", clip, "--prompts", prompts, "--project", folder, "--tracker", "cutie") == 1
    assert "matteo models get cutie" in capsys.readouterr().err
    assert not folder.exists()
