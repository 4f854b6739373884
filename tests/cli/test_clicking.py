"""``matteo benchmark click`` on a small clip: every number is there and plausible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from figures_clip import Run


def test_it_measures_the_first_click_and_the_others(
    clip: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "click.json"
    assert matteo("benchmark", "click", clip, "--clicks", "3", "--seeder", "grabcut", "--json", file) == 0
    assert "a later click" in capsys.readouterr().out
    measured = json.loads(file.read_text())
    assert (measured["seeder"], measured["clicks"]) == ("grabcut", 3)
    assert 0 < measured["next_s"] <= measured["worst_s"] < 100
    assert 0 < measured["first_s"] < 100
    assert measured["window_s"] is None


def test_it_measures_clicks_in_the_window_too(clip: Path, tmp_path: Path, matteo: Run) -> None:
    file = tmp_path / "click.json"
    given = ("--clicks", "3", "--seeder", "grabcut", "--device", "cpu", "--window", "--json", file)
    assert matteo("benchmark", "click", clip, *given) == 0
    measured = json.loads(file.read_text())
    assert 0 < measured["window_s"] <= measured["window_worst_s"] < 100


def test_a_frame_that_is_not_there_is_told(clip: Path, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert matteo("benchmark", "click", clip, "--frame", "999") == 1
    assert "There is no frame 999" in capsys.readouterr().err
