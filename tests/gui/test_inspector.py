from __future__ import annotations

from pathlib import Path

import pytest
from editor_content import clip_info, find, five_people, open_session, person
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QColorDialog,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.inspector import Inspector
from app.inspector_fields import ResetLabel
from app.session import Session
from app.theme import apply_theme
from matting.compositing import backdrops, looks
from matting.project.document import Prompt

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", autouse=True)
def _theme(qapp: QApplication) -> None:
    apply_theme(qapp)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Session:
    return open_session(tmp_path / "shot.matteo", clip_info(101), five_people(101))


@pytest.fixture
def inspector(qtbot: QtBot, session: Session) -> Inspector:
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    inspector.resize(320, 760)
    with qtbot.waitActive(inspector):
        inspector.show()
    return inspector


def button(inspector: Inspector, name: str) -> QToolButton:
    return find(inspector, QToolButton, name)


def press(inspector: Inspector, name: str) -> None:
    QTest.mouseClick(button(inspector, name), LEFT)


def label_of(widget: QWidget) -> ResetLabel:
    """The label beside a field's widget."""
    field = widget.parentWidget()
    assert field is not None
    label = field.findChild(ResetLabel)
    assert label is not None
    return label


def drag(slider: QSlider, *shares: float) -> None:
    """Press the slider's handle and pull it to these shares of the groove."""

    def at(share: float) -> QPoint:
        return QPoint(round(6 + share * (slider.width() - 12)), slider.height() // 2)

    here = (slider.value() - slider.minimum()) / (slider.maximum() - slider.minimum())
    QTest.mousePress(slider, LEFT, pos=at(here))
    for share in shares:
        QTest.mouseMove(slider, at(share))
    QTest.mouseRelease(slider, LEFT, pos=at(shares[-1]))


# -- look ------------------------------------------------------------------------------------------------------------


def test_looks_are_chosen_by_exclusive_buttons(inspector: Inspector, session: Session) -> None:
    for name, look in (
        ("lookRemove", looks.Remove()),
        ("lookBlur", looks.Blur()),
        ("lookRecolor", looks.Recolor(color="#2F6FED")),
        ("lookKeep", looks.Keep()),
    ):
        press(inspector, name)
        assert session.document.instance(1).look == look
        names = ("lookKeep", "lookRemove", "lookRecolor", "lookBlur")
        assert [n for n in names if button(inspector, n).isChecked()] == [name]
    assert session.undo_stack.count() == 4
    session.undo_stack.undo()
    assert button(inspector, "lookRecolor").isChecked()


def test_looks_can_be_chosen_by_keys(inspector: Inspector, session: Session) -> None:
    keep = button(inspector, "lookKeep")
    keep.setFocus()
    QTest.keyClick(keep, Qt.Key.Key_Right)
    assert session.document.instance(1).look == looks.Remove()
    QTest.keyClick(button(inspector, "lookRemove"), Qt.Key.Key_Right)
    assert session.document.instance(1).look.kind == "recolor"


def test_fields_show_with_their_look_and_follow_the_person(inspector: Inspector, session: Session) -> None:
    color, strength = find(inspector, QLineEdit, "recolorHex"), find(inspector, QSlider, "recolorStrength")
    radius = find(inspector, QSlider, "blurRadius")
    assert not color.isVisible()
    session.set_active(3)
    assert color.isVisible()
    assert color.text() == "#2F6FED"
    assert strength.value() == 70
    session.set_active(4)
    assert radius.isVisible()
    assert radius.value() == 18
    assert not strength.isVisible()
    assert session.undo_stack.count() == 0


def test_a_look_comes_back_with_its_values(inspector: Inspector, session: Session) -> None:
    session.set_active(3)
    before = session.document.instance(3).look
    press(inspector, "lookKeep")
    press(inspector, "lookRecolor")
    assert session.document.instance(3).look == before


def test_a_slider_drag_is_one_step_and_another_drag_another(inspector: Inspector, session: Session) -> None:
    session.set_active(3)
    before = session.document
    strength = find(inspector, QSlider, "recolorStrength")
    drag(strength, 0.6, 0.5, 0.4, 0.3)
    first = session.document.instance(3).look
    assert isinstance(first, looks.Recolor)
    assert first.strength == pytest.approx(0.3, abs=0.06)
    assert session.undo_stack.count() == 1
    drag(strength, 0.5, 0.9)
    assert session.undo_stack.count() == 2
    session.undo_stack.undo()
    assert session.document.instance(3).look == first
    session.undo_stack.undo()
    assert session.document == before
    assert strength.value() == 70


def test_different_properties_and_people_do_not_merge(inspector: Inspector, session: Session) -> None:
    session.set_active(4)
    radius = find(inspector, QSlider, "blurRadius")
    radius.setFocus()
    QTest.keyClick(radius, Qt.Key.Key_Right)
    session.edit("Blur Ben", session.document.with_instance(person(2, "Ben", look=looks.Blur())))
    count = session.undo_stack.count()
    session.set_active(2)
    QTest.keyClick(radius, Qt.Key.Key_Right)
    session.set_active(4)
    QTest.keyClick(radius, Qt.Key.Key_Right)
    assert session.undo_stack.count() == count + 2


def test_a_double_click_on_a_label_is_the_default(inspector: Inspector, session: Session) -> None:
    session.set_active(3)
    QTest.mouseDClick(label_of(find(inspector, QSlider, "recolorStrength")), LEFT)
    QTest.mouseDClick(label_of(find(inspector, QLineEdit, "recolorHex")), LEFT)
    assert session.document.instance(3).look == looks.Recolor(color="#2F6FED", strength=0.8)
    session.set_active(4)
    QTest.mouseDClick(label_of(find(inspector, QSlider, "blurRadius")), LEFT)
    assert session.document.instance(4).look == looks.Blur()


def test_a_colour_can_be_typed(inspector: Inspector, session: Session) -> None:
    session.set_active(3)
    field = find(inspector, QLineEdit, "recolorHex")
    for typed, kept in (("#d0021b", "#D0021B"), ("0a0", "#00AA00"), ("#12", "#00AA00"), ("xyz", "#00AA00")):
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, typed)
        QTest.keyClick(field, Qt.Key.Key_Tab)
        assert not field.hasFocus()
        look = session.document.instance(3).look
        assert isinstance(look, looks.Recolor)
        assert look.color == kept
        assert field.text() == kept
    assert session.undo_stack.count() == 2


def test_the_colour_dialog_previews_and_cancel_goes_back(inspector: Inspector, session: Session) -> None:
    session.set_active(3)
    before = session.document
    press(inspector, "recolorSwatch")
    dialog = find(inspector, QColorDialog, "recolorDialog")
    dialog.setCurrentColor(QColor("#11aa22"))
    dialog.setCurrentColor(QColor("#22bb33"))
    look = session.document.instance(3).look
    assert isinstance(look, looks.Recolor)
    assert look.color == "#22BB33"
    assert session.undo_stack.count() == 1
    dialog.reject()
    assert session.document == before


# -- prompts ---------------------------------------------------------------------------------------------------------


def test_prompts_of_the_frame_are_listed_and_deleted_one_by_one(inspector: Inspector, session: Session) -> None:
    session.set_frame(10)
    before = session.document
    press(inspector, "deletePoint-1")
    assert session.document.instance(1).prompts[0].points == ((320.0, 180.0, 1), (200.5, 96.0, 0))
    assert session.undo_stack.undoText() == "Delete point of Anna"
    press(inspector, "deletePoint-0")  # nothing includes her any more: the prompt goes, "not here" was not meant
    assert [prompt.frame for prompt in session.document.instance(1).prompts] == [55]
    session.set_frame(55)
    press(inspector, "deleteBox")
    assert session.document.instance(1).prompts == ()
    for _ in range(3):
        session.undo_stack.undo()
    assert session.document == before


def test_not_here_is_given_and_taken_back(inspector: Inspector, session: Session) -> None:
    session.set_frame(77)
    absent = button(inspector, "promptAbsent")
    QTest.mouseClick(absent, LEFT)
    assert session.document.instance(1).prompt_at(77) == Prompt(frame=77)
    assert absent.isChecked()
    session.set_frame(78)
    assert not absent.isChecked()
    session.set_frame(77)
    QTest.mouseClick(absent, LEFT)
    assert session.document.instance(1).prompt_at(77) is None
    assert session.undo_stack.undoText() == "Anna is here on frame 77"


# -- backdrop --------------------------------------------------------------------------------------------------------


def backdrop_of(session: Session) -> backdrops.Backdrop:
    return session.document.backdrop


def choose(inspector: Inspector, text: str) -> None:
    combo = find(inspector, QComboBox, "backdrop")
    combo.setFocus()
    QTest.keyClicks(combo, text)
    if combo.currentText() != text:
        combo.setCurrentText(text)
        combo.activated.emit(combo.currentIndex())


@pytest.mark.parametrize(
    ("text", "backdrop"),
    [
        ("Plate", backdrops.Plate()),
        ("Colour", backdrops.Color(color="#2E7D4F")),
        ("Blur", backdrops.Blurred()),
        ("Transparent", backdrops.Transparent()),
    ],
)
def test_backdrops_are_chosen_from_the_list(
    inspector: Inspector, session: Session, text: str, backdrop: backdrops.Backdrop
) -> None:
    choose(inspector, text)
    assert backdrop_of(session) == backdrop
    session.undo_stack.undo()
    assert find(inspector, QComboBox, "backdrop").currentText() == "Original"


def test_backdrop_fields_edit_and_merge(inspector: Inspector, session: Session) -> None:
    choose(inspector, "Blur")
    drag(find(inspector, QSlider, "backdropRadius"), 0.3, 0.5)
    blurred = backdrop_of(session)
    assert isinstance(blurred, backdrops.Blurred)
    assert blurred.radius == pytest.approx(50, abs=6)
    assert session.undo_stack.count() == 2
    choose(inspector, "Colour")
    field = find(inspector, QLineEdit, "backdropColorHex")
    field.selectAll()
    QTest.keyClicks(field, "#123456")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert backdrop_of(session) == backdrops.Color(color="#123456")


def test_an_image_waits_for_its_file(inspector: Inspector, session: Session, tmp_path: Path) -> None:
    choose(inspector, "Image")
    path = find(inspector, QLineEdit, "backdropPath")
    assert path.isVisible()
    assert backdrop_of(session) == backdrops.Original()
    session.edit("Rename", session.document.with_instance(person(5, "Eve")))
    assert find(inspector, QComboBox, "backdrop").currentText() == "Image"  # another edit does not disturb the choice
    QTest.keyClicks(path, "../missing.png")
    QTest.keyClick(path, Qt.Key.Key_Return)
    assert "is not there" in find(inspector, QLabel, "backdropAdvice").text()
    assert backdrop_of(session) == backdrops.Original()
    (tmp_path / "beach.png").write_bytes(b"")
    QTest.mouseClick(find(inspector, QPushButton, "backdropBrowse"), LEFT)
    dialog = find(inspector, QFileDialog, "backdropDialog")
    dialog.fileSelected.emit(str(tmp_path / "beach.png"))
    dialog.reject()
    assert backdrop_of(session) == backdrops.Image(path="../beach.png")
    assert path.text() == "../beach.png"


# -- actions and the empty states ------------------------------------------------------------------------------------


def test_actions_ask_and_wait_while_busy(inspector: Inspector, qtbot: QtBot) -> None:
    for name, signal in (
        ("inspectorTrack", inspector.track_requested),
        ("inspectorMatte", inspector.matte_requested),
        ("inspectorPlate", inspector.plate_requested),
    ):
        with qtbot.waitSignal(signal):
            QTest.mouseClick(find(inspector, QPushButton, name), LEFT)
        inspector.set_busy(True)
        assert not find(inspector, QPushButton, name).isEnabled()
        inspector.set_busy(False)
        assert find(inspector, QPushButton, name).isEnabled()


def test_how_results_are_made_is_said(inspector: Inspector) -> None:
    words = find(inspector, QLabel, "inspectorMethod").text()
    assert "grabcut · flow · classical" in words
    assert "source resolution, 1280×720" in words


def test_groups_fold(inspector: Inspector) -> None:
    keep = button(inspector, "lookKeep")
    press(inspector, "inspectorLookHeader")
    assert not keep.isVisible()
    press(inspector, "inspectorLookHeader")
    assert keep.isVisible()


def test_hints_while_there_is_nobody_or_nothing(qtbot: QtBot, tmp_path: Path) -> None:
    session = Session()
    inspector = Inspector(session)
    qtbot.addWidget(inspector)
    hint = find(inspector, QLabel, "inspectorHint")
    assert hint.text() == "Open a clip to begin."
    combo = find(inspector, QComboBox, "backdrop")
    assert not combo.isEnabled()
    open_session(tmp_path, clip_info(10), (), session)
    assert hint.text().startswith("Add a person")
    assert combo.isEnabled()
    assert not button(inspector, "lookRemove").isEnabled()
    assert not button(inspector, "promptAbsent").isEnabled()
    assert not find(inspector, QPushButton, "inspectorTrack").isEnabled()
    session.edit("Add", session.document.with_instance(person(1, "Anna", Prompt(frame=0, points=((1, 1, 1),)))))
    session.set_active(1)
    assert hint.isHidden()
    assert button(inspector, "lookRemove").isEnabled()
    assert find(inspector, QPushButton, "inspectorTrack").isEnabled()
