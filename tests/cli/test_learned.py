"""The learned matters from the command line, with checkpoints of the public layout filled by formula."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from figures_clip import FRAMES, HEIGHT, WIDTH, Run, centres
from formula_weights import formula_weights, read_layout

from matting.inference.loading import load
from matting.inference.matter import to_stored
from matting.media import open_clip
from matting.pipeline.workspace import State, Workspace
from matting.project.masks import read_picture
from matting.project.project import Project

LAYOUTS = Path(__file__).parents[1] / "networks" / "golden"
SMALL = ("--short-side", 64)


@pytest.fixture(scope="module")
def msg_vim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "msgvim.pth"
    weights = formula_weights(read_layout(LAYOUTS / "msg_vim" / "layout.json"))
    torch.save({"state_dict": {f"module.{key}": tensor for key, tensor in weights.items()}}, path)
    return path


@pytest.fixture(scope="module")
def maggie(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "maggie.pth"
    torch.save(formula_weights(read_layout(LAYOUTS / "maggie" / "layout_video.json")), path)
    return path


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    folder = tmp_path / "masks"
    folder.mkdir()
    for t in range(5):
        picture = np.zeros((HEIGHT, WIDTH), np.uint8)
        for place, (x, y) in enumerate(centres(t)):
            cv2.ellipse(picture, (x, y), (10, 18), 0, 0, 360, place + 1, -1)
        cv2.imwrite(str(folder / f"{t:05d}.png"), picture)
    return folder


def test_cut_keeps_which_weights_it_used_and_does_nothing_twice(
    clip: Path, prompts: Path, tmp_path: Path, msg_vim: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shot.matteo"
    command = ("cut", clip, "--prompts", prompts, "--project", folder, "--weights", msg_vim, *SMALL)
    assert matteo(*command) == 0
    said = capsys.readouterr()
    assert "matter msg-vim" in said.out
    assert "on the CPU in float32 at a short side of 64 px" in said.err
    project = Project.load(folder)
    weights = project.document.methods.weights
    assert weights is not None
    assert (weights.kind, weights.short_side) == ("msg-vim", 64)
    assert not Path(weights.path).is_absolute()
    with project.open_clip() as footage:
        work = Workspace.of(project, footage)
        assert {work.alpha_state(chunk, i) for chunk in work.chunks for i in work.ids} == {State.CURRENT}
        for t in (0, FRAMES - 1):
            both = np.stack([work.alpha(t, i) for i in work.ids])
            assert both.any(axis=(1, 2)).all()
            assert both.sum(axis=0, dtype=int).max() <= 255
    written = {path: path.stat().st_mtime_ns for path in (folder / "store").glob("alpha-*/*/*")}
    assert len(written) == 2 * 3
    assert matteo(*command) == 0
    assert {path: path.stat().st_mtime_ns for path in (folder / "store").glob("alpha-*/*/*")} == written
    assert matteo("export", folder, tmp_path / "out.mkv") == 0


def test_export_makes_the_mattes_it_lacks_on_the_device_it_is_given(
    clip: Path, prompts: Path, tmp_path: Path, msg_vim: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "shot.matteo"
    command = ("--project", folder, "--weights", msg_vim, *SMALL)
    assert matteo("cut", clip, "--prompts", prompts, *command) == 0
    for path in (folder / "store").glob("alpha-*"):
        shutil.rmtree(path)
    matte = ("export", folder, tmp_path / "out", "--what", "matte")
    assert matteo(*matte, "--device", "cuda:7") == 1
    assert "cuda:7 is not there" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert matteo(*matte, "--device", "cpu") == 0
    assert "msg-vim works on the CPU" in capsys.readouterr().err
    assert read_picture(tmp_path / "out" / "1" / "00000.png").any()


@pytest.mark.parametrize("name", ["msg_vim", "maggie"])
def test_matte_writes_what_the_library_gives(
    clip: Path, masks: Path, tmp_path: Path, name: str, matteo: Run, request: pytest.FixtureRequest
) -> None:
    weights: Path = request.getfixturevalue(name)
    out = tmp_path / "alphas"
    assert matteo("matte", clip, "--masks", masks, "--out", out, "--weights", weights, "--short-side", 72) == 0
    with open_clip(clip) as footage:
        frames = np.stack([footage.frame(t) for t in range(5)]).astype(np.uint8)
    pictures = np.stack([read_picture(masks / f"{t:05d}.png") for t in range(5)])
    chosen = np.stack([pictures == 1, pictures == 2], axis=1)
    expected = load(weights, "cpu", 72).matte(frames, chosen)
    for t in range(5):
        stored = to_stored(expected[t])
        for place in (0, 1):
            np.testing.assert_array_equal(read_picture(out / f"{place + 1}" / f"{t:05d}.png"), stored[place])


def test_bad_weights_are_one_sentence_and_leave_nothing(
    clip: Path, prompts: Path, tmp_path: Path, msg_vim: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    cut_short = tmp_path / "short.pth"
    cut_short.write_bytes(msg_vim.read_bytes()[:1_000_000])
    folder = tmp_path / "shot.matteo"
    for options, expected in (
        (("--matter", "maggie"), "maggie needs its network's weights"),
        (("--matter", "maggie", "--weights", msg_vim), "holds the weights of msg-vim; use --matter msg-vim"),
        (("--weights", tmp_path / "none.pth"), "There is no file"),
        (("--weights", clip), "damaged or not a file of network weights"),
        (("--weights", cut_short), "damaged or not a file of network weights"),
    ):
        assert matteo("cut", clip, "--prompts", prompts, "--project", folder, *options) == 1
        said = capsys.readouterr().err
        assert expected in said
        assert said.startswith("matteo: ")
        assert said.count("\n") == 1
        assert not folder.exists()
    assert matteo("cut", clip, "--prompts", prompts, "--project", folder, "--device", "cuda:7") == 1
    assert "cuda:7 is not there" in capsys.readouterr().err


def test_weights_that_went_away_or_changed_are_named(
    clip: Path, prompts: Path, tmp_path: Path, msg_vim: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = tmp_path / "mine.pth"
    shutil.copy(msg_vim, weights)
    folder = tmp_path / "shot.matteo"
    assert matteo("cut", clip, "--prompts", prompts, "--project", folder, "--weights", weights, *SMALL) == 0
    for path in (folder / "store").glob("alpha-*"):
        shutil.rmtree(path)
    weights.unlink()
    assert matteo("export", folder, tmp_path / "out", "--what", "matte") == 1
    assert "mine.pth are not there; choose them again" in capsys.readouterr().err
    weights.write_bytes(b"other")
    assert matteo("export", folder, tmp_path / "out", "--what", "matte") == 1
    assert "mine.pth has changed since the project was made with it" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_auto_takes_an_installed_model_and_says_its_terms(
    clip: Path, masks: Path, tmp_path: Path, msg_vim: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matteo("models", "import", "msg-vim", msg_vim) == 0
    assert matteo("doctor") == 0
    said = capsys.readouterr().out
    assert "matter msg-vim, if not told otherwise" in said
    assert "msg-vim (commercial use: unstated)" in said
    out = tmp_path / "alphas"
    assert matteo("matte", clip, "--masks", masks, "--out", out, *SMALL) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"{out}: alphas by msg-vim",
        "MSG-VIM: MIT (code); commercial use: unstated",
    ]
    assert read_picture(out / "1" / "00002.png").any()


def test_lite_mattes_with_the_weights_that_its_training_writes(
    clip: Path, masks: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    from matting.networks import create
    from matting.training.validation import write_weights

    torch.manual_seed(0)
    weights, out = tmp_path / "lite.safetensors", tmp_path / "alphas"
    write_weights(weights, create("lite").state_dict())
    assert matteo("matte", clip, "--masks", masks, "--out", out, "--matter", "lite", "--weights", weights) == 0
    assert "lite works on the CPU" in capsys.readouterr().err
    total = sum(read_picture(out / str(i) / "00003.png").astype(int) for i in (1, 2))
    assert 0 < np.max(total) <= 255
    assert (
        matteo("matte", clip, "--masks", masks, "--out", tmp_path / "b", "--matter", "maggie", "--weights", weights)
        == 1
    )
    assert "holds the weights of lite" in capsys.readouterr().err
