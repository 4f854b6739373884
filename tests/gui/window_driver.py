"""The main window worked like an artist does: with mouse and keys, and patience."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.window import MainWindow

QUIET_LOOKS = 4
Plain, Ctrl = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


def settle(window: MainWindow, qtbot: QtBot) -> None:
    """Until nothing works any more, nor begins to: a job that ends may let another one start a moment later."""
    quiet = 0
    while quiet < QUIET_LOOKS:
        qtbot.wait(25)
        quiet = quiet + 1 if window.jobs.idle else 0
        qtbot.waitUntil(lambda: window.jobs.idle, timeout=60_000)


def opened(window: MainWindow, path: Path, qtbot: QtBot) -> MainWindow:
    window.files.open(path)
    qtbot.waitUntil(lambda: window.session.is_open, timeout=60_000)
    settle(window, qtbot)
    return window


def click(window: MainWindow, x: float, y: float) -> None:
    QTest.mouseClick(window.viewer, Qt.MouseButton.LeftButton, Plain, window.viewer.to_widget(x, y).toPoint())


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Plain) -> None:
    QTest.keyClick(window.viewer, key, modifier)


def text_of(window: MainWindow) -> str:
    return window.messages.shown.text if window.messages.shown is not None else ""


def name_it(window: MainWindow, target: Path, qtbot: QtBot) -> None:
    """Answer the dialog that asks where to save."""
    qtbot.waitUntil(lambda: window.findChild(QWidget, "saveDialog") is not None)
    field = window.findChild(QLineEdit, "fileNameEdit")
    assert isinstance(field, QLineEdit)
    field.setText(str(target))
    QTest.keyClick(field, Qt.Key.Key_Return)
    settle(window, qtbot)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
