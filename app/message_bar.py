"""The one road from the program to the artist: a line over the top of the window, one message at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from app.icons import give_icon, give_picture
from app.theme import ACCENT, BAD, LINE, PANEL, WARNING

NOTE_MS = 6000
"""How long a note stays; warnings and errors stay until they are closed."""
WIDEST_PX, MARGIN_PX = 620, 12


class Severity(Enum):
    """How much a message matters: icon and colour."""

    NOTE = ("mdi6.information-outline", ACCENT)
    WARNING = ("mdi6.alert-outline", WARNING)
    ERROR = ("mdi6.alert-octagon-outline", BAD)


@dataclass(frozen=True)
class Message:
    """One sentence, and buttons for what can be done about it."""

    severity: Severity
    text: str
    choices: tuple[tuple[str, Callable[[], None]], ...] = ()


class MessageBar(QFrame):
    """Shows the newest message over its parent, so that nothing moves; older warnings come back when it is closed."""

    changed = Signal()
    """Another message is shown, or none any more."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("messageBar")
        self._under = parent
        parent.installEventFilter(self)
        self._below: list[Message] = []
        self._shown: Message | None = None
        self._icon, self._text = QLabel(), QLabel(wordWrap=True)
        self._text.setObjectName("messageText")
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._buttons: list[QPushButton] = []
        self._close = QToolButton(autoRaise=True)
        give_icon(self._close, "mdi6.close")
        self._close.setObjectName("closeMessage")
        self._close.setAccessibleName("Close this message")
        self._close.setToolTip("Close this message")
        self._close.clicked.connect(self._next)
        self._timer = QTimer(self, singleShot=True, interval=NOTE_MS)
        self._timer.timeout.connect(self._next)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(10, 5, 6, 5)
        self._row.addWidget(self._icon)
        self._row.addWidget(self._text, 1)
        self._row.addWidget(self._close)
        self.hide()

    @property
    def shown(self) -> Message | None:
        return self._shown

    def note(self, text: str) -> None:
        self.show_message(Message(Severity.NOTE, text))

    def warn(self, text: str) -> None:
        self.show_message(Message(Severity.WARNING, text))

    def error(self, text: str) -> None:
        self.show_message(Message(Severity.ERROR, text))

    def show_message(self, message: Message) -> None:
        """Show it now; what was shown comes back afterwards unless it was a note. The same one twice is one."""
        if self._shown is not None and self._shown != message and self._shown.severity is not Severity.NOTE:
            self._below.append(self._shown)
        self._below = [older for older in self._below if older != message]
        self._show(message)

    def clear(self) -> None:
        """Forget everything that was said about what is no longer open."""
        self._below.clear()
        self._next()

    def _next(self) -> None:
        self._show(self._below.pop() if self._below else None)

    def _show(self, message: Message | None) -> None:
        self._timer.stop()
        for button in self._buttons:
            button.hide()
            button.deleteLater()
        self._buttons = []
        self._shown = message
        if self._shown is None:
            self.hide()
            self.changed.emit()
            return
        name, color = self._shown.severity.value
        give_picture(self._icon, name, color, 20)
        self._text.setText(self._shown.text)
        self.setAccessibleName(self._shown.text)
        self.setStyleSheet(
            f"#messageBar {{ background: {PANEL}; border: 1px solid {LINE}; border-left: 4px solid {color}; }}"
        )
        for place, (text, run) in enumerate(self._shown.choices):
            self._add_button(place, text, run)
        if self._shown.severity is Severity.NOTE and not self._shown.choices:
            self._timer.start()
        self._place()
        self.show()
        self.raise_()
        self.changed.emit()

    def over(self, widget: QWidget) -> QRectF:
        """Where it covers a widget, in its places; empty where it does not."""
        if not self.isVisible():
            return QRectF()
        corner = widget.mapFromGlobal(self.mapToGlobal(QPoint(0, 0)))
        return QRectF(QRect(corner, self.size()).intersected(widget.rect()))

    def _place(self) -> None:
        """Centred at the top, as high as its text needs."""
        width = max(min(WIDEST_PX, self._under.width() - 2 * MARGIN_PX), 1)
        self.resize(width, self._row.heightForWidth(width))
        self.move((self._under.width() - self.width()) // 2, MARGIN_PX)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self._shown is not None:
            self._place()
        return False

    def _add_button(self, place: int, text: str, run: Callable[[], None]) -> None:
        button = QPushButton(text)
        button.setObjectName(f"choice_{text.lower().rstrip('…').replace(' ', '_')}")

        def choose() -> None:
            self._next()
            run()

        button.clicked.connect(choose)
        self._row.insertWidget(2 + place, button)
        self._buttons.append(button)
