"""``matteo benchmark seeding`` on a small clip."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

Run = Callable[..., int]


def test_a_plain_figure_is_selected_and_everything_is_measured(
    tmp_path: Path, matteo: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    for t in range(3):
        ids = np.zeros((90, 120), np.uint8)
        cv2.ellipse(ids, (30 + t, 45), (14, 34), 0, 0, 360, 1, -1)
        cv2.ellipse(ids, (85 - t, 45), (14, 34), 0, 0, 360, 5, -1)
        picture = np.array([(60, 120, 70), (40, 50, 190), (0, 0, 0), (0, 0, 0), (0, 0, 0), (180, 70, 60)], np.uint8)[
            ids
        ]
        for folder, image in (("frames", picture), ("masks", ids)):
            (tmp_path / "two" / folder).mkdir(parents=True, exist_ok=True)
            if folder == "frames" or t == 1:
                assert cv2.imwrite(str(tmp_path / "two" / folder / f"{t:05d}.png"), image)
    found = tmp_path / "found.json"
    assert matteo("benchmark", "seeding", tmp_path / "two", "--placings", "2", "--json", found) == 0
    (frame,) = json.loads(found.read_text())
    assert frame["frame"] == "two/1"
    assert list(frame["iou"]) == ["point", "points", "box", "box + points", "corrected"]
    assert all(len(values) == 4 for values in frame["iou"].values())
    assert min(frame["iou"]["box + points"]) > 0.9
    assert frame["first_click"]["cpu_s"] > 0
    assert frame["next_click"]["wall_s"] > 0
    assert "two/1" in capfd.readouterr().out


def test_a_folder_without_masks_is_refused(tmp_path: Path, matteo: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert matteo("benchmark", "seeding", tmp_path) == 1
    assert "has no clip with masks" in capfd.readouterr().err
