"""cut, look, backdrop, export on a small clip, asserting on what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.media import open_clip
from matting.project.project import Project

Run = Callable[..., int]


def picture_at(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), np.uint8)


def frames_of(path: Path) -> NDArray[np.uint8]:
    with open_clip(path) as clip:
        return np.stack([picture for _, picture in clip.frames(0, len(clip))])


def alphas_of(folder: Path, instance: int, count: int) -> NDArray[np.uint8]:
    files = [folder / str(instance) / f"{index:05d}.png" for index in range(count)]
    return np.stack([picture_at(path) for path in files])


class TestUntouched:
    @pytest.mark.parametrize("out", ["out.mkv", "pictures"])
    def test_without_looks_the_frames_come_back_bit_for_bit(
        self, clip: Path, project: Path, tmp_path: Path, matteo: Run, out: str
    ) -> None:
        assert matteo("export", project, tmp_path / out) == 0
        np.testing.assert_array_equal(frames_of(tmp_path / out), frames_of(clip))

    def test_a_look_changes_nothing_where_its_alpha_is_zero(
        self, clip: Path, project: Path, tmp_path: Path, matteo: Run
    ) -> None:
        assert matteo("look", project, "--instance", "ann", "--recolor", "#20C060@1") == 0
        assert matteo("export", project, tmp_path / "out.mkv") == 0
        assert matteo("export", project, tmp_path / "mattes", "--what", "matte") == 0
        source, made, alpha = frames_of(clip), frames_of(tmp_path / "out.mkv"), alphas_of(tmp_path / "mattes", 1, 20)
        assert (alpha > 0).mean() > 0.03
        np.testing.assert_array_equal(made[alpha == 0], source[alpha == 0])
        inside = made[alpha == 255].astype(int).mean(axis=0)
        assert inside[1] > inside[0] + 40  # red became green


class TestMattes:
    def test_they_sum_to_at_most_one_and_find_the_figures(self, project: Path, tmp_path: Path, matteo: Run) -> None:
        assert matteo("export", project, tmp_path / "mattes", "--what", "matte") == 0
        ann, ben = (alphas_of(tmp_path / "mattes", i, 20).astype(int) for i in (1, 2))
        assert (ann + ben).max() <= 255
        area = np.pi * 10 * 18
        for alone in (0, 10):  # later they cross
            assert abs((ann[alone] / 255).sum() - area) < 0.15 * area
            assert abs((ben[alone] / 255).sum() - area) < 0.15 * area

    def test_merged_is_the_sum(self, project: Path, tmp_path: Path, matteo: Run) -> None:
        matteo("export", project, tmp_path / "each", "--what", "matte")
        assert matteo("export", project, tmp_path / "all", "--what", "matte", "--merge") == 0
        merged = picture_at(tmp_path / "all" / "00004.png")
        parts = [alphas_of(tmp_path / "each", i, 5)[4] for i in (1, 2)]
        np.testing.assert_array_equal(merged, parts[0] + parts[1])

    def test_masks_are_index_pictures(self, project: Path, tmp_path: Path, matteo: Run) -> None:
        assert matteo("export", project, tmp_path / "masks", "--what", "mask", "--frames", "3-4") == 0
        assert sorted(p.name for p in (tmp_path / "masks").iterdir()) == ["00003.png", "00004.png"]
        picture = picture_at(tmp_path / "masks" / "00003.png")
        assert set(np.unique(picture)) == {0, 1, 2}

    def test_a_cutout_carries_alpha(self, project: Path, tmp_path: Path, matteo: Run) -> None:
        out = tmp_path / "cut"
        assert matteo("export", project, out, "--what", "cutout", "--instance", "2", "--frames", "0-0") == 0
        picture = picture_at(out / "00000.png")
        assert picture.shape[2] == 4
        assert picture[38, 108, 3] == 255
        assert picture[5, 5, 3] == 0


class TestRemoval:
    def test_the_background_comes_back(self, clip: Path, project: Path, tmp_path: Path, matteo: Run) -> None:
        assert matteo("look", project, "--instance", "2", "--remove") == 0
        assert matteo("export", project, tmp_path / "out.mkv") == 0
        source, made = frames_of(clip), frames_of(tmp_path / "out.mkv")
        # Ben stands right in frame 0 and left in frame 19, so each shows what is behind him in the other.
        hole = np.s_[22:54, 100:116]
        error = np.abs(made[0][hole].astype(int) - source[19][hole]).mean()
        assert error < 4
        assert np.abs(source[0][hole].astype(int) - source[19][hole]).mean() > 60


class TestBackdrops:
    def test_a_colour(self, project: Path, tmp_path: Path, matteo: Run) -> None:
        assert matteo("backdrop", project, "--color", "#102030") == 0
        assert matteo("export", project, tmp_path / "out.mkv", "--frames", "0-0") == 0
        assert frames_of(tmp_path / "out.mkv")[0, 2, 2].tolist() == [16, 32, 48]

    def test_transparent_needs_a_preset_with_alpha(
        self, project: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        matteo("backdrop", project, "--transparent")
        assert matteo("export", project, tmp_path / "out.mp4") == 1
        assert "transparen" in capsys.readouterr().err
        assert not (tmp_path / "out.mp4").exists()
        assert matteo("export", project, tmp_path / "out.mov") == 0

    @pytest.mark.parametrize("kind", ["--plate", "--original"])
    def test_the_others_are_kept_in_the_project(self, project: Path, matteo: Run, kind: str) -> None:
        assert matteo("backdrop", project, kind) == 0
        assert Project.load(project).document.backdrop.kind == kind.removeprefix("--")

    def test_an_image_covers_the_frame(self, project: Path, tmp_path: Path, matteo: Run) -> None:
        cv2.imwrite(str(tmp_path / "green.png"), np.full((10, 10, 3), (0, 200, 0), np.uint8))
        assert matteo("backdrop", project, "--image", tmp_path / "green.png") == 0
        assert matteo("export", project, tmp_path / "out.mkv", "--frames", "0-0") == 0
        assert frames_of(tmp_path / "out.mkv")[0, 70, 60].tolist() == [0, 200, 0]

    def test_a_video_runs_along(self, clip: Path, project: Path, tmp_path: Path, matteo: Run) -> None:
        assert matteo("backdrop", project, "--video", clip) == 0
        assert matteo("export", project, tmp_path / "out.mkv") == 0
        source, made = frames_of(clip), frames_of(tmp_path / "out.mkv")
        np.testing.assert_array_equal(made[:, :8], source[:, :8])


class TestContinuing:
    def test_the_same_prompts_do_nothing_again(self, clip: Path, prompts: Path, project: Path, matteo: Run) -> None:
        before = {path: path.stat().st_mtime_ns for path in project.glob("store/*/*/*")}
        assert len(before) >= 2 * 3
        assert matteo("cut", clip, "--prompts", prompts, "--project", project) == 0
        assert {path: path.stat().st_mtime_ns for path in project.glob("store/*/*/*")} == before

    def test_a_changed_prompt_redoes_only_what_depends_on_it(
        self, clip: Path, prompts: Path, tmp_path: Path, matteo: Run
    ) -> None:
        project = tmp_path / "shot.matteo"
        given = json.loads(prompts.read_text())
        for instance, x0 in zip(given["instances"], (20, 108), strict=True):
            step = 2 if x0 == 20 else -3
            x = x0 + step * 8
            y = 34 if x0 == 20 else 38
            middle = {"frame": 8, "points": [[x, y, 1]], "box": [x - 12, y - 20, x + 12, y + 20]}
            instance["prompts"].insert(1, middle)
        prompts.write_text(json.dumps(given))
        matteo("cut", clip, "--prompts", prompts, "--project", project)
        before = {path.relative_to(project): path.stat().st_mtime_ns for path in project.glob("store/masks/*/*")}
        given["instances"][1]["prompts"][2]["points"].append([2, 2, 0])
        prompts.write_text(json.dumps(given))
        assert matteo("cut", clip, "--prompts", prompts, "--project", project) == 0
        after = {path.relative_to(project): path.stat().st_mtime_ns for path in project.glob("store/masks/*/*")}
        kept = {path.parts[2] for path in before if after.get(path) == before[path]}
        assert kept == {"000000"}  # frames 0-7 are bounded by the prompts on 0 and 8, which are as they were

    def test_another_clip_is_refused(
        self, prompts: Path, project: Path, tmp_path: Path, matteo: Run, write_clip: Callable[..., Path]
    ) -> None:
        other = write_clip(tmp_path / "other.mkv", frames=21)
        document = Project.load(project).document
        assert matteo("cut", other, "--prompts", prompts, "--project", project) == 1
        assert Project.load(project).document == document


class TestWithoutProject:
    def test_track_matte_plate(self, clip: Path, project: Path, tmp_path: Path, matteo: Run) -> None:
        masks = tmp_path / "masks"
        matteo("export", project, masks, "--what", "mask")
        for index in range(1, 19):
            (masks / f"{index:05d}.png").unlink()
        assert matteo("track", clip, "--masks", masks, "--out", tmp_path / "tracked") == 0
        tracked = sorted((tmp_path / "tracked").iterdir())
        assert [path.name for path in tracked] == [f"{index:05d}.png" for index in range(20)]
        assert matteo("matte", clip, "--masks", tmp_path / "tracked", "--out", tmp_path / "alphas") == 0
        assert sorted(path.name for path in (tmp_path / "alphas").iterdir()) == ["1", "2"]
        assert len(list((tmp_path / "alphas" / "1").iterdir())) == 20
        assert matteo("plate", clip, "--masks", tmp_path / "tracked", "--out", tmp_path / "plate.mkv") == 0
        plate, source = frames_of(tmp_path / "plate.mkv"), frames_of(clip)
        assert np.abs(plate[0][22:54, 100:116].astype(int) - source[19][22:54, 100:116]).mean() < 4
