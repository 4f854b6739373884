"""Opening, saving, autosaving and closing: what is on disk and what the session shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QLockFile, QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from app import saving
from app.file_dialogs import ask_for_clip, ask_for_folder, ask_where_to_save
from app.job import Jobs, Lane
from app.message_bar import Message, MessageBar, Severity
from app.opening import SUFFIX, ClipMissingError, Opened, open_path, open_relinked
from app.session import Session
from app.work import explain
from matting.job import JobContext
from matting.project.document import Document
from resources import SAMPLE

if TYPE_CHECKING:  # brings the decoders
    from matting.project.project import Project


class ProjectFiles(QObject):
    """The File menu. Everything that touches the disk is a job; questions are asked before work would be lost."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._jobs, self._messages, self._window = session, jobs, messages, window
        self._lock: QLockFile | None = None
        self._moving = False
        session.autosave_due.connect(self._autosave)
        session.learned.connect(self._keep_learned)

    @property
    def unsaved(self) -> bool:
        """Whether there is work that is not in a project the artist named."""
        session = self._session
        return session.is_open and (not session.undo_stack.isClean() or (session.untitled and self._has_work))

    @property
    def _has_work(self) -> bool:
        return bool(self._session.document.instances)

    # -- open ----------------------------------------------------------------------------------------------------------

    def ask_open(self) -> None:
        ask_for_clip(self._window, "Open a clip or project", self.open)

    def ask_open_folder(self) -> None:
        ask_for_folder(self._window, "Open a project or a folder of pictures", self.open)

    def open_sample(self) -> None:
        self.open(SAMPLE / "clip.mp4")

    def open(self, path: Path) -> None:
        """Open a clip or project, after what is open has been looked after."""
        self.leave(lambda: self._open(path, lambda ctx: open_path(path, ctx)))

    def _open(self, path: Path, load: Callable[[JobContext], Opened]) -> None:
        self._messages.clear()
        self._jobs.start("Opening", load, done=self._on_loaded, failed=lambda error: self._on_not_opened(path, error))

    def _on_not_opened(self, path: Path, error: Exception) -> None:
        if isinstance(error, ClipMissingError):
            folder = error.folder
            choices = (("Relink…", lambda: self._ask_relink(folder)),)
            self._messages.show_message(Message(Severity.ERROR, f"{error} Show Matteo where it is now.", choices))
        else:
            self._messages.error(explain(f"Opening {path.name}", error))

    def _ask_relink(self, folder: Path) -> None:
        ask_for_clip(self._window, "Where is the clip now?", lambda path: self.relink(folder, path))

    def relink(self, folder: Path, path: Path) -> None:
        """Open a project whose clip is at ``path`` now."""
        self._open(path, lambda ctx: open_relinked(folder, path, ctx))

    def _on_loaded(self, opened: Opened) -> None:
        self.let_go()
        self._lock = opened.lock
        saved = opened.project.document
        self._session.adopt(opened.project, opened.clip, opened.workspace, untitled=opened.untitled)
        for notice in opened.clip.info.notices:
            self._messages.warn(notice)
        if opened.pending is not None:
            text, document = opened.pending
            self._session.edit(text, document)
            if opened.restored:
                self._offer_discard(saved)

    def _offer_discard(self, saved: Document) -> None:
        choices: tuple[tuple[str, Callable[[], None]], ...] = (("Keep", lambda: None),)
        choices += (("Discard", lambda: self._session.edit("Discard restored changes", saved)),)
        text = "Changes that were not saved last time are back."
        self._messages.show_message(Message(Severity.WARNING, text, choices))

    # -- save ----------------------------------------------------------------------------------------------------------

    def save(self, then: Callable[[], None] | None = None) -> None:
        """Save the project, asking for its name first if it has none; then go on with ``then``."""
        if not self._session.is_open:
            return
        if self._session.untitled:
            self.save_as(then)
            return
        assert self._session.project is not None
        folder, document = self._session.project.folder, self._session.document
        self._jobs.start(
            "Saving",
            lambda ctx: saving.save(folder, document),
            done=lambda saved: self._on_saved(saved, then),
            failed=self._on_not_saved,
            lane=Lane.DISK,
        )

    def save_as(self, then: Callable[[], None] | None = None) -> None:
        """Ask for a name and save the project with all its results there."""
        if self._session.is_open:
            assert self._session.clip is not None
            assert self._session.project is not None
            named = Path.home() / f"{self._session.clip.info.path.stem}{SUFFIX}"
            start = named if self._session.untitled else self._session.project.folder
            ask_where_to_save(
                self._window, "saveDialog", "Save the project as", start, SUFFIX.lstrip("."),
                lambda target: self._save_to(target, then),
            )  # fmt: skip

    def _save_to(self, target: Path, then: Callable[[], None] | None) -> None:
        assert self._session.project is not None
        folder, document = self._session.project.folder, self._session.document
        put = saving.move if self._session.untitled else saving.copy
        self._moving = True
        if self._jobs.heavy:
            self._messages.note(f"The project gets its name after this: {self._jobs.heavy[0].title}.")
        # In turn with the jobs that write results into the folder.
        self._jobs.start(
            "Saving",
            lambda ctx: put(folder, document, target),
            done=lambda project: self._on_moved(folder, document, project, then),
            failed=self._on_not_saved,
            lane=Lane.HEAVY,
        )

    def _on_moved(self, old: Path, document: Document, project: Project, then: Callable[[], None] | None) -> None:
        self._moving = False
        new = project.folder
        workspace = replace(self._session.workspace, store=project.open_store(), folder=new)
        self._session.rehome(project, workspace, lambda d: saving.rebased(d, old, new))
        self._unlock()
        self._on_saved(saving.rebased(document, old, new), then)
        if self.unsaved:
            self._autosave()

    def _on_saved(self, document: Document, then: Callable[[], None] | None) -> None:
        self._session.saved(document)
        assert self._session.project is not None
        self._messages.note(f"Saved: {self._session.project.folder}")
        if then is not None:
            self.leave(then)

    def _on_not_saved(self, error: Exception) -> None:
        self._moving = False
        self._messages.error(explain("Saving", error))

    def _autosave(self) -> None:
        """Keep the current document beside the saved one."""
        if not self._session.is_open or self._moving:
            return
        assert self._session.project is not None
        folder, document = self._session.project.folder, self._session.document
        self._jobs.start(
            "Autosaving",
            lambda ctx: saving.autosave(folder, document),
            failed=lambda error: self._messages.warn(explain("Autosaving", error)),
            lane=Lane.DISK,
        )

    def _keep_learned(self) -> None:
        """What was found out belongs to the saved project where the artist has nothing else to save."""
        if self._moving or not self._session.undo_stack.isClean():
            self._autosave()
            return
        assert self._session.project is not None
        folder, document = self._session.project.folder, self._session.document
        self._jobs.start("Keeping the cuts", lambda ctx: saving.save(folder, document), lane=Lane.DISK)

    # -- close ---------------------------------------------------------------------------------------------------------

    def leave(self, then: Callable[[], None]) -> None:
        """Go on with ``then`` once nothing can be lost against the artist's will: at once, after saving, or not."""
        if not self.unsaved:
            then()
            return
        button = QMessageBox.StandardButton
        question = QMessageBox(self._window)
        question.setObjectName("saveQuestion")
        question.setIcon(QMessageBox.Icon.Question)
        question.setWindowTitle("Matteo")
        question.setText("Save the changes to this project?")
        question.setInformativeText("What is not saved now is gone.")
        question.setStandardButtons(button.Save | button.Discard | button.Cancel)
        question.setDefaultButton(button.Save)

        def go_on(answer: int) -> None:
            if button(answer) is button.Save:
                self.save(then)
            elif button(answer) is button.Discard:
                then()

        question.finished.connect(go_on)
        question.finished.connect(question.deleteLater)
        question.open()

    def let_go(self) -> None:
        """Close what is open. Whoever calls it has asked, so what is not saved is not wanted."""
        if not self._session.is_open:
            return
        assert self._session.project is not None
        assert self._session.clip is not None
        folder, untitled = self._session.project.folder, self._session.untitled
        dirty = not self._session.undo_stack.isClean()
        self._jobs.cancel_heavy()
        self._session.clip.close()
        self._unlock()
        self._session.close()
        if untitled:
            self._jobs.start("Discarding", lambda ctx: saving.delete_untitled(folder), lane=Lane.DISK)
        elif dirty:
            self._jobs.start("Discarding", lambda ctx: saving.forget_autosave(folder), lane=Lane.DISK)

    def keep_for_later(self) -> None:
        """Matteo is being ended from outside: what is not saved comes back next time."""
        if self._session.is_open:
            if self.unsaved:
                self._autosave()
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.unlock()
            self._lock = None
