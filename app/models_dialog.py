"""The catalogue of models: what each is for, its terms, and how it comes here."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.file_dialogs import ask_for_weights
from app.job_strip import duration
from app.licence import MARK_COLORS, LicenceBox
from app.models import Models
from app.naming import named
from app.theme import ACCENT, BAD, FAINT, GOOD, GROUND, LINE, RAISED, WARNING
from matting.weights import Model, folder, models
from matting.weights.sizes import in_bytes

_TASKS = {
    "select": "To select people",
    "find": "To find people",
    "track": "To track people",
    "matte": "To make mattes",
}
_UNTRIED = (
    "Matteo comes with none of these and does without them. When this version was made the addresses could not be "
    "tried; if one fails, get the file in a browser and import it."
)
_STEPS = 1000
_MODEL = Qt.ItemDataRole.UserRole


class ModelsDialog(QDialog):
    """A list of all models, and all about the one that is chosen in it."""

    def __init__(self, known: Models, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelsDialog")
        self.setWindowTitle("Models")
        self.resize(880, 600)
        self._models = known
        self._rows: dict[str, _Row] = {}
        self._list = named(QListWidget(), "modelsList", "", "Models")
        self._list.setFixedWidth(300)
        self._list.setStyleSheet(
            f"QListWidget {{ background: {GROUND}; border: 1px solid {LINE}; border-radius: 4px; outline: none; }}"
            "QListWidget::item { padding-left: 9px; }"
            f"QListWidget::item:selected {{ background: {RAISED}; border-left: 3px solid {ACCENT}; }}"
        )
        self._fill_list()
        self._make_details()
        self._lay_out()
        self._list.currentItemChanged.connect(self._show)
        self._models.changed.connect(self._show)
        self._list.setCurrentRow(1)
        self._models.look_up()

    def _fill_list(self) -> None:
        for task, group in groupby(models(), lambda known: known.task):
            header = QListWidgetItem(_TASKS[task])
            header.setFlags(Qt.ItemFlag.NoItemFlags)
            header.setSizeHint(QSize(0, 28))
            self._list.addItem(header)
            for known in group:
                item, row = QListWidgetItem(), _Row(known)
                item.setData(_MODEL, known)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{known.title}, {known.commercial_mark}")
                item.setSizeHint(QSize(0, row.sizeHint().height()))
                self._list.addItem(item)
                self._list.setItemWidget(item, row)
                self._rows[known.id] = row

    def _make_details(self) -> None:
        self._title = named(QLabel(), "modelTitle")
        self._title.setStyleSheet("font-size: 18px; font-weight: 600;")
        self._purpose = named(QLabel(wordWrap=True), "modelPurpose")
        self._licence = LicenceBox()
        self._state = named(QLabel(wordWrap=True), "modelState")
        self._size, self._origin, self._file = (QLabel(wordWrap=True) for _ in range(3))
        self._home = QLabel(openExternalLinks=True)
        for label in (self._state, self._origin, self._file):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._bar = named(QProgressBar(maximum=_STEPS), "modelProgress", "", "Progress")
        self._bar.setFixedHeight(16)
        self._progress = named(QLabel(wordWrap=True), "modelProgressText")
        self._get = named(QPushButton(autoDefault=False), "modelGet")
        self._get.clicked.connect(lambda: self._models.get(self._chosen))
        tip = "Bring in the file if you have it, from a browser or from another computer"
        self._import = named(QPushButton("Import a file…", autoDefault=False), "modelImport", tip)
        self._import.clicked.connect(self._ask_file)
        tip = "What has come stays; getting it again goes on from there"
        self._cancel = named(QPushButton("Cancel", autoDefault=False), "modelCancel", tip)
        self._cancel.clicked.connect(lambda: self._models.cancel(self._chosen.id))

    def _lay_out(self) -> None:
        form = QFormLayout()
        form.setHorizontalSpacing(14)
        form.setVerticalSpacing(6)
        for text, label in (
            ("Installed", self._state),
            ("Size", self._size),
            ("Made by", self._origin),
            ("Project", self._home),
            ("File", self._file),
        ):
            name = QLabel(text, alignment=Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
            name.setStyleSheet(f"color: {FAINT};")
            form.addRow(name, label)
        buttons = QHBoxLayout()
        for button in (self._get, self._import, self._cancel):
            buttons.addWidget(button)
        buttons.addStretch()
        details = QVBoxLayout()
        details.setSpacing(12)
        for part in (self._title, self._purpose, self._licence):
            details.addWidget(part)
        details.addLayout(form)
        details.addWidget(self._bar)
        details.addWidget(self._progress)
        details.addLayout(buttons)
        details.addStretch()
        both = QHBoxLayout()
        both.setSpacing(20)
        both.addWidget(self._list)
        both.addLayout(details, 1)
        note = named(QLabel(_UNTRIED, wordWrap=True), "modelsNote")
        note.setStyleSheet(f"color: {FAINT};")
        bottom = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        close = named(bottom.button(QDialogButtonBox.StandardButton.Close), "modelsClose", "What is on its way goes on")
        close.setAutoDefault(False)  # nothing here should happen by Enter alone
        tip = f"The models lie in {folder()}"
        where = bottom.addButton("Show the folder", QDialogButtonBox.ButtonRole.ActionRole)
        named(where, "modelsFolder", tip).setAutoDefault(False)
        where.clicked.connect(_show_folder)
        bottom.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 14)
        column.setSpacing(12)
        column.addLayout(both, 1)
        column.addWidget(note)
        column.addWidget(bottom)

    @property
    def _chosen(self) -> Model:
        chosen: Model = self._list.currentItem().data(_MODEL)
        return chosen

    def _show(self) -> None:
        for model_id, row in self._rows.items():
            row.show_state(self._models, model_id)
        known = self._chosen
        self._title.setText(known.title)
        self._purpose.setText(known.purpose)
        self._licence.show_model(known)
        self._size.setText("not known" if known.size is None else f"about {in_bytes(known.size)}")
        self._origin.setText(f"{known.origin}. {known.paper}.")
        shown = f'<a style="color: {ACCENT};" href="{known.home}">{known.home.removeprefix("https://")}</a>'
        self._home.setText(shown if known.home else "Matteo")
        self._file.setText(known.by_hand or known.file_name)
        self._show_state(known)
        self._show_coming(known)

    def _show_state(self, known: Model) -> None:
        state = self._models.state(known.id)
        text, color = "no", FAINT
        if state is not None and state.path is not None:
            text, color = f"yes, {in_bytes(state.size)}{', comes with Matteo' if state.shipped else ''}", GOOD
            self._file.setText(str(state.path))
        elif state is not None and state.damaged:
            text, color = "damaged; bring it in again", BAD
        elif state is not None and state.size:
            text, color = f"not yet: {in_bytes(state.size)} of it have come, getting it goes on from there", WARNING
        self._state.setText(text)
        self._state.setStyleSheet(f"color: {color};")
        begun = state is not None and state.path is None and state.size > 0
        here = state is not None and state.path is not None
        self._get.setText("Go on getting it" if begun else "Get")
        self._get.setVisible(not here and state is not None and not state.by_hand)
        tip = f"Download it from {' or '.join(known.urls)}" if known.urls else "Download it"
        self._get.setToolTip(tip)
        self._import.setVisible(not here or (state is not None and state.shipped))

    def _show_coming(self, known: Model) -> None:
        coming, error = self._models.coming(known.id), self._models.error(known.id)
        for widget in (self._bar, self._cancel):
            widget.setVisible(coming is not None)
        if coming is not None:
            left = "" if coming.seconds_left is None else f", {duration(coming.seconds_left)} left"
            self._bar.setValue(round(coming.share * _STEPS))
            self._progress.setText(coming.message + left)
            self._cancel.setEnabled(not coming.stopping)
            self._get.hide()
            self._import.hide()
        else:
            self._progress.setText(error)
        self._progress.setStyleSheet("" if coming is not None else f"color: {BAD};")
        self._progress.setVisible(bool(self._progress.text()))

    def _ask_file(self) -> None:
        known = self._chosen
        ask_for_weights(self, Path.home(), lambda file: self._models.bring(known, file))


class _Row(QWidget):
    """One line of the list: the title, whether work that is sold may be made with it, and how far it is."""

    def __init__(self, known: Model) -> None:
        super().__init__()
        title, mark = QLabel(known.title), QLabel(known.commercial_mark)
        mark.setStyleSheet(f"color: {MARK_COLORS[known.commercial]}; font-size: 11px;")
        self._state = QLabel()
        self._state.setObjectName(f"state_{known.id}")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(title)
        texts.addWidget(mark)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 5, 10, 5)
        row.addLayout(texts, 1)
        row.addWidget(self._state)

    def show_state(self, known: Models, model_id: str) -> None:
        coming, state = known.coming(model_id), known.state(model_id)
        text, color = "", FAINT
        if coming is not None:
            text, color = f"{coming.share:.0%}", ACCENT
        elif state is not None and state.path is not None:
            text, color = "installed", GOOD
        elif known.error(model_id) or (state is not None and state.damaged):
            text, color = "failed" if known.error(model_id) else "damaged", BAD
        elif state is not None and state.size:
            text, color = "begun", WARNING
        self._state.setText(text)
        self._state.setStyleSheet(f"color: {color}; font-size: 11px;")


def _show_folder() -> None:
    folder().mkdir(parents=True, exist_ok=True)
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder())))
