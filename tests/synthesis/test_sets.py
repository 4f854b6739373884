from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

import main
from matting.evaluation import datasets
from matting.synthesis.cutouts import filmed_cutouts
from matting.synthesis.sets import LEVELS, VIM50_PEOPLE, Drawn, Filmed, image_scene, vhim_scene, vim50_scene
from matting.synthesis.writing import check

SIZE = (90, 160)


@pytest.mark.parametrize("level", list(LEVELS))
def test_people_of_a_level_hide_each_other_as_much_as_it_says(level: str) -> None:
    least, most = LEVELS[level]
    for seed in range(3):
        hidden = vhim_scene(Drawn(), level, seed, SIZE, frames=2).most_hidden()
        assert least <= hidden <= max(most, 0.02)


def test_vim50_has_as_many_people_as_the_paper_says() -> None:
    assert Counter(VIM50_PEOPLE) == {2: 35, 3: 10, 4: 5}
    for seed, count in ((0, 2), (36, 3), (46, 4)):
        assert len(vim50_scene(Drawn(), seed, SIZE, frames=1).people) == count


def test_nobody_in_a_picture_loses_more_than_a_third() -> None:
    for seed in range(4):
        assert image_scene(Drawn(), seed, SIZE).most_hidden() <= 0.3


@pytest.fixture
def foregrounds(tmp_path: Path) -> Path:
    """Three clips of two frames: a red, a green and a blue disc, in the layout of VideoMatte240K."""
    for place in range(3):
        for t in range(2):
            alpha = np.zeros((60, 80), np.uint8)
            cv2.circle(alpha, (40 + t, 30), 20, 255, -1, cv2.LINE_AA)
            colour = np.zeros((60, 80, 3), np.uint8)
            colour[..., 2 - place] = 200
            for kind, picture in (("fgr", colour), ("pha", alpha)):
                folder = tmp_path / "people" / kind / f"clip{place}"
                folder.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(folder / f"{t:04d}.png"), picture)
    return tmp_path / "people"


def test_filmed_people_keep_their_colours_to_the_edge(foregrounds: Path) -> None:
    cutouts = filmed_cutouts(foregrounds)
    assert [len(cutout) for cutout in cutouts] == [2, 2, 2]
    assert cutouts[0].aspect == pytest.approx(42 / 41, abs=0.06)  # the disc of both frames
    layer = cutouts[0].layer(0, (40, 40))
    edge = (layer.opacity > 0.1) & (layer.opacity < 0.9)
    assert edge.any()
    np.testing.assert_allclose(layer.colour[edge][:, 0], 200 / 255, atol=0.02)
    assert len(vim50_scene(Filmed(cutouts), 0, SIZE, frames=2).people) == 2


class TestCommand:
    def test_writes_what_the_papers_benchmark_reads(self, tmp_path: Path) -> None:
        out = tmp_path / "vim"
        arguments = ["synthesize", str(out), "--count", "2", "--size", "96x64", "--frames", "2"]
        assert main.main(arguments) == 0
        found = datasets.samples("vim50", out)
        assert [(sample.name, sample.source, len(sample.frames)) for sample in found] == [
            ("00000", "masks", 2), ("00001", "masks", 2),
        ]  # fmt: skip
        assert main.main(["synthesize", str(out), "--check"]) == 0
        assert main.main(arguments) == 1  # never over what is there

    def test_a_spoilt_set_is_found_out(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        out = tmp_path / "vhim"
        arguments = ["--like", "vhim60-easy", "--count", "1", "--size", "96x64", "--frames", "2"]
        assert main.main(["synthesize", str(out), *arguments]) == 0
        assert check(out) == []
        assert [sample.group for sample in datasets.samples("vhim60", out)] == ["comp_easy"]
        frame = out / "comp_easy" / "fgr" / "00000" / "00001.png"
        cv2.imwrite(str(frame), 255 - np.asarray(cv2.imread(str(frame))))
        assert main.main(["synthesize", str(out), "--check"]) == 1
        assert "00001.png: the layers give a picture that is off by" in capsys.readouterr().err

    def test_foregrounds_of_ones_own(self, foregrounds: Path, tmp_path: Path) -> None:
        out = tmp_path / "own"
        arguments = ["--like", "ihim50k", "--count", "2", "--size", "160x90", "--foregrounds", str(foregrounds)]
        assert main.main(["synthesize", str(out), *arguments]) == 0
        assert check(out) == []
