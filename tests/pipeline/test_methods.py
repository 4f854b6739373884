"""Which matter a name means, with and without installed models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from formula_weights import formula_weights, read_layout

from matting.errors import CheckpointError, UnavailableError
from matting.job import JobContext
from matting.pipeline.methods import choose_methods, matter_name, models_of, open_matter, weights_in
from matting.pipeline.models import import_model
from matting.project.document import Methods
from matting.weights import installed, model

LAYOUTS = Path(__file__).parents[1] / "networks" / "golden"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights of the true layouts, by id."""
    folder = tmp_path_factory.mktemp("weights")
    for name, layout in (("msg-vim", "msg_vim/layout.json"), ("maggie-image", "maggie/layout_image.json")):
        torch.save(formula_weights(read_layout(LAYOUTS / layout)), folder / f"{name}.pth")
    return {name: folder / f"{name}.pth" for name in ("msg-vim", "maggie-image")}


def test_without_models_auto_is_the_one_that_comes_with_matteo() -> None:
    chosen = choose_methods()
    assert chosen == choose_methods(matter="lite")
    assert chosen.weights is not None
    assert (chosen.matter, chosen.weights.kind, chosen.weights.path) == ("lite", "lite", str(installed("lite")))
    assert chosen.weights == weights_in(Path(chosen.weights.path))
    assert chosen.model_copy(update={"matter": "classical", "weights": None}) == Methods()
    assert models_of("grabcut", "flow", weights=chosen.weights) == (model("lite"),)
    assert model("lite").commercial == "yes"
    with pytest.raises(UnavailableError, match=r"maggie needs its network's weights.*matteo models list"):
        choose_methods(matter="maggie")
    with pytest.raises(UnavailableError, match=r"MSG-VIM is not installed; get it with: matteo models get msg-vim"):
        choose_methods(weights=Path("msg-vim"))


def test_the_best_installed_model_is_taken_and_its_terms_are_known(files: dict[str, Path]) -> None:
    by_image = import_model("maggie-image", files["maggie-image"], JobContext())
    chosen = choose_methods()
    assert chosen.weights is not None
    assert (chosen.matter, chosen.weights.kind, chosen.weights.path) == ("maggie", "maggie-image", str(by_image))
    assert models_of("flow", weights=chosen.weights) == (model("maggie-image"),)
    assert model("maggie-image").in_short == "MaGGIe, image: CC BY-NC 4.0; commercial use: no"
    by_vim = import_model("msg-vim", files["msg-vim"], JobContext())
    chosen = choose_methods()
    assert chosen.weights is not None
    assert chosen.weights.path == str(by_vim)
    assert models_of("mobile-sam", "cutie", weights=chosen.weights) == tuple(
        map(model, ("mobile-sam", "cutie", "msg-vim"))
    )
    assert choose_methods(matter="maggie").weights == choose_methods(weights=Path("maggie-image")).weights
    assert choose_methods(matter="classical") == Methods()
    assert choose_methods(matter="none").matter is None
    with pytest.raises(CheckpointError, match="holds the weights of maggie; use --matter maggie"):
        choose_methods(matter="msg-vim", weights=Path("maggie-image"))
    own = choose_methods(weights=files["msg-vim"])  # its terms are the artist's to know
    assert models_of(weights=own.weights) == ()


def test_a_document_that_names_no_weights_is_not_given_some(files: dict[str, Path]) -> None:
    import_model("msg-vim", files["msg-vim"], JobContext())
    with pytest.raises(CheckpointError, match="does not say which weights msg-vim is to use"):
        open_matter(Methods(matter="msg-vim"))


def test_a_project_finds_its_model_on_another_computer(files: dict[str, Path], tmp_path: Path) -> None:
    elsewhere = tmp_path / "theirs.pth"
    shutil.copy(files["msg-vim"], elsewhere)
    chosen = choose_methods(weights=elsewhere, short_side=64)
    elsewhere.unlink()
    with pytest.raises(CheckpointError, match="are not there; choose them again"):
        open_matter(chosen, elsewhere, "cpu")
    import_model("msg-vim", files["msg-vim"], JobContext())
    assert open_matter(chosen, elsewhere, "cpu").name == matter_name(chosen)
