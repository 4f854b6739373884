"""Icons in the theme's colours.

Loading the icon font takes as long as half the start of the editor, so the window is shown first and gets its icons
right after: while icons sleep, :func:`give_icon` and :func:`give_picture` remember who wants one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import shiboken6
from PySide6.QtCore import QObject, QSize
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QLabel

from app.theme import ACCENT, TEXT

_waiting: list[tuple[QObject, Callable[[], None]]] | None = None


class _HasIcon(Protocol):
    def setIcon(self, icon: QIcon, /) -> None: ...


def icon(name: str, color: str = TEXT, *, checked: str = ACCENT, mirrored: bool = False) -> QIcon:
    """A qtawesome icon, dim while disabled and in the accent while checked."""
    import qtawesome

    found: QIcon = qtawesome.icon(name, color=color, color_disabled="#5c5c5c", color_on=checked, hflip=mirrored)
    return found


def give_icon(target: _HasIcon, name: str, color: str = TEXT, *, checked: str = ACCENT, mirrored: bool = False) -> None:
    """Set an icon on a button or action, now or as soon as icons are awake."""
    _when_awake(target, lambda: target.setIcon(icon(name, color, checked=checked, mirrored=mirrored)))


def give_picture(target: QLabel, name: str, color: str, size_px: int) -> None:
    """Show an icon as a label's picture, now or as soon as icons are awake."""
    _when_awake(
        target,
        lambda: target.setPixmap(icon(name, color).pixmap(QSize(size_px, size_px), target.devicePixelRatioF())),
    )


def let_icons_sleep() -> None:
    """From now on icons are only remembered, until :func:`wake_icons`."""
    global _waiting
    if _waiting is None:
        _waiting = []


def wake_icons() -> None:
    """Give everybody the icon they asked for meanwhile."""
    global _waiting
    asked, _waiting = _waiting or [], None
    for target, give in asked:
        if shiboken6.isValid(target):
            give()


def _when_awake(target: object, give: Callable[[], None]) -> None:
    if _waiting is None:
        give()
    else:
        assert isinstance(target, QObject)
        _waiting.append((target, give))
