"""Shots in the timeline: every other one tinted, a line where one begins, and the menu that puts cuts in."""

from __future__ import annotations

import bisect
import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QContextMenuEvent, QPainter
from PySide6.QtWidgets import QMenu, QWidget

from app.session import Session
from app.timeline.axis import GUTTER_PX, Axis
from matting.project.document import Document

TINT = QColor(255, 255, 255, 20)
EDGE, LINE = QColor(0, 0, 0, 190), QColor("#ffd166")
GRAB_PX = 6
"""How near to a cut a press means that one."""


def paint_shots(painter: QPainter, axis: Axis, document: Document, area: QRectF) -> None:
    """Tint every other shot and draw the cuts that are in sight."""
    cuts = document.cuts or ()
    if not cuts:
        return
    seen = axis.visible()
    first = bisect.bisect_right(cuts, seen.start)
    last = bisect.bisect_left(cuts, seen.stop)
    for number in range(first, last + 1):  # the shot that ends with the cut of this number
        if number % 2:
            left = axis.x(cuts[number - 1])
            right = axis.x(cuts[number] if number < len(cuts) else axis.frame_count)
            painter.fillRect(QRectF(left, area.top(), right - left, area.height()) & area, TINT)
    for cut in cuts[max(first - 1, 0) : last]:
        x = math.floor(axis.x(cut)) + 0.5
        painter.fillRect(QRectF(x - 1.5, area.top(), 3, area.height()), EDGE)
        painter.fillRect(QRectF(x - 0.5, area.top(), 1, area.height()), LINE)


def cut_at(axis: Axis, document: Document, x: float) -> int | None:
    """The cut that is meant by a press at ``x``."""
    cuts = document.cuts or ()
    nearest = min(cuts, key=lambda cut: abs(axis.x(cut) - x), default=None)
    return nearest if nearest is not None and abs(axis.x(nearest) - x) <= GRAB_PX else None


def open_cut_menu(strip: QWidget, session: Session, axis: Axis, event: QContextMenuEvent) -> None:
    """Offer to put a cut in where the artist pressed, or to take out the one that is there."""
    x = event.pos().x()
    if not session.is_open or x < GUTTER_PX:
        return
    document = session.document
    menu = QMenu(strip)
    menu.setObjectName("cutMenu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    found = cut_at(axis, document, x)
    if found is not None:
        remove = menu.addAction(f"Remove the cut at frame {found}", lambda: remove_cut(session, found))
        remove.setObjectName("removeCutHere")
    else:
        frame = axis.frame_at(x)
        waiting = "" if document.cuts is not None else " (cuts are still looked for)"
        add = menu.addAction(f"Add a cut at frame {frame}{waiting}", lambda: add_cut(session, frame))
        add.setObjectName("addCutHere")
        add.setEnabled(can_cut(document, frame))
    menu.popup(event.globalPos())


def can_cut(document: Document, frame: int) -> bool:
    """Whether a cut can be put before this frame; while they are still looked for, none can."""
    return document.cuts is not None and frame > 0 and frame not in document.cuts


def add_cut(session: Session, frame: int) -> None:
    """Let a shot begin at a frame, undoably."""
    if can_cut(session.document, frame):
        session.edit("Add a cut", session.document.with_cut(frame))


def remove_cut(session: Session, frame: int) -> None:
    """Join the shot that begins at a frame to the one before, undoably."""
    session.edit("Remove a cut", session.document.without_cut(frame))
