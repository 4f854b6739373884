"""What the inspector's groups are made of: a group that folds, labels that reset, sliders and colours that merge."""

from __future__ import annotations

import itertools

from PySide6.QtCore import QRegularExpression, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QMouseEvent, QRegularExpressionValidator, QWheelEvent
from PySide6.QtWidgets import (
    QColorDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.icons import give_icon
from app.naming import named
from app.theme import FAINT, LINE

LABEL_PX = 68
_gestures = itertools.count()


class Group(QWidget):
    """A titled part of the inspector that folds away."""

    def __init__(self, title: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._header = named(QToolButton(self), f"{name}Header", f"Fold or unfold {title}")
        self._header.setText(title)
        self._header.setCheckable(True)
        self._header.setChecked(True)
        self._header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._header.setStyleSheet(
            "QToolButton { border: 1px solid transparent; background: transparent; font-weight: bold; padding: 2px; }"
        )
        self._header.toggled.connect(self._fold)
        self._body = QWidget(self)
        self.rows = QVBoxLayout(self._body)
        """Where the group's content goes."""
        self.rows.setContentsMargins(6, 2, 2, 10)
        self.rows.setSpacing(6)
        line = QWidget(self)
        line.setFixedHeight(1)
        line.setStyleSheet(f"background: {LINE};")
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 0)
        column.setSpacing(2)
        column.addWidget(self._header)
        column.addWidget(self._body)
        column.addWidget(line)
        self._fold(True)

    def _fold(self, unfolded: bool) -> None:
        give_icon(self._header, "mdi6.chevron-down" if unfolded else "mdi6.chevron-right", FAINT, checked=FAINT)
        self._body.setVisible(unfolded)


class ResetLabel(QLabel):
    """The name of a property; a double-click gives it its default."""

    reset = Signal()

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setFixedWidth(LABEL_PX)
        self.setToolTip(f"{text}: double-click for the default")

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset.emit()


class _Slider(QSlider):
    """A slider that the wheel moves only when it has the focus, so that scrolling past changes nothing."""

    focused = Signal()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.focused.emit()


class SliderField(QWidget):
    """Label, slider and value of a number."""

    edited = Signal(float, str)
    """The value and its gesture: the same for a whole drag, or for the keys of one visit."""

    def __init__(
        self, label: str, name: str, *, minimum: float, maximum: float, default: float, unit: str,
        scale: float = 1.0, parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """A field for values from ``minimum`` to ``maximum``.

        Args:
            label: its name.
            name: object name of the slider; the gesture is called after it.
            minimum, maximum, default: in the property's own unit.
            unit: shown after the value.
            scale: steps of the slider per unit of the property; what is shown is in steps.
            parent: as always.
        """
        super().__init__(parent)
        self._name, self._scale, self._unit = name, scale, unit
        self._gesture = ""
        self._slider = named(_Slider(Qt.Orientation.Horizontal, self), name, accessible=label)
        self._slider.setRange(round(minimum * scale), round(maximum * scale))
        self._slider.setPageStep(max(round((maximum - minimum) * scale / 10), 1))
        self._slider.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._slider.sliderPressed.connect(self._begin_gesture)
        self._slider.sliderReleased.connect(self._begin_gesture)
        self._slider.focused.connect(self._begin_gesture)
        self._slider.valueChanged.connect(self._on_moved)
        self._value = QLabel(self, alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value.setFixedWidth(self._value.fontMetrics().horizontalAdvance(f"000.0 {unit}"))
        self.label = ResetLabel(label, self)
        self.label.setBuddy(self._slider)
        self.label.reset.connect(lambda: self._reset(default))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.label)
        row.addWidget(self._slider, 1)
        row.addWidget(self._value)
        self._begin_gesture()

    def show_value(self, value: float) -> None:
        """Follow the document."""
        with QSignalBlocker(self._slider):
            self._slider.setValue(round(value * self._scale))
        self._value.setText(f"{value * self._scale:.4g} {self._unit}")

    def _begin_gesture(self) -> None:
        self._gesture = f"{self._name}-{next(_gestures)}"

    def _reset(self, default: float) -> None:
        self._begin_gesture()
        self.edited.emit(default, self._gesture)

    def _on_moved(self, step: int) -> None:
        self.edited.emit(step / self._scale, self._gesture)


class ColorField(QWidget):
    """Label, swatch and hexadecimal digits of a colour."""

    edited = Signal(str, str)
    """The colour as #RRGGBB and its gesture: the same while the colour dialog is open."""

    def __init__(self, label: str, name: str, default: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._color = name, default
        self._swatch = named(QToolButton(self), f"{name}Swatch", "Choose a colour", f"Choose {label.lower()}")
        self._swatch.setFixedSize(QSize(40, 26))
        self._swatch.clicked.connect(self._choose)
        self._hex = named(
            QLineEdit(self), f"{name}Hex", "Red, green and blue as #RRGGBB", f"{label} as hexadecimal digits"
        )
        self._hex.setMaxLength(7)
        self._hex.setValidator(QRegularExpressionValidator(QRegularExpression("#?[0-9A-Fa-f]{0,6}"), self._hex))
        self._hex.editingFinished.connect(self._on_typed)
        self.label = ResetLabel(label, self)
        self.label.reset.connect(lambda: self.edited.emit(default, self._next_gesture()))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.label)
        row.addWidget(self._swatch)
        row.addWidget(self._hex, 1)

    def show_value(self, color: str) -> None:
        """Follow the document."""
        self._color = color
        self._hex.setText(color.upper())
        self._swatch.setStyleSheet(
            f"QToolButton {{ background: {color}; border: 1px solid {LINE}; }}"
            " QToolButton:hover, QToolButton:focus { border-color: white; }"
        )

    def _next_gesture(self) -> str:
        return f"{self._name}-{next(_gestures)}"

    def _on_typed(self) -> None:
        digits = self._hex.text().removeprefix("#")
        if len(digits) == 3:  # as in style sheets
            digits = "".join(digit * 2 for digit in digits)
        color = f"#{digits.upper()}"
        if len(digits) == 6 and color != self._color.upper():
            self.edited.emit(color, self._next_gesture())
        else:
            self._hex.setText(self._color.upper())

    def _choose(self) -> None:
        """Open the colour dialog; the picture follows while it is open, Cancel goes back."""
        before, gesture = self._color, self._next_gesture()
        dialog = QColorDialog(QColor(before), self)
        dialog.setObjectName(f"{self._name}Dialog")
        dialog.setOption(QColorDialog.ColorDialogOption.DontUseNativeDialog)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.currentColorChanged.connect(lambda color: self.edited.emit(color.name().upper(), gesture))
        dialog.rejected.connect(lambda: self.edited.emit(before, gesture))
        dialog.open()


def hint_label(name: str, parent: QWidget | None = None) -> QLabel:
    """A line of advice in the second rank."""
    label = named(QLabel(parent), name)
    label.setWordWrap(True)
    label.setStyleSheet(f"color: {FAINT};")
    return label
