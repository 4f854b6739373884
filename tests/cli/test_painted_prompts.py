"""Strokes and polygons in a prompts file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

Run = Callable[..., int]
SQUARE = {"label": 1, "points": [[10, 10], [60, 10], [60, 60], [10, 60]]}


def write(path: Path, **prompt: Any) -> Path:
    path.write_text(json.dumps({"instances": [{"name": "ann", "prompts": [{"frame": 0, **prompt}]}]}))
    return path


def test_strokes_lie_over_polygons(clip: Path, tmp_path: Path, matteo: Run) -> None:
    prompts = write(
        tmp_path / "p.json", strokes=[{"label": 0, "radius": 8, "points": [[20, 30], [50, 30]]}], polygons=[SQUARE]
    )
    project, out = tmp_path / "p.matteo", tmp_path / "masks"
    assert matteo("cut", clip, "--prompts", prompts, "--project", project, "--frames", "0-0", "--matter", "none") == 0
    assert matteo("export", project, out, "--what", "mask") == 0
    picture = cv2.imread(str(out / "00000.png"), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    expected = np.zeros(picture.shape, np.uint8)
    expected[10:60, 10:60] = 1
    rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]] + 0.5
    expected[np.hypot(columns - columns.clip(20, 50), rows - 30) <= 8] = 0
    assert np.array_equal(picture, expected)


@pytest.mark.parametrize(
    ("prompt", "told"),
    [
        ({"strokes": [{"label": 1, "radius": 3, "points": [[900, 900]]}]}, "stroke at (900, 900) that covers no pixel"),
        ({"polygons": [{"label": 1, "points": [[0, 0], [5, 5]]}]}, "polygons.0.points"),
        ({"strokes": [{"label": 1, "radius": -3, "points": [[9, 9]]}]}, "strokes.0.radius"),
        ({"strokes": [{"label": 1, "radius": 3, "points": [[9, None]]}]}, "strokes.0.points"),
    ],
)
def test_what_cannot_be_painted_is_named(
    clip: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str], prompt: dict[str, Any], told: str
) -> None:
    prompts = write(tmp_path / "p.json", **prompt)
    assert matteo("cut", clip, "--prompts", prompts, "--project", tmp_path / "p.matteo") == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / "p.matteo").exists()
