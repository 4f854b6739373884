"""The main window, and a clip that is small enough to be worked on in a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.garbage import collected_when_idle
from app.window import MainWindow


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """12 pictures of an orange disc that walks over a wall of noise."""
    folder = tmp_path / "walk"
    folder.mkdir()
    wall = np.random.default_rng(0).integers(60, 120, (120, 160, 3), np.uint8)
    for t in range(12):
        picture = wall.copy()
        cv2.circle(picture, (50 + 3 * t, 60), 22, (40, 140, 235), -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"walk_{t:03d}.png"), picture)
    return folder


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    window = MainWindow()
    window.show()
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    # As the editor does: else a thread that loads a library may destroy what belongs to the GUI thread.
    with collected_when_idle(lambda: window.jobs.idle):
        yield window
        window.interrupt()
    window.deleteLater()
