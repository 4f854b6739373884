"""The one place that holds what the editor shows: project, current document, playhead, active person.

The document is frozen; every edit swaps it through one kind of undo command, and views follow :attr:`Session.changed`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from matting.project.document import Document, Instance

if TYPE_CHECKING:  # decoding and the store are slow to import; the jobs that load projects bring them
    from matting.media import Clip
    from matting.pipeline.workspace import Workspace
    from matting.project.project import Project

AUTOSAVE_MS = 1000


class _Edit(QUndoCommand):
    """From one document to the next; edits of one gesture merge."""

    def __init__(self, session: Session, text: str, before: Document, after: Document, gesture: str | None) -> None:
        super().__init__(text)
        self.before, self.after = before, after
        self._session, self._gesture = session, gesture

    def redo(self) -> None:
        self._session._swap(self.after)

    def undo(self) -> None:
        self._session._swap(self.before)

    def id(self) -> int:
        return -1 if self._gesture is None else hash(self._gesture) & 0x7FFFFFFF

    def mergeWith(self, other: QUndoCommand) -> bool:
        if not isinstance(other, _Edit) or other._gesture != self._gesture:
            return False
        self.after = other.after
        return True


class Session(QObject):
    """What is open. Lives on the GUI thread and touches no file."""

    opened = Signal()
    """Another project is there (or none any more)."""
    moved = Signal()
    """The project has another folder; the document says the same."""
    changed = Signal(object, object)
    """The document was swapped: before, after."""
    frame_changed = Signal(int)
    active_changed = Signal(int)
    results_changed = Signal()
    """The store holds something new."""
    learned = Signal()
    """Something was found out about the clip, which the document says now; it is no edit."""
    autosave_due = Signal()
    """The document has rested for a moment since the last edit."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.undo_stack = QUndoStack(self)
        self.project: Project | None = None
        self.clip: Clip | None = None
        self.untitled = False
        """Whether the project still lies in the user's data folder and waits for a name."""
        self._workspace: Workspace | None = None
        self._frame = 0
        self._active_id = 0
        self._autosave = QTimer(self, singleShot=True, interval=AUTOSAVE_MS)
        self._autosave.timeout.connect(self.autosave_due)

    @property
    def is_open(self) -> bool:
        return self.project is not None

    @property
    def document(self) -> Document:
        """The current document; only while something is open."""
        assert self.project is not None
        return self.project.document

    @property
    def workspace(self) -> Workspace:
        """The current document with its clip and store, as a value for a job; use ``.for_thread()`` in the job."""
        assert self._workspace is not None
        return self._workspace

    def adopt(self, project: Project, clip: Clip, workspace: Workspace, *, untitled: bool) -> None:
        """Show a project that a job has loaded completely."""
        self._autosave.stop()
        self.project, self.clip, self.untitled, self._workspace = project, clip, untitled, workspace
        self.undo_stack.clear()
        self._frame = project.document.in_frame
        self._active_id = project.document.instances[0].id if project.document.instances else 0
        self.opened.emit()
        self.frame_changed.emit(self._frame)
        self.active_changed.emit(self._active_id)

    def close(self) -> None:
        """Show nothing any more."""
        self._autosave.stop()
        self.project = self.clip = self._workspace = None
        self.untitled = False
        self.undo_stack.clear()
        self._frame = self._active_id = 0
        self.opened.emit()

    def rehome(self, project: Project, workspace: Workspace, rebased: Callable[[Document], Document]) -> None:
        """Go on in another folder, to which ``rebased`` takes the paths of every document that can come back."""
        self._rewrite(rebased)
        project.document = self.document
        self.project, self.untitled = project, False
        self._workspace = workspace.with_document(project.document)
        self.moved.emit()

    def learn(self, told: Callable[[Document], Document]) -> None:
        """Let every document that can come back say what was found out, as if it had been known from the start.

        So there is nothing to undo, and what was saved counts as saved.
        """
        before = self.document
        self._rewrite(told)
        self._workspace = self.workspace.with_document(self.document)
        self.changed.emit(before, self.document)
        self.learned.emit()

    def _rewrite(self, changed: Callable[[Document], Document]) -> None:
        """Change the present document and those that undo and redo bring back."""
        assert self.project is not None
        for place in range(self.undo_stack.count()):
            edit = self.undo_stack.command(place)
            assert isinstance(edit, _Edit)
            edit.before, edit.after = changed(edit.before), changed(edit.after)
        self.project.document = changed(self.project.document)

    def edit(self, text: str, after: Document, gesture: str | None = None) -> None:
        """Make ``after`` the document, undoably; edits with the same ``gesture`` in a row are one step."""
        if self.is_open and after != self.document:
            self.undo_stack.push(_Edit(self, text, self.document, after, gesture))

    def _swap(self, document: Document) -> None:
        assert self.project is not None
        assert self._workspace is not None
        before = self.project.document
        self.project.document = document
        self._workspace = self._workspace.with_document(document)
        if self._active_id not in {i.id for i in document.instances}:
            self.set_active(document.instances[-1].id if document.instances else 0)
        self.changed.emit(before, document)
        self._autosave.start()

    def saved(self, document: Document) -> None:
        """``document`` is on disk now; nothing is unsaved if it is still the current one."""
        if self.is_open and document == self.document:
            self._autosave.stop()
            self.undo_stack.setClean()

    def rest(self) -> None:
        """Nothing is edited any more: no autosave is due."""
        self._autosave.stop()

    @property
    def frame(self) -> int:
        return self._frame

    def set_frame(self, frame: int) -> None:
        """Move the playhead, kept inside the clip."""
        if self.is_open:
            frame = min(max(frame, 0), self.document.media.frame_count - 1)
            if frame != self._frame:
                self._frame = frame
                self.frame_changed.emit(frame)

    @property
    def active_id(self) -> int:
        """The person that clicks and the inspector are about; 0 when there is none."""
        return self._active_id

    @property
    def active(self) -> Instance | None:
        if not self.is_open or not self._active_id:
            return None
        return next((i for i in self.document.instances if i.id == self._active_id), None)

    def set_active(self, instance_id: int) -> None:
        if instance_id != self._active_id:
            self._active_id = instance_id
            self.active_changed.emit(instance_id)
