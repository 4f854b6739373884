"""Painting what was given on a frame: a plus, a minus, a box, in the person's colour."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from app.palette import person_color
from app.session import Session
from app.theme import BAD, GOOD
from matting.project.document import Instance, Prompt

RADIUS_PX = 7.0
ARM_PX = 3.5
FADED = 0.45
"""Opacity of what belongs to people who are not active."""

ToWidget = Callable[[float, float], QPointF]


def paint_prompts(painter: QPainter, session: Session, frame: int, to_widget: ToWidget) -> None:
    """Paint everybody's prompts on a frame, the active person's last."""
    people = sorted(session.document.instances, key=lambda i: i.id == session.active_id)
    for instance in people:
        prompt = instance.prompt_at(frame)
        if prompt is not None:
            painter.setOpacity(1.0 if instance.id == session.active_id else FADED)
            _paint(painter, instance, prompt, to_widget)
    painter.setOpacity(1.0)


def paint_drag(painter: QPainter, box: QRectF, color: QColor) -> None:
    """Paint the box that is being drawn."""
    _paint_box(painter, box, color)


def _paint(painter: QPainter, instance: Instance, prompt: Prompt, to_widget: ToWidget) -> None:
    color = person_color(instance.id)
    if prompt.box is not None:
        x0, y0, x1, y1 = prompt.box
        _paint_box(painter, QRectF(to_widget(x0, y0), to_widget(x1, y1)), color)
    for x, y, label in prompt.points:
        _paint_point(painter, to_widget(x, y), QColor(GOOD if label else BAD), color, plus=label == 1)


def _paint_box(painter: QPainter, box: QRectF, color: QColor) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(0, 0, 0, 160), 3.5))
    painter.drawRect(box)
    painter.setPen(QPen(color, 1.5, Qt.PenStyle.DashLine))
    painter.drawRect(box)


def _paint_point(painter: QPainter, at: QPointF, fill: QColor, ring: QColor, *, plus: bool) -> None:
    painter.setPen(QPen(QColor(0, 0, 0, 190), 4.5))
    painter.drawEllipse(at, RADIUS_PX, RADIUS_PX)
    painter.setPen(QPen(ring, 2))
    painter.setBrush(fill.darker(150))
    painter.drawEllipse(at, RADIUS_PX, RADIUS_PX)
    painter.setPen(QPen(QColor("white"), 2))
    painter.drawLine(QLineF(at - QPointF(ARM_PX, 0), at + QPointF(ARM_PX, 0)))
    if plus:
        painter.drawLine(QLineF(at - QPointF(0, ARM_PX), at + QPointF(0, ARM_PX)))
