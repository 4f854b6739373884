"""Each bad input gives one clear sentence and exit code 1, and leaves nothing half made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from matting.project.project import Project

Run = Callable[..., int]


@pytest.fixture
def refused(matteo: Run, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail with exit code 1 and one line; returns the line."""

    def run(*arguments: object) -> str:
        capsys.readouterr()
        assert matteo(*arguments) == 1
        lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("matteo: ")]
        assert len(lines) == 1
        assert "Traceback" not in lines[0]
        return lines[0]

    return run


class TestClips:
    def test_a_missing_file(self, prompts: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        folder = tmp_path / "p.matteo"
        line = refused("cut", tmp_path / "nowhere.mp4", "--prompts", prompts, "--project", folder)
        assert "nowhere.mp4" in line
        assert not folder.exists()

    def test_a_text_file_named_mp4(self, prompts: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        (tmp_path / "fake.mp4").write_text("this is no video\n" * 100)
        line = refused("cut", tmp_path / "fake.mp4", "--prompts", prompts, "--project", tmp_path / "p.matteo")
        assert "fake.mp4" in line
        assert not (tmp_path / "p.matteo").exists()

    def test_frames_beyond_the_clip(
        self, clip: Path, prompts: Path, tmp_path: Path, refused: Callable[..., str]
    ) -> None:
        folder = tmp_path / "p.matteo"
        assert "0-19" in refused("cut", clip, "--prompts", prompts, "--project", folder, "--frames", "5-20")
        assert not folder.exists()

    def test_a_project_whose_clip_moved(
        self, clip: Path, project: Path, tmp_path: Path, refused: Callable[..., str], matteo: Run
    ) -> None:
        elsewhere = tmp_path / "archive" / "renamed.mkv"
        elsewhere.parent.mkdir()
        clip.rename(elsewhere)
        assert "relink" in refused("export", project, tmp_path / "out.mkv")
        assert matteo("relink", project, elsewhere) == 0
        assert matteo("export", project, tmp_path / "out.mkv") == 0


class TestPrompts:
    @pytest.mark.parametrize(
        ("prompt", "said"),
        [
            ({"frame": 0, "points": [[128, 5, 1]]}, "outside the 128×72 picture"),
            ({"frame": 0, "points": [[5, -0.1, 1]]}, "outside the 128×72 picture"),
            ({"frame": 20, "points": [[5, 5, 1]]}, "outside the frames 0-19"),
            ({"frame": 0, "box": [130, 0, 140, 20]}, "misses the 128×72 picture"),
            ({"frame": 0, "box": [20, 0, 10, 20]}, "has no area"),
            ({"frame": 0, "points": [[5, 5, 2]]}, "not valid"),
            ({"frame": 0, "pints": [[5, 5, 1]]}, "not valid"),
            ({"frame": 0, "mask": "nowhere.png"}, "nowhere.png"),
        ],
    )
    def test_one_that_does_not_fit(
        self, clip: Path, tmp_path: Path, refused: Callable[..., str], prompt: dict[str, Any], said: str
    ) -> None:
        path, folder = tmp_path / "bad.json", tmp_path / "p.matteo"
        path.write_text(json.dumps({"instances": [{"name": "ann", "prompts": [prompt]}]}))
        assert said in refused("cut", clip, "--prompts", path, "--project", folder)
        assert not folder.exists()

    def test_no_json(self, clip: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        (tmp_path / "bad.json").write_text("{")
        assert "bad.json" in refused("cut", clip, "--prompts", tmp_path / "bad.json", "--project", tmp_path / "p")

    def test_a_box_that_reaches_out_is_clipped(self, clip: Path, tmp_path: Path, matteo: Run) -> None:
        path, folder = tmp_path / "p.json", tmp_path / "p.matteo"
        prompt = {"frame": 0, "points": [[20, 34, 1]], "box": [-5, 10, 40, 400]}
        path.write_text(json.dumps({"instances": [{"name": "ann", "prompts": [prompt]}]}))
        assert matteo("cut", clip, "--prompts", path, "--project", folder, "--matter", "none", "--frames", "0-2") == 0
        assert Project.load(folder).document.instances[0].prompts[0].box == (0, 10, 40, 72)

    def test_a_mask_of_the_wrong_size(self, clip: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        cv2.imwrite(str(tmp_path / "m.png"), np.full((80, 128), 255, np.uint8))
        path = tmp_path / "p.json"
        path.write_text(json.dumps({"instances": [{"name": "a", "prompts": [{"frame": 0, "mask": "m.png"}]}]}))
        assert "128×80" in refused("cut", clip, "--prompts", path, "--project", tmp_path / "p.matteo")


class TestMasks:
    def test_the_wrong_size(self, clip: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        masks = tmp_path / "masks"
        masks.mkdir()
        cv2.imwrite(str(masks / "00000.png"), np.ones((72, 131), np.uint8))
        for name in ("track", "matte", "plate"):
            assert "131×72" in refused(name, clip, "--masks", masks, "--out", tmp_path / "out")
        assert not (tmp_path / "out").exists()

    def test_nearly_the_right_size_is_resampled(self, clip: Path, tmp_path: Path, matteo: Run) -> None:
        masks = tmp_path / "masks"
        masks.mkdir()
        picture = np.zeros((72, 127), np.uint8)
        picture[20:50, 10:30] = 255
        cv2.imwrite(str(masks / "00000.png"), picture)
        assert matteo("matte", clip, "--masks", masks, "--out", tmp_path / "out") == 0
        assert [path.name for path in (tmp_path / "out").rglob("*.png")] == ["00000.png"]

    def test_an_empty_folder(self, clip: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        (tmp_path / "masks").mkdir()
        assert "no mask" in refused("track", clip, "--masks", tmp_path / "masks", "--out", tmp_path / "out")


class TestOutputs:
    def test_an_existing_output(self, project: Path, tmp_path: Path, refused: Callable[..., str], matteo: Run) -> None:
        out = tmp_path / "out.mkv"
        out.write_text("precious")
        assert "--overwrite" in refused("export", project, out)
        assert out.read_text() == "precious"
        assert matteo("export", project, out, "--overwrite") == 0
        assert out.stat().st_size > 1000

    def test_a_place_that_cannot_be_written(self, project: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        (tmp_path / "file").write_text("")
        refused("export", project, tmp_path / "file" / "out.mkv")

    def test_masks_as_video(self, project: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        assert "png" in refused("export", project, tmp_path / "m.mp4", "--what", "mask")


class TestProjects:
    def test_a_newer_version(self, project: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        path = project / "project.json"
        content = json.loads(path.read_text()) | {"schema_version": 7}
        path.write_text(json.dumps(content))
        assert "newer Matteo" in refused("export", project, tmp_path / "out.mkv")
        assert json.loads(path.read_text()) == content

    def test_a_damaged_one(self, project: Path, tmp_path: Path, refused: Callable[..., str]) -> None:
        (project / "project.json").write_text('{"schema_version": 1, "media"')
        assert "damaged" in refused("export", project, tmp_path / "out.mkv")

    def test_a_folder_of_something_else(
        self, clip: Path, prompts: Path, tmp_path: Path, refused: Callable[..., str]
    ) -> None:
        folder = tmp_path / "holiday"
        folder.mkdir()
        (folder / "notes.txt").write_text("mine")
        assert "not a Matteo project" in refused("cut", clip, "--prompts", prompts, "--project", folder)
        assert [path.name for path in folder.iterdir()] == ["notes.txt"]

    def test_an_instance_that_is_not_there(self, project: Path, refused: Callable[..., str]) -> None:
        assert "1 ann, 2 ben" in refused("look", project, "--instance", "eve", "--remove")


class TestUsage:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["cut"],
            ["fly"],
            ["look", "p", "--instance", "1"],
            ["look", "p", "--instance", "1", "--keep", "--remove"],
            ["look", "p", "--instance", "1", "--recolor", "red"],
            ["look", "p", "--instance", "1", "--recolor", "#112233@2"],
            ["export", "p", "o", "--preset", "gif"],
        ],
    )
    def test_wrong_usage_is_exit_code_2(self, matteo: Run, arguments: list[str]) -> None:
        assert matteo(*arguments) == 2

    def test_methods_that_this_version_lacks_say_so(
        self, clip: Path, prompts: Path, tmp_path: Path, refused: Callable[..., str]
    ) -> None:
        line = refused("cut", clip, "--prompts", prompts, "--project", tmp_path / "p", "--seeder", "sam")
        assert "grabcut" in line
        assert "CUDA" in refused("cut", clip, "--prompts", prompts, "--project", tmp_path / "p", "--device", "cuda:9")
