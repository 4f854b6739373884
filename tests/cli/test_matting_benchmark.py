"""``matteo benchmark matting`` on people composed of small pictures, and on clips that are ready."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.pipeline.trials import trials
from matting.synthesis.layers import Layer, compose
from matting.synthesis.writing import write_vhim, write_vhim_masks, write_vim, write_vim_masks
from resources import SAMPLE

Run = Callable[..., int]
CLASSICAL = ["mask", "guided filter", "closed-form", "knn", "classical"]
METRICS = ["mad", "mse", "grad", "conn", "dtssd", "messddt", "mad_u"]


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """Two in a group, one in another, and a background."""
    for place, name in enumerate(("tall/ann", "tall/bob", "small/eve")):
        group, _, stem = name.partition("/")
        alpha = np.zeros((120, 90), np.uint8)
        cv2.ellipse(alpha, (45, 60), (25, 50), 0, 0, 360, 255, -1, cv2.LINE_AA)
        write(tmp_path / "people" / group / "alpha" / f"{stem}.png", alpha)
        write(tmp_path / "people" / group / "fg" / f"{stem}.png", np.full((120, 90, 3), 60 * place + 30, np.uint8))
    write(tmp_path / "grounds/wall.png", np.full((80, 120, 3), 230, np.uint8))
    return tmp_path / "people"


def numbers(matteo: Run, *arguments: object) -> dict[str, Any]:
    file = Path(str(arguments[0])).parent / "numbers.json"
    assert matteo("benchmark", "matting", *arguments, "--json", file) == 0
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_every_method_and_every_group_is_told(
    people: Path, matteo: Run, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATTEO_MODELS", str(people.parent / "no models"))
    grounds, sheets = people.parent / "grounds", people.parent / "sheets"
    found = numbers(matteo, people, "--backgrounds", grounds, "--frames", 2, "--size", "160x90", "--sheets", sheets)
    assert list(found["methods"]) == [*CLASSICAL, "lite"]
    for rows in found["methods"].values():
        assert list(rows) == ["all", "small", "tall"]
        assert [rows[group]["people"] for group in rows] == [6, 2, 4]
        for row in rows.values():
            assert all(row[name] >= 0 for name in METRICS)
            assert row["cpu_s"] > 0
        assert 0 <= rows["all"]["vimq_mse"] <= 1
    assert len(list(sheets.iterdir())) == len(found["clips"]["mask"]) == 4
    out = capfd.readouterr().out
    for text in (*CLASSICAL, "all (6)", "small (2)", "tall (4)", "dtSSD"):
        assert text in out

    # What the mask is off by follows from the clips alone; dark plain figures before a light wall are easy to matte.
    mask = found["methods"]["mask"]
    clips = [make() for make in trials([people], grounds, 2, (90, 160))]
    off = [1e3 * np.abs(clip.masks - clip.alphas / 255).mean(axis=(0, 2, 3)) for clip in clips]
    assert mask["all"]["mad"] == pytest.approx(np.concatenate(off).mean(), rel=1e-4)
    assert found["methods"]["closed-form"]["all"]["mad"] < 0.3 * mask["all"]["mad"]


def test_weights_from_a_file_and_noise_on_the_masks(people: Path, matteo: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    from matting.networks import create
    from matting.training.validation import write_weights

    monkeypatch.setenv("MATTEO_MODELS", str(people.parent / "no models"))
    for run in ("first", "second"):
        write_weights(people.parent / run / "lite.safetensors", create("lite").state_dict())
    found = numbers(
        matteo, people / "tall", "--backgrounds", people.parent / "grounds", "--frames", 2, "--size", "160x90",
        "--weights", people.parent / "first/lite.safetensors", "--weights", people.parent / "second/lite.safetensors",
        "--methods", "mask,lite", "--noise", 0.25,
    )  # fmt: skip
    assert list(found["methods"]) == ["mask", "lite first/lite", "lite second/lite", "lite resources/lite"]
    noise = found["noise"]["vimq_mse"]
    assert found["noise"]["share"] == 0.25
    assert list(noise) == list(found["methods"])
    # An eighth of the pixels is wrong, three times the area of the figures at most.
    assert noise["mask"]["clean"] == pytest.approx(100 * found["methods"]["mask"]["all"]["vimq_mse"])
    assert noise["mask"]["drop"] == pytest.approx(noise["mask"]["clean"] - noise["mask"]["noisy"])
    assert noise["mask"]["drop"] > 20


def test_drawn_clips_need_no_data(tmp_path: Path, matteo: Run, capfd: pytest.CaptureFixture[str]) -> None:
    file, sheets = tmp_path / "numbers.json", tmp_path / "sheets"
    drawn = ("--drawn", 1, "--frames", 2, "--size", "96x54", "--methods", "mask", "--noise", 0.25)
    assert matteo("benchmark", "matting", *drawn, "--json", file, "--sheets", sheets) == 0
    (clip,) = json.loads(file.read_text())["clips"]["mask"]
    assert clip["people"] >= 1
    assert 1 < clip["mad"] < 100
    assert [path.name for path in sheets.iterdir()] == ["00 drawn 2000000.png"]
    assert "struck by salt and pepper" in capfd.readouterr().out
    assert matteo("benchmark", "matting") == 2
    assert "--drawn" in capfd.readouterr().err


def test_clips_that_are_ready(tmp_path: Path, matteo: Run) -> None:
    rng = np.random.default_rng(0)
    edges = np.array([32.0, 64.0])[None, :, None, None] + rng.normal(0, 2, (2, 2, 72, 1))
    masks = []
    for frame, cuts in enumerate(edges):
        opacity = [np.asarray(np.clip((np.arange(128) - cut) / 4, 0, 1), np.float32) for cut in cuts]
        made = compose(
            [Layer(rng.random((72, 128, 3), np.float32), own) for own in opacity], np.zeros((72, 128, 3), np.float32)
        )
        write_vim(tmp_path / "vim", "00000", frame, made, made.alphas)
        write_vhim(tmp_path / "vhim", "comp_easy", "00000", frame, made, made.alphas)
        masks.append(made.alphas > 200)
    write_vim_masks(tmp_path / "vim", "00000", np.stack(masks))
    write_vhim_masks(tmp_path / "vhim", "comp_easy", "00000", np.stack(masks))
    for layout in ("vim", "vhim"):
        (clip,) = numbers(matteo, tmp_path / layout, "--methods", "mask")["clips"]["mask"]
        off = np.abs((made.alphas > 200) - made.alphas / 255).mean()
        assert clip["people"] == 2
        assert clip["mad"] == pytest.approx(1e3 * off, rel=0.1), "with the masks that came with them"
    sample = shutil.copytree(SAMPLE, tmp_path / "sample")
    assert numbers(matteo, sample, "--methods", "mask", "--frames", 1)["methods"]["mask"]["all"]["people"] == 3


@pytest.mark.parametrize(
    ("where", "says"),
    [("nowhere", "is not there"), ("empty", "no people to make them of"), ("people", "--backgrounds")],
)
def test_folders_that_will_not_do(
    people: Path, matteo: Run, capfd: pytest.CaptureFixture[str], where: str, says: str
) -> None:
    (people.parent / "empty").mkdir()
    assert matteo("benchmark", "matting", people.parent / where) == 1
    assert says in capfd.readouterr().err


def test_backgrounds_that_are_none(people: Path, matteo: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert matteo("benchmark", "matting", people, "--backgrounds", people / "tall") == 1
    assert "no pictures or videos" in capfd.readouterr().err


def test_an_unknown_method_is_wrong_usage(people: Path, matteo: Run, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ("benchmark", "matting", people, "--backgrounds", people.parent / "grounds")
    assert matteo(*arguments, "--methods", "mask,magic") == 2
    assert "magic" in capfd.readouterr().err
