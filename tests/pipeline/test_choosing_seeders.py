"""Which seeder is taken on a machine, and what a project says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from formula_sam import install_mobile_sam

import matting.inference.device
from matting.errors import CheckpointError, UnavailableError
from matting.pipeline import seeders
from matting.pipeline.seeders import choose_seeder, close_seeders, installed_seeders, open_seeder, seeder_name
from matting.project.document import Methods
from matting.seeding.embeddings import Embeddings
from matting.seeding.sam import SamSeeder
from matting.seeding.seeder import FramePrompt


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """What is installed; each file is a few bytes and nobody reads them."""
    there: dict[str, Path] = {}
    monkeypatch.setattr(seeders, "installed", there.get)
    return there


def put(models: dict[str, Path], folder: Path, *ids: str) -> None:
    for model_id in ids:
        models[model_id] = folder / model_id
        models[model_id].write_bytes(model_id.encode())


def on(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    import torch

    monkeypatch.setattr(matting.inference.device, "choose", lambda device: torch.device(kind))


def test_without_models_grabcut_is_all_there_is(models: dict[str, Path]) -> None:
    assert choose_seeder("auto") == ("grabcut", "")
    assert installed_seeders() == ("grabcut",)
    with pytest.raises(UnavailableError, match=r"none is installed.*matteo models get mobile-sam.*--seeder grabcut"):
        choose_seeder("sam")
    with pytest.raises(UnavailableError, match="sam-vit-b is not installed"):
        choose_seeder("sam-vit-b")
    with pytest.raises(UnavailableError, match="There is no seeder called magic"):
        choose_seeder("magic")


def test_the_quickest_on_the_cpu_and_the_most_exact_on_cuda(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(models, tmp_path, "sam-vit-l", "mobile-sam")
    on(monkeypatch, "cpu")
    assert [choose_seeder(name)[0] for name in ("auto", "sam")] == ["mobile-sam"] * 2
    on(monkeypatch, "cuda")
    assert [choose_seeder(name)[0] for name in ("auto", "sam", "mobile-sam", "grabcut")] == [
        "sam-vit-l", "sam-vit-l", "mobile-sam", "grabcut",
    ]  # fmt: skip
    assert installed_seeders() == ("mobile-sam", "sam-vit-l", "grabcut")


def test_a_project_asks_for_the_weights_that_it_was_made_with(models: dict[str, Path], tmp_path: Path) -> None:
    put(models, tmp_path, "mobile-sam")
    seeder, fingerprint = choose_seeder("sam")
    methods = Methods(seeder=seeder, seeder_weights=fingerprint)
    assert seeder_name(methods) == f"mobile-sam/1:{fingerprint[:16]}"
    models["mobile-sam"].write_bytes(b"other weights")
    assert seeder_name(methods) != seeder_name(methods.model_copy(update={"seeder_weights": choose_seeder("sam")[1]}))
    with pytest.raises(CheckpointError, match="choose the seeder again"):
        open_seeder(methods)
    models.clear()
    with pytest.raises(UnavailableError, match="matteo models get mobile-sam"):
        open_seeder(methods)
    assert seeder_name(Methods()) == "grabcut/3"


@pytest.mark.usefixtures("full_gpu")
def test_that_a_gpu_is_full_is_told_to_whoever_asks_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install_mobile_sam(tmp_path / "models")
    monkeypatch.setenv("MATTEO_MODELS", str(tmp_path / "models"))
    on(monkeypatch, "cuda:0")
    methods = Methods(seeder="mobile-sam", seeder_weights=choose_seeder("mobile-sam")[1])
    kept, first, second = Embeddings(tmp_path / "kept"), list[str](), list[str]()
    sentence = "Full GPU (cuda:0) ran out of memory; going on on the CPU, which is slower."
    try:
        seeder = open_seeder(methods, "cuda", kept, first.append)
        assert first == [sentence]
        assert open_seeder(methods, "cuda", kept, second.append) is seeder
        assert second == []
        assert isinstance(seeder, SamSeeder)
        seeder.predictor.placed.device = torch.device("cuda", 0)  # room for the weights, none for a picture
        seeder.seed(np.zeros((40, 60, 3), np.uint8), FramePrompt(include=((20.0, 20.0),)), [])
        assert (first, second) == ([sentence], [sentence])
    finally:
        close_seeders()
