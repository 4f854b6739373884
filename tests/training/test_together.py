"""Two processes that learn together, on the CPU, started by torchrun."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from two_processes import RECIPE, PlainLesson, weights, without_norms

import main
from matting.errors import DeviceError, UnavailableError
from matting.networks import checkpoints, create
from matting.training import together
from matting.training.run import Run
from matting.training.stock import Stock, draw_ground, draw_person, ground_path, keep_ground, keep_person, person_path


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stock")
    for number in range(2):
        keep_person(person_path(folder, number), draw_person(number, 3, 72))
        keep_ground(ground_path(folder, number), draw_ground(number))
    return folder


def torchrun(*given: str) -> str:
    """What two processes say."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *given]
    top = Path(main.__file__).parent
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(top)}
    done = subprocess.run(command, cwd=top, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def found(stock: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What each of the processes found."""
    out = tmp_path_factory.mktemp("out")
    torchrun(str(Path(__file__).parent / "two_processes.py"), str(stock), str(out))
    return [torch.load(out / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("way", ["plain", "usual", "later"])
def test_both_end_with_the_same_weights(way: str, found: list[dict[str, Any]]) -> None:
    (curve, first), (other_curve, second) = (one[way] for one in found)
    assert curve == other_curve
    for name, weight in first.items():
        assert torch.equal(weight, second[name]), name


def test_they_learn_what_one_would_learn_from_both_batches_at_once(stock: Path, found: list[dict[str, Any]]) -> None:
    torch.manual_seed(0)
    alone = replace(RECIPE, processes=1, size=2 * RECIPE.size)
    run = without_norms(Run(create("lite"), alone, Stock(stock), PlainLesson()))
    began = weights(run.network)
    curve = [step.loss for step in run.steps()]
    together_curve, learnt = found[0]["plain"]
    assert curve == pytest.approx(together_curve, rel=1e-4)
    for name, weight in weights(run.network).items():
        torch.testing.assert_close(learnt[name], weight, rtol=1e-3, atol=1e-4)
    assert max(float((learnt[name] - weight).abs().max()) for name, weight in began.items()) > 1e-3


def test_they_go_on_as_if_they_had_never_stopped(found: list[dict[str, Any]]) -> None:
    (curve, whole), (resumed, later) = found[0]["usual"], found[0]["later"]
    assert resumed == curve
    assert all(torch.equal(weight, later[name]) for name, weight in whole.items())


def test_the_command_writes_once_and_goes_on(stock: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    given = ["train", "lite", str(stock), "--out", str(run), "--size", "1", "--side", "64", "--held-out", "1"]
    given += ["--device", "cpu", "--steps", "2", "--every", "1"]
    assert "going on" not in torchrun("-m", "main", *given, "--stop", "1")
    assert torchrun("-m", "main", *given).count("going on after step 1") == 1
    lines = [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert checkpoints.kind_of(checkpoints.read(run / "lite.safetensors")) == "lite"
    assert main.main(given) == 1  # alone it would be another run
    assert "another recipe" in capsys.readouterr().err


class TestProcesses:
    def test_one_needs_no_engine(self) -> None:
        with together.processes("cuda:7") as others:
            assert others is None

    def test_a_gpu_is_not_shared(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        with pytest.raises(DeviceError, match="cannot share cuda:0"), together.processes("cuda:0"):
            pass

    def test_what_is_missing_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setattr(together, "find_spec", lambda name: None)
        with pytest.raises(UnavailableError, match=r"matteo\[gpus\]"), together.processes("cpu"):
            pass
