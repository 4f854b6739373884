"""Asking for a path: Qt's own dialogs, which look the same everywhere and block nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

VIDEOS = "*.mp4 *.mov *.mkv *.avi *.webm *.m4v *.mxf *.mpg *.mpeg *.ts *.wmv"

WEIGHTS = "*.pth *.ckpt *.pt *.safetensors"


def ask_for_clip(parent: QWidget, title: str, chosen: Callable[[Path], None]) -> None:
    """Ask for a video or a project's file."""
    dialog = _dialog(parent, "openDialog", title, chosen)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([f"Clips and projects ({VIDEOS} project.json)", "All files (*)"])
    dialog.open()


def ask_for_folder(parent: QWidget, title: str, chosen: Callable[[Path], None]) -> None:
    """Ask for a project or a folder of pictures."""
    dialog = _dialog(parent, "openFolderDialog", title, chosen)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.open()


def ask_for_weights(parent: QWidget, start: Path, chosen: Callable[[Path], None]) -> None:
    """Ask for a network's weights; ``start`` is the file that is chosen now, or a folder."""
    dialog = _dialog(parent, "weightsFileDialog", "Choose a network's weights", chosen)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters([f"Network weights ({WEIGHTS})", "All files (*)"])
    dialog.setDirectory(str(start if start.is_dir() else start.parent))
    dialog.open()


def ask_where_to_save(
    parent: QWidget, name: str, title: str, start: Path, suffix: str, chosen: Callable[[Path], None]
) -> None:
    """Ask for a new name; what exists is the caller's to refuse or to ask about."""
    dialog = _dialog(parent, name, title, chosen)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setFileMode(QFileDialog.FileMode.AnyFile)
    dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)
    dialog.setDefaultSuffix(suffix)
    dialog.setDirectory(str(start.parent))
    dialog.selectFile(start.name)
    dialog.open()


def _dialog(parent: QWidget, name: str, title: str, chosen: Callable[[Path], None]) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setObjectName(name)
    dialog.setOption(QFileDialog.Option.DontUseNativeDialog)
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    dialog.finished.connect(dialog.deleteLater)
    return dialog
