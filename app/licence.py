"""Under which terms a model stands, so that nobody has to look for it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from app.theme import BAD, GOOD, PANEL, RAISED, TEXT, WARNING
from matting.weights import Model

MARK_COLORS = {"yes": GOOD, "no": BAD, "unstated": WARNING}


class LicenceBox(QFrame):
    """The licence, the mark for commercial use and the terms of one model."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("licenceBox")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self._licence, self._mark, self._terms = QLabel(), QLabel(), QLabel(wordWrap=True)
        self._licence.setObjectName("licenceName")
        self._mark.setObjectName("commercialMark")
        self._terms.setObjectName("licenceTerms")
        for badge in (self._licence, self._mark):
            badge.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._terms.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self._licence)
        row.addWidget(self._mark)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        column.addLayout(row)
        column.addWidget(self._terms, 1)

    def show_model(self, known: Model) -> None:
        """Show the terms of this one."""
        color = MARK_COLORS[known.commercial]
        self.setStyleSheet(
            f"#licenceBox {{ background: {PANEL}; border-radius: 4px; border-left: 3px solid {color}; }}"
        )
        self._licence.setText(known.licence)
        self._licence.setStyleSheet(_badge(RAISED, TEXT))
        self._mark.setText(known.commercial_mark.capitalize())
        self._mark.setStyleSheet(_badge(color, "#141414"))
        self._terms.setText(known.terms)
        self.setAccessibleName(f"{known.licence}; {known.commercial_mark}. {known.terms}")


def _badge(ground: str, text: str) -> str:
    return f"background: {ground}; color: {text}; border-radius: 9px; padding: 2px 9px; font-weight: 600;"
