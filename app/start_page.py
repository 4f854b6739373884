"""What the window shows while nothing is open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.icons import give_picture, icon
from app.opening import Unsaved
from app.theme import ACCENT, FAINT, RAISED


class StartPage(QWidget):
    """Invites to drop a clip, to open something, or to go on with what a crash left behind."""

    open_asked = Signal()
    folder_asked = Signal()
    sample_asked = Signal()
    recover_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("startPage")
        self._card = QFrame()
        self._card.setObjectName("dropCard")
        self._card.setStyleSheet(f"#dropCard {{ border: 2px dashed {RAISED}; border-radius: 12px; }}")
        self._card.setFixedWidth(560)
        self._column = QVBoxLayout(self._card)
        self._column.setContentsMargins(40, 36, 40, 36)
        self._column.setSpacing(14)
        picture = QLabel(alignment=Qt.AlignmentFlag.AlignCenter)
        give_picture(picture, "mdi6.movie-open-plus-outline", ACCENT, 64)
        title = QLabel("Drop a clip here", alignment=Qt.AlignmentFlag.AlignCenter)
        title.setStyleSheet("font-size: 20px; font-weight: 600;")
        text = QLabel(
            "A video, a folder of numbered pictures, or a Matteo project.\nClick a person, track, matte: each person"
            " becomes a layer.",
            alignment=Qt.AlignmentFlag.AlignCenter,
        )
        text.setStyleSheet(f"color: {FAINT};")
        for widget in (picture, title, text):
            self._column.addWidget(widget)
        self._column.addLayout(self._buttons())
        self._column.addWidget(self._sample(), alignment=Qt.AlignmentFlag.AlignCenter)
        self._recover = QVBoxLayout()
        self._column.addLayout(self._recover)
        around = QVBoxLayout(self)
        around.addStretch()
        around.addWidget(self._card, alignment=Qt.AlignmentFlag.AlignCenter)
        around.addStretch()

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addStretch()
        for name, text, tip, signal in (
            ("openClip", "Open clip…", "Open a video  (Ctrl+O)", self.open_asked),
            ("openFolder", "Open folder…", "Open a project or a folder of pictures  (Ctrl+Shift+O)", self.folder_asked),
        ):
            button = QPushButton(text, default=name == "openClip")
            button.setObjectName(name)
            button.setToolTip(tip)
            button.clicked.connect(signal)
            row.addWidget(button)
        row.addStretch()
        return row

    def _sample(self) -> QPushButton:
        button = QPushButton("or open the sample", flat=True)
        button.setObjectName("openSample")
        button.setToolTip("Open the built-in clip with three people")
        button.setStyleSheet(f"QPushButton {{ background: transparent; border: none; color: {ACCENT}; }}")
        button.setCursor(Qt.CursorShape.PointingHandCursor)
        button.clicked.connect(self.sample_asked)
        return button

    def show_unsaved(self, projects: Sequence[Unsaved]) -> None:
        """Offer the projects that nobody saved before Matteo was closed by force."""
        while (item := self._recover.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        if projects:
            self._recover.addWidget(QLabel("Not saved last time:"))
        for number, project in enumerate(projects[:5]):
            button = QPushButton(icon("mdi6.backup-restore"), f"Recover  {project.title}   {project.when}")
            button.setObjectName(f"recover{number}")
            button.setToolTip(f"Go on with {project.folder}")
            button.clicked.connect(lambda _checked=False, folder=project.folder: self._on_recover(folder))
            self._recover.addWidget(button)

    def _on_recover(self, folder: Path) -> None:
        self.recover_asked.emit(folder)
