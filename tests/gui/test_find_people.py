"""Find people in the window: proposals are offered, and the document hears of those who are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, Plain, opened, press, settle, text_of

from app.tools.proposals import BUTTON_PX, GAP_PX, ProposalGesture
from app.window import MainWindow
from matting.finding.proposal import Box, Proposal
from matting.job import JobContext
from matting.media import Clip
from matting.pipeline import finding as pipeline
from matting.project.document import Prompt

Alt = Qt.KeyboardModifier.AltModifier
DISC: Box = (25.0, 35.0, 75.0, 85.0)
BESIDE: Box = (100.0, 30.0, 140.0, 100.0)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[Box]]]:
    """A finder that proposes two people on every frame, one with an outline; what it was asked for."""
    asked: list[tuple[int, list[Box]]] = []

    def find(clip: Clip, frame: int, ctx: JobContext, taken: Sequence[Box], shot: range, device: str) -> list[Proposal]:
        asked.append((frame, list(taken)))
        ctx.notice(f"It works on {device}.")
        mask = np.zeros(clip.size_hw, np.bool_)
        mask[40:80, 30:70] = True
        return [Proposal(DISC, 0.9, mask, "mask-rcnn"), Proposal(BESIDE, 0.4, None, "hog")]

    monkeypatch.setattr(pipeline, "find_people", find)
    return asked


@pytest.fixture
def offering(window: MainWindow, clip: Path, qtbot: QtBot, asked: object) -> MainWindow:
    opened(window, clip, qtbot)
    find(window, qtbot)
    return window


def find(window: MainWindow, qtbot: QtBot) -> None:
    press(window, Qt.Key.Key_D, Ctrl)
    settle(window, qtbot)


def click_in(
    window: MainWindow, x: float, y: float, modifier: Qt.KeyboardModifier = Plain, *, off: QPointF | None = None
) -> None:
    place = window.viewer.to_widget(x, y) + (off or QPointF())
    QTest.mouseClick(window.viewer, Qt.MouseButton.LeftButton, modifier, place.toPoint())


def boxes(window: MainWindow) -> list[Box]:
    return list(window._finding.boxes.values())


def test_proposals_leave_the_document_alone(offering: MainWindow, asked: list[tuple[int, list[Box]]]) -> None:
    assert asked == [(0, [])]
    assert boxes(offering) == [DISC, BESIDE]
    assert not offering.session.document.instances
    assert not offering.session.undo_stack.canUndo()
    assert "2 people may be here" in text_of(offering)


def test_it_works_where_the_artist_wants_networks_to_and_says_what_is_to_be_read(
    window: MainWindow, clip: Path, qtbot: QtBot, asked: object
) -> None:
    opened(window, clip, qtbot)
    window.work.device = "cpu"
    warned: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window.messages, "warn", warned.append)
        find(window, qtbot)
    assert warned == ["It works on cpu."]


def test_a_click_accepts_one_with_box_and_outline_and_undo_takes_them_back(offering: MainWindow, qtbot: QtBot) -> None:
    before = offering.session.document
    click_in(offering, 50, 60)
    settle(offering, qtbot)
    (person,) = offering.session.document.instances
    (prompt,) = person.prompts
    assert prompt.box == DISC
    assert prompt.mask is not None
    assert offering.session.active_id == person.id
    masks = offering.session.workspace.index_picture(0)
    assert masks is not None
    expected = np.zeros_like(masks)
    expected[40:80, 30:70] = 1
    assert np.array_equal(masks, expected)
    assert boxes(offering) == [BESIDE]
    press(offering, Qt.Key.Key_Z, Ctrl)
    settle(offering, qtbot)
    assert offering.session.document == before
    press(offering, Qt.Key.Key_Z, Ctrl | Qt.KeyboardModifier.ShiftModifier)
    settle(offering, qtbot)
    assert offering.session.document.instances == (person,)


def test_alt_click_and_the_cross_dismiss(offering: MainWindow, qtbot: QtBot) -> None:
    click_in(offering, 50, 60, Alt)
    assert boxes(offering) == [BESIDE]
    click_in(offering, BESIDE[2], BESIDE[1], off=QPointF(-BUTTON_PX / 2, -GAP_PX - BUTTON_PX / 2))
    assert boxes(offering) == []
    assert not offering.session.document.instances
    settle(offering, qtbot)


def test_the_tick_accepts(offering: MainWindow, qtbot: QtBot) -> None:
    click_in(offering, BESIDE[2], BESIDE[1], off=QPointF(-1.5 * BUTTON_PX - GAP_PX, -GAP_PX - BUTTON_PX / 2))
    settle(offering, qtbot)
    assert [i.prompts for i in offering.session.document.instances] == [(Prompt(frame=0, box=BESIDE),)]


def test_enter_accepts_everybody_in_one_step(offering: MainWindow, qtbot: QtBot) -> None:
    press(offering, Qt.Key.Key_Return)
    settle(offering, qtbot)
    assert [i.prompts[0].box for i in offering.session.document.instances] == [DISC, BESIDE]
    assert boxes(offering) == []
    press(offering, Qt.Key.Key_Z, Ctrl)
    settle(offering, qtbot)
    assert not offering.session.document.instances
    assert not offering.session.undo_stack.canUndo()


def test_escape_dismisses_everybody_and_then_means_what_it_meant(offering: MainWindow) -> None:
    press(offering, Qt.Key.Key_Escape)
    assert boxes(offering) == []
    assert not offering.session.document.instances


@pytest.mark.parametrize("key", [Qt.Key.Key_Right, Qt.Key.Key_End])
def test_another_frame_takes_the_proposals_away(offering: MainWindow, key: Qt.Key, qtbot: QtBot) -> None:
    press(offering, key)
    settle(offering, qtbot)
    assert boxes(offering) == []


def test_an_answer_about_another_frame_is_dropped(window: MainWindow, clip: Path, asked: object, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    press(window, Qt.Key.Key_D, Ctrl)
    press(window, Qt.Key.Key_Right)
    settle(window, qtbot)
    assert boxes(window) == []


def test_clicks_beside_the_proposals_are_the_tools(offering: MainWindow, qtbot: QtBot) -> None:
    click_in(offering, 5, 110)
    settle(offering, qtbot)
    assert offering.session.document.instance(1).prompts == (Prompt(frame=0, points=((5.0, 110.0, 1),)),) or (
        offering.session.document.instance(1).prompts[0].points[0][2] == 1
    )
    assert boxes(offering) == [DISC, BESIDE]


def test_who_is_selected_is_told_to_the_finder(
    offering: MainWindow, asked: list[tuple[int, list[Box]]], qtbot: QtBot
) -> None:
    click_in(offering, 50, 60)
    settle(offering, qtbot)
    find(offering, qtbot)
    frame, taken = asked[-1]
    assert frame == 0
    assert DISC in taken
    assert (30, 40, 70, 80) in taken


def test_outside_in_and_out_nobody_is_looked_for(
    window: MainWindow, clip: Path, asked: list[tuple[int, list[Box]]], qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    press(window, Qt.Key.Key_O)
    press(window, Qt.Key.Key_End)
    find(window, qtbot)
    assert asked == []
    assert "outside in and out" in text_of(window)


def test_boxes_and_buttons_are_painted(offering: MainWindow, tmp_path: Path) -> None:
    def grabbed() -> QImage:
        return offering.viewer.grab().toImage()

    def green(image: QImage, place: QPoint) -> bool:
        color = image.pixelColor(place)
        return color.green() > color.red() + 20

    viewer = offering.viewer
    corner = viewer.to_widget(DISC[2], DISC[1])
    tick = (corner + QPointF(-2 * BUTTON_PX - GAP_PX + 3, -GAP_PX - BUTTON_PX + 4)).toPoint()
    assert green(grabbed(), tick)
    press(offering, Qt.Key.Key_Escape)
    assert not green(grabbed(), tick)


def test_a_message_does_not_cover_the_buttons(offering: MainWindow) -> None:
    assert offering.messages.isVisible()
    bar = offering.messages.over(offering.viewer)
    assert not bar.isEmpty()
    gesture = offering.viewer._over[0]
    assert isinstance(gesture, ProposalGesture)
    under = QRectF(bar.center().x() - 30, bar.top() + 4, 60, 200)
    buttons = gesture._buttons(under)
    assert not any(bar.intersects(button) for button in buttons)
    assert buttons[1].top() < bar.bottom() + 2 * GAP_PX
    offering.messages.clear()
    assert any(bar.intersects(button) for button in gesture._buttons(under))
