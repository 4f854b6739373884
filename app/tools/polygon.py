"""The polygon tool: corner by corner round what is to be put in, or taken out."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF

from app.theme import BAD
from app.tools.gesture import Canvas, Gesture
from matting.seeding.drawing import Polygon

GivePolygon = Callable[[Polygon], None]
CLOSING_PX = 8.0
"""How near to the first corner a click closes the polygon."""
_FEWEST = 3


class PolygonGesture(Gesture):
    """Clicks set corners; a double-click, Enter or the first corner closes; begun with Alt it takes out."""

    def __init__(self, canvas: Canvas, give: GivePolygon) -> None:
        super().__init__(canvas)
        self._give = give
        self._corners: list[tuple[float, float]] = []
        self._label = 1
        self._at: QPointF | None = None

    @property
    def busy(self) -> bool:
        return bool(self._corners)

    def press(self, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        if not self._corners:
            self._label = 0 if event.modifiers() & Qt.KeyboardModifier.AltModifier else 1
        elif self._closes(event.position()):
            self._close()
            return True
        x, y = self.canvas.to_frame(event.position())
        self._corners.append((round(x, 1), round(y, 1)))
        self._at = event.position()
        self.canvas.update()
        return True

    def double_click(self, event: QMouseEvent) -> bool:
        if not self._corners or event.button() is not Qt.MouseButton.LeftButton:
            return False
        self._close()  # its first press has set the last corner
        return True

    def move(self, event: QMouseEvent) -> None:
        self._at = event.position()
        if self._corners:
            self.canvas.update()

    def leave(self) -> None:
        self._at = None
        self.canvas.update()

    def cancel(self) -> None:
        self._corners = []
        self.canvas.update()

    def wants(self, event: QKeyEvent) -> bool:
        key = Qt.Key
        return bool(self._corners) and event.key() in (
            key.Key_Return, key.Key_Enter, key.Key_Backspace, key.Key_Delete, key.Key_Escape,
        )  # fmt: skip

    def key(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._corners = []
        elif event.key() in (Qt.Key.Key_Backspace, Qt.Key.Key_Delete):
            self._corners.pop()
        else:
            self._close()
        self.canvas.update()

    def _closes(self, place: QPointF) -> bool:
        first = self.canvas.to_widget(*self._corners[0]) - place
        return len(self._corners) >= _FEWEST and math.hypot(first.x(), first.y()) <= CLOSING_PX

    def _close(self) -> None:
        """Hand the polygon on; with fewer than three corners go on drawing."""
        if len(self._corners) >= _FEWEST:
            corners, self._corners = tuple(self._corners), []
            self._give(Polygon(label=1 if self._label else 0, points=corners))
        self.canvas.update()

    def paint(self, painter: QPainter) -> None:
        if not self._corners:
            return
        color = self.canvas.active_color() if self._label else QColor(BAD)
        corners = [self.canvas.to_widget(*corner) for corner in self._corners]
        open_line = [*corners, *([self._at] if self._at is not None else [])]
        painter.setPen(Qt.PenStyle.NoPen)
        fill = QColor(color)
        fill.setAlpha(60)
        painter.setBrush(fill)
        painter.drawPolygon(QPolygonF(open_line))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for pen in (QPen(QColor(0, 0, 0, 170), 4), QPen(color, 1.8)):
            painter.setPen(pen)
            painter.drawPolyline(QPolygonF(open_line))
        closes = self._at is not None and self._closes(self._at)
        for place, corner in enumerate(corners):
            painter.setPen(QPen(QColor(0, 0, 0, 190), 1.5))
            painter.setBrush(QColor("white") if place == 0 and closes else color)
            size = 6.0 if place == 0 and closes else 4.0
            painter.drawEllipse(corner, size, size)
