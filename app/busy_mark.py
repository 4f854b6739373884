"""The mark over the picture that says what the artist waits for; short waits go without."""

from __future__ import annotations

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QWidget

from app.theme import ACCENT

DELAY_MS = 150
"""So long a wait is not worth a mark."""
STEP_MS = 40
STEP_DEGREES = 14
RING_PX = 14.0


class BusyMark(QObject):
    """A turning ring and a few words, painted by the widget that it lies over."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._text = ""
        self._turn = 0
        self.shown = False
        """Whether the mark is to be seen."""
        self._delay = QTimer(self, singleShot=True, interval=DELAY_MS)
        self._delay.timeout.connect(self._appear)
        self._clock = QTimer(self, interval=STEP_MS)
        self._clock.timeout.connect(self._step)

    def set_text(self, text: str) -> None:
        """Say what is waited for; "" when nothing is."""
        if text and not self._text:
            self._delay.start()
        self._text = text
        if not text:
            self._delay.stop()
            self._clock.stop()
            if self.shown:
                self.shown = False
                self._widget.update()

    def _appear(self) -> None:
        self.shown = True
        self._clock.start()
        self._widget.update()

    def _step(self) -> None:
        self._turn = (self._turn + STEP_DEGREES) % 360
        self._widget.update(self._box().toAlignedRect().adjusted(-1, -1, 1, 1))

    def _box(self) -> QRectF:
        box = QRectF(self._widget.fontMetrics().boundingRect(self._text)).adjusted(0, 0, RING_PX + 36, 14)
        box.moveCenter(QPointF(self._widget.width() / 2, 0))
        box.moveTop(14.0)
        return box

    def paint(self, painter: QPainter) -> None:
        """Paint the mark, if it is to be seen."""
        if not self.shown:
            return
        box = self._box()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 215))
        painter.drawRoundedRect(box, 5, 5)
        ring = QRectF(0, 0, RING_PX, RING_PX)
        ring.moveCenter(QPointF(box.left() + 12 + RING_PX / 2, box.center().y()))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(255, 255, 255, 50), 2))
        painter.drawEllipse(ring)
        painter.setPen(QPen(QColor(ACCENT), 2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, -16 * self._turn, 16 * 100)
        painter.setPen(QColor("#e8e8e8"))
        painter.drawText(box.adjusted(RING_PX + 22, 0, -8, 0), Qt.AlignmentFlag.AlignVCenter, self._text)
