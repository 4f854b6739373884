"""SIGKILL at any point: the project opens, nothing finished is redone, nothing half written has a final name."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from figures_clip import FRAMES, HEIGHT, WIDTH, centres

import main
from matting.files import PARTIAL
from matting.media import open_clip
from matting.pipeline.workspace import TRAILS
from matting.project.project import Project

Run = Callable[..., int]


def killed_once(seen: Callable[[], bool], *arguments: object) -> bool:
    """Start the program, kill it as soon as ``seen`` is true; returns whether it was still running then."""
    command = [sys.executable, main.__file__, *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while process.poll() is None and not seen():
        assert time.monotonic() < until
        time.sleep(0.002)
    running = process.poll() is None
    process.kill()
    process.wait()
    return running


def finished(project: Path) -> dict[Path, int]:
    results = [path for path in project.glob("store/*/*/*") if TRAILS not in path.parts and PARTIAL not in path.name]
    return {path: path.stat().st_mtime_ns for path in results}


@pytest.mark.parametrize("chunks", [1, 3, 5])
def test_a_killed_cut_goes_on_where_it_was(clip: Path, prompts: Path, tmp_path: Path, matteo: Run, chunks: int) -> None:
    project = tmp_path / "shot.matteo"
    arguments = ("cut", clip, "--prompts", prompts, "--project", project)
    assert killed_once(lambda: len(finished(project)) >= chunks, *arguments)
    before = finished(project)
    assert len(before) >= chunks
    assert Project.load(project).document.instances[0].name == "ann"
    assert matteo(*arguments) == 0
    after = finished(project)
    assert {path: after[path] for path in before} == before
    assert not [path for path in project.rglob("*") if PARTIAL in path.name]
    assert not list(project.glob(f"store/{TRAILS}/*/*")), "nobody will go on from there"


def test_a_killed_export_leaves_nothing_under_its_name(project: Path, tmp_path: Path, matteo: Run) -> None:
    matteo("look", project, "--instance", "1", "--blur", "3")
    out = tmp_path / "out.mkv"
    folder = tmp_path / "pictures"

    def begun() -> bool:
        return any(PARTIAL in path.name for path in tmp_path.iterdir())

    for target in (out, folder):
        assert killed_once(begun, "export", project, target)
        assert not target.exists()
        assert matteo("export", project, target) == 0
    with open_clip(out) as video, open_clip(folder) as pictures:
        assert len(video) == len(pictures) == 20
        for index in (0, 19):
            np.testing.assert_array_equal(video.frame(index), pictures.frame(index))


def test_a_killed_track_goes_on_where_it_was(
    clip: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    masks, whole, out = tmp_path / "masks", tmp_path / "whole", tmp_path / "out"
    masks.mkdir()
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    x, y = centres(0)[0]
    cv2.ellipse(mask, (x, y), (10, 18), 0, 0, 360, 1, -1)
    cv2.imwrite(str(masks / "00000.png"), mask)
    arguments = ("track", clip, "--masks", masks, "--tracker", "flow", "--cuts", "none", "--out")
    assert matteo(*arguments, whole) == 0

    def tracked() -> dict[str, int]:
        return {p.name: p.stat().st_mtime_ns for p in tmp_path.glob(f".out{PARTIAL}*/*.png") if PARTIAL not in p.name}

    assert killed_once(lambda: len(tracked()) >= 5, *arguments, out)
    before = tracked()
    assert len(before) >= 5
    assert not out.exists()
    capsys.readouterr()
    assert matteo(*arguments, out) == 0
    assert f"{len(before)} of {FRAMES} frames had been tracked before" in capsys.readouterr().err
    for path in whole.iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()
        assert before.get(path.name) in (None, (out / path.name).stat().st_mtime_ns)
    assert len(list(out.iterdir())) == FRAMES
    assert not list(tmp_path.glob(".out*"))
