"""``matteo benchmark tracking`` on small clips laid out like DAVIS and like single folders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.cli import tracking
from matting.frames import FrameSource
from matting.job import JobContext
from matting.tracking.seeds import Seeds
from matting.tracking.tracker import FrameMasks
from matting.tracking.trail import Trail

Run = Callable[..., int]
HEIGHT, WIDTH, FRAMES = 64, 96, 9


def true_ids(t: int, late: int = 0) -> NDArray[np.uint8]:
    """Two discs that move to the right; the second one comes at frame ``late``."""
    ids = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.circle(ids, (20 + t, 20), 10, 1, -1)
    if t >= late:
        cv2.circle(ids, (60 + t, 44), 10, 2, -1)
    return ids


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture)


def write_clip(frames: Path, masks: Path, late: int = 0, only: tuple[int, ...] = tuple(range(FRAMES))) -> None:
    for t in range(FRAMES):
        ids = true_ids(t, late)
        write(frames / f"{t:05d}.png", np.stack([ids * 100] * 3, axis=-1))
        if t in only:
            write(masks / f"{t:05d}.png", ids)


class Wrong:
    """Says the truth but that the two instances are swapped from frame 5 on."""

    name = "wrong/1"

    def __init__(self) -> None:
        self.asked: dict[int, tuple[int, ...]] = {}

    def track(
        self, clip: FrameSource, span: range, seeds: Seeds, ctx: JobContext, trail: Trail | None = None
    ) -> Iterator[FrameMasks]:
        self.asked = {t: tuple(seeds[t]) for t in seeds}
        for t in reversed(span):
            ids = clip.frame(t)[..., 0] // 100
            masks = np.stack([ids == 1, ids == 2])
            yield FrameMasks(t, (1, 2), masks[::-1] if t >= 5 and t not in seeds else masks)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> Wrong:
    tracker = Wrong()
    monkeypatch.setattr(tracking, "open_tracker", lambda *_: tracker)
    return tracker


def numbers(matteo: Run, folder: Path, *options: object) -> dict[str, Any]:
    file = folder / "numbers.json"
    assert matteo("benchmark", "tracking", folder, "--json", file, *options) == 0
    found: dict[str, Any] = json.loads(file.read_text())
    return found


def test_davis_from_the_first_frame(
    tmp_path: Path, matteo: Run, wrong: Wrong, capsys: pytest.CaptureFixture[str]
) -> None:
    write_clip(tmp_path / "JPEGImages/480p/discs", tmp_path / "Annotations/480p/discs")
    clip = numbers(matteo, tmp_path)["clips"]["discs"]
    assert wrong.asked == {0: (1, 2)}
    one = clip["instances"]["1"]
    assert one["frames"] == [1, 2, 3, 4, 5, 6, 7], "neither the given frame nor the last one"
    assert one["j_by_frame"] == [1, 1, 1, 1, 0, 0, 0]
    assert one["j"] == pytest.approx(4 / 7)
    assert one["j_recall"] == pytest.approx(4 / 7)
    assert one["f_by_frame"][:4] == [1, 1, 1, 1]
    assert clip["switches"] == 2
    assert clip["s_per_frame"] > 0
    out = capsys.readouterr().out
    assert "discs/2" in out
    assert "57.1" in out


def test_frames_that_were_given_do_not_count(tmp_path: Path, matteo: Run, wrong: Wrong) -> None:
    write_clip(tmp_path / "frames", tmp_path / "masks")
    clip = numbers(matteo, tmp_path, "--given", "every:3")["clips"][tmp_path.name]
    assert wrong.asked == {0: (1, 2), 3: (1, 2), 6: (1, 2)}
    assert clip["instances"]["2"]["frames"] == [1, 2, 4, 5, 7]
    assert clip["instances"]["2"]["j"] == pytest.approx(3 / 5)
    assert clip["switches"] == 6, "at 5, back at the given 6, and again at 7"


def test_who_comes_later_is_given_on_the_first_frame_that_shows_it(tmp_path: Path, matteo: Run, wrong: Wrong) -> None:
    write_clip(tmp_path / "frames", tmp_path / "masks", late=4)
    clip = numbers(matteo, tmp_path)["clips"][tmp_path.name]
    assert wrong.asked == {0: (1,), 4: (2,)}
    assert clip["instances"]["2"]["frames"] == [5, 6, 7]


def test_sparse_masks_speak_only_for_whom_they_show(tmp_path: Path, matteo: Run, wrong: Wrong) -> None:
    write_clip(tmp_path / "a" / "frames", tmp_path / "a" / "masks_sparse", late=4, only=(0, 3, 4))
    write_clip(tmp_path / "b" / "frames", tmp_path / "b" / "masks", late=4, only=(0, 4))
    found = numbers(matteo, tmp_path)
    assert found["clips"]["a"]["instances"]["1"]["frames"] == [3, 4]
    assert found["clips"]["a"]["instances"]["2"] | {"j": None, "frames": []} == found["clips"]["a"]["instances"]["2"]
    assert found["clips"]["b"]["instances"]["1"]["frames"] == [4]
    assert found["all_instances"]["j"] == 1


def test_the_real_tracker_follows_two_discs(tmp_path: Path, matteo: Run) -> None:
    write_clip(tmp_path / "frames", tmp_path / "masks")
    assert numbers(matteo, tmp_path)["all_clips"]["j"] > 0.8


def test_what_cannot_be_measured_is_said(tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert matteo("benchmark", "tracking", tmp_path / "nowhere") == 1
    assert matteo("benchmark", "tracking", tmp_path) == 1
    assert "has no clip with masks" in capsys.readouterr().err
    write_clip(tmp_path / "frames", tmp_path / "masks")
    assert matteo("benchmark", "tracking", tmp_path, "--given", "every:0") == 2
    assert "--given takes first or every:K" in capsys.readouterr().err
