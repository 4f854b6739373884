"""A lane per person: what was prompted where, and how far the results are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QFont, QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QMenu, QWidget

from app.lock_spans import stretch
from app.palette import person_color
from app.prompt_text import describe_prompt
from app.session import Session
from app.timeline.axis import GUTTER_PX, Axis
from app.timeline.marks import GLYPH_PX, paint_badge, paint_lock, paint_prompt, paint_selection, paint_span
from app.timeline.review_marks import ReviewMark, mark_at, paint_review
from app.timeline.strip import Strip
from matting.project.document import Instance, Prompt

LANE_PX = 28
STATES = ("tracked", "matted", "stale")


@dataclass(frozen=True)
class LaneSpan:
    """How far a person's results are for ``start`` <= frame < ``stop``.

    Attributes:
        state: ``tracked`` (there is a mask), ``matted`` (mask and alpha) or ``stale`` (made from older prompts).
    """

    start: int
    stop: int
    state: str

    def __post_init__(self) -> None:
        if self.state not in STATES:
            raise ValueError(f"a span is one of {', '.join(STATES)}, not {self.state}")


class Lanes(Strip):
    """The lanes below each other; scrolls vertically inside its own height."""

    prompt_opened = Signal(int)
    """The artist wants to go to this prompted frame."""
    lock_asked = Signal(int, range)
    """The artist wants to lock these frames of a person."""
    unlock_asked = Signal(int, int)
    """The artist wants to unlock the span of a person that a frame lies in."""
    right_said = Signal(int, int)
    """What is flagged of a person on this frame looks right to the artist."""
    swap_asked = Signal(int, int, int)
    """The artist wants to exchange two people from this frame on."""
    scroll_range_changed = Signal()

    def __init__(self, session: Session, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(session, axis, parent)
        self.setObjectName("timelineLanes")
        self.setAccessibleName("People in time")
        self.setMinimumHeight(LANE_PX + 8)
        self._spans: dict[int, list[LaneSpan]] = {}
        self._reviews: dict[int, list[ReviewMark]] = {}
        self._scroll_px = 0
        self._marked: tuple[int, int, int] | None = None  # person, frame where it began, frame where it ends
        self._marking = False
        session.changed.connect(self._on_people_changed)
        session.opened.connect(self._on_opened)
        session.active_changed.connect(self._on_active_changed)

    def set_states(self, states: dict[int, list[LaneSpan]]) -> None:
        """Show these spans, by instance id; a later span is painted over an earlier one."""
        joined = {instance_id: _joined(spans) for instance_id, spans in states.items()}
        if joined != self._spans:
            self._spans = joined
            self.refresh()

    def set_reviews(self, reviews: dict[int, list[ReviewMark]]) -> None:
        """Show these places to review, by instance id."""
        if reviews != self._reviews:
            self._reviews = reviews
            self.refresh()

    @property
    def marked(self) -> range | None:
        """The frames of the active person that the artist has marked by a drag with Shift; None where nothing is."""
        if self._marked is None or self._marked[0] != self.session.active_id:
            return None
        _, start, end = self._marked
        return range(min(start, end), max(start, end) + 1)

    def unmark(self) -> None:
        """Nothing is marked any more."""
        self._mark(None)

    def _mark(self, marked: tuple[int, int, int] | None) -> None:
        if marked != self._marked:
            self._marked = marked
            self.refresh()

    @property
    def scroll_px(self) -> int:
        return self._scroll_px

    @property
    def scroll_max_px(self) -> int:
        return max(len(self._people) * LANE_PX - self.height(), 0)

    def scroll_to(self, offset_px: int) -> None:
        """Scroll vertically."""
        self._scroll_px = min(max(offset_px, 0), self.scroll_max_px)
        self.refresh()

    def sizeHint(self) -> QSize:
        return QSize(600, max(len(self._people), 3) * LANE_PX)

    @property
    def _people(self) -> tuple[Instance, ...]:
        return self.session.document.instances if self.session.is_open else ()

    def lane_rect(self, instance_id: int) -> QRect:
        """Where a person's lane is in the widget, gutter included."""
        return self._row_rect([person.id for person in self._people].index(instance_id))

    def _row_rect(self, row: int) -> QRect:
        return QRect(0, row * LANE_PX - self._scroll_px, self.width(), LANE_PX)

    def person_at(self, y: float) -> Instance | None:
        row = int((y + self._scroll_px) // LANE_PX)
        return self._people[row] if 0 <= row < len(self._people) else None

    def prompt_at(self, position: QPointF) -> tuple[Instance, Prompt] | None:
        """The prompt whose mark is under the cursor, the nearest one where they crowd."""
        person = self.person_at(position.y())
        if person is None or position.x() < GUTTER_PX or not person.prompts:
            return None
        nearest = min(person.prompts, key=lambda p: abs(self.axis.middle(p.frame) - position.x()))
        return (person, nearest) if abs(self.axis.middle(nearest.frame) - position.x()) <= GLYPH_PX + 2 else None

    def review_at(self, position: QPointF) -> ReviewMark | None:
        """What should be reviewed under the cursor."""
        person = self.person_at(position.y())
        if person is None or position.x() < GUTTER_PX:
            return None
        return mark_at(self._reviews.get(person.id, ()), self.axis, position.x())

    def _on_opened(self) -> None:
        self._spans, self._reviews = {}, {}
        self._scroll_px = 0
        self._marked = None
        self._on_people_changed()

    def _on_people_changed(self) -> None:
        self.updateGeometry()
        self.scroll_range_changed.emit()
        self.scroll_to(self._scroll_px)

    def _on_active_changed(self) -> None:
        person = self.session.active
        if person is not None:
            lane = self.lane_rect(person.id)
            if lane.top() < 0 or lane.bottom() > self.height():
                self._scroll_px = min(max(lane.top() + self._scroll_px, 0), self.scroll_max_px)
                self.scroll_range_changed.emit()
        self.refresh()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Over the names the wheel scrolls them."""
        if event.position().x() >= GUTTER_PX:
            super().wheelEvent(event)
        else:
            self.scroll_to(self._scroll_px - event.angleDelta().y() // 2)
            self.scroll_range_changed.emit()

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint_content(self, painter: QPainter, area: QRectF) -> None:
        if not self._people:
            painter.setPen(self.muted_color())
            painter.drawText(
                QRect(GUTTER_PX, 0, self.width() - GUTTER_PX, self.height()),
                Qt.AlignmentFlag.AlignCenter,
                "Nobody is selected yet: add a person, then click them in the viewer",
            )
        origin = self.axis.x(0)
        for person, lane in self._lanes(area):
            if person.id == self.session.active_id:
                painter.fillRect(lane, QColor(255, 255, 255, 13))
            painter.fillRect(QRect(0, lane.bottom(), self.width(), 1), self.line_color())
            color = person_color(person.id)
            for span in self._spans_in(person.id, area):
                left, right = self.axis.x(span.start), self.axis.x(span.stop)
                bar = QRectF(left, lane.top() + 7, right - left, LANE_PX - 15)
                paint_span(painter, bar, area, span.state, color, origin)
            for lock in person.locks:
                left, right = self.axis.x(lock.first), self.axis.x(lock.last + 1)
                paint_lock(painter, QRectF(left, lane.top() + 7, right - left, LANE_PX - 15), color)

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        first = self.axis.frame_at(area.left() - GLYPH_PX - 2)
        last = self.axis.frame_at(area.right() + GLYPH_PX + 2)
        for person, lane in self._lanes(area):
            if person.id == self.session.active_id and (marked := self.marked) is not None:
                left, right = self.axis.x(marked.start), self.axis.x(marked.stop)
                paint_selection(painter, QRectF(left, lane.top() + 2, right - left, LANE_PX - 5))
            color, y = person_color(person.id), lane.top() + LANE_PX / 2 - 0.5
            for prompt in person.prompts:
                if first <= prompt.frame <= last:
                    at = QPointF(self.axis.middle(prompt.frame), y)
                    paint_prompt(painter, at, color, absent=prompt.absent, here=False)
            paint_review(painter, self._reviews.get(person.id, ()), self.axis, area, lane.top())

    def paint_here(self, painter: QPainter) -> None:
        for person, lane in self._lanes(QRectF(self.rect())):
            prompt = person.prompt_at(self.session.frame)
            if prompt is not None:
                at = QPointF(self.axis.middle(prompt.frame), lane.top() + LANE_PX / 2 - 0.5)
                paint_prompt(painter, at, person_color(person.id), absent=prompt.absent, here=True)

    def _lanes(self, area: QRectF) -> Iterator[tuple[Instance, QRect]]:
        """The people whose lanes touch ``area``."""
        for row, person in enumerate(self._people):
            lane = self._row_rect(row)
            if lane.bottom() >= area.top() and lane.top() <= area.bottom():
                yield person, lane

    def _spans_in(self, instance_id: int, area: QRectF) -> Iterator[LaneSpan]:
        first, last = self.axis.frame_at(area.left()), self.axis.frame_at(area.right())
        for span in self._spans.get(instance_id, ()):
            if span.start <= last and span.stop > first:
                yield span

    def paint_gutter(self, painter: QPainter) -> None:
        for person, lane in self._lanes(QRectF(self.rect())):
            active = person.id == self.session.active_id
            if active:
                painter.fillRect(QRect(0, lane.top(), GUTTER_PX, LANE_PX), QColor(255, 255, 255, 18))
                painter.fillRect(QRect(0, lane.top(), 3, LANE_PX - 1), self.palette().highlight())
            paint_badge(painter, QRectF(12, lane.top() + 5, 20, LANE_PX - 11), person.id, self.font())
            font = QFont(self.font())
            font.setBold(active)
            painter.setFont(font)
            painter.setPen(self.palette().windowText().color() if active else self.muted_color())
            box = QRect(40, lane.top(), GUTTER_PX - 46, LANE_PX - 1)
            name = painter.fontMetrics().elidedText(person.name, Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, name)
            painter.fillRect(QRect(0, lane.bottom(), GUTTER_PX, 1), self.line_color())

    # -- mouse -------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        person = self.person_at(event.position().y())
        if person is not None:
            self.session.set_active(person.id)
        if (
            person is not None
            and event.button() == Qt.MouseButton.LeftButton
            and event.modifiers() & Qt.KeyboardModifier.ShiftModifier
            and event.position().x() >= GUTTER_PX
        ):
            frame = self.axis.frame_at(event.position().x())
            self._marking = True
            self._mark((person.id, frame, frame))
        elif self.prompt_at(event.position()) is None:
            if event.button() == Qt.MouseButton.LeftButton:
                self.unmark()
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._marking = False
        super().mouseReleaseEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._marking and self._marked is not None:
            person_id, start, _ = self._marked
            self._mark((person_id, start, self.axis.frame_at(event.position().x())))
            return
        found = None if event.buttons() else self.prompt_at(event.position())
        review = None if event.buttons() or found is not None else self.review_at(event.position())
        if review is not None:
            self.setToolTip(f"{review.text}{'' if review.text.endswith('?') else '.'} N goes to the next place")
            self.unsetCursor()
        elif found is not None:
            person, prompt = found
            self.setToolTip(f"{person.name}, frame {prompt.frame}: {describe_prompt(prompt)}. Double-click to go there")
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.setToolTip("")
            self.unsetCursor()
        super().mouseMoveEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        found = self.prompt_at(event.position())
        if found is not None:
            self.prompt_opened.emit(found[1].frame)
        else:
            self.mousePressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        person = self.person_at(event.pos().y())
        if person is None or event.pos().x() < GUTTER_PX:
            return
        found = self.prompt_at(QPointF(event.pos()))
        menu = QMenu(self)
        menu.setObjectName("laneMenu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if found is not None:
            prompt = found[1]
            menu.addAction("Go to this frame", lambda: self.prompt_opened.emit(prompt.frame)).setObjectName(
                "goToPrompt"
            )
            delete = menu.addAction("Delete this prompt", lambda: self._delete(person.id, prompt.frame))
            delete.setObjectName("deletePrompt")
            delete.setEnabled(person.lock_at(prompt.frame) is None)
            menu.addSeparator()
        frame = self.axis.frame_at(event.pos().x())
        self._add_lock_actions(menu, person, frame)
        self._add_review_actions(menu, person, frame, self.review_at(QPointF(event.pos())))
        menu.popup(event.globalPos())

    def _add_lock_actions(self, menu: QMenu, person: Instance, frame: int) -> None:
        lock, marked = person.lock_at(frame), self.marked
        if lock is not None:
            text = f"Unlock frames {lock.first} to {lock.last}"
            menu.addAction(text, lambda: self.unlock_asked.emit(person.id, frame)).setObjectName("unlockFrames")
        if lock is None or (marked is not None and frame in marked):
            frames = marked if marked is not None and frame in marked else stretch(self.session.document, person, frame)
            text = f"Lock frames {frames[0]} to {frames[-1]}"
            menu.addAction(text, lambda: self.lock_asked.emit(person.id, frames)).setObjectName("lockFrames")

    def _add_review_actions(self, menu: QMenu, person: Instance, frame: int, review: ReviewMark | None) -> None:
        menu.addSeparator()
        if review is not None:
            where = (
                f"frame {review.frame}" if review.first == review.last else f"frames {review.first} to {review.last}"
            )
            menu.addAction(
                f"Looks right ({where})", lambda: self.right_said.emit(person.id, review.frame)
            ).setObjectName("looksRight")
        for other in self._people:
            if other.id != person.id:
                menu.addAction(
                    f"Swap with {other.name} from frame {frame} on",
                    partial(self.swap_asked.emit, person.id, other.id, frame),
                ).setObjectName(f"swapWith{other.id}")

    def _delete(self, instance_id: int, frame: int) -> None:
        document = self.session.document
        person = document.instance(instance_id)
        self.session.edit(
            f"Delete prompt of {person.name} on frame {frame}", document.with_instance(person.without_prompt(frame))
        )


def _joined(spans: Iterable[LaneSpan]) -> list[LaneSpan]:
    """Spans of one state that touch, as one: results come in chunks, and chunks are nothing to the artist."""
    joined: list[LaneSpan] = []
    for span in spans:
        if joined and joined[-1].state == span.state and joined[-1].stop == span.start:
            joined[-1] = LaneSpan(joined[-1].start, span.stop, span.state)
        else:
            joined.append(span)
    return joined
