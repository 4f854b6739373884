"""What every tool of the viewer can do with mouse and keys; none touches the document, they hand on what was drawn."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter

DRAG_PX = 5
"""How far the mouse moves before a click becomes something else."""


class Canvas(Protocol):
    """The viewer, as a tool sees it."""

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the frame in pixels."""
        ...

    def to_widget(self, x: float, y: float) -> QPointF:
        """Where a place of the frame is on the screen."""
        ...

    def to_frame(self, place: QPointF) -> tuple[float, float]:
        """Which place of the frame is there on the screen."""
        ...

    def active_color(self) -> QColor:
        """Of the person whom the tool works for; white for somebody new."""
        ...

    def update(self) -> None:
        """Paint again."""
        ...

    def rect(self) -> QRect:
        """The widget."""
        ...

    def mapFromGlobal(self, place: QPoint) -> QPoint: ...


class Gesture:
    """A tool that does nothing; each tool overrides what it needs."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    @property
    def cursor(self) -> Qt.CursorShape | None:
        """How the mouse looks over the picture; None leaves it to the tool beneath."""
        return Qt.CursorShape.CrossCursor

    @property
    def busy(self) -> bool:
        """Whether something is half drawn."""
        return False

    def press(self, event: QMouseEvent) -> bool:
        """A button goes down; whether the tool takes it."""
        return False

    def double_click(self, event: QMouseEvent) -> bool:
        """A second press soon after the first; whether the tool takes it, else it is a press like any other."""
        return False

    def move(self, event: QMouseEvent) -> None:
        """The mouse moves, pressed or not."""

    def release(self, event: QMouseEvent) -> None:
        """The left button goes up."""

    def leave(self) -> None:
        """The mouse is no longer over the viewer."""

    def cancel(self) -> None:
        """Forget what is half drawn."""

    def refreshed(self) -> None:
        """A new picture is shown, with what was drawn before."""

    def wants(self, event: QKeyEvent) -> bool:
        """Whether a key means something to the tool now, in place of what it means elsewhere."""
        return False

    def key(self, event: QKeyEvent) -> None:
        """A key that the tool wanted."""

    def paint(self, painter: QPainter) -> None:
        """Paint what is half drawn, over everything."""
