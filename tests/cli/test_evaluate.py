"""``matteo evaluate``: folders in, a table and JSON out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

Run = Callable[..., int]
GOLDEN = Path(__file__).parents[1] / "evaluation" / "golden"
FRAMES, HEIGHT, WIDTH = 6, 40, 48
KEYS = {
    "mad", "mse", "sad", "grad", "conn", "dtssd", "messddt", "mad_f", "mad_u", "rq", "tq",
    "mq_mse", "mq_mad", "mq_dtssd", "vimq_mse", "vimq_mad", "vimq_dtssd",
}  # fmt: skip


def matte(t: int, n: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    alpha = np.clip(2 - np.hypot(rows - 20, columns - 12 - 22 * n - t) / 5, 0, 1)
    return np.asarray(np.rint(255 * alpha), np.uint8)


def write(folder: Path, mattes: list[NDArray[Any]], first: int = 0) -> None:
    folder.mkdir(parents=True)
    for t, alpha in enumerate(mattes, first):
        assert cv2.imwrite(str(folder / f"{t:05d}.png"), alpha)


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    for clip in ("one", "two"):
        for n in range(2):
            write(tmp_path / "gt" / clip / "pha" / f"{n:02d}", [matte(t, n) for t in range(FRAMES)])
    return tmp_path / "gt"


@pytest.fixture
def measured(matteo: Run, tmp_path: Path) -> Callable[..., Any]:
    def run(*arguments: object) -> Any:
        out = tmp_path / "report.json"
        assert matteo("evaluate", *arguments, "--json", out) == 0
        return json.loads(out.read_text())

    return run


class TestPairs:
    def test_the_truth_itself(self, truth: Path, measured: Callable[..., Any]) -> None:
        report = measured(truth, truth)
        assert report["all"].keys() == KEYS
        assert set(report["clips"]) == {"one", "two"}
        for values in (report["all"], *report["clips"].values()):
            assert {name for name, value in values.items() if value == 1} == {
                name for name in KEYS if name in ("rq", "tq") or "mq_" in name
            }
            assert sum(values.values()) == 8  # and everything else is 0

    def test_sixteen_bits_and_no_pha(self, truth: Path, tmp_path: Path, measured: Callable[..., Any]) -> None:
        for clip in ("one", "two"):
            for n in range(2):
                alphas = [matte(t, n).astype(np.uint16) * 257 for t in range(FRAMES)]
                write(tmp_path / "pred" / clip / f"{n:02d}", alphas)
        report = measured(tmp_path / "pred", truth, "--metrics", "mad,mse")
        assert report["all"] == {"mad": 0, "mse": 0}

    def test_one_clip_without_a_clip_folder(self, truth: Path, tmp_path: Path, measured: Callable[..., Any]) -> None:
        half = [matte(t, 0) // 2 for t in range(FRAMES)]
        write(tmp_path / "pred" / "00", half)
        write(tmp_path / "pred" / "01", [matte(t, 1) for t in range(FRAMES)])
        report = measured(tmp_path / "pred", truth / "one", "--definition", "plain", "--metrics", "mad")
        wanted = [1000 / 255 * np.mean(matte(t, 0) - half[t], dtype=float) for t in range(FRAMES)]
        assert set(report["clips"]) == {"one"}
        assert report["instances"]["one"]["00"]["mad"] == pytest.approx(np.mean(wanted))
        assert report["instances"]["one"]["01"]["mad"] == 0
        assert report["all"]["mad"] == pytest.approx(np.mean(wanted) / 2)

    def test_other_names_and_an_extra_one(self, truth: Path, tmp_path: Path, measured: Callable[..., Any]) -> None:
        for clip in ("one", "two"):
            for name, n in (("ann", 1), ("ben", 0), ("00", 0)):
                write(tmp_path / "pred" / clip / name, [matte(t, n) for t in range(FRAMES)], first=100)
        report = measured(tmp_path / "pred", truth)
        assert report["missing"] == ["one/01", "two/01"]
        assert report["ignored"] == ["one/ann", "one/ben", "two/ann", "two/ben"]
        assert report["instances"]["one"]["00"]["mad"] == 0
        blank = [1e-3 / 255 * matte(t, 1).sum(dtype=float) for t in range(FRAMES)]
        assert report["instances"]["one"]["01"]["sad"] == pytest.approx(np.mean(blank))
        assert report["all"]["rq"] == pytest.approx(2 / 2.5)
        assert report["all"]["mq_mse"] == 1

    def test_a_missing_clip_and_missing_frames(
        self, truth: Path, tmp_path: Path, measured: Callable[..., Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        for n in range(2):
            write(tmp_path / "pred" / "one" / f"{n:02d}", [matte(t, n) for t in range(FRAMES)])
        (tmp_path / "pred" / "one" / "00" / "00002.png").unlink()
        report = measured(tmp_path / "pred", truth)
        assert report["missing"] == ["one/00 (1 frames)", "two"]
        assert "missing and count as zeros: one/00 (1 frames), two" in capsys.readouterr().err
        assert report["clips"]["two"]["rq"] == report["clips"]["two"]["vimq_mad"] == 0
        assert report["instances"]["one"]["01"]["sad"] == 0
        assert report["instances"]["one"]["00"]["sad"] == pytest.approx(1e-3 / 255 * matte(2, 0).sum(dtype=float) / 6)

    def test_numbers_without_zeros_before_them(self, truth: Path, tmp_path: Path, measured: Callable[..., Any]) -> None:
        for n in range(2):
            for t in range(FRAMES):
                file = tmp_path / "pred" / f"{n:02d}" / f"{t}.png"
                file.parent.mkdir(parents=True, exist_ok=True)
                assert cv2.imwrite(str(file), matte(t, n))
        assert measured(tmp_path / "pred", truth / "one", "--metrics", "sad")["all"]["sad"] == 0

    @pytest.mark.parametrize(("definition", "group"), [("published", "vimq"), ("plain", "vimq_paper_variant")])
    def test_the_reference_clips(
        self, tmp_path: Path, measured: Callable[..., Any], definition: str, group: str
    ) -> None:
        with np.load(GOLDEN / "vimq_clips.npz") as clips:
            for key in clips.files:
                clip, side = key.split("__")
                for n, mattes in enumerate(clips[key]):
                    write(tmp_path / side / clip / ("pha" if side == "gt" else "") / f"{n:02d}", list(mattes))
        report = measured(tmp_path / "pred", tmp_path / "gt", "--metrics", "vimq", "--definition", definition)
        wanted = json.loads((GOLDEN / "values.json").read_text())[group]
        for error, weighted in (("mse", "MSE_w50"), ("mad", "MAD_w50"), ("dtssd", "dtSSD_w10")):
            final = wanted[weighted]["final"]
            names = (("rq", "RQ"), ("tq", "TQ"), (f"mq_{error}", "MQ"), (f"vimq_{error}", "VIMQ_product_of_means"))
            for ours, theirs in names:
                assert report["all"][ours] == pytest.approx(final[theirs], abs=1e-6)
            for clip, values in wanted[weighted]["clips"].items():
                assert report["clips"][clip][f"mq_{error}"] == pytest.approx(values["MQ"], abs=1e-6)

    def test_the_table(self, truth: Path, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
        assert matteo("evaluate", truth, truth, "--metrics", "vimq,Conn") == 0
        lines = capsys.readouterr().out
        for text in ("conn", "one/01", "two", "vimq_dtssd", "100.00", "all"):
            assert text in lines


class TestRefusals:
    @pytest.fixture
    def refused(self, matteo: Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
        def run(*arguments: object) -> str:
            assert matteo("evaluate", *arguments) == 1
            lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("matteo: ")]
            assert len(lines) == 1
            return lines[0]

        return run

    def test_a_missing_folder(self, truth: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        assert "nowhere is not there" in refused(tmp_path / "nowhere", truth)
        assert "nowhere is not there" in refused(truth, tmp_path / "nowhere")

    def test_no_pictures(self, truth: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        (tmp_path / "empty" / "one").mkdir(parents=True)
        assert "no pictures" in refused(tmp_path / "empty", truth)

    def test_another_size(self, truth: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        write(tmp_path / "pred" / "00", [np.zeros((HEIGHT, WIDTH + 2), np.uint8)] * FRAMES)
        assert "is 50×40 where the ground truth begins with 48×40" in refused(tmp_path / "pred", truth / "one")

    def test_frames_that_cannot_belong_together(self, truth: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        write(tmp_path / "pred" / "00", [matte(t, 0) for t in range(4)], first=100)
        assert "4 frames with other names than the ground truth's 6" in refused(tmp_path / "pred", truth / "one")

    def test_a_ground_truth_with_gaps(self, truth: Path, refused: Callable[..., str]) -> None:
        (truth / "one" / "pha" / "01" / "00003.png").unlink()
        assert "same frames for each instance" in refused(truth, truth)

    def test_folders_of_different_depth(self, truth: Path, refused: Callable[..., str]) -> None:
        assert "same depth" in refused(truth / "one", truth)

    def test_a_damaged_picture(self, truth: Path, refused: Callable[..., str]) -> None:
        broken = truth / "one" / "pha" / "01" / "00003.png"
        broken.write_bytes(broken.read_bytes()[:40])
        assert "00003.png cannot be read" in refused(truth, truth)

    def test_a_metric_that_does_not_exist(self, truth: Path, matteo: Run) -> None:
        assert matteo("evaluate", truth, truth, "--metrics", "mad,beauty") == 2
