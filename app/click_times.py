"""Clicks in the whole window, timed from the press of the button until the mask is painted.

What ``matteo benchmark click --window`` runs, in a process of its own:
``python -m app.click_times PROJECT FRAME [[x, y], …] DEVICE`` prints the seconds of each click as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Generator
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.application import run
from app.window import MainWindow

LOOK_MS = 50
QUIET_LOOKS = 6
"""So often in a row nothing may work before the next step."""
PATIENCE_S = 120
"""A step that takes longer will not end."""
Point = tuple[float, float]


class Clicker(QObject):
    """Uses the window like an artist who lets it come to rest before each click."""

    def __init__(self, frame: int, points: list[Point], device: str) -> None:
        super().__init__()
        self.seconds: list[float] = []
        self._quiet = 0
        self._stepped_at = time.perf_counter()
        self._pressed_at = 0.0
        self._mask_is_shown = False
        self._steps = self._use(frame, points, device)
        self._clock = QTimer(self, interval=LOOK_MS)
        self._clock.timeout.connect(self._look)
        self._clock.start()

    def _look(self) -> None:
        window = _window()
        is_quiet = window is not None and window.session.is_open and window.jobs.idle and not self._pressed_at
        self._quiet = self._quiet + 1 if is_quiet else 0
        if self._quiet >= QUIET_LOOKS:
            self._quiet, self._stepped_at = 0, time.perf_counter()
            if next(self._steps, None) is None:
                self._end(0)
        elif time.perf_counter() - self._stepped_at > PATIENCE_S:
            sys.stderr.write("The window does not come to rest.\n")
            self._end(1)

    def _end(self, code: int) -> None:
        self._clock.stop()
        window = _window()
        if window is not None:
            window.interrupt()
        QCoreApplication.exit(code)

    def _use(self, frame: int, points: list[Point], device: str) -> Generator[bool]:
        """One step after another; each leaves something that works."""
        window = _window()
        assert window is not None
        window.work.device = device
        window.viewer.installEventFilter(self)
        window.frames.shown.connect(self._on_shown)
        window.session.set_frame(frame)
        yield True
        for x, y in points:
            place = window.viewer.to_widget(x, y).toPoint()
            QTest.mouseMove(window.viewer, place)
            yield True
            self._pressed_at = time.perf_counter()
            QTest.mouseClick(window.viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
            yield True

    def _on_shown(self) -> None:
        """After a click there is only one new picture, the one with the mask."""
        self._mask_is_shown = self._pressed_at > 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.Paint or not self._mask_is_shown:
            return False
        watched.event(event)
        self.seconds.append(time.perf_counter() - self._pressed_at)
        self._mask_is_shown, self._pressed_at = False, 0.0
        return True


def _window() -> MainWindow | None:
    return next((top for top in QApplication.topLevelWidgets() if isinstance(top, MainWindow)), None)


def main(arguments: list[str]) -> int:
    """Click and print."""
    project, frame, points, device = arguments
    application = QApplication(sys.argv[:1])
    clicker = Clicker(int(frame), [(x, y) for x, y in json.loads(points)], device)
    code = run(Path(project))
    sys.stdout.write(json.dumps(clicker.seconds) + "\n")
    del application
    return code


if __name__ == "__main__":  # the worker's processes come by here, too
    sys.exit(main(sys.argv[1:]))
