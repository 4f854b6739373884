"""The tracker is chosen in the inspector; what is not installed cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest
from editor_content import find
from PySide6.QtCore import Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, opened, press, settle, text_of

from app.window import MainWindow
from matting.pipeline import trackers


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "cutie.pth"
    path.write_bytes(b"weights")
    monkeypatch.setattr(trackers, "installed", lambda _: path if path.exists() else None)
    return path


def choice_of(window: MainWindow) -> QComboBox:
    return find(window, QComboBox, "trackerChoice")


def take(window: MainWindow, qtbot: QtBot, key: Qt.Key) -> None:
    choice_of(window).setFocus()
    QTest.keyClick(choice_of(window), key)
    settle(window, qtbot)


def test_without_weights_only_flow_can_be_chosen(window: MainWindow, clip: Path, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    choice = choice_of(window)
    assert [choice.itemText(place) for place in range(choice.count())] == ["Optical flow", "Cutie (not installed)"]
    model = choice.model()
    assert isinstance(model, QStandardItemModel)
    assert [model.item(place).isEnabled() for place in range(2)] == [True, False]
    take(window, qtbot, Qt.Key.Key_End)
    assert window.session.document.methods.tracker == "flow"
    assert not window.session.undo_stack.canUndo()


def test_a_new_project_starts_with_the_best_and_the_other_is_chosen_and_undone(
    window: MainWindow, clip: Path, weights: Path, qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    choice = choice_of(window)
    methods = window.session.document.methods
    assert (methods.tracker, len(methods.tracker_weights)) == ("cutie", 64)
    assert choice.currentText() == "Cutie"
    assert not window.session.undo_stack.canUndo()
    take(window, qtbot, Qt.Key.Key_Home)
    changed = window.session.document.methods
    assert (changed.tracker, changed.tracker_weights) == ("flow", "")
    assert window.session.undo_stack.undoText() == "Follow with Optical flow"
    take(window, qtbot, Qt.Key.Key_End)
    assert window.session.document.methods == methods
    press(window, Qt.Key.Key_Z, Ctrl)
    settle(window, qtbot)
    assert window.session.document.methods.tracker == "flow"
    assert choice.currentText() == "Optical flow"


def test_weights_that_went_away_are_told(window: MainWindow, clip: Path, weights: Path, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    take(window, qtbot, Qt.Key.Key_Home)
    weights.unlink()
    take(window, qtbot, Qt.Key.Key_End)
    assert "matteo models get cutie" in text_of(window)
    assert window.session.document.methods.tracker == "flow"
    assert choice_of(window).itemText(1) == "Cutie (not installed)"
