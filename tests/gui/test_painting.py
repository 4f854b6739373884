"""Brush, eraser and polygon, worked with the mouse: what is painted is what is selected."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, Plain, click, opened, press, settle, text_of

from app.tools.painting import STEP, USUAL_PX, Brush
from app.window import MainWindow
from matting.pipeline.workspace import State
from matting.project.document import Prompt
from matting.seeding.drawing import Polygon, Stroke, covered

Left = Qt.MouseButton.LeftButton
Alt, Shift = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
SIZE_HW = (120, 160)


@pytest.fixture
def painting(window: MainWindow, clip: Path, qtbot: QtBot) -> MainWindow:
    """The window with the clip and a brush of 8 pixels radius."""
    opened(window, clip, qtbot)
    window.viewer._brush.set_radius(8)
    press(window, Qt.Key.Key_R)
    return window


def at(window: MainWindow, x: float, y: float) -> QPoint:
    return window.viewer.to_widget(x, y).toPoint()


def drag(window: MainWindow, *places: tuple[float, float], modifier: Qt.KeyboardModifier = Plain) -> None:
    viewer = window.viewer
    QTest.mousePress(viewer, Left, modifier, at(window, *places[0]))
    for place in places[1:]:
        QTest.mouseMove(viewer, at(window, *place))
    QTest.mouseRelease(viewer, Left, modifier, at(window, *places[-1]))


def prompt_here(window: MainWindow, who: int = 1) -> Prompt:
    prompt = window.session.document.instance(who).prompt_at(window.session.frame)
    assert prompt is not None
    return prompt


def shown(window: MainWindow) -> NDArray[np.uint8]:
    picture = window.session.workspace.index_picture(window.session.frame)
    assert picture is not None
    return picture


def undo(window: MainWindow, qtbot: QtBot) -> None:
    press(window, Qt.Key.Key_Z, Ctrl)
    settle(window, qtbot)


def track(window: MainWindow, qtbot: QtBot) -> None:
    press(window, Qt.Key.Key_T, Ctrl)
    settle(window, qtbot)
    work = window.session.workspace
    assert all(work.mask_state(chunk) is State.CURRENT for chunk in work.chunks)


class TestBrush:
    def test_a_drag_selects_somebody_new_exactly_where_it_painted(self, painting: MainWindow, qtbot: QtBot) -> None:
        before = painting.session.document
        drag(painting, (30, 40), (60, 40), (90, 70))
        settle(painting, qtbot)
        (stroke,) = prompt_here(painting).drawn
        assert isinstance(stroke, Stroke)
        assert (stroke.label, stroke.radius) == (1, 8)
        assert np.allclose(stroke.points[0], (30, 40), atol=0.5)
        assert np.allclose(stroke.points[-1], (90, 70), atol=0.5)
        assert np.array_equal(shown(painting) == 1, covered(stroke, SIZE_HW))
        assert painting.session.active_id == 1
        undo(painting, qtbot)
        assert painting.session.document == before

    def test_the_stroke_is_seen_while_it_is_painted_and_nothing_works_before_its_end(
        self, painting: MainWindow, qtbot: QtBot
    ) -> None:
        click_point(painting, 50, 60, qtbot)
        document = painting.session.document
        viewer, place = painting.viewer, at(painting, 120, 30)
        plain = viewer.grab().toImage().pixelColor(place)
        QTest.mousePress(viewer, Left, Plain, at(painting, 100, 30))
        QTest.mouseMove(viewer, at(painting, 140, 30))
        live = viewer.grab().toImage().pixelColor(place)
        assert live != plain
        assert painting.session.document is document
        assert painting.jobs.idle
        QTest.mouseRelease(viewer, Left, Plain, at(painting, 140, 30))
        assert painting.session.document != document
        settle(painting, qtbot)
        QTest.mouseMove(viewer, at(painting, 20, 110))
        assert viewer.grab().toImage().pixelColor(place) not in (plain, live)  # the overlay's tint
        assert painting.viewer.shown is not None
        tinted = painting.viewer.shown.image.pixelColor(120, 30)
        assert tinted.red() > tinted.blue() + 30

    def test_one_stroke_is_one_step(self, painting: MainWindow, qtbot: QtBot) -> None:
        for x in (30, 60, 90):
            drag(painting, (x, 30), (x, 60))
        settle(painting, qtbot)
        assert [drawing.order for drawing in prompt_here(painting).drawn] == [0, 1, 2]
        undo(painting, qtbot)
        assert len(prompt_here(painting).drawn) == 2
        assert shown(painting)[45, 90] == 0
        assert shown(painting)[45, 60] == 1

    def test_the_eraser_takes_away_and_alt_turns_both_round(self, painting: MainWindow, qtbot: QtBot) -> None:
        drag(painting, (20, 60), (140, 60))
        press(painting, Qt.Key.Key_E)
        drag(painting, (60, 40), (60, 80))
        drag(painting, (100, 20), (100, 20), modifier=Alt)
        press(painting, Qt.Key.Key_R)
        drag(painting, (120, 60), (120, 60), modifier=Alt)
        settle(painting, qtbot)
        assert [drawing.label for drawing in prompt_here(painting).drawn] == [1, 0, 1, 0]
        picture = shown(painting)
        assert picture[60, [30, 60, 120]].tolist() == [1, 0, 0]
        assert picture[20, 100] == 1

    def test_shift_click_paints_a_straight_line_from_the_last_stroke(self, painting: MainWindow, qtbot: QtBot) -> None:
        drag(painting, (20, 20), (20, 20))
        drag(painting, (120, 100), (120, 100), modifier=Shift)
        settle(painting, qtbot)
        assert shown(painting)[60, 70] == 1
        assert np.allclose(prompt_here(painting).drawn[1].points, ((20, 20), (120, 100)), atol=0.5)

    def test_who_is_painted_over_gives_way(self, painting: MainWindow, qtbot: QtBot) -> None:
        drag(painting, (40, 60), (100, 60))
        press(painting, Qt.Key.Key_N, Ctrl | Shift)
        drag(painting, (70, 30), (70, 90))
        settle(painting, qtbot)
        assert shown(painting)[60, [45, 70]].tolist() == [1, 2]
        press(painting, Qt.Key.Key_1)
        drag(painting, (70, 60), (70, 60))
        settle(painting, qtbot)
        assert shown(painting)[60, 70] == 1

    def test_escape_gives_a_stroke_up_and_so_does_another_frame(self, painting: MainWindow, qtbot: QtBot) -> None:
        viewer = painting.viewer
        for key in (Qt.Key.Key_Escape, Qt.Key.Key_Right):
            QTest.mousePress(viewer, Left, Plain, at(painting, 40, 40))
            QTest.mouseMove(viewer, at(painting, 80, 60))
            press(painting, key)
            QTest.mouseRelease(viewer, Left, Plain, at(painting, 80, 60))
        settle(painting, qtbot)
        assert not painting.session.document.instances

    def test_a_stroke_beside_the_picture_is_none(self, painting: MainWindow, qtbot: QtBot) -> None:
        drag(painting, (-60, 40), (-60, 80))
        settle(painting, qtbot)
        assert not painting.session.document.instances

    def test_playing_stops_where_something_is_drawn(self, painting: MainWindow, qtbot: QtBot) -> None:
        press(painting, Qt.Key.Key_L)
        assert painting._transport.speed
        QTest.mousePress(painting.viewer, Left, Plain, at(painting, 40, 40))
        assert not painting._transport.speed
        QTest.mouseRelease(painting.viewer, Left, Plain, at(painting, 40, 40))
        settle(painting, qtbot)
        assert prompt_here(painting).drawn

    def test_nothing_is_taken_from_nobody(self, painting: MainWindow, qtbot: QtBot) -> None:
        press(painting, Qt.Key.Key_E)
        drag(painting, (40, 60), (60, 60))
        assert not painting.session.document.instances
        assert "Nobody is active" in text_of(painting)
        press(painting, Qt.Key.Key_R)
        drag(painting, (40, 60), (60, 60))
        settle(painting, qtbot)
        document = painting.session.document
        press(painting, Qt.Key.Key_E)
        press(painting, Qt.Key.Key_Right)
        drag(painting, (40, 60), (60, 60))
        settle(painting, qtbot)
        assert painting.session.document == document
        assert "nothing can be taken away" in text_of(painting)


class TestSize:
    def test_keys_and_a_drag_with_ctrl_change_the_size_and_it_is_remembered(
        self, painting: MainWindow, qtbot: QtBot
    ) -> None:
        brush = painting.viewer._brush
        press(painting, Qt.Key.Key_BracketRight)
        assert brush.radius == pytest.approx(8 * STEP)
        press(painting, Qt.Key.Key_BracketLeft)
        assert brush.radius == pytest.approx(8)
        drag(painting, (50, 60), (60, 60), (70, 60), modifier=Ctrl)
        assert brush.radius == pytest.approx(28, abs=0.6)
        assert Brush().radius == brush.radius
        assert not painting.session.document.instances
        drag(painting, (50, 60), (0, 60), modifier=Ctrl)
        assert brush.radius == 0.5
        settle(painting, qtbot)

    def test_a_new_artist_gets_the_usual_size(self) -> None:
        assert Brush().radius == USUAL_PX

    def test_the_ring_is_as_large_as_the_brush(self, painting: MainWindow) -> None:
        viewer = painting.viewer
        plain = viewer.grab().toImage()
        QTest.mouseMove(viewer, at(painting, 80, 60))
        ring = viewer.grab().toImage()
        changed = [
            x
            for x in range(at(painting, 60, 60).x(), at(painting, 100, 60).x())
            if plain.pixelColor(x, at(painting, 80, 60).y()) != ring.pixelColor(x, at(painting, 80, 60).y())
        ]
        assert changed[0] == pytest.approx(at(painting, 72, 60).x(), abs=3)
        assert changed[-1] == pytest.approx(at(painting, 88, 60).x(), abs=3)


class TestPolygon:
    CORNERS = ((40, 30), (100, 30), (100, 80), (40, 80))

    @pytest.fixture
    def drawing(self, painting: MainWindow) -> MainWindow:
        press(painting, Qt.Key.Key_Y)
        for x, y in self.CORNERS:
            click(painting, x, y)
        assert not painting.session.document.instances
        return painting

    @pytest.mark.parametrize("how", ["enter", "first corner", "double-click"])
    def test_it_is_closed(self, drawing: MainWindow, qtbot: QtBot, how: str) -> None:
        if how == "enter":
            press(drawing, Qt.Key.Key_Return)
        elif how == "first corner":
            click(drawing, *self.CORNERS[0])
        else:
            QTest.mouseDClick(drawing.viewer, Left, Plain, at(drawing, *self.CORNERS[-1]))
        settle(drawing, qtbot)
        (polygon,) = prompt_here(drawing).drawn
        assert isinstance(polygon, Polygon)
        assert np.allclose(polygon.points[:4], self.CORNERS, atol=0.5)
        assert np.array_equal(shown(drawing) == 1, covered(polygon, SIZE_HW))
        assert (shown(drawing) == 1).sum() == pytest.approx(60 * 50, rel=0.03)

    def test_backspace_takes_the_last_corner_back_and_escape_everything(
        self, drawing: MainWindow, qtbot: QtBot
    ) -> None:
        press(drawing, Qt.Key.Key_Backspace)
        press(drawing, Qt.Key.Key_Return)
        settle(drawing, qtbot)
        assert len(prompt_here(drawing).drawn[0].points) == 3
        click(drawing, 20, 20)
        press(drawing, Qt.Key.Key_Escape)
        press(drawing, Qt.Key.Key_Return)
        assert len(prompt_here(drawing).drawn) == 1

    def test_begun_with_alt_it_cuts_out(self, drawing: MainWindow, qtbot: QtBot) -> None:
        press(drawing, Qt.Key.Key_Return)
        QTest.mouseClick(drawing.viewer, Left, Alt, at(drawing, 60, 40))
        click(drawing, 80, 40)
        click(drawing, 70, 60)
        press(drawing, Qt.Key.Key_Return)
        settle(drawing, qtbot)
        assert shown(drawing)[45, 70] == 0
        assert shown(drawing)[75, 70] == 1

    def test_another_tool_forgets_it(self, drawing: MainWindow) -> None:
        press(drawing, Qt.Key.Key_R)
        press(drawing, Qt.Key.Key_Y)
        press(drawing, Qt.Key.Key_Return)
        assert not drawing.session.document.instances


def click_point(window: MainWindow, x: float, y: float, qtbot: QtBot) -> None:
    """Select with the point tool, then take the brush again."""
    press(window, Qt.Key.Key_P)
    click(window, x, y)
    settle(window, qtbot)
    press(window, Qt.Key.Key_R)


class TestTracked:
    """On a tracked frame a correction starts from the mask that is shown."""

    FRAME = 5

    @pytest.fixture
    def tracked(self, painting: MainWindow, qtbot: QtBot) -> MainWindow:
        click_point(painting, 50, 60, qtbot)
        track(painting, qtbot)
        painting.session.set_frame(self.FRAME)
        settle(painting, qtbot)
        return painting

    def test_a_stroke_lies_over_the_tracked_mask(self, tracked: MainWindow, qtbot: QtBot) -> None:
        before, mask = tracked.session.document, shown(tracked) == 1
        assert mask.sum() > 1000
        drag(tracked, (120, 30), (140, 30))
        settle(tracked, qtbot)
        prompt = prompt_here(tracked)
        assert prompt.mask is not None
        assert (tracked.session.workspace.folder / "prompts" / prompt.mask).is_file()
        assert np.array_equal(shown(tracked) == 1, mask | covered(prompt.drawn[0], SIZE_HW))
        undo(tracked, qtbot)
        assert tracked.session.document == before
        assert np.array_equal(shown(tracked) == 1, mask)

    def test_a_point_corrects_the_tracked_mask_and_does_not_replace_it(self, tracked: MainWindow, qtbot: QtBot) -> None:
        mask = shown(tracked) == 1
        press(tracked, Qt.Key.Key_P)
        x = 50 + 3 * self.FRAME
        QTest.mouseClick(tracked.viewer, Left, Alt, at(tracked, x - 16, 60))
        settle(tracked, qtbot)
        prompt = prompt_here(tracked)
        assert prompt.mask is not None
        assert [label for *_, label in prompt.points] == [0]
        corrected = shown(tracked) == 1
        assert not corrected[60, x - 16]
        far = np.zeros(SIZE_HW, np.bool_)
        far[:, x + 4 :] = True
        assert np.array_equal(corrected[far], mask[far])
        assert (corrected & mask).sum() > 0.5 * mask.sum()

    def test_strokes_in_quick_succession_are_all_kept_each_a_step(self, tracked: MainWindow, qtbot: QtBot) -> None:
        before, mask = tracked.session.document, shown(tracked) == 1
        drag(tracked, (120, 30), (140, 30))
        drag(tracked, (120, 90), (140, 90))
        # On a busy machine the second one's work may begin after a while in which there is none.
        qtbot.waitUntil(lambda: bool((shown(tracked) == 1)[[30, 90], 130].all()), timeout=60_000)
        settle(tracked, qtbot)
        picture = shown(tracked) == 1
        assert picture[[30, 90], 130].all()
        assert np.array_equal(picture & mask, mask)
        undo(tracked, qtbot)
        assert len(prompt_here(tracked).drawn) == 1
        undo(tracked, qtbot)
        assert tracked.session.document == before

    def test_the_tracked_mask_goes_along_to_the_frames_around(self, tracked: MainWindow, qtbot: QtBot) -> None:
        press(tracked, Qt.Key.Key_E)
        drag(tracked, (65, 30), (65, 90))
        settle(tracked, qtbot)
        track(tracked, qtbot)
        assert shown(tracked)[60, 65] == 0
        assert shown(tracked)[60, 78] == 1

    def test_the_others_stay_in_sight_while_one_is_corrected(self, tracked: MainWindow, qtbot: QtBot) -> None:
        mask = shown(tracked) == 1
        press(tracked, Qt.Key.Key_N, Ctrl | Shift)
        press(tracked, Qt.Key.Key_R)
        drag(tracked, (120, 30), (140, 30))
        settle(tracked, qtbot)
        assert np.array_equal(shown(tracked) == 1, mask)
        assert shown(tracked)[30, 130] == 2
