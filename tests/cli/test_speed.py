"""``matteo benchmark networks`` on the smallest case: every column is there and plausible."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from figures_clip import Run


def test_it_measures_in_a_process_of_its_own(tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "speed.json"
    options = ("--network", "maggie-image", "--size", "288", "--instances", "2", "--repeats", "1", "--json", file)
    assert matteo("benchmark", "networks", *options) == 0
    assert "maggie-image" in capsys.readouterr().out
    first = json.loads(file.read_text())[0]
    assert (first["network"], first["size"], first["instances"], first["device"]) == ("maggie-image", "288", 2, "cpu")
    assert 0.04 < first["refined"] < 0.2
    assert 0 < first["seconds"] < 100
    assert 300 < first["peak_mib"] < 5000


def test_what_it_does_not_know_is_wrong_usage(matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert matteo("benchmark", "networks", "--instances", "11") == 2
    assert "--instances takes 1, 2" in capsys.readouterr().err


def test_memory_is_read_ten_times_over_the_windows(
    tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "endurance.json"
    command = ("benchmark", "endurance", "--network", "maggie-video", "--windows", "20", "--json", file)
    assert matteo(*command) == 0
    assert "last / first" in capsys.readouterr().out
    (only,) = json.loads(file.read_text())
    assert [reading["windows"] for reading in only["readings"]] == list(range(2, 21, 2))
    assert all(200 < reading[what] < 5000 for reading in only["readings"] for what in ("resident_mib", "held_mib"))
