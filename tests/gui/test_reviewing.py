"""Going through the review queue with mouse and keys, on a project whose masks were made wrong by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QContextMenuEvent, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, opened, press, settle, text_of

from app.theme import apply_theme
from app.timeline.lanes import Lanes
from app.tools.proposals import BUTTON_PX, GAP_PX
from app.window import MainWindow
from matting.media import open_clip
from matting.pipeline.cut import _presence
from matting.pipeline.workspace import MASKS, Workspace
from matting.project.document import Prompt
from matting.project.project import Project

FRAMES, SIZE_HW = 16, (120, 200)
ANN, BEN = 1, 2
Shift = Qt.KeyboardModifier.ShiftModifier
Wrong = Callable[[int, NDArray[np.uint8]], NDArray[np.uint8]]


@pytest.fixture(scope="module", autouse=True)
def _theme(qapp: QApplication) -> None:
    apply_theme(qapp)


def true_ids(t: int) -> NDArray[np.uint8]:
    """Two discs that walk side by side and nearly touch."""
    ids = np.zeros(SIZE_HW, np.uint8)
    cv2.circle(ids, (50 + 2 * t, 60), 22, ANN, -1)
    cv2.circle(ids, (98 + 2 * t, 60), 22, BEN, -1)
    return ids


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Wrong], Path]:
    """Make a project whose masks are what ``wrong`` makes of the true ones."""

    def make(wrong: Wrong) -> Path:
        pictures, folder = tmp_path / "walk", tmp_path / "walk.matteo"
        pictures.mkdir()
        wall = np.random.default_rng(0).integers(60, 120, (*SIZE_HW, 3), np.uint8)
        for t in range(FRAMES):
            picture = wall.copy()
            picture[true_ids(t) == ANN] = (40, 140, 235)
            picture[true_ids(t) == BEN] = (200, 80, 40)
            cv2.imwrite(str(pictures / f"walk_{t:03d}.png"), picture)
        with open_clip(pictures) as clip:
            made = Project.create(folder, clip.info)
            document = made.document.model_copy(update={"cuts": ()})
            for name, x in (("Ann", 50.0), ("Ben", 98.0)):
                person = document.new_instance(name).with_prompt(Prompt(frame=0, points=((x, 60.0, 1),)))
                document = document.with_instance(person)
            made.document = document.model_copy(
                update={"methods": document.methods.model_copy(update={"matter": None})}
            )
            made.save()
            work = Workspace.of(made, clip)
            for chunk in work.chunks:
                ids = np.stack([wrong(t, true_ids(t)) for t in chunk])
                found = {str(i): presence for i in work.ids if (presence := _presence(ids == i)) is not None}
                facts = {"instances": {i: (presence.box, presence.digest) for i, presence in found.items()}}
                work.store.write(MASKS, chunk.start, work.mask_key(chunk), ids, facts)
        return folder

    return make


def slipped(t: int, ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Ann's mask is off on frame 5, Ben's on frames 10 and 11."""
    result = ids.copy()
    for who, frames in ((ANN, (5,)), (BEN, (10, 11))):
        if t in frames:
            result[ids == who] = 0
            cv2.circle(result, (30 if who == ANN else 170, 20), 18, who, -1)
    return result


def exchanged(t: int, ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """From frame 9 on each has the other's mask."""
    return np.where(ids > 0, 3 - ids, 0).astype(np.uint8) if t >= 9 else ids


@pytest.fixture
def slips(window: MainWindow, project: Callable[[Wrong], Path], qtbot: QtBot) -> MainWindow:
    return opened(window, project(slipped), qtbot)


def lanes_of(window: MainWindow) -> Lanes:
    lanes = window.findChild(Lanes)
    assert isinstance(lanes, Lanes)
    return lanes


def at(lanes: Lanes, who: int, frame: int) -> QPoint:
    return QPoint(round(lanes.axis.middle(frame)), lanes.lane_rect(who).top() + 6)


def menu_on(window: MainWindow, who: int, frame: int) -> dict[str, QAction]:
    lanes = lanes_of(window)
    where = at(lanes, who, frame)
    QApplication.sendEvent(lanes, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, where, lanes.mapToGlobal(where)))
    menu = lanes.findChildren(QMenu, "laneMenu")[-1]
    return {action.objectName(): action for action in menu.actions()}


def choose(window: MainWindow, who: int, frame: int, name: str) -> None:
    menu_on(window, who, frame)[name].trigger()
    lanes_of(window).findChildren(QMenu, "laneMenu")[-1].close()
    window.activateWindow()


def here(window: MainWindow) -> tuple[int, int]:
    return window.session.frame, window.session.active_id


def label(window: MainWindow, name: str) -> str:
    found = window.findChild(QLabel, name)
    assert isinstance(found, QLabel)
    return found.text()


def test_opening_looks_the_masks_over_and_counts_the_places(slips: MainWindow) -> None:
    assert label(slips, "statusReview") == "2 to review"
    states = [row.text() for row in slips.findChildren(QLabel) if "to review" in row.text()]
    assert sum(text.endswith("1 to review") for text in states) == 2


def test_n_goes_from_place_to_place_and_round(slips: MainWindow) -> None:
    press(slips, Qt.Key.Key_N)
    assert here(slips) == (5, ANN)
    assert "Ann, frame 5" in text_of(slips)
    press(slips, Qt.Key.Key_N)
    assert here(slips)[1] == BEN
    assert here(slips)[0] in (10, 11)
    press(slips, Qt.Key.Key_N)
    assert here(slips) == (5, ANN)
    press(slips, Qt.Key.Key_N, Shift)
    assert here(slips)[1] == BEN


def test_the_lane_is_marked_there_and_says_why(slips: MainWindow) -> None:
    lanes = lanes_of(slips)
    top = lanes.lane_rect(ANN).top()
    picture = lanes.grab().toImage()

    def lightness(frame: int) -> int:
        return picture.pixelColor(round(lanes.axis.middle(frame)) + 2, top + 10).lightness()

    assert lightness(5) > lightness(7) + 80
    where = QPointF(at(lanes, ANN, 5))
    move = QMouseEvent(
        QEvent.Type.MouseMove, where, lanes.mapToGlobal(where), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )  # fmt: skip
    QApplication.sendEvent(lanes, move)
    assert lanes.toolTip().startswith("Ann, frame 5: ")
    assert "confidence" in lanes.toolTip()


def test_looks_right_by_key_settles_the_place_and_undo_brings_it_back(slips: MainWindow, qtbot: QtBot) -> None:
    before = slips.session.document
    press(slips, Qt.Key.Key_N)
    press(slips, Qt.Key.Key_V)
    settle(slips, qtbot)
    assert label(slips, "statusReview") == "1 to review"
    press(slips, Qt.Key.Key_N)
    assert here(slips)[1] == BEN
    press(slips, Qt.Key.Key_Z, Ctrl)
    settle(slips, qtbot)
    assert slips.session.document == before
    assert label(slips, "statusReview") == "2 to review"


def test_looks_right_in_the_lanes_menu(slips: MainWindow, qtbot: QtBot) -> None:
    assert "looksRight" not in menu_on(slips, ANN, 8)
    choose(slips, BEN, 11, "looksRight")
    settle(slips, qtbot)
    assert label(slips, "statusReview") == "1 to review"
    assert [(d.first, d.last) for d in slips.session.document.instance(BEN).dismissals] == [(10, 11)]


def test_actions_follow_what_is_there(slips: MainWindow, qtbot: QtBot) -> None:
    actions = slips.actions_by_id
    assert actions["nextPlace"].isEnabled()
    slips.session.set_active(ANN)
    slips.session.set_frame(3)
    assert not actions["looksRight"].isEnabled()
    slips.session.set_frame(5)
    assert actions["looksRight"].isEnabled()


def test_a_well_tracked_clip_has_nothing_to_review(
    window: MainWindow, project: Callable[[Wrong], Path], qtbot: QtBot
) -> None:
    opened(window, project(lambda t, ids: ids), qtbot)
    assert label(window, "statusReview") == ""
    assert not window.actions_by_id["nextPlace"].isEnabled()


class TestSwaps:
    @pytest.fixture
    def swap(self, window: MainWindow, project: Callable[[Wrong], Path], qtbot: QtBot) -> MainWindow:
        return opened(window, project(exchanged), qtbot)

    def test_a_swap_is_asked_about_at_its_frame(self, swap: MainWindow) -> None:
        assert label(swap, "statusReview") == "1 to review"
        press(swap, Qt.Key.Key_N)
        assert here(swap) == (9, ANN)
        assert text_of(swap).startswith("Ann and Ben swapped at 9?")

    def test_it_may_look_right(self, swap: MainWindow, qtbot: QtBot) -> None:
        press(swap, Qt.Key.Key_N)
        press(swap, Qt.Key.Key_V)
        settle(swap, qtbot)
        assert label(swap, "statusReview") == ""

    @pytest.mark.parametrize("way", ["action", "lane"])
    def test_swap_from_here_exchanges_them_and_can_be_undone(self, swap: MainWindow, qtbot: QtBot, way: str) -> None:
        before = swap.session.document
        if way == "action":
            swap.session.set_active(ANN)
            swap.session.set_frame(9)
            swap.actions_by_id["swapFromHere"].trigger()
        else:
            choose(swap, BEN, 9, f"swapWith{ANN}")
        settle(swap, qtbot)
        assert "Ann and Ben have taken each other's mask on frame 9" in text_of(swap)
        assert all(swap.session.document.instance(i).prompt_at(9) is not None for i in (ANN, BEN))
        press(swap, Qt.Key.Key_T, Ctrl)
        settle(swap, qtbot)
        work = swap.session.workspace
        for t in (9, 12, 15):
            for place, who in enumerate((ANN, BEN)):
                truth, mask = true_ids(t) == who, work.masks(t)[place]
                assert (truth & mask).sum() > 0.8 * (truth | mask).sum()
        assert label(swap, "statusReview") == ""
        press(swap, Qt.Key.Key_Z, Ctrl)
        settle(swap, qtbot)
        assert swap.session.document == before
        assert label(swap, "statusReview") != ""


def lost(t: int, ids: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """From frame 6 on the tracker has lost Ann, who is to be seen throughout."""
    return np.where((ids == ANN) & (t >= 6), 0, ids).astype(np.uint8)


class TestReturns:
    @pytest.fixture
    def back(self, window: MainWindow, project: Callable[[Wrong], Path], qtbot: QtBot) -> MainWindow:
        opened(window, project(lost), qtbot)
        for _ in range(window._reviewing.count):
            press(window, Qt.Key.Key_N)
            if "may be back" in text_of(window):
                break
        settle(window, qtbot)
        return window

    def offered(self, window: MainWindow) -> QRectF:
        """The box on the screen."""
        (box,) = window._returning.boxes.values()
        return QRectF(window.viewer.to_widget(box[0], box[1]), window.viewer.to_widget(box[2], box[3]))

    def click(self, window: MainWindow, place: QPointF) -> None:
        QTest.mouseClick(window.viewer, Qt.MouseButton.LeftButton, pos=place.toPoint())

    def test_n_goes_to_the_first_frame_and_names_the_person(self, back: MainWindow) -> None:
        assert here(back) == (6, ANN)
        assert text_of(back).startswith("Ann may be back at 6. ")
        x, y = back.viewer.to_frame(self.offered(back).center())
        assert (abs(x - 62) < 6) & (abs(y - 60) < 6)

    def test_the_lane_is_marked(self, back: MainWindow) -> None:
        assert [(m.first, m.frame) for m in back._reviewing.marks()[ANN] if "may be back" in m.text] == [(6, 6)]
        assert ANN in back._returning.boxes
        press(back, Qt.Key.Key_Home)
        assert not back._returning.boxes

    def test_the_tick_selects_her_and_tracking_takes_her_up(self, back: MainWindow, qtbot: QtBot) -> None:
        before = back.session.document
        box = self.offered(back)
        dismiss_left = max(box.right(), box.left() + 3 * BUTTON_PX + 2 * GAP_PX) - BUTTON_PX
        self.click(back, QPointF(dismiss_left - GAP_PX - BUTTON_PX / 2, box.top() - GAP_PX - BUTTON_PX / 2))
        settle(back, qtbot)
        assert not back._returning.boxes
        assert back.session.document.instance(ANN).prompt_at(6) is not None
        press(back, Qt.Key.Key_T, Ctrl)
        settle(back, qtbot)
        for t in (6, 10, 15):
            truth, mask = true_ids(t) == ANN, back.session.workspace.masks(t)[0]
            assert (truth & mask).sum() > 0.8 * (truth | mask).sum()
        press(back, Qt.Key.Key_Z, Ctrl)
        settle(back, qtbot)
        assert back.session.document == before
        assert back._returning.boxes

    @pytest.mark.parametrize("way", ["key", "cross", "looks right"])
    def test_a_no_settles_it(self, back: MainWindow, qtbot: QtBot, way: str) -> None:
        box = self.offered(back)
        if way == "key":
            back.viewer.setFocus()
            press(back, Qt.Key.Key_Escape)
        elif way == "cross":
            right = max(box.right(), box.left() + 3 * BUTTON_PX + 2 * GAP_PX)
            self.click(back, QPointF(right - BUTTON_PX / 2, box.top() - GAP_PX - BUTTON_PX / 2))
        else:
            press(back, Qt.Key.Key_V)
        settle(back, qtbot)
        assert not back._returning.boxes
        assert [(d.first, d.last) for d in back.session.document.instance(ANN).dismissals] == [(6, FRAMES - 1)]
        press(back, Qt.Key.Key_Z, Ctrl)
        settle(back, qtbot)
        assert back._returning.boxes
