"""``matteo benchmark papers`` on small trees laid out like the public data sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.cli import papers
from matting.errors import MediaError
from matting.evaluation import metrics
from matting.evaluation.datasets import samples
from matting.evaluation.opacity import as_float
from matting.evaluation.published import COLUMNS, ROWS
from matting.inference import loading
from matting.inference.classical import ClassicalMatter
from matting.inference.matter import Guided, Matted, Matter, Scope
from matting.job import JobContext

Run = Callable[..., int]
HEIGHT, WIDTH = 48, 64


class MaskMatter(Matter):
    """Takes masks for mattes."""

    name = "mask/1"
    scope = Scope()

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        for step in steps:
            yield Matted(step.masks.astype(np.float32), None)


def figure(n: int, t: int = 0, shift: int = 0) -> NDArray[np.uint8]:
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(picture, (18 + 26 * n + t + shift, 24), 11, 255, -1)
    return picture


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


def scene(t: int = 0) -> NDArray[np.uint8]:
    picture = np.full((HEIGHT, WIDTH, 3), (40, 120, 40), np.uint8)
    for n in range(2):
        picture[figure(n, t) > 0] = (30, 30, 200) if n else (200, 60, 30)
    return picture


@pytest.fixture
def vim50(tmp_path: Path) -> Path:
    for clip in ("0001", "0002"):
        for t in range(4):
            write(tmp_path / "VIM50" / clip / "com" / f"{t:04d}.png", scene(t))
            for n in range(2):
                write(tmp_path / "VIM50" / clip / "pha" / f"{n:02d}" / f"{t:04d}.png", figure(n, t))
                write(tmp_path / "TG" / clip / f"track{1 - n}" / f"{t:04d}.png", figure(n, t))
                write(tmp_path / "RE" / clip / f"track{1 - n}" / f"{t:04d}.png", figure(1 - n, t))
            if clip == "0001":
                write(tmp_path / "TG_seqformer" / clip / "0" / f"{t:04d}.png", figure(0, t))
    return tmp_path


@pytest.fixture
def him2k(tmp_path: Path) -> Path:
    for split in ("comp", "natural"):
        for name in ("a", "b", "unseen", "blank"):
            write(tmp_path / "images" / split / f"{name}.jpg", scene())
            for n in range(2):
                write(tmp_path / "alphas" / split / name / f"{n:02d}.png", figure(n))
        for maker, shift in (("r50_c4_3x", 0), ("x101_fpn_3x", 2)):
            masks = tmp_path / f"masks_matched_{maker}" / split
            for name in ("a", "b"):
                write(masks / name / "00.png", figure(0, shift=shift))
                write(masks / name / "01.png", figure(1, shift=shift))
            write(masks / "blank" / "00.png", np.zeros((HEIGHT, WIDTH), np.uint8))
    return tmp_path


@pytest.fixture
def vhim60(tmp_path: Path) -> Path:
    for split in ("comp_easy", "comp_hard"):
        for t in range(6):
            write(tmp_path / split / "fgr" / "clip7" / f"{t:05d}.jpg", scene(t))
            for n in range(2):
                write(tmp_path / split / "pha" / "clip7" / f"{t:05d}" / f"{n:02d}.png", figure(n, t))
                write(tmp_path / split / "xmem" / "clip7" / f"{t:05d}" / f"{n:02d}.png", figure(n, t, shift=1))
    return tmp_path


def test_vim50_matches_instances_for_each_mask_maker(vim50: Path) -> None:
    rows = papers.run(MaskMatter(), "vim50", samples("vim50", vim50), JobContext())
    assert [(row.group, row.method) for row in rows] == [("all", "mask/1, TG"), ("all", "mask/1, TG_seqformer")]
    assert rows[0].values == pytest.approx(dict.fromkeys(COLUMNS["vim50"], 100))
    # One of two instances in the first clip, none in the second.
    assert rows[1].values["rq"] == pytest.approx(100 * (1 / 1.5) / 2)
    assert rows[1].values["mq_mse"] == pytest.approx(50)
    assert rows[1].values["vimq_mse"] == pytest.approx(100 * (1 / 1.5) / 2 * 0.5 * 0.5)


def test_him2k_has_all_mask_makers_their_mean_and_deviation(him2k: Path) -> None:
    context = Notices()
    rows = papers.run(MaskMatter(), "him2k", samples("him2k", him2k), context)
    assert context.notices == ["4 samples have nothing in their masks and are left out, as the authors' code does."]
    comp = [row for row in rows if row.group == "comp"]
    assert [row.method for row in comp] == [
        "mask/1, r50_c4_3x", "mask/1, x101_fpn_3x", "mask/1, mean of 2 (deviation)",
    ]  # fmt: skip
    assert comp[0].values["mad"] == 0
    off, on = (as_float(np.stack([[figure(n, shift=shift) for n in range(2)]])) for shift in (2, 0))
    assert comp[1].values["mad"] == pytest.approx(metrics.mad(off, on).average())
    assert comp[2].values["mad"] == comp[2].deviations["mad"] == pytest.approx(comp[1].values["mad"] / 2)


def test_vhim60_has_temporal_metrics(vhim60: Path) -> None:
    rows = papers.run(MaskMatter(), "vhim60", samples("vhim60", vhim60), JobContext())
    assert [(row.group, row.method) for row in rows] == [("comp_easy", "mask/1, xmem"), ("comp_hard", "mask/1, xmem")]
    assert rows[0].values.keys() == set(COLUMNS["vhim60"])
    assert all(value > 0 for value in rows[0].values.values())


def test_a_real_matter(vhim60: Path) -> None:
    easy = [sample for sample in samples("vhim60", vhim60) if sample.group == "comp_easy"]
    masks, classical = (
        papers.run(matter, "vhim60", easy, JobContext()) for matter in (MaskMatter(), ClassicalMatter())
    )
    assert classical[0].values["mad"] < masks[0].values["mad"]


@pytest.mark.parametrize("dataset", ["vim50", "him2k", "vhim60"])
def test_the_command(
    dataset: str,
    request: pytest.FixtureRequest,
    matteo: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def load(path: Path, device: str, short_side: int | None, tell: Callable[[str], None]) -> Matter:
        assert (path.name, device) == ("public.pth", "cpu")
        assert short_side == (None if dataset == "vim50" else 576)
        return MaskMatter()

    monkeypatch.setattr(loading, "load", load)
    root, out = request.getfixturevalue(dataset), tmp_path / "papers.json"
    arguments = ["--weights", tmp_path / "public.pth", "--device", "cpu", "--json", out]
    assert matteo("benchmark", "papers", f"--{dataset}", root, *arguments) == 0
    written: list[dict[str, Any]] = json.loads(out.read_text())
    groups = {row["group"] for row in written}
    theirs = [row for row in written if row["whose"] == "paper"]
    assert len(theirs) == sum(row.group in groups for row in ROWS[dataset])
    assert {row["group"] for row in written if row["whose"] == "ours"} == groups
    printed = capsys.readouterr().out
    assert f"{theirs[0]['values'][COLUMNS[dataset][0]]:.2f}" in printed


class TestRefusals:
    def test_which_data_set(self, matteo: Run, him2k: Path) -> None:
        arguments = ["benchmark", "papers", him2k, "--weights", him2k / "w.pth"]
        assert matteo(*arguments) == 2
        assert matteo(*arguments, "--him2k", "--vim50") == 2

    @pytest.mark.parametrize("dataset", ["vim50", "him2k", "vhim60"])
    def test_another_folder(self, dataset: str, tmp_path: Path) -> None:
        (tmp_path / "holiday").mkdir()
        with pytest.raises(MediaError, match=str(tmp_path)):
            samples(dataset, tmp_path)
        with pytest.raises(MediaError, match="is not there"):
            samples(dataset, tmp_path / "nowhere")

    def test_a_mask_of_another_size(self, him2k: Path) -> None:
        write(him2k / "masks_matched_r50_c4_3x" / "comp" / "a" / "01.png", np.zeros((9, 9), np.uint8))
        with pytest.raises(MediaError, match=r"01\.png is not of the size of its picture"):
            papers.run(MaskMatter(), "him2k", samples("him2k", him2k), JobContext())


class Notices(JobContext):
    def __init__(self) -> None:
        super().__init__()
        self.notices: list[str] = []

    def noticed(self, text: str) -> None:
        self.notices.append(text)
