"""After every click: turn the prompts of the frame into masks, so that the overlay shows them at once.

A process of its own does it, beside the one for the heavy jobs: a click never waits for them, and the network that was
loaded for one click is there for the next.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import stages
from app.job import Jobs, Lane
from app.session import Session
from matting.job import JobContext
from matting.project.document import Document, Methods, Prompt
from matting.seeding.names import TITLES
from matting.worker import Worker

if TYPE_CHECKING:  # brings zarr
    from matting.pipeline.workspace import Workspace

log = logging.getLogger(__name__)

PRIORITY = 5
PATIENCE_S = 0.5
"""A network looks at a frame for longer than a window may take to close."""


class Selecting(QObject):
    """Keeps the current frame's selection in step with its prompts. Old answers are dropped."""

    done = Signal()
    """The store holds the masks of the current prompts."""
    failed = Signal(object)
    noticed = Signal(str)
    """What the artist should read although clicks are answered."""
    busy_changed = Signal(str)
    """What is going on for the current frame, in a few words; empty when it is over."""
    answered = Signal(str)
    """By what and how fast the last selection was made, in a few words."""

    def __init__(self, session: Session, jobs: Jobs, device: Callable[[], str], parent: QObject | None = None) -> None:
        """``device`` says where networks run at the moment."""
        super().__init__(parent)
        self._session, self._jobs, self._device = session, jobs, device
        self._worker = Worker(stages.prepare_selecting, patience_s=PATIENCE_S)
        self._generation = 0
        self._loading = self._asking = False
        self._asked_at = 0.0
        self._ready: tuple[Methods, str] | None = None
        session.opened.connect(self._forget)

    def _forget(self) -> None:
        self._generation += 1
        self._ready = None
        self.busy_changed.emit("")

    def get_ready(self) -> None:
        """Load what the next click will need; called when a click is to be expected."""
        if not self._session.is_open:
            return
        wanted = methods, device = self._session.document.methods, self._device()
        if wanted != self._ready:
            self._ready, self._loading = wanted, True
            self._jobs.start(
                "Loading the seeder",
                lambda ctx: self._worker.run(stages.load_seeder, methods, device, ctx=ctx),
                failed=lambda error: log.info("The seeder is not ready: %s", error),  # who clicks will be told
                finished=self._on_loaded,
                noticed=self.noticed.emit,
                lane=Lane.SELECTING,
            )

    def _on_loaded(self) -> None:
        self._loading = False

    def follow(self, before: Document, after: Document) -> bool:
        """Select anew if an edit changed the prompts of the current frame; tells whether masks are on their way."""
        frame = self._session.frame
        given = _given(after, frame)
        changed = bool(given) and (given, *_seeder(after)) != (_given(before, frame), *_seeder(before))
        if changed:
            self.select()
        return changed

    def select(self) -> None:
        """Select on the current frame if somebody was given something here and the masks are not there yet."""
        self._generation += 1
        if not self._is_wanted():
            self.busy_changed.emit("")
            return
        self._asked_at = time.monotonic()
        self.busy_changed.emit(f"{_title(self._session.document)} is looking at the frame…")
        if self._loading or self._asking:
            self._look_up()
        else:
            self._ask()

    def _is_wanted(self) -> bool:
        frame = self._session.frame
        return (
            self._session.is_open
            and frame in self._session.document.frames
            and bool(_given(self._session.document, frame))
        )

    def _look_up(self) -> None:
        """Ask the store while the worker is busy: undo brings back what was there without waiting for it."""
        generation, frame, work = self._generation, self._session.frame, self._session.workspace
        self._jobs.start(
            "Looking for the selection",
            lambda ctx: _is_there(work, frame),
            done=lambda there: self._on_looked_up(generation, there),
            failed=lambda error: self._on_failed(generation, error),
            priority=PRIORITY,
        )

    def _on_looked_up(self, generation: int, there: bool) -> None:
        if generation != self._generation:
            return
        if there:
            self._on_there()
        elif not self._asking:
            self._ask()

    def _ask(self) -> None:
        """Ask the store, then the worker, in one go: between two jobs the window would paint, and the click wait."""
        generation, frame, device = self._generation, self._session.frame, self._device()
        work = self._session.workspace
        self._asking, self._ready = True, (work.document.methods, device)

        def ask(ctx: JobContext) -> stages.Answer | None:
            if _is_there(work, frame):
                return None
            answer: stages.Answer = self._worker.run(stages.select, work, frame, device, ctx=ctx)
            return answer

        self._jobs.start(
            "Selecting",
            ask,
            done=lambda answer: self._on_answered(generation, answer),
            failed=lambda error: self._on_failed(generation, error),
            finished=self._on_finished,
            noticed=self.noticed.emit,
            lane=Lane.SELECTING,
        )

    def _on_answered(self, generation: int, answer: stages.Answer | None) -> None:
        if generation != self._generation:
            if self._is_wanted():  # the prompts changed meanwhile, or the frame
                self._look_up()
            return
        self._on_there()
        if answer is not None:
            waited_s = time.monotonic() - self._asked_at
            words = f"{_title(self._session.document)}: {_in_words(waited_s)}"
            log.info("%s; %.3f s in the worker, %d frames embedded", words, answer.seconds, answer.embedded)
            self.answered.emit(words)

    def _on_there(self) -> None:
        self.busy_changed.emit("")
        self.done.emit()

    def _on_failed(self, generation: int, error: Exception) -> None:
        if generation == self._generation:
            self.busy_changed.emit("")
            self.failed.emit(error)
        elif self._is_wanted():
            self._look_up()

    def _on_finished(self) -> None:
        self._asking = False

    def shut_down(self) -> None:
        """End the worker; no job runs any more."""
        self._worker.close()


def _is_there(work: Workspace, frame: int) -> bool:
    """Whether the store holds what the prompts on a frame select."""
    from matting.pipeline.workspace import SEEDS, State

    return work.store.has(SEEDS, frame, work.seed_key(frame)) or work.mask_state(work.chunk_of(frame)) is State.CURRENT


def _given(document: Document, frame: int) -> dict[int, Prompt]:
    return {i.id: prompt for i in document.instances if (prompt := i.prompt_at(frame)) is not None}


def _seeder(document: Document) -> tuple[str, str]:
    return document.methods.seeder, document.methods.seeder_weights


def _title(document: Document) -> str:
    return TITLES.get(document.methods.seeder, document.methods.seeder)


def _in_words(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
