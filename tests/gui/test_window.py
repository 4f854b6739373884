"""The whole window on a small generated clip."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import psutil
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, Plain, click, name_it, opened, press, settle, text_of

from app.message_bar import Severity
from app.opening import CONTENT, untitled_root
from app.session import AUTOSAVE_MS
from app.views import View
from app.window import MainWindow
from matting.pipeline.workspace import State
from matting.project.project import Project


def color_at(window: MainWindow, x: int, y: int) -> tuple[int, int, int]:
    assert window.viewer.shown is not None
    color = window.viewer.shown.image.pixelColor(x, y)
    return color.red(), color.green(), color.blue()


class TestOpening:
    def test_a_folder_of_pictures_is_shown_bit_for_bit(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        press(window, Qt.Key.Key_S)
        press(window, Qt.Key.Key_Right)
        settle(window, qtbot)
        picture = cv2.imread(str(clip / "walk_001.png"))
        assert picture is not None
        assert window.frames.view is View.SOURCE
        for x, y in ((3, 5), (53, 60), (150, 110)):
            assert color_at(window, x, y) == tuple(int(c) for c in picture[y, x, ::-1])

    def test_a_clip_can_be_dropped(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(clip))])
        copy, left = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
        QApplication.sendEvent(window, QDragEnterEvent(QPoint(400, 300), copy, data, left, Plain))
        QApplication.sendEvent(window, QDropEvent(QPointF(400, 300), copy, data, left, Plain))
        qtbot.waitUntil(lambda: window.session.is_open, timeout=60_000)
        settle(window, qtbot)
        assert window.session.untitled

    def test_what_is_no_clip_is_told_in_one_sentence_and_leaves_nothing(
        self, window: MainWindow, tmp_path: Path, qtbot: QtBot
    ) -> None:
        text = tmp_path / "notes.mp4"
        text.write_text("not a video")
        window.files.open(text)
        qtbot.waitUntil(lambda: window.messages.shown is not None, timeout=60_000)
        assert window.messages.shown is not None
        assert window.messages.shown.severity is Severity.ERROR
        assert "notes.mp4" in text_of(window)
        assert "\n" not in text_of(window)
        assert not window.session.is_open
        assert not list(untitled_root().glob("*/*"))

    def test_what_was_open_stays_when_something_else_cannot_be_opened(
        self, window: MainWindow, clip: Path, tmp_path: Path, qtbot: QtBot
    ) -> None:
        opened(window, clip, qtbot)
        window.files.open(tmp_path / "gone.mp4")
        qtbot.waitUntil(lambda: "gone.mp4" in text_of(window), timeout=60_000)
        assert window.session.is_open


class TestSelecting:
    def test_a_click_selects_somebody_at_once_and_undo_takes_it_back(
        self, window: MainWindow, clip: Path, qtbot: QtBot
    ) -> None:
        opened(window, clip, qtbot)
        before = window.session.document
        plain = color_at(window, 50, 60)
        click(window, 50, 60)
        settle(window, qtbot)
        assert [i.id for i in window.session.document.instances] == [1]
        assert color_at(window, 50, 60) != plain
        press(window, Qt.Key.Key_Z, Ctrl)
        settle(window, qtbot)
        assert window.session.document == before
        assert color_at(window, 50, 60) == plain

    def test_a_click_in_another_view_shows_the_overlay(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        press(window, Qt.Key.Key_S)
        click(window, 50, 60)
        settle(window, qtbot)
        assert window.frames.view is View.OVERLAY
        assert window.actions_by_id["viewOverlay"].isChecked()

    def test_outside_in_and_out_nothing_is_selected(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        press(window, Qt.Key.Key_O)
        press(window, Qt.Key.Key_End)
        click(window, 80, 60)
        assert not window.session.document.instances
        assert "outside in and out" in text_of(window)

    def test_delete_clears_the_active_persons_prompts_on_this_frame(
        self, window: MainWindow, clip: Path, qtbot: QtBot
    ) -> None:
        opened(window, clip, qtbot)
        click(window, 50, 60)
        press(window, Qt.Key.Key_Right)
        press(window, Qt.Key.Key_X)
        assert [p.frame for p in window.session.document.instance(1).prompts] == [0, 1]
        press(window, Qt.Key.Key_Delete)
        assert [p.frame for p in window.session.document.instance(1).prompts] == [0]
        settle(window, qtbot)

    def test_single_keys_belong_to_a_text_field_that_has_the_focus(
        self, window: MainWindow, clip: Path, qtbot: QtBot
    ) -> None:
        opened(window, clip, qtbot)
        field = window.findChild(QLineEdit, "transportTimecode")
        assert isinstance(field, QLineEdit)
        field.setFocus()
        QTest.keyClicks(field, "gx")
        assert window.frames.view is View.OVERLAY
        settle(window, qtbot)


class TestSaving:
    def test_an_untitled_project_moves_with_its_results_and_undo_still_works(
        self, window: MainWindow, clip: Path, tmp_path: Path, qtbot: QtBot
    ) -> None:
        target = tmp_path / "shot.matteo"
        opened(window, clip, qtbot)
        click(window, 50, 60)
        settle(window, qtbot)
        saved = window.session.document
        press(window, Qt.Key.Key_S, Ctrl)
        name_it(window, target, qtbot)
        assert not window.session.untitled
        assert not window.files.unsaved
        assert not list(untitled_root().glob("*.matteo"))
        assert (target / "store").is_dir()
        on_disk = Project.load(target)
        assert on_disk.document.instances == saved.instances
        assert on_disk.document.media.path == "../walk"
        press(window, Qt.Key.Key_Z, Ctrl)
        settle(window, qtbot)
        assert window.session.document.media.path == "../walk"

    def test_an_existing_name_is_refused(self, window: MainWindow, clip: Path, tmp_path: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        (tmp_path / "shot.matteo").write_text("precious")
        press(window, Qt.Key.Key_S, Ctrl)
        name_it(window, tmp_path / "shot.matteo", qtbot)
        assert "exists already" in text_of(window)
        assert window.session.untitled
        assert (tmp_path / "shot.matteo").read_text() == "precious"

    @pytest.mark.parametrize("answer", ["Cancel", "Discard"])
    def test_closing_asks_before_work_is_lost(self, window: MainWindow, clip: Path, qtbot: QtBot, answer: str) -> None:
        opened(window, clip, qtbot)
        click(window, 50, 60)
        settle(window, qtbot)
        window.close()
        question = window.findChild(QMessageBox, "saveQuestion")
        assert isinstance(question, QMessageBox)
        button = question.button(QMessageBox.StandardButton[answer])
        assert isinstance(button, QPushButton)
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.isVisible() == (answer == "Cancel"))
        assert bool(list(untitled_root().glob("*.matteo"))) == (answer == "Cancel")

    def test_what_was_not_saved_comes_back_after_a_crash(self, qtbot: QtBot, clip: Path) -> None:
        first = MainWindow()
        first.show()
        opened(first, clip, qtbot)
        click(first, 50, 60)
        settle(first, qtbot)
        lost = first.session.document
        first.interrupt()
        first.deleteLater()
        second = MainWindow()
        second.show()
        second.look_for_unsaved()
        qtbot.waitUntil(lambda: second.findChild(QPushButton, "recover0") is not None, timeout=60_000)
        recover = second.findChild(QPushButton, "recover0")
        assert isinstance(recover, QPushButton)
        QTest.mouseClick(recover, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: second.session.is_open, timeout=60_000)
        settle(second, qtbot)
        assert second.session.document == lost
        assert "not saved" in text_of(second)
        second.session.undo_stack.undo()
        assert not second.session.document.instances
        second.interrupt()
        second.deleteLater()

    def test_nothing_is_autosaved_after_the_end(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        click(window, 50, 60)
        settle(window, qtbot)
        window.interrupt()
        with qtbot.assertNotEmitted(window.session.autosave_due, wait=AUTOSAVE_MS + 200):
            pass

    def test_a_clip_that_moved_can_be_shown(self, window: MainWindow, clip: Path, tmp_path: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        target = tmp_path / "shot.matteo"
        press(window, Qt.Key.Key_S, Ctrl)
        name_it(window, target, qtbot)
        window.files.let_go()
        settle(window, qtbot)
        (tmp_path / "elsewhere").mkdir()
        moved = clip.rename(tmp_path / "elsewhere" / "takes")
        window.files.open(target / CONTENT)
        qtbot.waitUntil(lambda: "not there any more" in text_of(window), timeout=60_000)
        assert window.messages.shown is not None
        assert [text for text, _ in window.messages.shown.choices] == ["Relink…"]
        window.files.relink(target, moved)
        qtbot.waitUntil(lambda: window.session.is_open, timeout=60_000)
        settle(window, qtbot)
        assert window.session.document.media.path == "../elsewhere/takes"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals to stop and kill with")
def test_the_editor_outlives_its_engine(window: MainWindow, clip: Path, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    (engine,) = [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]
    press(window, Qt.Key.Key_P)
    click(window, 50, 60)
    settle(window, qtbot)
    engine.suspend()  # so that it is surely killed at work
    press(window, Qt.Key.Key_T, Ctrl)
    qtbot.waitUntil(lambda: bool(window.jobs.heavy))
    engine.kill()
    settle(window, qtbot)
    assert "SIGKILL" in text_of(window)
    press(window, Qt.Key.Key_T, Ctrl)
    settle(window, qtbot)
    assert all(window.session.workspace.mask_state(c) is State.CURRENT for c in window.session.workspace.chunks)


def test_messages_do_not_move_the_picture(window: MainWindow, clip: Path, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    before = window.viewer.mapTo(window, QPoint(0, 0)), window.viewer.size()
    window.messages.error("Something.")
    qtbot.wait(20)
    assert (window.viewer.mapTo(window, QPoint(0, 0)), window.viewer.size()) == before
