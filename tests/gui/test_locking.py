"""Locking frames with mouse and keys: marked in a lane, kept whatever is clicked, unlocked, undone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, click, opened, press, settle, text_of

from app.theme import apply_theme
from app.timeline.lanes import Lanes
from app.window import MainWindow

LEFT, Shift = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier
ABOVE_THE_BAR_PX = 6


@pytest.fixture(scope="module", autouse=True)
def _theme(qapp: QApplication) -> None:
    apply_theme(qapp)


@pytest.fixture
def tracked(window: MainWindow, clip: Path, qtbot: QtBot) -> MainWindow:
    """The window with the disc selected on its first frame and tracked."""
    opened(window, clip, qtbot)
    click(window, 50, 60)
    settle(window, qtbot)
    press(window, Qt.Key.Key_T, Ctrl)
    settle(window, qtbot)
    return window


def lanes_of(window: MainWindow) -> Lanes:
    lanes = window.findChild(Lanes)
    assert isinstance(lanes, Lanes)
    return lanes


def at(lanes: Lanes, frame: int) -> QPoint:
    return QPoint(round(lanes.axis.middle(frame)), lanes.lane_rect(1).top() + ABOVE_THE_BAR_PX)


def mark(window: MainWindow, first: int, last: int) -> None:
    lanes = lanes_of(window)
    QTest.mousePress(lanes, LEFT, Shift, at(lanes, first))
    QTest.mouseMove(lanes, at(lanes, last))
    QTest.mouseRelease(lanes, LEFT, Shift, at(lanes, last))


def locks(window: MainWindow) -> list[range]:
    return [lock.frames for lock in window.session.document.instance(1).locks]


def choose(window: MainWindow, frame: int, name: str) -> None:
    lanes = lanes_of(window)
    where = at(lanes, frame)
    QApplication.sendEvent(lanes, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, lanes.mapToGlobal(where)))
    action = lanes.findChild(QAction, name)
    assert isinstance(action, QAction)
    action.trigger()


def test_marked_frames_are_locked_and_unlocked_by_key_and_undone(tracked: MainWindow, qtbot: QtBot) -> None:
    window = tracked
    before = window.session.document
    mark(window, 3, 6)
    assert lanes_of(window).marked == range(3, 7)
    press(window, Qt.Key.Key_L, Ctrl)
    settle(window, qtbot)
    assert locks(window) == [range(3, 7)]
    assert "locked on frames 3 to 6" in text_of(window)
    press(window, Qt.Key.Key_L, Ctrl)
    settle(window, qtbot)
    assert locks(window) == []
    press(window, Qt.Key.Key_Z, Ctrl)
    assert locks(window) == [range(3, 7)]
    press(window, Qt.Key.Key_Z, Ctrl)
    assert window.session.document == before


def test_the_lane_says_what_is_locked_without_colour(tracked: MainWindow, qtbot: QtBot) -> None:
    lanes = lanes_of(tracked)
    free = lanes.grab().toImage()
    choose(tracked, 8, "lockFrames")
    settle(tracked, qtbot)
    assert locks(tracked) == [range(0, 12)]  # up to the next prompts: there are none
    taken = lanes.grab().toImage()
    y = lanes.lane_rect(1).top() + 8
    assert taken.pixelColor(at(lanes, 9).x(), y).lightness() > free.pixelColor(at(lanes, 9).x(), y).lightness() + 40


def test_locked_frames_take_no_prompts_and_outlive_changes_beside_them(tracked: MainWindow, qtbot: QtBot) -> None:
    window = tracked
    work = window.session.workspace
    before = [work.masks(t)[0] for t in range(12)]
    mark(window, 5, 8)
    press(window, Qt.Key.Key_L, Ctrl)
    settle(window, qtbot)
    document = window.session.document
    window.session.set_frame(6)
    click(window, 20, 20)
    settle(window, qtbot)
    assert window.session.document == document
    assert "locked on frames 5 to 8; unlock them" in text_of(window)
    window.session.set_frame(0)
    click(window, 120, 30)  # a piece of the wall as well
    settle(window, qtbot)
    press(window, Qt.Key.Key_T, Ctrl)
    settle(window, qtbot)
    work = window.session.workspace
    for t in range(5, 9):
        np.testing.assert_array_equal(work.masks(t)[0], before[t])
    assert (work.masks(0)[0] != before[0]).any()


def test_the_menu_unlocks(tracked: MainWindow, qtbot: QtBot) -> None:
    mark(tracked, 2, 4)
    press(tracked, Qt.Key.Key_L, Ctrl)
    settle(tracked, qtbot)
    choose(tracked, 3, "unlockFrames")
    assert locks(tracked) == []


def test_what_is_not_tracked_cannot_be_locked(window: MainWindow, clip: Path, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    click(window, 50, 60)
    settle(window, qtbot)
    mark(window, 3, 6)
    press(window, Qt.Key.Key_L, Ctrl)
    settle(window, qtbot)
    assert "is not tracked yet" in text_of(window)
    assert locks(window) == []
