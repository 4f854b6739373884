"""All shortcuts at a glance, over the window; any key or click closes it."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from app.actions import SPECS, Spec, shown_keys
from app.theme import ACCENT, FAINT, TEXT

ROW_PX = 21
COLUMN_PX, KEYS_PX = 420, 170
PADDING_PX = 28
ALSO = (
    ("Wheel", "Zoom at the cursor"),
    ("Middle or Space + drag", "Push the picture"),
    ("Q (hold)", "See the source"),
    ("Click", "Select, or add to a selection"),
    ("Alt or right + click", "Take away from a selection"),
    ("Drag", "Draw a box, or paint"),
    ("Shift + click", "Paint a straight line"),
    ("Ctrl + drag", "Size of the brush"),
    ("Alt + drag", "Paint the opposite"),
)


class ShortcutOverlay(QWidget):
    """Covers its parent; made from the declared actions."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._under = parent
        self.setObjectName("shortcutOverlay")
        self.setAccessibleName("Keyboard shortcuts")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._columns = _columns()
        parent.installEventFilter(self)
        self.hide()

    def pop_up(self) -> None:
        """Show it, or hide it if it is shown."""
        self.setGeometry(self._under.rect())
        self.raise_()
        self.show()
        self.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self.setGeometry(self._under.rect())
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._close()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._close()

    def _close(self) -> None:
        self.hide()
        viewer = self._under.findChild(QWidget, "viewer")
        if viewer is not None:
            viewer.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(12, 12, 12, 225))
        height = max(_height(column) for column in self._columns)
        width = COLUMN_PX * len(self._columns)
        scale = min(1.0, (self.width() - 2 * PADDING_PX) / width, (self.height() - 2 * PADDING_PX) / height)
        painter.translate((self.width() - width * scale) / 2, max((self.height() - height * scale) / 2, PADDING_PX))
        painter.scale(scale, scale)
        for column in self._columns:
            self._paint_column(painter, column)
            painter.translate(COLUMN_PX, 0)

    def _paint_column(self, painter: QPainter, column: list[tuple[str, list[tuple[str, str]]]]) -> None:
        bold = QFont(self.font())
        bold.setBold(True)
        y = 0.0
        for title, rows in column:
            painter.setFont(bold)
            painter.setPen(QColor(ACCENT))
            painter.drawText(QRectF(0, y, COLUMN_PX, ROW_PX), Qt.AlignmentFlag.AlignVCenter, title)
            painter.setFont(self.font())
            y += ROW_PX
            for keys, text in rows:
                painter.setPen(QColor(TEXT))
                painter.drawText(QRectF(0, y, KEYS_PX, ROW_PX), Qt.AlignmentFlag.AlignVCenter, keys)
                painter.setPen(QColor(FAINT).lighter(125))
                painter.drawText(
                    QRectF(KEYS_PX + 10, y, COLUMN_PX - KEYS_PX - 30, ROW_PX), Qt.AlignmentFlag.AlignVCenter, text
                )
                y += ROW_PX
            y += ROW_PX * 0.8


def _height(column: list[tuple[str, list[tuple[str, str]]]]) -> float:
    return sum((len(rows) + 1.8) * ROW_PX for _, rows in column)


def _columns() -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """Menus with their shortcuts, dealt into three columns of about the same height."""
    menus = [(menu.replace("&", ""), _rows(list(specs))) for menu, specs in groupby(SPECS, lambda spec: spec.menu)]
    merged: dict[str, list[tuple[str, str]]] = {}
    for menu, rows in menus:
        merged.setdefault(menu or "Person", []).extend(rows)
    merged["Mouse and more"] = list(ALSO)
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[], [], []]
    for entry in merged.items():
        if entry[1]:
            min(columns, key=_height).append(entry)
    return columns


def _rows(specs: list[Spec]) -> list[tuple[str, str]]:
    if specs[0].id == "person1":
        return [("1 … 9", "Make a person active")]
    return [("   ".join(shown_keys(keys) for keys in _told(spec)), spec.name) for spec in specs if spec.keys]


def _told(spec: Spec) -> tuple[str, ...]:
    """Of long shortcuts the first is enough."""
    return spec.keys[: 1 if "+" in spec.keys[0] else 2]
