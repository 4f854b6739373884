"""Cuts: looked for when a clip is opened, put in and taken out by the artist, and gone to."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from app.job import Job, Jobs, Lane
from app.message_bar import MessageBar
from app.session import Session
from app.timeline.cuts import add_cut, remove_cut
from app.work import explain
from matting.job import JobContext

_NICENESS = 10


class Cutting(QObject):
    """Looks once through each clip; what is found goes into the document as if it had always been known."""

    looking = Signal(float)
    """How far the search is in [0, 1]; 1 when it is over."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._messages = session, jobs, messages
        self._job: Job | None = None
        self._waiting: Callable[[], None] | None = None
        session.opened.connect(self._on_opened)

    def _on_opened(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = self._waiting = None
            self.looking.emit(1.0)
        if not self._session.is_open or self._session.document.cuts is not None:
            return
        work = self._session.workspace

        def look(ctx: JobContext) -> tuple[int, ...]:
            from matting.media.cuts import find_cuts

            _step_back()
            with work.clip.duplicate() as clip:
                return find_cuts(clip, ctx)

        job = self._jobs.start(
            "Looking for cuts",
            look,
            done=lambda cuts: self._on_found(job, cuts),
            failed=lambda error: self._on_failed(job, error),
            lane=Lane.PATIENT,
        )
        self._job = job
        job.signals.progressed.connect(self._on_progressed)
        self.looking.emit(0.0)

    def _on_progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        if self._job is not None and self.sender() is self._job.signals:
            self.looking.emit(fraction)

    def _on_failed(self, job: Job, error: Exception) -> None:
        if job is self._job:
            self._messages.warn(f"{explain('Looking for cuts', error)} Put them in by hand: Edit, Add a cut.")
            self._on_found(job, ())

    def _on_found(self, job: Job, cuts: tuple[int, ...]) -> None:
        if job is self._job:
            self._job = None
            # A document that came back from a crash may know them already, and what the artist made of them.
            self._session.learn(lambda d: d if d.cuts is not None else d.model_copy(update={"cuts": cuts}))
            self.looking.emit(1.0)
            waiting, self._waiting = self._waiting, None
            if waiting is not None:
                waiting()

    def when_known(self, start: Callable[[], None]) -> None:
        """Start what keeps to shots: at once, or when the search is over, which takes a fraction of its time."""
        if self._job is None:
            start()
        else:
            self._waiting = start
            self._messages.note("This begins as soon as the cuts of the clip are known.")

    def add_here(self) -> None:
        """Let a shot begin at the playhead."""
        add_cut(self._session, self._session.frame)

    def remove_here(self) -> None:
        """Join the shot that begins at the playhead to the one before."""
        remove_cut(self._session, self._session.frame)

    def go_to_shot(self, by: int) -> None:
        """Go to where the next (1) shot begins, or the present one or the one before it (-1)."""
        starts = [shot.start for shot in self._session.document.shots if (shot.start - self._session.frame) * by > 0]
        if starts:
            self._session.set_frame(min(starts) if by > 0 else max(starts))


def _step_back() -> None:
    """Let every other thread go first; what this one starts, such as a decoder's threads, does likewise.

    On Linux Qt does not pass the pool's priority on.
    """
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
