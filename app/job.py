"""Long work in threads: one job is one engine call, its context, and the signals by which the window hears of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from PySide6.QtCore import QObject, QRunnable, QThread, QThreadPool, Signal

from matting.errors import Cancelled
from matting.job import JobContext

log = logging.getLogger(__name__)

PROGRESS_S = 0.05
"""Shortest time between two reports that reach the GUI thread."""


class JobSignals(QObject):
    """What a job tells; it lives on the GUI thread, so slots run there."""

    progressed = Signal(float, str, object)
    """Share done in [0, 1], what is going on, seconds left or None."""
    noticed = Signal(str)
    succeeded = Signal(object)
    cancelled = Signal()
    failed = Signal(object)
    finished = Signal()
    """After exactly one of the three before."""


class _Context(JobContext):
    """Hands reports on as signals, at most twenty a second."""

    def __init__(self, signals: JobSignals) -> None:
        super().__init__()
        self._signals = signals
        self._told = 0.0
        self._message = ""

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        now = time.monotonic()
        if now - self._told >= PROGRESS_S or message != self._message:
            self._told, self._message = now, message
            self._signals.progressed.emit(fraction, message, eta_s)

    def noticed(self, text: str) -> None:
        self._signals.noticed.emit(text)


class Job(QRunnable):
    """One piece of work for a thread of a pool."""

    def __init__(self, title: str, work: Callable[[JobContext], object]) -> None:
        super().__init__()
        self.setAutoDelete(False)  # Jobs keeps it until `finished`
        self.title = title
        self.signals = JobSignals()
        self._work = work
        self._context = _Context(self.signals)

    def cancel(self) -> None:
        """Ask to stop at the next frame boundary; nothing happens at once."""
        self._context.cancel()

    def run(self) -> None:
        signals = self.signals
        try:
            self._context.raise_if_cancelled()
            signals.succeeded.emit(self._work(self._context))
        except Cancelled:
            signals.cancelled.emit()
        except Exception as error:  # noqa: BLE001  (the edge of the thread: whatever it was must reach the window)
            signals.failed.emit(error)
        finally:
            signals.finished.emit()


class Lane(Enum):
    """Which jobs wait for each other."""

    HEAVY = auto()
    """Tracking, matting, export, moving a project: one after another, shown in the job strip."""
    LIGHT = auto()
    """Frames, looking things up, thumbnails: two at a time."""
    SELECTING = auto()
    """What the selecting worker is asked: one thing after another, beside the heavy jobs."""
    PATIENT = auto()
    """What takes long and nobody waits for: one at a time, and everything else goes first."""
    MODELS = auto()
    """Downloads of models: one after another, beside the heavy jobs."""
    DISK = auto()
    """Saving and autosaving: in the order they were asked for, so that an older document never comes last."""


_THREADS = {Lane.HEAVY: 1, Lane.LIGHT: 2, Lane.SELECTING: 1, Lane.PATIENT: 1, Lane.MODELS: 1, Lane.DISK: 1}


class Jobs(QObject):
    """Runs jobs in threads and keeps them until they have finished."""

    started = Signal(object)
    """A heavy job was accepted; it may still wait for the one before."""
    ended = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pools: dict[Lane, QThreadPool] = {}
        for lane, threads in _THREADS.items():
            self._pools[lane] = QThreadPool(self)
            self._pools[lane].setObjectName(f"matteo-{lane.name.lower()}")
            self._pools[lane].setMaxThreadCount(threads)
        self._pools[Lane.PATIENT].setThreadPriority(QThread.Priority.LowestPriority)
        self._running: dict[Job, Lane] = {}
        self._closed = False

    @property
    def heavy(self) -> list[Job]:
        """The heavy jobs that run or wait, oldest first."""
        return [job for job, lane in self._running.items() if lane is Lane.HEAVY]

    @property
    def idle(self) -> bool:
        """Whether nothing at all runs or waits."""
        return not self._running

    def start(
        self,
        title: str,
        work: Callable[[JobContext], Any],
        *,
        progressed: Callable[[float, str, float | None], None] | None = None,
        done: Callable[[Any], None] | None = None,
        failed: Callable[[Exception], None] | None = None,
        stopped: Callable[[], None] | None = None,
        finished: Callable[[], None] | None = None,
        noticed: Callable[[str], None] | None = None,
        lane: Lane = Lane.LIGHT,
        priority: int = 0,
    ) -> Job:
        """Run ``work`` in a thread. All that is called back is called on the GUI thread.

        Args:
            title: what the job strip calls it.
            work: gets the context; what it returns goes to ``done``, what it raises to ``failed``.
            progressed: hears how far it is, what goes on, and the seconds left.
            done, failed, stopped: exactly one of them is called; errors that nobody asks about go to the log.
            finished: called after that in any case.
            noticed: gets what the artist should read although the work goes on.
            lane: which other jobs it waits for.
            priority: jobs of a lane with a higher one start first.
        """
        job = Job(title, work)
        signals = job.signals
        # Everything is connected before it starts: it may be done before this function is.
        for signal, slot in (
            (signals.progressed, progressed),
            (signals.succeeded, done),
            (signals.failed, failed if failed is not None else lambda error: _log(title, error)),
            (signals.cancelled, stopped),
            (signals.noticed, noticed),
            (signals.finished, lambda: self._end(job)),
            (signals.finished, finished),
        ):
            if slot is not None:
                signal.connect(self._while_open(slot))
        self._running[job] = lane
        if self._closed and lane is not Lane.DISK:
            job.cancel()
        if lane is Lane.HEAVY:
            self.started.emit(job)
        self._pools[lane].start(job, priority)
        return job

    def _while_open(self, slot: Callable[..., None]) -> Callable[..., None]:
        """What jobs have to tell after the end would reach widgets that are gone."""

        def tell(*values: object) -> None:
            if not self._closed:
                slot(*values)

        return tell

    def _end(self, job: Job) -> None:
        if self._running.pop(job) is Lane.HEAVY:
            self.ended.emit(job)

    def cancel_heavy(self) -> None:
        """Ask every heavy job to stop."""
        for job in self.heavy:
            job.cancel()

    def shut_down(self) -> None:
        """Stop everything but what goes to disk, and wait until it has: no thread is left behind."""
        self._closed = True
        for job, lane in self._running.items():
            if lane is not Lane.DISK:
                job.cancel()
        for pool in self._pools.values():
            pool.waitForDone()


def _log(title: str, error: Exception) -> None:
    log.error("%s failed", title, exc_info=error)
