"""What to write, as what, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.file_dialogs import ask_where_to_save
from app.session import Session
from app.stages import ExportOrder, What
from app.theme import FAINT, WARNING
from matting.compositing.backdrops import Transparent


@dataclass(frozen=True)
class _Kind:
    preset: str
    text: str
    suffix: str
    alpha: bool


_KINDS = (
    _Kind("h264", "H.264 video (.mp4)", ".mp4", alpha=False),
    _Kind("prores4444", "ProRes 4444 video (.mov), with alpha", ".mov", alpha=True),
    _Kind("ffv1", "FFV1 video (.mkv), lossless", ".mkv", alpha=True),
    _Kind("png", "PNG pictures (a folder), lossless", "", alpha=True),
)
_WHATS: tuple[tuple[What, str], ...] = (
    ("composite", "Composite: everything as in the viewer"),
    ("matte", "Mattes: the alpha of each person"),
    ("cutout", "Cut-outs: each person on nothing"),
    ("mask", "Masks: index pictures"),
)


class ExportDialog(QDialog):
    """Asks for everything at once; ``start`` gets the order when the button is pressed."""

    def __init__(self, session: Session, start: Callable[[ExportOrder], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("exportDialog")
        self.setWindowTitle("Export")
        self.setMinimumWidth(560)
        self._session, self._start = session, start
        self._what, self._kind = QComboBox(), QComboBox()
        self._path, self._merge, self._overwrite = QLineEdit(), QCheckBox("One for all people"), QCheckBox("Replace it")
        self._warning = QLabel()
        self._name_widgets()
        for what, text in _WHATS:
            self._what.addItem(text, what)
        for kind in _KINDS:
            self._kind.addItem(kind.text, kind)
        self._lay_out()
        self._path.setText(str(self._proposal()))
        if isinstance(session.document.backdrop, Transparent):
            self._kind.setCurrentIndex(1)
        self._what.currentIndexChanged.connect(self._on_what)
        self._kind.currentIndexChanged.connect(self._on_kind)
        self._path.textChanged.connect(self._on_path)
        self._overwrite.toggled.connect(self._check)
        self._on_kind()
        self._path.setFocus()

    def _name_widgets(self) -> None:
        for widget, name, label, tip in (
            (self._what, "exportWhat", "What", "What is written"),
            (self._kind, "exportPreset", "Format", "How it is encoded"),
            (self._path, "exportPath", "Path", "The file, or the folder of a picture sequence"),
            (self._merge, "exportMerge", "One for all people", "One matte or cut-out of everybody instead of one each"),
            (self._overwrite, "exportOverwrite", "Replace what is there", "What is there is replaced when all is done"),
        ):
            widget.setObjectName(name)
            widget.setAccessibleName(label)
            widget.setToolTip(tip)

    def _lay_out(self) -> None:
        browse = QPushButton("Browse…", autoDefault=False)
        browse.setObjectName("exportBrowse")
        browse.clicked.connect(self._browse)
        place = QHBoxLayout()
        place.addWidget(self._path, 1)
        place.addWidget(browse)
        self._warning.setStyleSheet(f"color: {WARNING};")
        self._warning.setWordWrap(True)
        taken = QHBoxLayout()
        taken.addWidget(self._warning, 1)
        taken.addWidget(self._overwrite)
        document = self._session.document
        frames = QLabel(f"{document.in_frame} to {document.out_frame}  ({len(document.frames)} frames)")
        frames.setToolTip("Set in and out on the timeline (I and O)")
        note = QLabel("Masks, mattes and plate that are missing are made first.")
        note.setStyleSheet(f"color: {FAINT};")
        form = QFormLayout(labelAlignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(10)
        form.addRow("What", self._what)
        form.addRow("", self._merge)
        form.addRow("Format", self._kind)
        form.addRow("Path", place)
        form.addRow("", taken)
        form.addRow("Frames", frames)
        form.addRow("", note)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self._go = buttons.addButton("Export", QDialogButtonBox.ButtonRole.AcceptRole)
        self._go.setObjectName("exportStart")
        self._go.setDefault(True)
        buttons.button(QDialogButtonBox.StandardButton.Cancel).setObjectName("exportCancel")
        buttons.accepted.connect(self._order)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.addLayout(form)
        column.addSpacing(8)
        column.addWidget(buttons)

    @property
    def _what_now(self) -> What:
        what: What = self._what.currentData()
        return what

    @property
    def _kind_now(self) -> _Kind:
        kind: _Kind = self._kind.currentData()
        return kind

    @property
    def _target(self) -> Path:
        return Path(self._path.text().strip()).expanduser()

    def _proposal(self) -> Path:
        """Beside the project, or beside the clip while the project has no name."""
        clip, project = self._session.clip, self._session.project
        assert clip is not None
        assert project is not None
        beside = Path.home() if self._session.untitled else project.folder.absolute().parent
        return beside / f"{clip.info.path.stem}_{self._what_now}"

    def _on_what(self) -> None:
        if self._what_now == "mask":
            self._kind.setCurrentIndex(self._kind.findText("PNG", Qt.MatchFlag.MatchStartsWith))
        elif self._what_now == "cutout" and not self._kind_now.alpha:
            self._kind.setCurrentIndex(1)
        self._kind.setEnabled(self._what_now != "mask")
        stem = self._target.name
        for what, _ in _WHATS:
            if f"_{what}" in stem:
                self._path.setText(str(self._target.with_name(stem.replace(f"_{what}", f"_{self._what_now}"))))
                break
        self._check()

    def _on_kind(self) -> None:
        """Give the path the ending that goes with the format."""
        known = {kind.suffix for kind in _KINDS}
        path = self._target
        if path.name and (path.suffix in known or not path.suffix):
            self._path.setText(str(path.with_suffix(self._kind_now.suffix)))
        self._check()

    def _on_path(self) -> None:
        """Choose the format that goes with a typed ending; what was allowed to be replaced was another path."""
        self._overwrite.setChecked(False)
        if self._target.suffix and self._target.suffix != self._kind_now.suffix and self._what_now != "mask":
            fitting = [place for place, kind in enumerate(_KINDS) if kind.suffix == self._target.suffix.lower()]
            if fitting:
                self._kind.setCurrentIndex(fitting[0])
        self._check()

    def _check(self) -> None:
        """Show what stands in the way; the engine says the rest."""
        self._merge.setVisible(self._what_now in ("matte", "cutout"))
        taken = bool(self._path.text().strip()) and self._target.exists()
        self._overwrite.setVisible(taken)
        self._warning.setVisible(taken)
        self._warning.setText(f"{self._target.name} exists already.")
        self._go.setEnabled(bool(self._path.text().strip()) and (not taken or self._overwrite.isChecked()))

    def _browse(self) -> None:
        ask_where_to_save(
            self, "exportFileDialog", "Export to", self._target, self._kind_now.suffix.lstrip("."), self._on_browsed
        )

    def _on_browsed(self, path: Path) -> None:
        self._path.setText(str(path))

    def _order(self) -> None:
        self.accept()
        merge = self._merge.isChecked() and self._what_now in ("matte", "cutout")
        self._start(
            ExportOrder(self._target, self._kind_now.preset, self._what_now, merge, self._overwrite.isChecked())
        )
