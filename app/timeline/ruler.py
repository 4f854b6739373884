"""The ruler: ticks with timecode or frame numbers, the in/out range with its handles, the playhead's head."""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Literal

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QFont, QFontDatabase, QMouseEvent, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from app.session import Session
from app.timecode import timecode_at
from app.timeline.axis import GUTTER_PX, Axis, tick_steps
from app.timeline.cuts import cut_at, open_cut_menu
from app.timeline.strip import PLAYHEAD, Strip

RANGE_PX = 13
"""Height of the range's bar at the bottom of the ruler."""
GRAB_PX = 7
"""How near to a handle a press takes it."""

Handle = Literal["in", "out"]
_drags = itertools.count()


class Ruler(Strip):
    """Drag in the upper part to scrub, drag the handles below to move in and out; the gutter switches numbers."""

    def __init__(self, session: Session, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(session, axis, parent)
        self.setObjectName("timelineRuler")
        self.setAccessibleName("Ruler")
        self.setFixedHeight(44)
        self._in_frames = False
        self._handle: Handle | None = None
        self._gesture = ""
        session.frame_changed.connect(lambda _: self.update(0, 0, GUTTER_PX, self.height()))

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint_content(self, painter: QPainter, area: QRectF) -> None:
        assert self.session.clip is not None
        info = self.session.clip.info
        painter.setFont(self._small())
        width = painter.fontMetrics().horizontalAdvance("0000000" if self._in_frames else "00:00:00:00")
        rate = Fraction(0) if self._in_frames else info.rate
        label_step, tick_step = tick_steps(rate, self.axis.px_per_frame, width + 18)
        first = self.axis.frame_at(area.left() - width - 8) // tick_step * tick_step
        last = self.axis.frame_at(area.right())
        base = self.height() - RANGE_PX
        text = QColor(self.palette().windowText().color())
        text.setAlphaF(0.78)
        for frame in range(first, last + 1, tick_step):
            x = int(self.axis.middle(frame)) + 0.5
            labelled = frame % label_step == 0
            painter.setPen(QPen(self.muted_color() if labelled else self._tick_color(), 1))
            painter.drawLine(QPointF(x, base - (12 if labelled else 5)), QPointF(x, base))
            if labelled:
                painter.setPen(text)
                label = str(frame) if self._in_frames else timecode_at(info, frame)
                painter.drawText(QPointF(x + 4, base - 10 + painter.fontMetrics().ascent() / 2 - 2), label)

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        document = self.session.document
        left, right = self.axis.x(document.in_frame), self.axis.x(document.out_frame + 1)
        top = self.height() - RANGE_PX
        painter.fillRect(QRectF(area.left(), top, area.width(), RANGE_PX - 1), QColor(0, 0, 0, 70))
        accent = self.palette().highlight().color()
        bar = QColor(accent)
        bar.setAlphaF(0.34)
        painter.fillRect(QRectF(left, top + 3, right - left, RANGE_PX - 7), bar)
        for x, inward in ((left, 1), (right, -1)):
            self._paint_handle(painter, x, inward, top, accent)

    def _paint_handle(self, painter: QPainter, x: float, inward: int, top: float, color: QColor) -> None:
        """A bracket that opens towards the range."""
        x = int(x) + 0.5
        bottom = self.height() - 2.5
        painter.setPen(
            QPen(color.lighter(135), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.MiterJoin)
        )
        painter.setBrush(Qt.BrushStyle.NoBrush)
        corners = [(x + 6 * inward, top + 1.5), (x, top + 1.5), (x, bottom), (x + 6 * inward, bottom)]
        painter.drawPolyline(QPolygonF([QPointF(*corner) for corner in corners]))

    def paint_playhead(self, painter: QPainter) -> None:
        super().paint_playhead(painter)
        x = self.playhead_x()
        head = [(x - 6, 2.0), (x + 6, 2.0), (x + 6, 9.0), (x, 15.0), (x - 6, 9.0)]
        painter.setPen(QPen(QColor(0, 0, 0, 110), 1))
        painter.setBrush(PLAYHEAD)
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in head]))

    def paint_gutter(self, painter: QPainter) -> None:
        assert self.session.clip is not None
        frame = self.session.frame
        timecode, number = timecode_at(self.session.clip.info, frame), f"frame {frame}"
        large, small = (number, timecode) if self._in_frames else (timecode, number)
        font = QFont(self._small())
        font.setPointSizeF(self.font().pointSizeF() * 1.25)
        painter.setFont(font)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(QRect(12, 3, GUTTER_PX - 16, 22), Qt.AlignmentFlag.AlignVCenter, large)
        painter.setFont(self._small())
        painter.setPen(self.muted_color())
        painter.drawText(QRect(12, 24, GUTTER_PX - 16, 16), Qt.AlignmentFlag.AlignVCenter, small)

    def _small(self) -> QFont:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF() * 0.88)
        return font

    def _tick_color(self) -> QColor:
        color = self.muted_color()
        color.setAlphaF(0.34)
        return color

    def sizeHint(self) -> QSize:
        return QSize(600, self.height())

    # -- mouse -------------------------------------------------------------------------------------------------------

    def handle_at(self, position: QPointF) -> Handle | None:
        """The handle that a press here takes."""
        if not self.session.is_open or position.y() < self.height() - RANGE_PX or position.x() < GUTTER_PX:
            return None
        document = self.session.document
        to_in = abs(position.x() - self.axis.x(document.in_frame))
        to_out = abs(position.x() - self.axis.x(document.out_frame + 1))
        if min(to_in, to_out) > GRAB_PX:
            return None
        return "in" if to_in < to_out else "out"

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            if event.position().x() < GUTTER_PX:
                self._in_frames = not self._in_frames
                self.refresh()
                return
            self._handle = self.handle_at(event.position())
            self._gesture = f"range-{next(_drags)}"
        if self._handle is None:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._handle is not None:
            self._drag_to(event.position().x())
            return
        self.setCursor(Qt.CursorShape.SizeHorCursor if self.handle_at(event.position()) else Qt.CursorShape.ArrowCursor)
        self.setToolTip(self._hint(event.position()))
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._handle = None
        super().mouseReleaseEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        open_cut_menu(self, self.session, self.axis, event)

    def _drag_to(self, x: float) -> None:
        document = self.session.document
        if self._handle == "in":
            frame = min(self.axis.frame_at(x + self.axis.px_per_frame / 2), document.out_frame)
            after = document.model_copy(update={"in_frame": frame})
        else:
            frame = max(self.axis.frame_at(x - self.axis.px_per_frame / 2), document.in_frame)
            after = document.model_copy(update={"out_frame": frame})
        self.session.edit(f"Set {self._handle}", after, self._gesture)

    def _hint(self, position: QPointF) -> str:
        if position.x() < GUTTER_PX:
            return "Click to switch between timecode and frames"
        handle = self.handle_at(position)
        if handle is None:
            cut = cut_at(self.axis, self.session.document, position.x()) if self.session.is_open else None
            return "" if cut is None else f"Cut: a shot begins at frame {cut}. Right-click to remove it"
        document = self.session.document
        frame, key = (document.in_frame, "I") if handle == "in" else (document.out_frame, "O")
        return f"{handle.capitalize()}: frame {frame}. Drag to move it; {key} sets it at the playhead"
