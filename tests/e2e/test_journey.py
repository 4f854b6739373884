"""The main job, done by hand: mouse and keys on the real program, from opening a clip to reopening the project."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QElapsedTimer, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialogButtonBox, QLineEdit, QWidget

from app.session import Session
from app.viewer import Viewer
from app.window import MainWindow
from main import main
from matting.compositing.looks import Keep, Remove
from matting.media import open_clip
from matting.pipeline.workspace import State, Workspace
from resources import SAMPLE

CLIP, PROMPTS = SAMPLE / "clip.mp4", SAMPLE / "prompts.json"
FRAMES = 16
"""How much of the sample is worked on."""
TICK_MS, LONGEST_GAP_MS = 10, 50
ATTEMPTS = 3
PATIENCE_S = 240
TYPING_MS = 15

Ctrl, Shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Heartbeat:
    """Remembers how long the event loop was away while jobs ran that an artist started."""

    def __init__(self) -> None:
        self.gaps_ms: list[float] = []
        self.counts = False
        """Whether the clip is open and the libraries are loaded, some of which stop the interpreter for longer."""
        self._clock = QElapsedTimer()
        self._timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._loop = QEventLoop()
        self._until: Callable[[], bool] = lambda: True
        self._deadline = 0.0

    def _tick(self) -> None:
        if self.counts:
            self.gaps_ms.append(self._clock.nsecsElapsed() / 1e6)
        self._clock.restart()
        if self._until() or time.monotonic() > self._deadline:
            self._loop.quit()

    def beat(self, until: Callable[[], bool]) -> None:
        """Let the event loop run until a condition holds.

        Not with QTest.qWait, which keeps the interpreter to itself while it sleeps.
        """
        self._until, self._deadline = until, time.monotonic() + PATIENCE_S
        if not until():
            self._clock.restart()
            self._timer.start()
            self._loop.exec()
            self._timer.stop()
            assert until(), "waited in vain"


class Hand:
    """What an artist can do to the window: look for things by name, click, type, wait."""

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat

    @property
    def window(self) -> QWidget:
        return next(w for w in QApplication.topLevelWidgets() if w.objectName() == "mainWindow" and w.isVisible())

    @property
    def session(self) -> Session:
        session = self.window.findChild(Session)
        assert session is not None
        return session

    @property
    def work(self) -> Workspace:
        return self.session.workspace

    def wait(self, until: Callable[[], bool]) -> None:
        self._heartbeat.beat(until)

    def wait_until_open(self) -> None:
        """Until the clip is shown and everything is loaded that works on it; from then on the heartbeat counts."""
        self.find("viewer")
        self.wait_for_jobs()
        self._heartbeat.counts = True

    def wait_for_jobs(self) -> None:
        """Until nothing works any more and the viewer shows what came out."""
        self.wait(lambda: self.window.property("busy") is False)

    def find(self, name: str) -> QWidget:
        """The visible widget of that name; waits until it is there."""

        def visible() -> list[QWidget]:
            inside = [c for w in QApplication.topLevelWidgets() for c in [w, *w.findChildren(QWidget, name)]]
            return [c for c in inside if c.objectName() == name and c.isVisible()]

        self.wait(lambda: bool(visible()))
        return visible()[0]

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        window = self.window
        window.activateWindow()  # a window manager does so when a dialog closes
        self.wait(window.isActiveWindow)
        QTest.keyClick(self.find("viewer"), key, modifier)

    def click(self, name: str) -> None:
        QTest.mouseClick(self.find(name), Qt.MouseButton.LeftButton)

    def click_picture(self, x: float, y: float, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        QTest.mouseClick(self.find("viewer"), Qt.MouseButton.LeftButton, modifier, self._place(x, y))

    def drag_picture(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        viewer = self.find("viewer")
        places = [self._place(*start), self._place((start[0] + end[0]) / 2, end[1] - 9), self._place(*end)]
        QTest.mousePress(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[0])
        for place in places[1:]:
            QTest.mouseMove(viewer, place)
        QTest.mouseRelease(viewer, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[-1])

    def _place(self, x: float, y: float) -> QPoint:
        """The pixel of the viewer that shows a place of the frame."""
        viewer = self.find("viewer")
        assert isinstance(viewer, Viewer)
        place = viewer.to_widget(x, y).toPoint()
        assert viewer.rect().contains(place)
        return place

    def type_into(self, name: str, text: str) -> None:
        field = self.find(name)
        assert isinstance(field, QLineEdit)
        field.setFocus()
        QTest.keyClick(field, Qt.Key.Key_A, Ctrl)
        # As fast as people type: Qt's file dialog completes names between the keys.
        QTest.keyClicks(field, text, Qt.KeyboardModifier.NoModifier, TYPING_MS)

    def answer_file_dialog(self, name: str, path: Path) -> None:
        dialog = self.find(name)
        self.type_into("fileNameEdit", str(path))
        # Not Return: a list of completions may be open and would take it.
        box = dialog.findChild(QDialogButtonBox)
        assert box is not None
        QTest.mouseClick(box.button(QDialogButtonBox.StandardButton.Save), Qt.MouseButton.LeftButton)


def what_is_seen() -> str:
    """For a report of a failure."""
    windows = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    main = next((w for w in windows if isinstance(w, MainWindow)), None)
    said = main.messages.shown if main is not None else None
    working = [job.title for job in main.jobs.heavy] if main is not None else []
    return f"windows: {[w.objectName() for w in windows]}, message: {said}, heavy jobs: {working}"


def drive(arguments: list[str], script: Callable[[Hand], None]) -> list[float]:
    """Start the real program and act in it; returns how long the event loop was away each time, in ms."""
    heartbeat = Heartbeat()
    failures: list[BaseException] = []

    def act() -> None:
        try:
            script(Hand(heartbeat))
        except BaseException as failure:  # noqa: BLE001  (an exception must not be lost in the event loop)
            failure.add_note(what_is_seen())
            failures.append(failure)
            QApplication.exit(9)

    QTimer.singleShot(0, act)
    code = main(arguments)
    if failures:
        raise failures[0]
    assert code == 0
    return heartbeat.gaps_ms


@dataclass(frozen=True)
class Given:
    """What one person of the sample is given on the first frame: a box and a few points."""

    points: list[tuple[float, float, int]]
    box: tuple[float, float, float, float]


def given(place: int) -> Given:
    prompt = json.loads(PROMPTS.read_text())["instances"][place]["prompts"][0]
    assert prompt["frame"] == 0
    include = [tuple(point) for point in prompt["points"] if point[2] == 1][:2]
    exclude = [tuple(point) for point in prompt["points"] if point[2] == 0][:1]
    return Given(include + exclude, tuple(prompt["box"]))


def select(hand: Hand, person: Given) -> None:
    """Draw a box round somebody, then correct it point by point, looking at the mask each time."""
    x0, y0, x1, y1 = person.box
    hand.drag_picture((x0, y0), (x1, y1))
    hand.wait_for_jobs()
    for x, y, label in person.points:
        hand.click_picture(x, y, Qt.KeyboardModifier.NoModifier if label else Qt.KeyboardModifier.AltModifier)
        hand.wait_for_jobs()


@pytest.mark.usefixtures("qapp")
def test_from_clip_to_export_and_back(tmp_path: Path) -> None:
    for attempt in range(ATTEMPTS):
        place = tmp_path / f"{attempt}"
        place.mkdir()
        gaps = go_all_the_way(place)
        if max(gaps) <= LONGEST_GAP_MS:
            return
    # A gap that is ours comes back each time; one of a machine that was busy with something else does not.
    pytest.fail(f"the event loop was away for {max(gaps):.0f} ms")


def go_all_the_way(place: Path) -> list[float]:
    """From clip to export, and open the project again; returns how long the event loop was away each time, in ms."""
    result, folder = place / "result.mkv", place / "shot.matteo"
    removed, kept = 1, 2

    def work_on_the_clip(hand: Hand) -> None:
        hand.wait_until_open()
        for _ in range(FRAMES - 1):
            hand.press(Qt.Key.Key_Right)
        hand.press(Qt.Key.Key_O)
        hand.press(Qt.Key.Key_Home)
        assert list(hand.session.document.frames) == list(range(FRAMES))

        hand.press(Qt.Key.Key_P)
        select(hand, given(0))
        hand.click("addPerson")
        select(hand, given(2))
        assert [i.id for i in hand.session.document.instances] == [removed, kept]
        picture = hand.work.index_picture(0)
        assert picture is not None
        assert all((picture == instance_id).sum() > 100 for instance_id in (kept, removed))

        hand.press(Qt.Key.Key_T, Ctrl)
        hand.wait_for_jobs()
        assert all(hand.work.mask_state(chunk) is State.CURRENT for chunk in hand.work.chunks)
        hand.press(Qt.Key.Key_M, Ctrl)
        hand.wait_for_jobs()
        assert all(hand.work.alpha_state(c, i) is State.CURRENT for c in hand.work.chunks for i in (kept, removed))

        hand.press(Qt.Key.Key_1)
        hand.click("lookRemove")
        assert isinstance(hand.session.document.instance(removed).look, Remove)
        hand.press(Qt.Key.Key_Z, Ctrl)
        assert isinstance(hand.session.document.instance(removed).look, Keep)
        hand.press(Qt.Key.Key_Z, Ctrl | Shift)
        assert isinstance(hand.session.document.instance(removed).look, Remove)
        hand.press(Qt.Key.Key_G)
        hand.wait_for_jobs()

        hand.press(Qt.Key.Key_E, Ctrl)
        hand.type_into("exportPath", str(result))
        hand.click("exportStart")
        hand.wait(result.exists)
        hand.wait_for_jobs()

        hand.press(Qt.Key.Key_S, Ctrl)
        hand.answer_file_dialog("saveDialog", folder)
        hand.wait((folder / "project.json").exists)
        hand.wait_for_jobs()
        assert not hand.find("viewer").window().isWindowModified()
        check_pixels(hand.work.for_thread(), result, removed)
        hand.press(Qt.Key.Key_Q, Ctrl)

    gaps = drive(["open", str(CLIP)], work_on_the_clip)

    def look_at_the_project(hand: Hand) -> None:
        hand.wait_until_open()
        document = hand.session.document
        assert not hand.session.untitled
        assert isinstance(document.instance(removed).look, Remove)
        assert isinstance(document.instance(kept).look, Keep)
        assert len(document.frames) == FRAMES
        assert all(hand.work.alpha_state(c, removed) is State.CURRENT for c in hand.work.chunks)
        hand.press(Qt.Key.Key_Q, Ctrl)

    return gaps + drive(["open", str(folder)], look_at_the_project)


def check_pixels(work: Workspace, result: Path, removed: int) -> None:
    """Inside the removed person's alpha the picture went to the plate; elsewhere not a bit changed."""
    from matting.pipeline.picture import Compositor

    compositor = Compositor(work)
    with open_clip(result) as exported, work.clip:
        assert len(exported) == FRAMES
        for place, t in enumerate(work.document.frames):
            source, out = work.clip.frame(t), exported.frame(place)
            alpha = work.alpha(t, removed)
            np.testing.assert_array_equal(out[alpha == 0], source[alpha == 0])
            inside = alpha == 255
            assert inside.sum() > 100
            plate = compositor.plate(t, source)
            np.testing.assert_allclose(out[inside].astype(int), plate[inside].astype(int), atol=1)
            assert np.abs(out[inside].astype(int) - source[inside]).mean() > 5
