"""After every click: turn the prompts of the frame into masks, so that the overlay shows them at once.

A process of its own does it, beside the one for the heavy jobs: a click never waits for them, and the network that was
loaded for one click is there for the next.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app import stages
from app.job import Jobs, Lane
from app.session import Session
from matting.job import JobContext
from matting.project.document import Document, Methods, Prompt
from matting.seeding.names import TITLES
from matting.worker import Worker

log = logging.getLogger(__name__)

PRIORITY = 5
PATIENCE_S = 0.5
"""A network looks at a frame for longer than a window may take to close."""


class Selecting(QObject):
    """Keeps the current frame's selection in step with its prompts. Old answers are dropped."""

    done = Signal()
    """The store holds the masks of the current prompts."""
    failed = Signal(object)
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
        self._asking = False
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
            self._ready = wanted
            self._jobs.start(
                "Loading the seeder",
                lambda ctx: self._worker.run(stages.load_seeder, methods, device, ctx=ctx),
                failed=lambda error: log.info("The seeder is not ready: %s", error),  # who clicks will be told
                lane=Lane.SELECTING,
            )

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
        if self._is_wanted():
            self._asked_at = time.monotonic()
            self._look_up()
        else:
            self.busy_changed.emit("")

    def _is_wanted(self) -> bool:
        frame = self._session.frame
        return (
            self._session.is_open
            and frame in self._session.document.frames
            and bool(_given(self._session.document, frame))
        )

    def _look_up(self) -> None:
        """Ask the store first: undo brings back what was there, however busy the worker is."""
        generation, frame, work = self._generation, self._session.frame, self._session.workspace

        def is_there(ctx: JobContext) -> bool:
            from matting.pipeline.workspace import SEEDS, State

            seeded = work.store.has(SEEDS, frame, work.seed_key(frame))
            return seeded or work.mask_state(work.chunk_of(frame)) is State.CURRENT

        self._jobs.start(
            "Looking for the selection",
            is_there,
            done=lambda there: self._on_looked_up(generation, there),
            failed=lambda error: self._on_failed(generation, error),
            priority=PRIORITY,
        )

    def _on_looked_up(self, generation: int, there: bool) -> None:
        if generation != self._generation:
            return
        if there:
            self.busy_changed.emit("")
            self.done.emit()
            return
        self.busy_changed.emit(f"{_title(self._session.document)} is looking at the frame…")
        if not self._asking:
            self._ask()

    def _ask(self) -> None:
        generation, frame, device = self._generation, self._session.frame, self._device()
        work = self._session.workspace
        self._asking, self._ready = True, (work.document.methods, device)
        self._jobs.start(
            "Selecting",
            lambda ctx: self._worker.run(stages.select, work, frame, device, ctx=ctx),
            done=lambda answer: self._on_answered(generation, answer),
            failed=lambda error: self._on_failed(generation, error),
            finished=self._on_finished,
            lane=Lane.SELECTING,
        )

    def _on_answered(self, generation: int, answer: stages.Answer) -> None:
        if generation == self._generation:
            waited_s = time.monotonic() - self._asked_at
            words = f"{_title(self._session.document)}: {_in_words(waited_s)}"
            log.info("%s; %.3f s in the worker, %d frames embedded", words, answer.seconds, answer.embedded)
            self.busy_changed.emit("")
            self.done.emit()
            self.answered.emit(words)
        elif self._is_wanted():  # the prompts changed meanwhile, or the frame
            self._look_up()

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


def _given(document: Document, frame: int) -> dict[int, Prompt]:
    return {i.id: prompt for i in document.instances if (prompt := i.prompt_at(frame)) is not None}


def _seeder(document: Document) -> tuple[str, str]:
    return document.methods.seeder, document.methods.seeder_weights


def _title(document: Document) -> str:
    return TITLES.get(document.methods.seeder, document.methods.seeder)


def _in_words(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
