from __future__ import annotations

from pathlib import Path

import pytest
from editor_content import clip_info, find, five_people, open_session
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.palette import person_color
from app.people import PeoplePanel, PersonRow
from app.session import Session
from app.theme import apply_theme
from matting.compositing.looks import Remove

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", autouse=True)
def _theme(qapp: QApplication) -> None:
    apply_theme(qapp)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Session:
    return open_session(tmp_path, clip_info(100), five_people(100))


@pytest.fixture
def panel(qtbot: QtBot, session: Session) -> PeoplePanel:
    panel = PeoplePanel(session)
    qtbot.addWidget(panel)
    panel.resize(300, 420)
    with qtbot.waitActive(panel):
        panel.show()
    return panel


def row(panel: PeoplePanel, instance_id: int) -> PersonRow:
    return find(panel, PersonRow, f"person-{instance_id}")


def name(panel: PeoplePanel, instance_id: int) -> QLineEdit:
    return find(panel, QLineEdit, f"personName-{instance_id}")


def press(panel: PeoplePanel, button: str) -> None:
    QTest.mouseClick(find(panel, QPushButton, button), LEFT)


def test_everybody_is_listed_with_colour_name_look_and_state(panel: PeoplePanel) -> None:
    panel.set_states({1: "matte 100/100", 3: "stale 20-60"})
    assert [name(panel, i).text() for i in range(1, 6)] == [
        "Anna", "Ben", "Chidera with a rather long name", "Dora", "Person 5",
    ]  # fmt: skip
    looks = [find(panel, QLabel, f"personLook-{i}").toolTip() for i in range(1, 6)]
    assert looks == ["Kept as filmed", "Removed", "Recoloured to #2F6FED", "Blurred", "Kept as filmed"]
    states = [find(panel, QLabel, f"personState-{i}").text() for i in range(1, 4)]
    assert states == ["matte 100/100", "not tracked", "stale 20-60"]
    picture = row(panel, 2).grab().toImage()
    assert picture.pixelColor(12, picture.height() // 2) == person_color(2)


def test_a_click_anywhere_in_a_row_activates(panel: PeoplePanel, session: Session) -> None:
    QTest.mouseClick(row(panel, 4), LEFT)
    assert session.active_id == 4
    QTest.mouseClick(name(panel, 2), LEFT)
    assert session.active_id == 2
    assert row(panel, 2).property("active") is True
    assert row(panel, 4).property("active") is False
    assert session.undo_stack.count() == 0


def test_arrow_keys_walk_through_the_list(panel: PeoplePanel, session: Session) -> None:
    QTest.mouseClick(row(panel, 1), LEFT)
    QTest.keyClick(row(panel, 1), Qt.Key.Key_Down)
    QTest.keyClick(row(panel, 2), Qt.Key.Key_Down)
    assert session.active_id == 3
    QTest.keyClick(row(panel, 3), Qt.Key.Key_Up)
    assert session.active_id == 2
    assert row(panel, 2).hasFocus()


def test_adding_makes_the_new_person_active_and_undo_takes_them_back(panel: PeoplePanel, session: Session) -> None:
    before = session.document
    press(panel, "addPerson")
    assert session.active_id == 6
    assert name(panel, 6).text() == "Person 6"
    assert session.undo_stack.undoText() == "Add Person 6"
    session.undo_stack.undo()
    assert session.document == before
    assert panel.findChild(PersonRow, "person-6") is None or not row(panel, 6).isVisible()
    assert session.active_id == 5


def test_deleting_takes_the_active_person_and_undo_brings_back_the_prompts(
    panel: PeoplePanel, session: Session
) -> None:
    before = session.document
    session.set_active(3)
    press(panel, "deletePerson")
    assert [one.id for one in session.document.instances] == [1, 2, 4, 5]
    assert session.undo_stack.undoText() == "Delete Chidera with a rather long name"
    session.undo_stack.undo()
    assert session.document == before
    press(panel, "addPerson")
    assert session.active_id == 6  # an id is never given twice


def test_renaming_by_double_click(panel: PeoplePanel, session: Session) -> None:
    QTest.mouseDClick(name(panel, 2), LEFT)
    QTest.keyClicks(name(panel, 2), "Benedict")
    QTest.keyClick(name(panel, 2), Qt.Key.Key_Return)
    assert session.document.instance(2).name == "Benedict"
    assert session.undo_stack.count() == 1
    assert session.undo_stack.undoText() == "Rename Ben to Benedict"
    session.undo_stack.undo()
    assert name(panel, 2).text() == "Ben"


def test_f2_renames_escape_and_blank_do_not(panel: PeoplePanel, session: Session) -> None:
    QTest.mouseClick(row(panel, 1), LEFT)
    QTest.keyClick(row(panel, 1), Qt.Key.Key_F2)
    assert name(panel, 1).hasFocus()
    QTest.keyClicks(name(panel, 1), "Nobody")
    QTest.keyClick(name(panel, 1), Qt.Key.Key_Escape)
    assert name(panel, 1).text() == "Anna"
    panel.rename_active()
    QTest.keyClicks(name(panel, 1), "   ")
    QTest.keyClick(name(panel, 1), Qt.Key.Key_Return)
    assert name(panel, 1).text() == "Anna"
    assert session.undo_stack.count() == 0


def test_a_changed_document_is_followed(panel: PeoplePanel, session: Session) -> None:
    anna = session.document.instance(1).model_copy(update={"name": "Anne", "look": Remove()})
    kept = row(panel, 1)
    session.edit("Change", session.document.with_instance(anna))
    assert row(panel, 1) is kept  # no new rows for what only changed
    assert name(panel, 1).text() == "Anne"
    assert find(panel, QLabel, "personLook-1").toolTip() == "Removed"


def test_hints_and_buttons_while_there_is_nobody_or_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    session = Session()
    panel = PeoplePanel(session)
    qtbot.addWidget(panel)
    hint, add = find(panel, QLabel, "peopleHint"), find(panel, QPushButton, "addPerson")
    assert hint.text().startswith("Open a clip")
    assert not add.isEnabled()
    panel.add_person()
    open_session(tmp_path, clip_info(10), (), session)
    assert hint.text().startswith("No people yet")
    assert add.isEnabled()
    assert not find(panel, QPushButton, "deletePerson").isEnabled()
    panel.delete_person()
    panel.add_person()
    assert session.active_id == 1
    assert hint.isHidden()
    assert find(panel, QPushButton, "deletePerson").isEnabled()
