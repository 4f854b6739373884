"""Names of widgets: for tests, for screen readers and for the hand that hovers."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)


def named(widget: W, name: str, tip: str = "", accessible: str = "") -> W:
    """Give a widget its object name, tooltip and accessible name, and hand it back."""
    widget.setObjectName(name)
    widget.setToolTip(tip)
    widget.setAccessibleName(accessible)
    return widget
