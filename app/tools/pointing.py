"""The point tool and the box tool: clicks become points, drags become boxes."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QPainter

from app.markers import paint_drag
from app.prompting import clipped_box
from app.tools.gesture import DRAG_PX, Canvas, Gesture
from matting.project.document import Box

GivePoint = Callable[[float, float, int], None]
GiveBox = Callable[[Box], None]


class BoxGesture(Gesture):
    """A drag draws a box; what a click means is for others to say."""

    def __init__(self, canvas: Canvas, give_box: GiveBox) -> None:
        super().__init__(canvas)
        self._give_box = give_box
        self._press: QPointF | None = None
        self._dragged: QPointF | None = None

    @property
    def busy(self) -> bool:
        return self._press is not None

    def press(self, event: QMouseEvent) -> bool:
        if event.button() is not Qt.MouseButton.LeftButton:
            return False
        self._press, self._dragged = event.position(), None
        return True

    def move(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        far = (event.position() - self._press).manhattanLength() >= DRAG_PX
        if far or self._dragged is not None:
            self._dragged = event.position()
            self.canvas.update()

    def release(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        press, dragged = self._press, self._dragged
        self.cancel()
        if dragged is None:
            self.click(press, event)
        else:
            width, height = self.canvas.size_wh
            box = clipped_box(self.canvas.to_frame(press), self.canvas.to_frame(dragged), (height, width))
            if box is not None:
                x0, y0, x1, y1 = (round(side, 1) for side in box)
                self._give_box((x0, y0, x1, y1))

    def click(self, place: QPointF, event: QMouseEvent) -> None:
        """The left button went down and up in one place."""

    def cancel(self) -> None:
        self._press = self._dragged = None
        self.canvas.update()

    def paint(self, painter: QPainter) -> None:
        if self._press is not None and self._dragged is not None:
            paint_drag(painter, QRectF(self._press, self._dragged).normalized(), self.canvas.active_color())


class PointGesture(BoxGesture):
    """A click includes, with Alt or the right button it excludes; a drag draws a box."""

    def __init__(self, canvas: Canvas, give_point: GivePoint, give_box: GiveBox) -> None:
        super().__init__(canvas, give_box)
        self._give_point = give_point

    def press(self, event: QMouseEvent) -> bool:
        if event.button() is Qt.MouseButton.RightButton:
            self._point(event.position(), 0)
            return True
        return super().press(event)

    def click(self, place: QPointF, event: QMouseEvent) -> None:
        self._point(place, 0 if event.modifiers() & Qt.KeyboardModifier.AltModifier else 1)

    def _point(self, place: QPointF, label: int) -> None:
        x, y = self.canvas.to_frame(place)
        width, height = self.canvas.size_wh
        if 0 <= x < width and 0 <= y < height:
            self._give_point(round(x, 1) if x < width - 0.1 else x, round(y, 1) if y < height - 0.1 else y, label)
