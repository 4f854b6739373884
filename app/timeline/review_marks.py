"""Marks of what should be reviewed in a lane: a warning triangle, or crossed arrows for a likely swap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from app.timeline.axis import Axis

MARK_PX = 6.0
"""Half the width of a mark."""
_WARNING, _EDGE = QColor("#ffd23f"), QColor(0, 0, 0, 220)


@dataclass(frozen=True)
class ReviewMark:
    """A place in somebody's lane.

    Attributes:
        first, last: its frames, both included.
        frame: where the mark stands.
        swap: whether two people were likely swapped there.
        text: what is the matter, in a sentence.
    """

    first: int
    last: int
    frame: int
    swap: bool
    text: str


def mark_at(marks: Iterable[ReviewMark], axis: Axis, x: float) -> ReviewMark | None:
    """The mark that stands at x, or else the place whose frames are there."""
    near = [mark for mark in marks if abs(axis.middle(mark.frame) - x) <= MARK_PX]
    if near:
        return min(near, key=lambda mark: abs(axis.middle(mark.frame) - x))
    return next((mark for mark in marks if axis.x(mark.first) <= x < axis.x(mark.last + 1)), None)


def paint_review(painter: QPainter, marks: Iterable[ReviewMark], axis: Axis, area: QRectF, top: float) -> None:
    """Paint those in ``area`` along the upper edge of a lane that begins at ``top``."""
    for mark in marks:
        left, right = axis.x(mark.first), axis.x(mark.last + 1)
        at = QPointF(axis.middle(mark.frame), top + 1)
        if max(right, at.x() + MARK_PX) < area.left() or min(left, at.x() - MARK_PX) > area.right():
            continue
        painter.fillRect(QRectF(left, top + 5, right - left, 2), _WARNING)
        if mark.swap:
            _paint_arrows(painter, at)
        else:
            _paint_triangle(painter, at)


def _paint_triangle(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(_EDGE, 1))
    painter.setBrush(_WARNING)
    corners = ((0.0, 0.0), (MARK_PX, 11.0), (-MARK_PX, 11.0))
    painter.drawPolygon(QPolygonF([at + QPointF(*corner) for corner in corners]))
    painter.setPen(QPen(_EDGE, 1.6))
    painter.drawLine(QLineF(at + QPointF(0, 4), at + QPointF(0, 7)))
    painter.drawPoint(at + QPointF(0, 9.4))


def _paint_arrows(painter: QPainter, at: QPointF) -> None:
    painter.setPen(QPen(_EDGE, 1))
    painter.setBrush(_WARNING)
    painter.drawRoundedRect(QRectF(at.x() - MARK_PX - 1, at.y(), 2 * MARK_PX + 2, 12), 3, 3)
    painter.setPen(QPen(_EDGE, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    for y, way in ((3.6, 1), (8.4, -1)):
        tip, tail = at + QPointF(4.2 * way, y), at + QPointF(-4.2 * way, y)
        painter.drawLine(QLineF(tail, tip))
        for side in (-2.0, 2.0):
            painter.drawLine(QLineF(tip, tip + QPointF(-2.4 * way, side)))
