"""Cuts in the window: found behind the artist's back, put in and taken out with mouse and keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Event

import cv2
import numpy as np
import pytest
from editor_content import clip_info, find, open_session
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, click, name_it, opened, press, settle, text_of

from app.theme import apply_theme
from app.timeline.film import Filmstrip
from app.timeline.ruler import Ruler
from app.timeline.strip import Strip
from app.timeline.timeline import Timeline
from app.window import MainWindow
from matting.errors import MediaError
from matting.job import JobContext
from matting.media import Clip
from matting.media.cuts import find_cuts
from matting.pipeline.workspace import State
from matting.project.project import Project

CUT = 9
Alt, CtrlShift = Qt.KeyboardModifier.AltModifier, Ctrl | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A disc before a dark wall, then one before a light wall."""
    folder = tmp_path / "two"
    folder.mkdir()
    for t in range(20):
        rng = np.random.default_rng(t >= CUT)
        low = 20 if t < CUT else 150
        picture = rng.integers(low, low + 60, (120, 160, 3), np.uint8)
        cv2.circle(picture, (50 + 3 * t, 60), 22, (40, 140, 235), -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"two_{t:03d}.png"), picture)
    return folder


class Gate:
    """Holds the search up until it is opened, or fails it."""

    def __init__(self) -> None:
        self.open, self.asked = Event(), 0
        self.error: Exception | None = None

    def __call__(self, clip: Clip, ctx: JobContext) -> tuple[int, ...]:
        self.asked += 1
        while not self.open.wait(0.01):
            ctx.report(0.25, "Looking for cuts")
        if self.error is not None:
            raise self.error
        return find_cuts(clip, ctx)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr("matting.media.cuts.find_cuts", gate)
    yield gate
    gate.open.set()


def cuts_of(window: MainWindow) -> tuple[int, ...] | None:
    return window.session.document.cuts


def people_in(window: MainWindow) -> int:
    return len(window.session.document.instances)


def open_slowly(window: MainWindow, path: Path, qtbot: QtBot) -> None:
    """Open a clip and wait until the search has begun; the gate holds it up."""
    window.files.open(path)
    qtbot.waitUntil(lambda: window.session.is_open, timeout=60_000)
    qtbot.waitUntil(lambda: "25%" in find(window, QLabel, "statusShots").text(), timeout=60_000)


def menu_at(strip: Strip, frame: float) -> list[QAction]:
    at = QPoint(round(strip.axis.x(frame)), 12)
    QApplication.sendEvent(strip, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, strip.mapToGlobal(at)))
    return find(strip, QMenu, "cutMenu").actions()


class TestSearch:
    def test_what_is_found_is_no_edit_and_is_kept(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        assert cuts_of(window) == (CUT,)
        assert find(window, QLabel, "statusShots").text() == "2 shots"
        assert not window.session.undo_stack.canUndo()
        assert not window.isWindowModified()
        assert not window.files.unsaved
        assert window.session.project is not None
        assert Project.load(window.session.project.folder).document.cuts == (CUT,)
        assert Project.load(window.session.project.folder).autosaved() is None

    def test_undo_reaches_back_before_the_search_and_keeps_what_it_found(
        self, window: MainWindow, clip: Path, qtbot: QtBot, gate: Gate
    ) -> None:
        open_slowly(window, clip, qtbot)
        click(window, 50, 60)
        assert people_in(window) == 1
        gate.open.set()
        settle(window, qtbot)
        assert cuts_of(window) == (CUT,)
        press(window, Qt.Key.Key_Z, Ctrl)
        assert people_in(window) == 0
        assert cuts_of(window) == (CUT,)
        assert not window.session.undo_stack.canUndo()
        press(window, Qt.Key.Key_Y, Ctrl)
        assert people_in(window) == 1
        assert cuts_of(window) == (CUT,)
        settle(window, qtbot)

    def test_a_project_is_searched_once(
        self, window: MainWindow, clip: Path, qtbot: QtBot, gate: Gate, tmp_path: Path
    ) -> None:
        gate.open.set()
        opened(window, clip, qtbot)
        press(window, Qt.Key.Key_S, Ctrl)
        name_it(window, tmp_path / "named.matteo", qtbot)
        window.files.let_go()
        settle(window, qtbot)
        opened(window, tmp_path / "named.matteo", qtbot)
        assert cuts_of(window) == (CUT,)
        assert gate.asked == 1

    def test_while_it_runs_people_can_be_clicked_and_cuts_must_wait(
        self, window: MainWindow, clip: Path, qtbot: QtBot, gate: Gate
    ) -> None:
        open_slowly(window, clip, qtbot)
        click(window, 50, 60)
        qtbot.waitUntil(lambda: window.session.workspace.index_picture(0) is not None, timeout=60_000)
        press(window, Qt.Key.Key_Right)
        assert not window.actions_by_id["addCut"].isEnabled()
        (add,) = menu_at(find(window, Filmstrip, "timelineFilm"), 5.5)
        assert not add.isEnabled()
        assert "still looked for" in add.text()

    def test_tracking_waits_for_it(self, window: MainWindow, clip: Path, qtbot: QtBot, gate: Gate) -> None:
        open_slowly(window, clip, qtbot)
        click(window, 50, 60)
        press(window, Qt.Key.Key_T, Ctrl)
        assert not window.jobs.heavy
        assert "as soon as the cuts" in text_of(window)
        gate.open.set()
        settle(window, qtbot)
        work = window.session.workspace
        assert {work.mask_state(chunk) for chunk in work.chunks} == {State.CURRENT}
        assert [work.masks(t)[0].any() for t in (0, CUT - 1, CUT, 19)] == [True, True, False, False]

    def test_closing_the_clip_ends_it(self, window: MainWindow, clip: Path, qtbot: QtBot, gate: Gate) -> None:
        open_slowly(window, clip, qtbot)
        window.files.let_go()
        settle(window, qtbot)
        assert not window.session.is_open

    def test_a_search_that_fails_says_so_and_leaves_cuts_to_the_artist(
        self, window: MainWindow, clip: Path, qtbot: QtBot, gate: Gate
    ) -> None:
        gate.error = MediaError("two_007.png is broken.")
        gate.open.set()
        opened(window, clip, qtbot)
        assert window.messages.shown is not None
        assert "two_007.png is broken." in window.messages.shown.text
        press(window, Qt.Key.Key_Right)
        press(window, Qt.Key.Key_K, Ctrl)
        assert cuts_of(window) == (1,)
        settle(window, qtbot)


class TestEditing:
    def test_keys_add_remove_and_go_to_cuts(self, window: MainWindow, clip: Path, qtbot: QtBot) -> None:
        opened(window, clip, qtbot)
        session = window.session
        assert not window.actions_by_id["addCut"].isEnabled(), "a shot begins at frame 0 anyway"
        session.set_frame(4)
        press(window, Qt.Key.Key_K, Ctrl)
        assert cuts_of(window) == (4, CUT)
        assert not window.actions_by_id["addCut"].isEnabled()
        press(window, Qt.Key.Key_Down, Alt)
        assert session.frame == CUT
        press(window, Qt.Key.Key_Down, Alt)
        assert session.frame == CUT, "the last shot"
        press(window, Qt.Key.Key_K, CtrlShift)
        assert cuts_of(window) == (4,)
        assert not window.actions_by_id["removeCut"].isEnabled()
        for place in (4, 0, 0):
            press(window, Qt.Key.Key_Up, Alt)
            assert session.frame == place
        for cuts in ((4, CUT), (CUT,)):
            press(window, Qt.Key.Key_Z, Ctrl)
            assert cuts_of(window) == cuts
        assert not session.undo_stack.canUndo()
        settle(window, qtbot)

    @pytest.mark.parametrize("kind", [Ruler, Filmstrip])
    def test_the_menu_of_ruler_and_filmstrip(
        self, window: MainWindow, clip: Path, qtbot: QtBot, kind: type[Strip]
    ) -> None:
        opened(window, clip, qtbot)
        strip = window.findChild(kind)
        assert isinstance(strip, Strip)
        (add,) = menu_at(strip, 5.5)
        assert add.text() == "Add a cut at frame 5"
        add.trigger()
        assert cuts_of(window) == (5, CUT)
        menus = strip.findChildren(QMenu)
        for menu in menus:
            menu.close()
        qtbot.waitUntil(lambda: not strip.findChildren(QMenu))
        (remove,) = menu_at(strip, CUT)
        assert remove.text() == "Remove the cut at frame 9"
        remove.trigger()
        assert cuts_of(window) == (5,)
        assert [window.session.undo_stack.text(n) for n in range(2)] == ["Add a cut", "Remove a cut"]
        find(strip, QMenu, "cutMenu").close()
        settle(window, qtbot)


def test_shots_are_tinted_in_turn_and_cuts_drawn_where_they_are(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    apply_theme(qapp)
    session = open_session(tmp_path, clip_info(100))
    timeline = Timeline(session)
    qtbot.addWidget(timeline)
    timeline.resize(1176, 320)
    timeline.show()
    ruler = find(timeline, Ruler, "timelineRuler")

    def light(frame: float) -> int:
        picture = ruler.grab().toImage()
        ratio = picture.devicePixelRatio()
        return picture.pixelColor(round(ruler.axis.x(frame) * ratio), round(3 * ratio)).lightness()

    plain = light(30.5)
    session.learn(lambda d: d.model_copy(update={"cuts": (20, 40, 41)}))
    session.set_frame(90)
    assert light(10.5) == light(40.5) == plain
    assert light(30.5) > plain
    assert light(60.5) > plain
    assert max(light(20 + shift / 20) for shift in range(-3, 4)) > plain + 60
