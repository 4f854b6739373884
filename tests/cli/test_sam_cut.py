"""Selecting with MobileSAM from the command line; its weights are filled by formula, so the masks mean nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from figures_clip import Run, prompts_for
from formula_sam import install_mobile_sam

from matting.pipeline.cut import seed
from matting.pipeline.seeders import close_seeders, embeddings
from matting.pipeline.workspace import Workspace
from matting.project.project import Project


def test_cut_selects_with_the_model_that_is_installed(
    clip: Path, tmp_path: Path, matteo: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MATTEO_MODELS", str(tmp_path / "models"))
    install_mobile_sam(tmp_path / "models")
    embeddings.cache_clear()
    prompts, folder = tmp_path / "prompts.json", tmp_path / "shot.matteo"
    prompts.write_text(json.dumps(prompts_for((0,))))
    command = ("cut", clip, "--prompts", prompts, "--project", folder, "--frames", "0-3", "--matter", "none")
    assert matteo(*command) == 0
    assert "seeder mobile-sam" in capsys.readouterr().out
    assert embeddings().made == 1
    assert matteo(*command, "--device", "cpu") == 0
    assert embeddings().made == 1
    project = Project.load(folder)
    with project.open_clip() as footage:
        work = Workspace.of(project, footage)
        by_sam = seed(work, 0)
        assert embeddings().made == 1
        chosen = project.document.instances[0]
        (prompt,) = chosen.prompts
        other = project.document.with_instance(chosen.with_prompt(prompt.model_copy(update={"candidate": 2})))
        again = seed(work.with_document(other), 0)
        assert embeddings().made == 1
    for x, y, label in prompt.points:
        assert (by_sam[int(y), int(x)] == chosen.id) == (label == 1)
    assert (by_sam != again).any()
    assert matteo(*command, "--seeder", "grabcut") == 0
    said = capsys.readouterr().out
    assert "seeder grabcut" in said
    with project.open_clip() as footage:
        assert not np.array_equal(seed(Workspace.of(Project.load(folder), footage), 0), by_sam)
    close_seeders()
