"""How masks become mattes: in closed form, by an installed model, or by a network whose weights the artist has."""

from __future__ import annotations

from collections.abc import Callable
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

from app.file_dialogs import ask_for_weights
from app.licence import LicenceBox
from app.models import Models
from app.models_dialog import ModelsDialog
from app.naming import named
from app.session import Session
from app.stages import MattingChoice
from app.theme import FAINT, WARNING
from matting.inference.loading import SHORT_SIDES

DEFAULT_SHORT_SIDE = 576
_SHORT_SIDES = (288, 432, DEFAULT_SHORT_SIDE, 720, 1080)
_DEVICES = (("Automatic: CUDA where there is one", "auto"), ("CPU", "cpu"), ("CUDA", "cuda"))
_NOTE = (
    "Which network it is, Matteo sees from the file; under which terms you may use it is yours to know. MaGGIe's "
    "public weights are for non-commercial use, MSG-VIM's state no licence."
)
_CLOSED_FORM, _FILE = "closed form", "file"
"""What the first and the last method are; between them stand the paths of the installed models."""


class MattingDialog(QDialog):
    """Shows what the document and ``device`` say; ``choose`` gets the choice when it is confirmed."""

    def __init__(
        self,
        session: Session,
        models: Models,
        device: str,
        choose: Callable[[MattingChoice], None],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("mattingDialog")
        self.setWindowTitle("Matting")
        self.setMinimumWidth(560)
        self._session, self._models, self._choose = session, models, choose
        self._make_fields()
        self._lay_out()
        self._show(device)
        self._method.currentIndexChanged.connect(self._check)
        self._method.activated.connect(self._on_chosen)
        self._path.textChanged.connect(self._check)
        models.changed.connect(self._offer_methods)
        self._check()

    def _make_fields(self) -> None:
        self._method = named(QComboBox(), "mattingMethod", "How masks become mattes", "Mattes by")
        self._offer_methods()
        self._more = named(QPushButton("Models…", autoDefault=False), "mattingModels", "Get or bring in models")
        self._more.clicked.connect(self._show_models)
        self._licence = LicenceBox()
        self._path = named(QLineEdit(), "mattingWeights", "A public checkpoint of MaGGIe or MSG-VIM", "Weights")
        self._path.setPlaceholderText("none chosen")
        self._browse = named(QPushButton("Browse…", autoDefault=False), "mattingBrowse", "Choose the file")
        self._browse.clicked.connect(self._ask_file)
        self._missing = named(QLabel(), "mattingMissing")
        self._missing.setStyleSheet(f"color: {WARNING};")
        hint = "Larger shows finer hair, smaller is faster; mattes are delivered at the source's size"
        self._size = named(QComboBox(), "mattingSize", hint, "Working size")
        hint = "The working size goes to where the people are: finer or faster, but blind to the rest of the picture"
        self._crop = named(QCheckBox("Only around the people"), "mattingCrop", hint)
        self._device = named(QComboBox(), "mattingDevice", "Where the network runs, on this computer", "Device")
        for text, device in _DEVICES:
            self._device.addItem(text, device)

    def _lay_out(self) -> None:
        self._weights = file = QHBoxLayout()
        file.addWidget(self._path, 1)
        file.addWidget(self._browse)
        self._note = named(QLabel(_NOTE, wordWrap=True), "mattingNote")
        self._note.setStyleSheet(f"color: {FAINT};")
        method = QHBoxLayout()
        method.setSpacing(8)
        file.setSpacing(8)
        method.addWidget(self._method, 1)
        method.addWidget(self._more)
        self._form = form = QFormLayout(labelAlignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(10)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Mattes by", method)
        form.addRow("", self._licence)
        form.addRow("Weights", file)
        form.addRow("", self._missing)
        form.addRow("", self._note)
        form.addRow("Working size", self._size)
        form.addRow("", self._crop)
        form.addRow("Device", self._device)
        kind = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kind.Ok | kind.Cancel)
        self._ok = named(buttons.button(kind.Ok), "mattingOk", "Make mattes this way from now on")
        named(buttons.button(kind.Cancel), "mattingCancel", "Change nothing")
        buttons.accepted.connect(self._confirm)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.addLayout(form)
        column.addSpacing(8)
        column.addWidget(buttons)

    def _show(self, device: str) -> None:
        project, weights = self._session.project, self._session.document.methods.weights
        assert project is not None
        short_side = DEFAULT_SHORT_SIDE
        if weights is not None:
            file = str(project.resolve(weights.path))
            self._method.setCurrentIndex(self._method.findData(file if file in self._installed else _FILE))
            self._path.setText("" if file in self._installed else file)
            short_side = weights.short_side or 0
            self._crop.setChecked(weights.crop)
        for side in sorted({*_SHORT_SIDES, short_side} - {0}):
            self._size.addItem("", side)
        self._size.addItem("The source's own size", 0)
        self._size.setCurrentIndex(self._size.findData(short_side))
        self._name_sizes()
        self._device.setCurrentIndex(self._device.findData(device))

    @property
    def _usual_size(self) -> int:
        """The short side that suits the chosen network."""
        known = self._installed.get(self._method.currentData())
        return (SHORT_SIDES[known.id] if known is not None else None) or DEFAULT_SHORT_SIDE

    def _name_sizes(self) -> None:
        for place in range(self._size.count()):
            if side := self._size.itemData(place):
                usual = " (default)" if side == self._usual_size else ""
                self._size.setItemText(place, f"{side} px short side{usual}")

    def _on_chosen(self) -> None:
        """The artist took another method: the size that suits it goes with it."""
        self._size.setCurrentIndex(self._size.findData(self._usual_size))
        self._name_sizes()

    def _offer_methods(self) -> None:
        """Offer what is installed now; what is chosen stays chosen."""
        self._installed = {str(path): known for known, path in self._models.matters}
        chosen = self._method.currentData()
        methods = {_CLOSED_FORM: "Closed form (no weights needed)"}
        methods |= {path: f"{known.title}   ({known.commercial_mark})" for path, known in self._installed.items()}
        methods[_FILE] = "A network, from a file of weights"
        if list(methods) == [self._method.itemData(place) for place in range(self._method.count())]:
            return
        self._method.clear()
        for data, text in methods.items():
            self._method.addItem(text, data)
        self._method.setCurrentIndex(max(self._method.findData(chosen), 0))

    @property
    def _by_network(self) -> bool:
        return bool(self._method.currentData() != _CLOSED_FORM)

    @property
    def _file(self) -> Path | None:
        """The installed file, or the one written in the field, which may say it as seen from the project's folder."""
        chosen = self._method.currentData()
        if chosen in self._installed:
            return Path(chosen)
        text = self._path.text().strip()
        assert self._session.project is not None
        return self._session.project.resolve(str(Path(text).expanduser())) if text else None

    def _check(self) -> None:
        """Offer what matters for the method, and say what is missing; the engine says the rest."""
        for widget in (self._path, self._browse, self._size, self._crop, self._device):
            widget.setEnabled(self._by_network)
        known = self._installed.get(self._method.currentData())
        if known is not None:
            self._licence.show_model(known)
        file = self._file
        there = file is not None and file.is_file()
        by_file = self._method.currentData() == _FILE
        self._missing.setText(f"{file.name} is not there." if file is not None else "")
        self._form.setRowVisible(self._licence, known is not None)
        self._form.setRowVisible(self._weights, known is None)
        self._form.setRowVisible(self._note, by_file)
        self._form.setRowVisible(self._missing, by_file and file is not None and not there)
        self._ok.setEnabled(there or not self._by_network)
        self.adjustSize()

    def _show_models(self) -> None:
        dialog = ModelsDialog(self._models, self)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _ask_file(self) -> None:
        ask_for_weights(self, self._file or Path.home(), lambda path: self._path.setText(str(path)))

    def _confirm(self) -> None:
        self.accept()
        device = str(self._device.currentData())
        if self._by_network:
            short_side = self._size.currentData() or None
            self._choose(MattingChoice(self._file, short_side, device, self._crop.isChecked()))
        else:
            self._choose(MattingChoice(device=device))
