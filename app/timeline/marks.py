"""What stands in a lane, painted: spans, marks of prompts, badges. Each shape is read without its colour too."""

from __future__ import annotations

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPen, QPolygonF

from app.palette import person_color, text_on

GLYPH_PX = 6.0
"""Half the size of the mark of a prompt."""
STRIPE_PX = 7.0
LOCK_PX = 8.0
"""How far the middle of a padlock is from the start of its bar."""


def paint_span(painter: QPainter, bar: QRectF, visible: QRectF, state: str, color: QColor, origin: float) -> None:
    """Matted: a full bar. Tracked: the lower half of one. Stale: a hollow one with stripes.

    Args:
        painter: with the strip's clip.
        bar: the whole span.
        visible: what is being painted.
        state: one of the states of a span.
        color: of the person.
        origin: an x that scrolls with the clip, so that the stripes do too.
    """
    if state == "matted":
        painter.fillRect(bar, faded(color, 0.78))
    elif state == "tracked":
        painter.fillRect(bar, faded(color, 0.16))
        painter.fillRect(QRectF(bar.left(), bar.center().y() + 1, bar.width(), bar.height() / 2 - 1), color)
    else:
        painter.fillRect(bar, faded(color, 0.10))
        _paint_stripes(painter, bar, visible, color, origin)


def paint_lock(painter: QPainter, bar: QRectF, color: QColor) -> None:
    """A full bar with a bright edge and a padlock at its start where there is room."""
    painter.fillRect(bar, faded(color, 0.9))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(color.lighter(150), 1.6))
    painter.drawRect(bar.adjusted(0.8, 0.8, -0.8, -0.8))
    if bar.width() >= 2 * LOCK_PX:
        _paint_padlock(painter, QPointF(bar.left() + LOCK_PX, bar.center().y()), text_on(color))


def _paint_padlock(painter: QPainter, at: QPointF, color: QColor) -> None:
    painter.setPen(QPen(color, 1.4))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(at.x() - 2.4, at.y() - 5, 4.8, 6), 0, 180 * 16)
    painter.fillRect(QRectF(at.x() - 4, at.y() - 1.5, 8, 6), color)


def paint_selection(painter: QPainter, area: QRectF) -> None:
    """Frames that the artist has marked in a lane."""
    painter.fillRect(area, QColor(255, 255, 255, 46))
    painter.fillRect(QRectF(area.left(), area.top(), 1.5, area.height()), QColor("#ffffff"))
    painter.fillRect(QRectF(area.right() - 1.5, area.top(), 1.5, area.height()), QColor("#ffffff"))


def _paint_stripes(painter: QPainter, bar: QRectF, visible: QRectF, color: QColor, origin: float) -> None:
    shown, height = bar & visible, bar.height()
    painter.save()
    painter.setClipRect(bar, Qt.ClipOperation.IntersectClip)
    painter.setPen(QPen(faded(color, 0.85), 1.6))
    first = int((shown.left() - height - origin) // STRIPE_PX)
    last = int((shown.right() - origin) // STRIPE_PX)
    feet = (origin + step * STRIPE_PX for step in range(first, last + 1))
    painter.drawLines([QLineF(x, bar.bottom(), x + height, bar.top()) for x in feet])
    painter.restore()
    painter.setPen(QPen(faded(color, 0.85), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(bar.adjusted(0.5, 0.5, -0.5, -0.5))


def paint_prompt(painter: QPainter, at: QPointF, color: QColor, *, absent: bool, here: bool) -> None:
    """A diamond, or a crossed ring where the person was said to be absent; with a white edge under the playhead."""
    if absent:
        radius = GLYPH_PX - 1
        painter.setBrush(QColor(20, 20, 20, 230))
        painter.setPen(QPen(QColor("#ffffff") if here else color.lighter(115), 1.8))
        painter.drawEllipse(at, radius, radius)
        reach = radius * 0.7
        painter.drawLine(at + QPointF(-reach, reach), at + QPointF(reach, -reach))
        return
    painter.setBrush(color.lighter(120))
    painter.setPen(QPen(QColor("#ffffff") if here else QColor(0, 0, 0, 200), 1.6))
    corners = ((0.0, -GLYPH_PX), (GLYPH_PX, 0.0), (0.0, GLYPH_PX), (-GLYPH_PX, 0.0))
    painter.drawPolygon(QPolygonF([at + QPointF(*corner) for corner in corners]))


def paint_badge(painter: QPainter, box: QRectF, instance_id: int, font: QFont) -> None:
    """The person's colour with their number on it."""
    color = person_color(instance_id)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRoundedRect(box, 3, 3)
    small = QFont(font)
    small.setPointSizeF(font.pointSizeF() * 0.85)
    small.setBold(True)
    painter.setFont(small)
    painter.setPen(text_on(color))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(instance_id))


def faded(color: QColor, opacity: float) -> QColor:
    """The colour with this opacity, 0…1."""
    result = QColor(color)
    result.setAlphaF(opacity)
    return result
