from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from editor_content import clip_info, open_session
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.session import Session
from app.viewer import Tool, Viewer
from app.views import Shown, View, Wanted

Left, Right, Middle = Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton, Qt.MouseButton.MiddleButton
Plain, Alt = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.AltModifier


@pytest.fixture
def viewer(qtbot: QtBot, tmp_path: Path) -> Viewer:
    """640×360 in a widget of 664×384: one to one with a margin of 12."""
    session = Session()
    viewer = Viewer(session)
    qtbot.addWidget(viewer)
    viewer.resize(664, 384)
    open_session(tmp_path, clip_info(10, Fraction(25), size_hw=(360, 640)), session=session)
    image = QImage(640, 360, QImage.Format.Format_RGB32)
    image.fill(QColor("#404040"))
    image.setPixelColor(100, 50, QColor("#ff0000"))
    viewer.show_picture(Shown(Wanted(0, View.SOURCE), image))
    viewer.show()
    qtbot.waitExposed(viewer)
    return viewer


def wheel(viewer: Viewer, place: QPoint, notches: int) -> None:
    at = QPointF(place)
    event = QWheelEvent(
        at, at, QPoint(), QPoint(0, 120 * notches), Left & Right, Plain, Qt.ScrollPhase.NoScrollPhase, False
    )
    QApplication.sendEvent(viewer, event)


def test_fit_shows_the_whole_picture_and_keeps_doing_so(viewer: Viewer) -> None:
    assert viewer.to_widget(0, 0) == QPointF(12, 12)
    viewer.resize(344, 384)
    assert viewer.to_widget(640, 0).x() == pytest.approx(332)


def test_the_wheel_zooms_around_the_cursor(viewer: Viewer) -> None:
    place = QPoint(200, 150)
    before = viewer.to_frame(QPointF(place))
    wheel(viewer, place, 4)
    assert viewer.to_frame(QPointF(place)) == pytest.approx(before)
    assert viewer.to_widget(101, 0).x() - viewer.to_widget(100, 0).x() == pytest.approx(1.2**4)


def test_single_pixels_are_crisp_when_zoomed_in(viewer: Viewer) -> None:
    viewer.zoom(8, viewer.to_widget(100, 50))
    grabbed = viewer.grab().toImage()
    for x, y, color in (
        (100.1, 50.1, "#ff0000"),
        (100.9, 50.9, "#ff0000"),
        (99.9, 50.5, "#404040"),
        (101.1, 50.5, "#404040"),
    ):
        assert grabbed.pixelColor(viewer.to_widget(x, y).toPoint()).name() == color


@pytest.mark.parametrize(("button", "modifier", "label"), [(Left, Plain, 1), (Left, Alt, 0), (Right, Plain, 0)])
def test_clicks_give_points_in_pixels_of_the_frame(
    viewer: Viewer, qtbot: QtBot, button: Qt.MouseButton, modifier: Qt.KeyboardModifier, label: int
) -> None:
    viewer.zoom(2)
    place = viewer.to_widget(301.5, 180.0).toPoint()
    with qtbot.waitSignal(viewer.point_given) as given:
        QTest.mouseClick(viewer, button, modifier, place)
    x, y, given_label = given.args
    assert (x, y) == (pytest.approx(301.5, abs=0.5), pytest.approx(180, abs=0.5))
    assert given_label == label


def test_a_click_beside_the_picture_gives_nothing(viewer: Viewer, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(viewer.point_given):
        QTest.mouseClick(viewer, Left, Plain, QPoint(3, 3))


def test_a_drag_gives_a_box_clipped_to_the_picture(viewer: Viewer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(viewer.box_given) as given, qtbot.assertNotEmitted(viewer.point_given):
        QTest.mousePress(viewer, Left, Plain, QPoint(112, 62))
        QTest.mouseMove(viewer, QPoint(60, 30))
        QTest.mouseMove(viewer, QPoint(2, 2))
        QTest.mouseRelease(viewer, Left, Plain, QPoint(2, 2))
    assert given.args == [(0.0, 0.0, 100.0, 50.0)]


@pytest.mark.parametrize("how", ["middle", "hand", "space"])
def test_the_picture_is_pushed(viewer: Viewer, qtbot: QtBot, how: str) -> None:
    before = viewer.to_widget(0, 0)
    button = Middle if how == "middle" else Left
    if how == "hand":
        viewer.set_tool(Tool.HAND)
    if how == "space":
        QTest.keyPress(viewer, Qt.Key.Key_Space)
    with qtbot.assertNotEmitted(viewer.box_given), qtbot.assertNotEmitted(viewer.space_tapped):
        QTest.mousePress(viewer, button, Plain, QPoint(300, 200))
        QTest.mouseMove(viewer, QPoint(340, 230))
        QTest.mouseRelease(viewer, button, Plain, QPoint(340, 230))
        QTest.keyRelease(viewer, Qt.Key.Key_Space)
    assert viewer.to_widget(0, 0) - before == QPointF(40, 30)


def test_space_plays_when_it_is_tapped_and_q_peeks_while_it_is_held(viewer: Viewer, qtbot: QtBot) -> None:
    with qtbot.waitSignal(viewer.space_tapped):
        QTest.keyClick(viewer, Qt.Key.Key_Space)
    peeks: list[bool] = []
    viewer.peeked.connect(peeks.append)
    QTest.keyClick(viewer, Qt.Key.Key_Q)
    assert peeks == [True, False]


def test_the_picture_cannot_be_lost(viewer: Viewer) -> None:
    QTest.mousePress(viewer, Middle, Plain, QPoint(300, 200))
    QTest.mouseMove(viewer, QPoint(3000, 2000))
    QTest.mouseRelease(viewer, Middle, Plain, QPoint(3000, 2000))
    assert viewer.rect().contains(viewer.to_widget(1, 1).toPoint())
