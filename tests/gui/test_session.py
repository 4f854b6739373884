from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from editor_content import clip_info, five_people, open_session
from pytestqt.qtbot import QtBot

from app.session import Session
from matting.project.document import Document


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Session:
    return open_session(tmp_path, clip_info(100, Fraction(25)), five_people(100))


def with_out(document: Document, frame: int) -> Document:
    return document.model_copy(update={"out_frame": frame})


def test_undo_gives_the_previous_document_back_exactly(session: Session) -> None:
    before = session.document
    seen: list[tuple[Document, Document]] = []
    session.changed.connect(lambda old, new: seen.append((old, new)))
    session.edit("Set out", with_out(before, 50))
    session.edit("Delete", session.document.without_instance(2))
    session.undo_stack.undo()
    session.undo_stack.undo()
    assert session.document == before
    assert seen[0][0] is before
    assert session.undo_stack.isClean()


def test_edits_of_one_gesture_are_one_step_and_others_are_not(session: Session) -> None:
    before = session.document
    for frame in (60, 61, 62):
        session.edit("Set out", with_out(session.document, frame), gesture="drag 1")
    session.edit("Set out", with_out(session.document, 70), gesture="drag 2")
    session.undo_stack.undo()
    assert session.document.out_frame == 62
    session.undo_stack.undo()
    assert session.document == before


def test_what_is_learnt_was_known_all_along(session: Session) -> None:
    start = session.document
    session.edit("Set out", with_out(start, 60))
    session.undo_stack.setClean()
    session.edit("Set out", with_out(start, 70))
    session.undo_stack.undo()
    session.learn(lambda d: d.model_copy(update={"cuts": (30,)}))
    assert session.undo_stack.isClean()
    assert session.document == with_out(start, 60).model_copy(update={"cuts": (30,)})
    for step, out in ((session.undo_stack.redo, 70), (session.undo_stack.undo, 60), (session.undo_stack.undo, 99)):
        step()
        assert (session.document.cuts, session.document.out_frame) == ((30,), out)
    assert not session.undo_stack.canUndo()


def test_an_edit_that_changes_nothing_is_no_step(session: Session) -> None:
    session.edit("Nothing", session.document.model_copy())
    assert session.undo_stack.count() == 0


def test_when_the_active_person_goes_somebody_else_becomes_active(session: Session) -> None:
    session.set_active(5)
    session.edit("Delete", session.document.without_instance(5))
    assert session.active_id == 4
    session.undo_stack.undo()
    assert session.active_id == 4


def test_the_playhead_stays_in_the_clip(session: Session) -> None:
    session.set_frame(1000)
    assert session.frame == 99
    session.set_frame(-3)
    assert session.frame == 0


def test_saving_an_older_document_leaves_the_newer_one_unsaved(session: Session) -> None:
    session.edit("Set out", with_out(session.document, 50))
    on_disk = session.document
    session.edit("Set out", with_out(session.document, 60))
    session.saved(on_disk)
    assert not session.undo_stack.isClean()
    session.saved(session.document)
    assert session.undo_stack.isClean()


def test_autosave_is_due_once_the_document_rests(session: Session, qtbot: QtBot) -> None:
    with qtbot.waitSignal(session.autosave_due, timeout=5000):
        session.edit("Set out", with_out(session.document, 50))
