"""After every click: turn the prompts of the frame into masks in a job, so that the overlay shows them at once."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from app.job import Jobs
from app.session import Session
from matting.job import JobContext
from matting.project.document import Document, Prompt

PRIORITY = 5


class Selecting(QObject):
    """Keeps the current frame's selection in step with its prompts. Old answers are dropped."""

    started = Signal()
    done = Signal()
    """The store holds the masks of the current prompts."""
    failed = Signal(object)

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs = session, jobs
        self._generation = 0
        self._busy = False
        session.opened.connect(self._forget)

    def _forget(self) -> None:
        self._generation += 1
        self._busy = False

    def follow(self, before: Document, after: Document) -> bool:
        """Select anew if an edit changed the prompts of the current frame; tells whether masks are on their way."""
        frame = self._session.frame
        given = _prompts_on(after, frame)
        changed = bool(given) and given != _prompts_on(before, frame)
        if changed:
            self.select()
        return changed

    def select(self) -> None:
        """Select on the current frame if somebody was given something here and the masks are not there yet."""
        if not self._session.is_open:
            return
        frame = self._session.frame
        document = self._session.document
        if frame not in document.frames or not _prompts_on(document, frame):
            return
        self._generation += 1
        if not self._busy:
            self._start()

    def _start(self) -> None:
        generation, frame, work = self._generation, self._session.frame, self._session.workspace

        def run(ctx: JobContext) -> None:
            from matting.pipeline.cut import seed
            from matting.pipeline.workspace import State

            if work.mask_state(work.chunk_of(frame)) is not State.CURRENT:
                own = work.for_thread()
                with own.clip:
                    seed(own, frame)

        self._busy = True
        self._jobs.start(
            "Selecting",
            run,
            done=lambda _: self._on_done(generation),
            failed=lambda error: self._on_failed(generation, error),
            priority=PRIORITY,
        )
        self.started.emit()

    def _again(self, generation: int) -> bool:
        """Whether the prompts changed meanwhile; then it begins again with the newest."""
        self._busy = False
        if generation == self._generation:
            return False
        if self._session.is_open and _prompts_on(self._session.document, self._session.frame):
            self._start()
        return True

    def _on_done(self, generation: int) -> None:
        if not self._again(generation):
            self.done.emit()

    def _on_failed(self, generation: int, error: Exception) -> None:
        if not self._again(generation):
            self.failed.emit(error)


def _prompts_on(document: Document, frame: int) -> dict[int, Prompt]:
    return {i.id: prompt for i in document.instances if (prompt := i.prompt_at(frame)) is not None}
