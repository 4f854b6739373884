from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import pytest
from editor_content import clip_info, find, five_people, open_session, person
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollBar, QToolButton
from pytestqt.qtbot import QtBot

from app.palette import person_color
from app.session import Session
from app.theme import apply_theme
from app.timeline.axis import GUTTER_PX, tick_steps
from app.timeline.film import Filmstrip
from app.timeline.lanes import LANE_PX, Lanes, LaneSpan
from app.timeline.marks import GLYPH_PX
from app.timeline.ruler import Ruler
from app.timeline.strip import PLAYHEAD, Strip
from app.timeline.timeline import Timeline
from matting.project.document import Instance, Prompt

S = TypeVar("S", bound=Strip)
Make = Callable[..., Timeline]
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", autouse=True)
def _theme(qapp: QApplication) -> None:
    apply_theme(qapp)


@pytest.fixture
def make(qtbot: QtBot, tmp_path: Path) -> Make:
    """A shown timeline over 100 frames, or over what is given."""

    def build(
        frames: int = 100, people: tuple[Instance, ...] | None = None, rate: Fraction = Fraction(25), height: int = 320
    ) -> Timeline:
        session = open_session(tmp_path, clip_info(frames, rate), five_people(frames) if people is None else people)
        timeline = Timeline(session)
        qtbot.addWidget(timeline)
        timeline.resize(1176, height)
        with qtbot.waitExposed(timeline):
            timeline.show()
        return timeline

    return build


def session_of(timeline: Timeline) -> Session:
    return timeline._session


def part(timeline: Timeline, kind: type[S]) -> S:
    found = timeline.findChild(kind)
    assert isinstance(found, kind)
    return found


def middle(timeline: Timeline, frame: int, y: int) -> QPoint:
    return QPoint(round(timeline._axis.middle(frame)), y)


def pixel(strip: Strip, x: float, y: float) -> QColor:
    picture = strip.grab().toImage()
    ratio = picture.devicePixelRatio()
    return picture.pixelColor(round(x * ratio), round(y * ratio))


def open_menu(strip: Strip, at: QPoint) -> None:
    QApplication.sendEvent(strip, QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, strip.mapToGlobal(at)))


def drag(strip: Strip, start: QPoint, *stops: QPoint) -> None:
    QTest.mousePress(strip, LEFT, pos=start)
    for stop in stops:
        QTest.mouseMove(strip, stop)
    QTest.mouseRelease(strip, LEFT, pos=stops[-1])


def turn_wheel(strip: Strip, at: QPoint, notches: int, keys: Qt.KeyboardModifier) -> None:
    place = QPointF(at)
    event = QWheelEvent(
        place, QPointF(strip.mapToGlobal(at)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(strip, event)


@pytest.mark.parametrize("kind", [Ruler, Filmstrip, Lanes])
def test_pressing_and_dragging_anywhere_scrubs(make: Make, qtbot: QtBot, kind: type[Strip]) -> None:
    timeline = make(people=())
    seen: list[int] = []
    timeline.frame_requested.connect(seen.append)
    drag(part(timeline, kind), middle(timeline, 20, 12), middle(timeline, 30, 12), middle(timeline, 77, 12))
    assert seen[0] == 20
    assert seen[-1] == 77
    assert session_of(timeline).frame == 77


def test_scrubbing_past_the_ends_stays_in_the_clip(make: Make) -> None:
    timeline = make()
    drag(part(timeline, Ruler), middle(timeline, 50, 10), QPoint(2000, 10))
    assert session_of(timeline).frame == 99
    drag(part(timeline, Ruler), middle(timeline, 50, 10), QPoint(-50, 10))
    assert session_of(timeline).frame == 0


def test_the_playhead_is_painted_where_the_frame_is_and_nowhere_else(make: Make) -> None:
    timeline = make(people=())
    lanes = part(timeline, Lanes)
    session_of(timeline).set_frame(40)
    x = lanes.playhead_x()
    assert abs(x - timeline._axis.middle(40)) < 1
    assert pixel(lanes, int(x), 20) == PLAYHEAD
    session_of(timeline).set_frame(60)
    assert pixel(lanes, int(x), 20) != PLAYHEAD
    assert pixel(lanes, int(lanes.playhead_x()), 20) == PLAYHEAD


def test_wheel_zooms_at_the_cursor_and_shift_wheel_pans(make: Make) -> None:
    timeline = make(2000)
    axis, film = timeline._axis, part(timeline, Filmstrip)
    at = middle(timeline, 1500, 20)
    under = axis.frame_at(at.x())
    turn_wheel(film, at, 8, Qt.KeyboardModifier.NoModifier)
    assert axis.frame_at(at.x()) == under
    assert axis.px_per_frame > 2.5
    before = axis.offset_px
    turn_wheel(film, at, -1, Qt.KeyboardModifier.ShiftModifier)
    assert axis.offset_px == before + 120
    turn_wheel(film, at, -40, Qt.KeyboardModifier.NoModifier)
    assert axis.is_fitted
    assert axis.offset_px == 0


def test_zoom_buttons_and_scroll_bar(make: Make) -> None:
    timeline = make(2000)
    bar = find(timeline, QScrollBar, "timelineScroll")
    assert not bar.isVisible()
    for _ in range(6):
        QTest.mouseClick(find(timeline, QToolButton, "timelineZoomIn"), LEFT)
    assert bar.isVisible()
    bar.setValue(bar.maximum())
    assert timeline._axis.visible()[-1] == 1999
    QTest.mouseClick(find(timeline, QToolButton, "timelineZoomFit"), LEFT)
    assert timeline._axis.visible() == range(2000)


def test_a_zoomed_timeline_turns_the_page_for_the_playhead(make: Make) -> None:
    timeline = make(2000)
    for _ in range(6):
        timeline.zoom_in()
    session_of(timeline).set_frame(1800)
    assert 1800 in timeline._axis.visible()
    session_of(timeline).set_frame(3)
    assert 3 in timeline._axis.visible()


def test_dragging_a_handle_moves_in_as_one_step(make: Make) -> None:
    timeline = make()
    session, ruler = session_of(timeline), part(timeline, Ruler)
    axis, y = timeline._axis, ruler.height() - 5
    before = session.document
    stops = [QPoint(round(axis.x(frame)), y) for frame in (5, 9, 20)]
    drag(ruler, QPoint(round(axis.x(0)), y), *stops)
    assert session.document.frames == range(20, 100)
    assert session.frame == 0
    drag(ruler, QPoint(round(axis.x(100)), y), QPoint(round(axis.x(50)), y), QPoint(round(axis.x(10)), y))
    assert session.document.frames == range(20, 21)
    assert session.undo_stack.count() == 2
    session.undo_stack.undo()
    assert session.document.frames == range(20, 100)
    session.undo_stack.undo()
    assert session.document == before


def test_in_and_out_at_the_playhead(make: Make) -> None:
    timeline = make()
    session = session_of(timeline)
    for frame, act, expected in (
        (30, timeline.set_in_here, range(30, 100)),
        (60, timeline.set_out_here, range(30, 61)),
        (80, timeline.set_in_here, range(80, 100)),
        (10, timeline.set_out_here, range(0, 11)),
        (10, timeline.clear_range, range(0, 100)),
    ):
        session.set_frame(frame)
        act()
        assert session.document.frames == expected
    assert session.undo_stack.undoText() == "Clear range"


def test_what_is_outside_the_range_is_darker(make: Make) -> None:
    timeline = make(people=(person(1, "Anna"),))
    timeline.set_states({1: [LaneSpan(0, 100, "matted")]})
    session, lanes = session_of(timeline), part(timeline, Lanes)
    x, y = timeline._axis.middle(80), LANE_PX // 2
    bright = pixel(lanes, x, y).lightness()
    session.edit("Set out", session.document.model_copy(update={"out_frame": 50}))
    assert pixel(lanes, x, y).lightness() < 0.7 * bright
    assert pixel(lanes, timeline._axis.middle(30), y).lightness() == bright


def test_states_differ_in_shape_as_well_as_in_colour(make: Make) -> None:
    timeline = make(people=(person(1, "Anna"),))
    timeline.set_states({1: [LaneSpan(10, 30, "matted"), LaneSpan(30, 50, "tracked"), LaneSpan(50, 90, "stale")]})
    picture = part(timeline, Lanes).grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)

    def greys(frame: int, y: int) -> set[int]:
        start, end = int(timeline._axis.x(frame)), int(timeline._axis.x(frame + 4))
        return {picture.pixelColor(x, y).value() for x in range(start, end)}

    upper, lower = 10, 17
    assert greys(15, upper) == greys(15, lower)  # matted: one full bar
    assert max(greys(35, upper)) < 0.5 * min(greys(35, lower))  # tracked: only its lower half
    stripes = greys(60, upper)
    assert max(stripes) > 2 * min(stripes)  # stale: stripes
    assert max(greys(95, lower)) < 50  # nothing


def test_prompts_have_marks_and_absence_has_another(make: Make) -> None:
    here, gone = Prompt(frame=30, points=((5.0, 5.0, 1),)), Prompt(frame=60)
    timeline = make(people=(person(1, "Anna", here, gone),))
    lanes, y = part(timeline, Lanes), LANE_PX / 2 - 0.5
    assert pixel(lanes, timeline._axis.middle(30), y) == QColor(person_color(1).lighter(120).name())
    ring = pixel(lanes, timeline._axis.middle(60) - 3, y - 1)  # inside the ring, beside its stroke
    assert ring.lightness() < 80
    assert pixel(lanes, timeline._axis.middle(45), y).lightness() < 50


def test_double_click_on_a_mark_goes_to_its_frame(make: Make, qtbot: QtBot) -> None:
    timeline = make(people=(person(1, "Anna", Prompt(frame=30, points=((5.0, 5.0, 1),))), person(2, "Ben")))
    session, lanes = session_of(timeline), part(timeline, Lanes)
    at = middle(timeline, 30, LANE_PX // 2) + QPoint(4, 0)
    QTest.mouseClick(lanes, LEFT, pos=at)
    assert session.frame == 0  # one click takes the mark and does not move the playhead
    with qtbot.waitSignal(timeline.frame_requested) as asked:
        QTest.mouseDClick(lanes, LEFT, pos=at)
    assert asked.args == [30]
    assert session.frame == 30


def test_a_click_on_a_lane_activates_the_person(make: Make) -> None:
    timeline = make()
    session, lanes = session_of(timeline), part(timeline, Lanes)
    QTest.mouseClick(lanes, LEFT, pos=lanes.lane_rect(4).center())
    assert session.active_id == 4
    before = session.frame
    QTest.mouseClick(lanes, LEFT, pos=QPoint(60, lanes.lane_rect(2).center().y()))
    assert session.active_id == 2
    assert session.frame == before  # the column of names does not scrub
    QTest.mouseClick(lanes, LEFT, pos=QPoint(60, 5 * LANE_PX + 4))
    assert session.active_id == 2


def test_the_menu_of_a_mark_deletes_its_prompt(make: Make, qtbot: QtBot) -> None:
    timeline = make(people=(person(1, "Anna", Prompt(frame=30), Prompt(frame=60)),))
    session, lanes = session_of(timeline), part(timeline, Lanes)
    before = session.document
    open_menu(lanes, middle(timeline, 30, lanes.lane_rect(1).center().y()))
    delete = lanes.findChild(QAction, "deletePrompt")
    assert delete is not None
    delete.trigger()
    assert [prompt.frame for prompt in session.document.instance(1).prompts] == [60]
    assert session.undo_stack.undoText() == "Delete prompt of Anna on frame 30"
    session.undo_stack.undo()
    assert session.document == before


def test_many_people_scroll_vertically(make: Make) -> None:
    timeline = make(people=tuple(person(i, f"Person {i}") for i in range(1, 31)), height=240)
    session, lanes = session_of(timeline), part(timeline, Lanes)
    bar = find(timeline, QScrollBar, "lanesScroll")
    assert bar.isVisible()
    bar.setValue(bar.maximum())
    assert lanes.lane_rect(30).bottom() < lanes.height()
    turn_wheel(lanes, QPoint(GUTTER_PX // 2, 10), 60, Qt.KeyboardModifier.NoModifier)
    assert bar.value() == 0
    session.set_active(25)
    assert 0 <= lanes.lane_rect(25).top() < lanes.height()


def test_thumbnails_are_asked_for_what_is_in_sight_and_painted(make: Make, qtbot: QtBot) -> None:
    timeline = make(2000)
    with qtbot.waitSignal(timeline.thumbnails_wanted, timeout=2000) as asked:
        timeline.zoom_to_fit()
    (wanted,) = asked.args
    assert 8 <= len(wanted) <= 14  # as many as fit side by side
    assert wanted == sorted(wanted)
    assert wanted[0] == 0
    film = part(timeline, Filmstrip)
    picture = QImage(160, 90, QImage.Format.Format_RGB32)
    picture.fill(QColor(10, 200, 30))
    for index in wanted:
        timeline.set_thumbnail(index, picture)
    assert film.wanted() == []
    assert pixel(film, timeline._axis.middle(wanted[2]) + 20, 30) == QColor(10, 200, 30)
    for _ in range(9):
        timeline.zoom_in()
    assert all(frame in range(2000) for frame in film.wanted())
    assert len(film.wanted()) > 4


def test_the_cache_of_thumbnails_is_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.timeline.film.CACHED", 5)
    timeline = make(200)
    picture = QImage(16, 9, QImage.Format.Format_RGB32)
    for index in range(9):
        timeline.set_thumbnail(index, picture)
    assert list(part(timeline, Filmstrip)._images) == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("frames", [1, 2, 7])
def test_short_clips_are_whole_and_reachable(make: Make, frames: int) -> None:
    timeline = make(frames, people=(person(1, "Anna", Prompt(frame=frames - 1)),))
    QTest.mouseClick(part(timeline, Ruler), LEFT, pos=middle(timeline, frames - 1, 10))
    assert session_of(timeline).frame == frames - 1
    assert timeline._axis.visible() == range(frames)
    timeline.grab()


def test_an_empty_session_shows_a_hint_and_ignores_everything(qtbot: QtBot) -> None:
    timeline = Timeline(Session())
    qtbot.addWidget(timeline)
    timeline.resize(800, 300)
    timeline.show()
    timeline.set_states({1: [LaneSpan(0, 4, "matted")]})
    timeline.set_thumbnail(0, QImage(16, 9, QImage.Format.Format_RGB32))
    timeline.set_in_here()
    timeline.set_out_here()
    timeline.clear_range()
    drag(part(timeline, Ruler), QPoint(300, 10), QPoint(400, 10))
    turn_wheel(part(timeline, Filmstrip), QPoint(400, 20), 2, Qt.KeyboardModifier.NoModifier)
    assert part(timeline, Filmstrip).wanted() == []
    timeline.grab()


def test_opening_another_clip_starts_over(make: Make, tmp_path: Path) -> None:
    timeline = make(2000)
    timeline.set_states({1: [LaneSpan(0, 2000, "matted")]})
    timeline.zoom_in()
    open_session(tmp_path, clip_info(40), (person(1, "Zoe"),), session_of(timeline))
    assert timeline._axis.visible() == range(40)
    lanes = part(timeline, Lanes)
    assert pixel(lanes, timeline._axis.middle(20), LANE_PX // 2).lightness() < 60


def test_a_moving_playhead_paints_no_content_anew(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    timeline = make(2000)
    lanes = part(timeline, Lanes)
    areas: list[QRectF] = []
    monkeypatch.setattr(lanes, "paint_content", lambda painter, area: areas.append(area))
    session_of(timeline).set_frame(400)
    lanes.grab()
    assert areas == []
    timeline.zoom_in()
    lanes.grab()
    assert len(areas) == 1


def test_a_prompt_under_the_playhead_is_marked(make: Make) -> None:
    timeline = make(people=(person(1, "Anna", Prompt(frame=30, points=((5.0, 5.0, 1),))),))
    lanes, x = part(timeline, Lanes), timeline._axis.middle(30)
    plain = pixel(lanes, x - GLYPH_PX, LANE_PX / 2 - 0.5).lightness()
    session_of(timeline).set_frame(30)
    assert pixel(lanes, x - GLYPH_PX, LANE_PX / 2 - 0.5).lightness() > plain + 100


def test_ruler_steps_are_round_in_timecode_and_fit() -> None:
    for rate in (Fraction(24), Fraction(25), Fraction(30000, 1001), Fraction(60)):
        for scale in (0.01, 0.1, 0.7, 3.0, 20.0, 100.0):
            label, tick = tick_steps(rate, scale, 90)
            assert label * scale >= 90
            assert label % tick == 0
            nominal = round(rate)
            assert label % nominal == 0 or nominal % label == 0
    assert tick_steps(Fraction(25), 0.5, 90) == (250, 25)
    assert tick_steps(Fraction(0), 0.5, 90) == (200, 20)


def test_a_span_must_have_a_known_state() -> None:
    with pytest.raises(ValueError, match="tracked, matted, stale"):
        LaneSpan(0, 3, "done")
