from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.actions import SPECS, Actions, Situation, is_single_key


@pytest.fixture
def actions(qtbot: QtBot) -> Iterator[Actions]:
    window = QWidget()
    qtbot.addWidget(window)
    yield Actions(window, {spec.id: lambda: None for spec in SPECS}, [window])
    window.close()


def test_every_shortcut_means_one_thing() -> None:
    keys = Counter(QKeySequence(keys).toString() for spec in SPECS for keys in spec.keys)
    assert [key for key, count in keys.items() if count > 1] == []
    assert "" not in keys


def test_single_keys_act_only_where_they_were_given_a_place(actions: Actions) -> None:
    for spec in SPECS:
        single = any(is_single_key(keys) for keys in spec.keys)
        in_window = actions[spec.id].shortcutContext() is Qt.ShortcutContext.WindowShortcut
        assert in_window is not single


def test_nothing_but_opening_is_offered_while_nothing_is_open(actions: Actions) -> None:
    actions.update(Situation())
    enabled = {spec.id for spec in SPECS if actions[spec.id].isEnabled()}
    assert enabled == {"open", "openFolder", "openSample", "quit", "models", "shortcuts"}


def test_work_needs_somebody_selected(actions: Actions) -> None:
    actions.update(Situation(is_open=True))
    assert not actions["track"].isEnabled()
    actions.update(Situation(is_open=True, has_people=True))
    assert actions["track"].isEnabled()
    assert actions["matte"].isEnabled()


def test_tooltips_tell_the_shortcut(actions: Actions) -> None:
    assert actions["track"].toolTip().startswith("Track  (Ctrl+T)\n")
