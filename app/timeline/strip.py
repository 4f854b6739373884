"""What every strip of the timeline has in common: the gutter, the range's shade, the playhead, scrubbing, zooming."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from app.session import Session
from app.timeline.axis import GUTTER_PX, Axis
from app.timeline.cuts import paint_shots

OUTSIDE = QColor(0, 0, 0, 120)
"""Laid over what is before in and after out."""
PLAYHEAD = QColor("#ff5c4d")
PLAYHEAD_REACH_PX = 8
"""How far the playhead's paint reaches to either side of its frame."""
ZOOM_PER_NOTCH = 1.25


class Strip(QWidget):
    """One row of the timeline. What does not move with the playhead is kept as a picture: scrubbing is cheap."""

    scrubbed = Signal(int)
    """The artist put the playhead on this frame."""

    def __init__(self, session: Session, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session, self.axis = session, axis
        self._scrubbing = False
        self._playhead = session.frame
        self._picture: QPixmap | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        axis.changed.connect(self.refresh)
        session.frame_changed.connect(self._on_frame_changed)
        session.opened.connect(self.refresh)
        session.changed.connect(self.refresh)

    # -- painting ----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Paint everything anew."""
        self._picture = None
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        content = QRect(GUTTER_PX, 0, self.width() - GUTTER_PX, self.height())
        if self.session.is_open:
            painter.drawPixmap(content.topLeft(), self._still(content))
            painter.setClipRect(content)
            self.paint_playhead(painter)
            self.paint_here(painter)
            painter.setClipping(False)
        else:
            painter.fillRect(event.rect(), self.palette().base())
            self.paint_empty(painter)
        if event.rect().left() < GUTTER_PX:
            painter.fillRect(QRect(0, 0, GUTTER_PX, self.height()), self.palette().window())
            if self.session.is_open:
                self.paint_gutter(painter)
        painter.fillRect(QRect(0, self.height() - 1, self.width(), 1), self.line_color())
        painter.end()

    def _still(self, content: QRect) -> QPixmap:
        """The picture of all that stays while the playhead moves."""
        ratio = self.devicePixelRatioF()
        if self._picture is None or self._picture.devicePixelRatio() != ratio:
            self._picture = QPixmap(content.size() * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(self.palette().base().color())
            painter = QPainter(self._picture)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.translate(-content.left(), 0)
            self.paint_content(painter, QRectF(content))
            paint_shots(painter, self.axis, self.session.document, QRectF(content))
            self._shade_outside(painter)
            self.paint_over(painter, QRectF(content))
            painter.end()
        return self._picture

    def paint_empty(self, painter: QPainter) -> None:
        """Paint what is to be seen while nothing is open."""

    def paint_content(self, painter: QPainter, area: QRectF) -> None:
        """Paint ``area``, right of the gutter."""

    def paint_over(self, painter: QPainter, area: QRectF) -> None:
        """Paint what the range's shade must not cover."""

    def paint_here(self, painter: QPainter) -> None:
        """Paint what is to be seen before the playhead."""

    def paint_gutter(self, painter: QPainter) -> None:
        """Paint the column at the left."""

    def paint_playhead(self, painter: QPainter) -> None:
        """The line through the playhead's frame, and the frame's cell where there is room to see it."""
        if self.axis.px_per_frame >= 8:
            cell = QRectF(self.axis.x(self._playhead), 0, self.axis.px_per_frame, self.height())
            painter.fillRect(cell, QColor(PLAYHEAD.red(), PLAYHEAD.green(), PLAYHEAD.blue(), 38))
        x = self.playhead_x()
        painter.fillRect(QRectF(x - 1.5, 0, 3, self.height()), QColor(0, 0, 0, 90))
        painter.fillRect(QRectF(x - 0.5, 0, 1, self.height()), PLAYHEAD)

    def playhead_x(self) -> float:
        """Middle of the playhead's frame, on the middle of a pixel so that the line is sharp."""
        return math.floor(self.axis.middle(self._playhead)) + 0.5

    def line_color(self) -> QColor:
        """For hairlines between rows."""
        return self.palette().shadow().color()

    def muted_color(self) -> QColor:
        """For text of second rank."""
        color = QColor(self.palette().windowText().color())
        color.setAlphaF(0.62)
        return color

    def _shade_outside(self, painter: QPainter) -> None:
        document = self.session.document
        before, after = self.axis.x(document.in_frame), self.axis.x(document.out_frame + 1)
        painter.fillRect(QRectF(GUTTER_PX, 0, before - GUTTER_PX, self.height()), OUTSIDE)
        painter.fillRect(QRectF(after, 0, max(self.width() - after, 0), self.height()), OUTSIDE)

    def update_frames(self, first: int, last: int, reach_px: int = 0) -> None:
        """Repaint the cells of these frames and so many pixels more at either side."""
        left = math.floor(self.axis.x(first)) - reach_px
        right = math.ceil(self.axis.x(last + 1)) + reach_px
        self.update(QRect(left, 0, right - left, self.height()))

    def _on_frame_changed(self, frame: int) -> None:
        self.update_frames(self._playhead, self._playhead, PLAYHEAD_REACH_PX)
        self._playhead = frame
        self.update_frames(frame, frame, PLAYHEAD_REACH_PX)

    # -- mouse -------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and event.position().x() >= GUTTER_PX and self.session.is_open:
            self._scrubbing = True
            self._scrub(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._scrubbing:
            self._scrub(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._scrubbing = False

    def _scrub(self, event: QMouseEvent) -> None:
        self.scrubbed.emit(self.axis.frame_at(event.position().x()))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Wheel zooms at the cursor; with Shift, or sideways, it pans."""
        if not self.session.is_open:
            return
        turn = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(turn.x()) > abs(turn.y()):
            self.axis.scroll_to(self.axis.offset_px - (turn.x() or turn.y()))
        else:
            self.axis.zoom(ZOOM_PER_NOTCH ** (turn.y() / 120), event.position().x())
        event.accept()
