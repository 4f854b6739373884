from __future__ import annotations

from collections.abc import Iterator

import pytest
from editor_content import find
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.message_bar import Message, MessageBar, Severity


@pytest.fixture
def bar(qtbot: QtBot) -> Iterator[MessageBar]:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(800, 400)
    window.show()
    yield MessageBar(window)
    window.close()


def text(bar: MessageBar) -> str:
    return bar.shown.text if bar.shown is not None else ""


def test_the_newest_is_shown_and_older_warnings_come_back(bar: MessageBar) -> None:
    bar.warn("The disk is nearly full.")
    bar.note("Saved.")
    assert text(bar) == "Saved."
    assert bar.isVisible()
    for left in ("The disk is nearly full.", ""):
        QTest.mouseClick(find(bar, QToolButton, "closeMessage"), Qt.MouseButton.LeftButton)
        assert text(bar) == left
    assert not bar.isVisible()


def test_the_same_error_twice_is_one(bar: MessageBar) -> None:
    bar.error("One.")
    bar.error("Two.")
    bar.error("One.")
    QTest.mouseClick(find(bar, QToolButton, "closeMessage"), Qt.MouseButton.LeftButton)
    assert text(bar) == "Two."
    QTest.mouseClick(find(bar, QToolButton, "closeMessage"), Qt.MouseButton.LeftButton)
    assert text(bar) == ""


def test_a_choice_closes_the_message_and_does_what_it_says(bar: MessageBar) -> None:
    done: list[str] = []
    bar.show_message(Message(Severity.ERROR, "It moved.", (("Relink…", lambda: done.append("relink")),)))
    QTest.mouseClick(find(bar, QPushButton, "choice_relink"), Qt.MouseButton.LeftButton)
    assert done == ["relink"]
    assert bar.shown is None


def test_it_stays_inside_its_parent(bar: MessageBar) -> None:
    bar.error("A rather long sentence about what happened, to which file, and what to do about it. " * 4)
    window = bar.parentWidget()
    assert window is not None
    assert window.rect().contains(bar.geometry())
