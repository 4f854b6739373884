"""The brush and the eraser: what is painted is exactly what is selected, or no longer is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import platformdirs
from PySide6.QtCore import QElapsedTimer, QPointF, QRectF, QSettings, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPainterPath, QPen

from app.tools.gesture import Canvas, Gesture
from matting.seeding.drawing import LARGEST_PX, Stroke

GiveStroke = Callable[[Stroke], None]
SMALLEST_PX = 0.5
USUAL_PX = 16.0
STEP = 1.25
"""Factor from one size of the brush to the next."""
_SETTING = "brush/radius"
_FINENESS = 0.1
"""Share of the radius that the mouse moves before the stroke gets another point."""
_LINGER_MS = 1500
"""How long a finished stroke stays on the screen when no new picture comes."""
_ERASING = QColor(224, 102, 92, 120)


class Brush:
    """The size that brush and eraser share; kept from one start of Matteo to the next."""

    def __init__(self) -> None:
        kept = _settings().value(_SETTING, USUAL_PX)
        try:
            self._radius = min(max(float(str(kept)), SMALLEST_PX), LARGEST_PX)
        except ValueError:  # somebody edited the settings
            self._radius = USUAL_PX

    @property
    def radius(self) -> float:
        """In pixels of the frame."""
        return self._radius

    def set_radius(self, radius: float) -> None:
        self._radius = round(min(max(radius, SMALLEST_PX), LARGEST_PX), 1)
        _settings().setValue(_SETTING, self._radius)


def _settings() -> QSettings:
    """What the editor keeps for the artist, whatever is open."""
    path = Path(platformdirs.user_config_dir("matteo", appauthor=False)) / "editor.ini"
    return QSettings(str(path), QSettings.Format.IniFormat)


@dataclass
class _Painting:
    """A stroke in the making: its label and the places it went through, in pixels of the frame."""

    label: int
    points: list[tuple[float, float]]


class BrushGesture(Gesture):
    """A drag paints; with Shift a straight line from the last stroke, with Alt the opposite, with Ctrl the size."""

    def __init__(self, canvas: Canvas, brush: Brush, label: int, give: GiveStroke) -> None:
        super().__init__(canvas)
        self._brush, self._label, self._give = brush, label, give
        self._painting: _Painting | None = None
        self._finished: _Painting | None = None
        self._waiting = QElapsedTimer()
        self._last: tuple[float, float] | None = None
        self._at: QPointF | None = None
        self._sizing: tuple[QPointF, float] | None = None

    @property
    def cursor(self) -> Qt.CursorShape | None:
        return Qt.CursorShape.BlankCursor if self._at is not None else Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        return self._painting is not None

    def press(self, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        modifiers = event.modifiers()
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self._sizing = event.position(), self._brush.radius
            return True
        flipped = bool(modifiers & Qt.KeyboardModifier.AltModifier)
        place = self._place(event.position())
        straight = bool(modifiers & Qt.KeyboardModifier.ShiftModifier) and self._last is not None
        start = [self._last] if straight and self._last is not None else []
        self._painting = _Painting(self._label ^ flipped, [*start, place])
        self.canvas.update()
        return True

    def move(self, event: QMouseEvent) -> None:
        if self._sizing is not None:
            start, radius = self._sizing
            self._brush.set_radius(radius + (event.position().x() - start.x()) / self._scale())
        else:
            self._at = event.position()
            if self._painting is not None:
                self._paint_to(self._place(event.position()))
        self.canvas.update()

    def _paint_to(self, place: tuple[float, float]) -> None:
        assert self._painting is not None
        last = self._painting.points[-1]
        if math.dist(last, place) >= max(_FINENESS * self._brush.radius, 0.5):
            self._painting.points.append(place)

    def release(self, event: QMouseEvent) -> None:
        if self._sizing is not None:
            self._sizing = None
        elif self._painting is not None:
            painting, self._painting = self._painting, None
            end = self._place(event.position())
            if end != painting.points[-1]:
                painting.points.append(end)
            self._last = end
            self._finished = painting
            self._waiting.start()
            QTimer.singleShot(_LINGER_MS, self.canvas.update)
            points = tuple(painting.points)
            self._give(Stroke(label=1 if painting.label else 0, radius=self._brush.radius, points=points))
        self.canvas.update()

    def leave(self) -> None:
        self._at = None
        self.canvas.update()

    def cancel(self) -> None:
        self._painting = self._sizing = None
        self.canvas.update()

    def wants(self, event: QKeyEvent) -> bool:
        return self.busy and event.key() == Qt.Key.Key_Escape

    def key(self, event: QKeyEvent) -> None:
        self.cancel()

    def refreshed(self) -> None:
        self._finished = None

    def _place(self, place: QPointF) -> tuple[float, float]:
        x, y = self.canvas.to_frame(place)
        return round(x, 1), round(y, 1)

    def _scale(self) -> float:
        """Screen pixels per pixel of the frame, across."""
        return (self.canvas.to_widget(1, 0) - self.canvas.to_widget(0, 0)).x()

    # -- painting ------------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        if self._finished is not None and self._waiting.elapsed() < _LINGER_MS:
            self._paint_stroke(painter, self._finished)
        if self._painting is not None:
            self._paint_stroke(painter, self._painting)
        place = self._sizing[0] if self._sizing is not None else self._at
        if place is not None:
            self._paint_ring(painter, place)

    def _paint_stroke(self, painter: QPainter, painting: _Painting) -> None:
        path = QPainterPath(QPointF(*painting.points[0]))
        for point in painting.points[1:] or [(painting.points[0][0] + 1e-3, painting.points[0][1])]:
            path.lineTo(QPointF(*point))
        color = _ERASING
        if painting.label:
            color = QColor(self.canvas.active_color())
            color.setAlpha(150)
        origin, unit = self.canvas.to_widget(0, 0), self.canvas.to_widget(1, 1)
        painter.save()
        painter.translate(origin)
        painter.scale(unit.x() - origin.x(), unit.y() - origin.y())
        round_cap, round_join = Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 2 * self._brush.radius, Qt.PenStyle.SolidLine, round_cap, round_join))
        painter.drawPath(path)
        painter.restore()

    def _paint_ring(self, painter: QPainter, place: QPointF) -> None:
        """As large as what the brush covers, to be seen on light and dark."""
        unit = self.canvas.to_widget(1, 1) - self.canvas.to_widget(0, 0)
        across, down = self._brush.radius * unit.x(), self._brush.radius * unit.y()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for color, width in ((QColor(0, 0, 0, 170), 3.0), (QColor("white"), 1.3)):
            painter.setPen(QPen(color, width))
            painter.drawEllipse(place, across, down)
            painter.drawPoint(place)
        if self._sizing is not None:
            text = QRectF(place.x() - 60, place.y() + down + 4, 120, 20)
            painter.setPen(QColor("black"))
            painter.drawText(text.translated(1, 1), Qt.AlignmentFlag.AlignCenter, f"{2 * self._brush.radius:.0f} px")
            painter.setPen(QColor("white"))
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, f"{2 * self._brush.radius:.0f} px")
