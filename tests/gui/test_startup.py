"""What a fresh process has loaded when the window is on the screen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from resources import SAMPLE

SLOW = ("torch", "httpx", "filelock", "torchvision", "numba", "scipy", "skimage", "zarr", "pymatting")
SCRIPT = f"""
import sys
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

class Painted(QObject):
    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Paint and watched.objectName() == "mainWindow":
            print("painted", sorted(name for name in {SLOW!r} if name in sys.modules))
            QTimer.singleShot(0, watched.close)
        return False

app = QApplication([])
painted = Painted()
app.installEventFilter(painted)
from main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("arguments", [[], ["open", str(SAMPLE / "clip.mp4")]], ids=["empty", "clip"])
def test_the_window_is_painted_before_anything_slow_is_imported(arguments: list[str]) -> None:
    root = Path(__file__).parents[2]
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert "painted []" in ended.stdout
