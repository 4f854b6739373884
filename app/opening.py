"""From a path to everything the session needs: what the job behind Open does."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs
from PySide6.QtCore import QLockFile

from matting.errors import OutputError, ProjectError
from matting.job import JobContext
from matting.project.document import Document

if TYPE_CHECKING:  # what these bring is slow to import, so every function does it in the thread that needs it
    from matting.media import Clip
    from matting.pipeline.workspace import Workspace
    from matting.project.project import Project

SUFFIX = ".matteo"
CONTENT = "project.json"
"""The file that makes a folder a project."""


class ClipMissingError(ProjectError):
    """The clip of a project is not where it was; ``folder`` is the project's."""

    def __init__(self, folder: Path, message: str) -> None:
        super().__init__(message)
        self.folder = folder


@dataclass(frozen=True)
class Opened:
    """A loaded project.

    Attributes:
        untitled: whether it lies among the projects that nobody has named yet.
        pending: what to show instead of the saved document, as an edit, and what that edit is called.
        restored: whether that brings back what was not saved.
        lock: tells other windows that an untitled project is at work; gone when nobody holds it.
    """

    project: Project
    clip: Clip
    workspace: Workspace
    untitled: bool
    pending: tuple[str, Document] | None
    restored: bool
    lock: QLockFile | None


@dataclass(frozen=True)
class Unsaved:
    """An untitled project that was left behind by a crash."""

    folder: Path
    title: str
    when: str


def load_engine(ctx: JobContext) -> None:
    """Import what selecting, tracking, matting and compositing need, so that nobody waits for it at the first click.

    Some of these libraries keep the interpreter to themselves while the system maps them into memory; better now than
    while something runs that the artist watches.
    """
    for module in (
        "matting.seeding.grabcut",  # only asked for its name here, which is a part of every seed's
        "matting.tracking.flow",
        "matting.pipeline.export",
        "matting.compositing.foreground",
        "matting.inference.classical",
    ):
        ctx.raise_if_cancelled()
        import_module(module)


def open_path(path: Path, ctx: JobContext) -> Opened:
    """Open a clip in a new untitled project, or a project.

    Raises:
        MediaError: the clip cannot be opened.
        ClipMissingError: the project's clip moved.
        ProjectError: the project cannot be read.
        OutputError: the user's data folder cannot be written.
    """
    from matting.media import open_clip
    from matting.pipeline.methods import choose_methods
    from matting.pipeline.seeders import installed_seeders
    from matting.project.project import Project

    ctx.report(0, f"Opening {path.name}")
    folder = path.parent if path.name == CONTENT else path
    if (folder / CONTENT).exists() or (folder.is_dir() and folder.suffix == SUFFIX):
        return _loaded(Project.load(folder), None)
    clip = open_clip(path)
    project = Project.create(_new_folder(path.stem), clip.info)
    # Who clicks in a window wants an answer at once, whatever device there is: the quickest network.
    methods = choose_methods(seeder=installed_seeders()[0])
    project.document = project.document.model_copy(update={"methods": methods})
    project.save()
    return _opened(project, clip, None, restored=False)


def open_relinked(folder: Path, path: Path, ctx: JobContext) -> Opened:
    """Open a project whose clip moved to ``path``; the new place is an edit, to be saved like any other.

    Raises:
        MediaError: the clip cannot be opened.
        ProjectError: it is another clip.
    """
    from matting.media import open_clip
    from matting.project.project import Project

    ctx.report(0, f"Opening {path.name}")
    return _loaded(Project.load(folder), open_clip(path))


def _loaded(project: Project, clip: Clip | None) -> Opened:
    autosaved = project.autosaved()
    pending = ("Restore unsaved changes", autosaved) if autosaved is not None else None
    if clip is None:
        try:
            clip = project.open_clip()
        except ProjectError as error:
            missing = project.resolve(project.document.media.path)
            text = f"{missing}, the clip of {project.folder.name}, is not there any more."
            if missing.exists():
                text = f"{missing} is not the clip that {project.folder.name} was made with."
            raise ClipMissingError(project.folder, text) from error
    else:
        relinked = project.relinked(clip.info)
        document = (autosaved or relinked).model_copy(update={"media": relinked.media})
        pending = ("Relink the clip", document)
    return _opened(project, clip, pending, restored=autosaved is not None)


def _opened(project: Project, clip: Clip, pending: tuple[str, Document] | None, *, restored: bool) -> Opened:
    from matting.pipeline.workspace import Workspace

    untitled = project.folder.parent == untitled_root()
    lock = None
    if untitled:
        lock = _lock(project.folder)
        if not lock.tryLock(0):
            raise ProjectError(f"{project.folder.name} is open in another window of Matteo.")
    return Opened(project, clip, Workspace.of(project, clip), untitled, pending, restored, lock)


def untitled_root() -> Path:
    """Where projects live that nobody has named yet."""
    return Path(platformdirs.user_data_dir("matteo", appauthor=False)) / "untitled"


def _new_folder(stem: str) -> Path:
    root = untitled_root()
    base = f"{stem[:40] or 'clip'}-{time.strftime('%Y%m%d-%H%M%S')}"
    try:
        for number in range(1000):
            folder = root / f"{base}{f'-{number}' if number else ''}{SUFFIX}"
            if not folder.exists():
                folder.mkdir(parents=True)
                return folder
    except OSError as error:
        raise OutputError(f"{root}, where new projects begin, cannot be written: {error.strerror}.") from error
    raise OutputError(f"{root} is full of new projects; save or delete some.")


def _lock(folder: Path) -> QLockFile:
    lock = QLockFile(str(folder.with_suffix(".lock")))
    lock.setStaleLockTime(0)  # a window may be open for days; a lock is stale only when its process has ended
    return lock


def unsaved_projects() -> list[Unsaved]:
    """Untitled projects with work in them that no window has open, the newest first."""
    folders = sorted(untitled_root().glob(f"*{SUFFIX}"), key=lambda f: f.stat().st_mtime, reverse=True)
    if not folders:
        return []
    from matting.project.project import Project

    found = []
    for folder in folders:
        lock = _lock(folder)
        if not lock.tryLock(0):
            continue
        lock.unlock()
        try:
            project = Project.load(folder) if (folder / CONTENT).exists() else None
        except ProjectError:  # one damaged project must not hide the others
            continue
        document = None if project is None else project.autosaved() or project.document
        if project is None or (document == project.document and not document.instances):
            # What a job wrote after its project was discarded, or a project in which nothing was done.
            shutil.rmtree(folder, ignore_errors=True)
            continue
        title = Path(project.document.media.path).name
        when = time.strftime("%d %b %H:%M", time.localtime(folder.stat().st_mtime))
        found.append(Unsaved(folder, title, when))
    return found
