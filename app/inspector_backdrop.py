"""The inspector's backdrop group: what stands behind the people."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QWidget

from app.inspector_fields import LABEL_PX, ColorField, Group, SliderField, hint_label
from app.naming import named
from app.session import Session
from matting.compositing.backdrops import Backdrop, Blurred, Color, Image, Original, Plate, Transparent, Video

DEFAULT_COLOR = "#2E7D4F"
SLIDER_RADIUS_PX = 100.0
_KINDS = (
    ("original", "Original"),
    ("plate", "Plate"),
    ("color", "Colour"),
    ("image", "Image"),
    ("video", "Video"),
    ("blur", "Blur"),
    ("transparent", "Transparent"),
)
_READY: dict[str, Backdrop] = {
    "original": Original(),
    "plate": Plate(),
    "color": Color(color=DEFAULT_COLOR),
    "blur": Blurred(),
    "transparent": Transparent(),
}
"""The backdrops that need nothing from the artist; an image or a video must be chosen first."""
_FILES: dict[str, tuple[str, str, type[Image] | type[Video]]] = {
    "image": ("Choose a picture for the backdrop", "Pictures (*.png *.jpg *.jpeg *.tif *.tiff *.webp *.bmp)", Image),
    "video": ("Choose a video for the backdrop", "Videos (*.mp4 *.mov *.mkv *.webm *.avi *.m4v *.mxf)", Video),
}
_ADVICE = {
    "original": "The footage itself.",
    "plate": "The footage with everybody taken out; people you keep stand before it.",
    "transparent": "Nothing: export carries alpha (ProRes 4444, PNG).",
}


class BackdropGroup(Group):
    """A list of kinds and the fields of the chosen one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Backdrop", "inspectorBackdrop", parent)
        self._session = session
        self._last: dict[str, Backdrop] = {}
        self._shown: Backdrop | None = None
        self._lay_out()
        session.opened.connect(self._on_opened)

    def refresh(self) -> None:
        """Follow the document; a choice that still waits for its file is left alone."""
        self.setEnabled(self._session.is_open)
        backdrop = self._session.document.backdrop if self._session.is_open else Original()
        if backdrop != self._shown:
            self._shown = backdrop
            self._last[backdrop.kind] = backdrop
            self._show(backdrop.kind)

    def _on_opened(self) -> None:
        self._last, self._shown = {}, None

    def _show(self, kind: str) -> None:
        self._combo.setCurrentIndex(self._combo.findData(kind))
        backdrop = self._last.get(kind)
        self._color.setVisible(kind == "color")
        self._radius.setVisible(kind == "blur")
        self._file.setVisible(kind in _FILES)
        if isinstance(backdrop, Color):
            self._color.show_value(backdrop.color)
        elif isinstance(backdrop, Blurred):
            self._radius.show_value(backdrop.radius)
        self._path.setText(backdrop.path if isinstance(backdrop, Image | Video) else "")
        waiting = f"{_FILES[kind][0]}." if kind in _FILES and backdrop is None else ""
        self._say(waiting or _ADVICE.get(kind, ""))

    def _say(self, words: str) -> None:
        self._advice.setText(words)
        self._advice.setVisible(bool(words))

    # -- edits -------------------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """What is chosen in the list, also while its file is still to be chosen."""
        return str(self._combo.currentData())

    def _on_kind(self) -> None:
        kind = self.kind
        backdrop = self._last.get(kind) or _READY.get(kind)
        if backdrop is not None:
            self._set(backdrop, f"Backdrop: {self._combo.currentText()}")
        self._show(kind)

    def _on_file(self, path: str) -> None:
        if not Path(path).is_file():
            self._say(f"{path} is not there; choose another file.")
            return
        assert self._session.project is not None
        make = _FILES[self.kind][2]
        self._set(make(path=self._session.project.relative(Path(path))), f"Backdrop: {Path(path).name}")

    def _on_typed(self) -> None:
        text = self._path.text().strip()
        if self._path.isModified() and text and self.kind in _FILES:
            assert self._session.project is not None
            self._on_file(str(self._session.project.resolve(text)))

    def _change(self, field: str, value: object, gesture: str) -> None:
        backdrop = self._session.document.backdrop
        if backdrop.kind == self.kind:
            self._set(backdrop.model_copy(update={field: value}), f"Backdrop {field}", gesture)

    def _set(self, backdrop: Backdrop, text: str, gesture: str | None = None) -> None:
        after = self._session.document.model_copy(update={"backdrop": backdrop})
        self._session.edit(text, after, gesture)

    def _browse(self) -> None:
        title, kinds, _ = _FILES[self.kind]
        dialog = QFileDialog(self, title, "", f"{kinds};;All files (*)")
        dialog.setObjectName("backdropDialog")
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._on_file)
        dialog.open()

    # -- layout ------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._combo = named(QComboBox(self), "backdrop", "What stands behind the people", "Backdrop")
        self._combo.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for kind, text in _KINDS:
            self._combo.addItem(text, kind)
        self._combo.activated.connect(self._on_kind)
        self._color = ColorField("Colour", "backdropColor", DEFAULT_COLOR, self)
        self._color.edited.connect(lambda color, gesture: self._change("color", color, gesture))
        self._radius = SliderField(
            "Radius", "backdropRadius", minimum=1, maximum=SLIDER_RADIUS_PX, default=Blurred().radius, unit="px",
            parent=self,
        )  # fmt: skip
        self._radius.edited.connect(lambda radius, gesture: self._change("radius", radius, gesture))
        self._file = self._file_row()
        self._advice = hint_label("backdropAdvice", self)
        self.rows.addWidget(self._combo)
        for widget in (self._color, self._radius, self._file, self._advice):
            self.rows.addWidget(widget)

    def _file_row(self) -> QWidget:
        box = QWidget(self)
        label = QLabel("File", box)
        label.setFixedWidth(LABEL_PX)
        hint = "The file, as seen from the project's folder"
        self._path = named(QLineEdit(box), "backdropPath", hint, "Backdrop file")
        self._path.setPlaceholderText("none chosen")
        self._path.editingFinished.connect(self._on_typed)
        browse = named(QPushButton("Browse…", box), "backdropBrowse", "Choose the file")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout(box)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(label)
        row.addWidget(self._path, 1)
        row.addWidget(browse)
        return box
