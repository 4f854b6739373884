"""People who may be on the frame: a dashed box each, to be clicked away or taken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF

from app.theme import ACCENT, BAD, GOOD
from app.tools.gesture import DRAG_PX, Canvas, Gesture
from matting.project.document import Box

BUTTON_PX = 22.0
"""Side of the two buttons, and height of the label."""
GAP_PX = 3.0


@dataclass(frozen=True)
class Offers:
    """What is done with proposals, all by their numbers.

    Attributes:
        boxes: what is on offer on the frame that is shown, in pixels of the frame.
        accept, dismiss: some of them.
        label: what stands beside the buttons of one.
        covered: what part of the canvas cannot be clicked.
    """

    boxes: Callable[[], Mapping[int, Box]]
    accept: Callable[[list[int]], None]
    dismiss: Callable[[list[int]], None]
    label: Callable[[int], str] = str
    covered: Callable[[], QRectF] = QRectF


class ProposalGesture(Gesture):
    """A click takes the person, Alt-click or ✕ dismisses them; Enter takes everybody, Esc dismisses everybody."""

    def __init__(self, canvas: Canvas, offers: Offers) -> None:
        super().__init__(canvas)
        self._offers = offers
        self._under: int | None = None
        self._press: tuple[QPointF, int, bool] | None = None

    @property
    def cursor(self) -> Qt.CursorShape | None:
        return Qt.CursorShape.PointingHandCursor if self._under is not None else None

    def press(self, event: QMouseEvent) -> bool:
        hit = self._hit(event.position())
        if hit is None or event.button() is not Qt.MouseButton.LeftButton:
            return False
        number, accept = hit
        accept = accept and not event.modifiers() & Qt.KeyboardModifier.AltModifier
        self._press = event.position(), number, accept
        return True

    def move(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        under = hit[0] if hit is not None else None
        if under != self._under:
            self._under = under
            self.canvas.update()

    def release(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        (place, number, accept), self._press = self._press, None
        if (event.position() - place).manhattanLength() < DRAG_PX and number in self._offers.boxes():
            (self._offers.accept if accept else self._offers.dismiss)([number])

    def leave(self) -> None:
        self._under = None

    def cancel(self) -> None:
        self._press = self._under = None

    def wants(self, event: QKeyEvent) -> bool:
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
        return event.key() in keys and not event.modifiers() and bool(self._offers.boxes())

    def key(self, event: QKeyEvent) -> None:
        everybody = list(self._offers.boxes())
        (self._offers.dismiss if event.key() == Qt.Key.Key_Escape else self._offers.accept)(everybody)

    # -- places --------------------------------------------------------------------------------------------------------

    def _hit(self, place: QPointF) -> tuple[int, bool] | None:
        """Whose box is there, the smallest of several, and whether a click takes them."""
        boxes = {number: self._rect(box) for number, box in self._offers.boxes().items()}
        for number, rect in boxes.items():
            accept, dismiss = self._buttons(rect)
            if dismiss.contains(place):
                return number, False
            if accept.contains(place):
                return number, True
        inside = [number for number, rect in boxes.items() if rect.contains(place)]
        return (min(inside, key=lambda n: boxes[n].width() * boxes[n].height()), True) if inside else None

    def _rect(self, box: Box) -> QRectF:
        return QRectF(self.canvas.to_widget(box[0], box[1]), self.canvas.to_widget(box[2], box[3]))

    def _buttons(self, rect: QRectF) -> tuple[QRectF, QRectF]:
        """Where ✓ and ✕ are: above the box at its right, inside the widget, not beneath what covers it."""
        room = QRectF(self.canvas.rect())
        y = max(rect.top() - BUTTON_PX - GAP_PX, room.top() + GAP_PX)
        right = min(max(rect.right(), rect.left() + 3 * BUTTON_PX + 2 * GAP_PX), room.right() - GAP_PX)
        dismiss = QRectF(right - BUTTON_PX, y, BUTTON_PX, BUTTON_PX)
        covered = self._offers.covered()
        if covered.intersects(dismiss.adjusted(-BUTTON_PX - GAP_PX, 0, 0, 0)):
            dismiss.moveTop(covered.bottom() + GAP_PX)
        return dismiss.translated(-BUTTON_PX - GAP_PX, 0), dismiss

    # -- painting ------------------------------------------------------------------------------------------------------

    def paint(self, painter: QPainter) -> None:
        for number, box in self._offers.boxes().items():
            rect = self._rect(box)
            here = number == self._under
            painter.setBrush(QColor(76, 155, 232, 46) if here else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(0, 0, 0, 170), 4.5))
            painter.drawRect(rect)
            painter.setPen(QPen(QColor("white") if here else QColor(ACCENT).lighter(130), 2, Qt.PenStyle.DashLine))
            painter.drawRect(rect)
        for number, box in self._offers.boxes().items():  # over every box, since they overlap
            accept, dismiss = self._buttons(self._rect(box))
            _paint_label(painter, accept, self._offers.label(number))
            _paint_button(painter, accept, QColor(GOOD))
            tick = [QPointF(-5.5, 0.5), QPointF(-1.5, 4.5), QPointF(5.5, -4)]
            painter.drawPolyline(QPolygonF([accept.center() + corner for corner in tick]))
            _paint_button(painter, dismiss, QColor(BAD))
            for slant in (1, -1):
                arm = QPointF(4.5, 4.5 * slant)
                painter.drawLine(QLineF(dismiss.center() - arm, dismiss.center() + arm))


def _paint_button(painter: QPainter, place: QRectF, color: QColor) -> None:
    """The ground of a button; leaves the pen for its sign."""
    painter.setPen(QPen(QColor(0, 0, 0, 190), 1))
    painter.setBrush(color.darker(170))
    painter.drawRoundedRect(place, 5, 5)
    painter.setPen(QPen(QColor("white"), 2.2, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))


def _paint_label(painter: QPainter, beside: QRectF, text: str) -> None:
    """To the left of a button."""
    font = QFont(painter.font())
    font.setBold(True)
    painter.setFont(font)
    width = max(BUTTON_PX, painter.fontMetrics().horizontalAdvance(text) + 3 * GAP_PX)
    place = QRectF(beside.left() - GAP_PX - width, beside.top(), width, BUTTON_PX)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 20, 20, 215))
    painter.drawRoundedRect(place, 5, 5)
    painter.setPen(QColor("white"))
    painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
