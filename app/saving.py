"""Putting a project on disk: in place, or into another folder. Run in jobs."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from matting.compositing.backdrops import Image, Video
from matting.errors import OutputError
from matting.files import partial_path
from matting.project.document import Document

if TYPE_CHECKING:  # brings the decoders
    from matting.project.project import Project


def save(folder: Path, document: Document) -> Document:
    """Write a document into its project; raises OutputError."""
    from matting.project.project import Project

    Project(folder, document).save()
    return document


def autosave(folder: Path, document: Document) -> None:
    """Keep an unsaved document beside the saved one; raises OutputError."""
    from matting.project.project import Project

    Project(folder, document).autosave(document)


def move(folder: Path, document: Document, target: Path) -> Project:
    """Take an untitled project with all its results to the place it was given. At any instant one of the two opens.

    Raises:
        OutputError: there is something already, or it cannot be written.
    """
    _check_free(target)
    # While it changes its place the path of its clip must not be relative to either.
    save(folder, _absolute(document, folder))
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise OutputError(f"{target} could not be written: {error.strerror}.") from error
        _copy(folder, target)
        shutil.rmtree(folder, ignore_errors=True)
    return _at_home(target, rebased(document, folder, target))


def copy(folder: Path, document: Document, target: Path) -> Project:
    """Put a copy of a project, with ``document`` in it, to another place.

    Raises:
        OutputError: there is something already, or it cannot be written.
    """
    _check_free(target)
    _copy(folder, target)
    return _at_home(target, rebased(document, folder, target))


def rebased(document: Document, old: Path, new: Path) -> Document:
    """The same document for a project in another folder."""
    from matting.project.project import Project, relative_to

    at_old = Project(old, document)
    return _with_paths(document, lambda path: relative_to(new, at_old.resolve(path)))


def forget_autosave(folder: Path) -> None:
    """The unsaved changes of a project are not wanted any more."""
    from matting.project.project import AUTOSAVE

    (folder / AUTOSAVE).unlink(missing_ok=True)


def delete_untitled(folder: Path) -> None:
    """Delete an untitled project that holds nothing, or that the artist discarded."""
    shutil.rmtree(folder, ignore_errors=True)


def _absolute(document: Document, folder: Path) -> Document:
    from matting.project.project import Project

    project = Project(folder, document)
    return _with_paths(document, lambda path: project.resolve(path).as_posix())


def _with_paths(document: Document, changed: Callable[[str], str]) -> Document:
    """The document with every path in it changed."""
    media = document.media.model_copy(update={"path": changed(document.media.path)})
    backdrop, methods = document.backdrop, document.methods
    if isinstance(backdrop, Image | Video):
        backdrop = backdrop.model_copy(update={"path": changed(backdrop.path)})
    if methods.weights is not None:
        weights = methods.weights.model_copy(update={"path": changed(methods.weights.path)})
        methods = methods.model_copy(update={"weights": weights})
    return document.model_copy(update={"media": media, "backdrop": backdrop, "methods": methods})


def _at_home(target: Path, document: Document) -> Project:
    from matting.project.project import Project

    project = Project(target, document)
    project.save()
    return project


def _check_free(target: Path) -> None:
    if target.exists():
        raise OutputError(f"{target} exists already; choose another name.")
    if not target.parent.is_dir():
        raise OutputError(f"{target.parent} is not a folder; choose another place.")


def _copy(folder: Path, target: Path) -> None:
    partial = partial_path(target)
    try:
        shutil.copytree(folder, partial)
        partial.rename(target)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OutputError(f"{target} could not be written: {getattr(error, 'strerror', None) or error}.") from error
