"""How long work talks to whoever started it: progress out, a request to stop in."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from matting.errors import Cancelled


class JobContext:
    """Handed to every long function of the engine; subclasses override :meth:`progressed` to show what they like.

    The engine calls :meth:`report` and :meth:`raise_if_cancelled` at frame boundaries from the thread that works;
    anyone may call :meth:`cancel` from any thread.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._low, self._high = 0.0, 1.0
        self._start: tuple[float, float] | None = None

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        """Called with the share of the whole job that is done in [0, 1] and the seconds left, once they can be told."""

    def noticed(self, text: str) -> None:
        """Called with a sentence that the artist should read although the work goes on."""

    def report(self, fraction: float, message: str) -> None:
        """Tell which fraction of the current stage is done; raises :class:`Cancelled` when asked to stop."""
        self.raise_if_cancelled()
        whole = self._low + (self._high - self._low) * min(max(fraction, 0.0), 1.0)
        self.progressed(whole, message, self._seconds_left(whole))

    def _seconds_left(self, whole: float) -> float | None:
        """At the pace since the first report, which may have been far from zero where the job goes on from before."""
        if self._start is None:
            self._start = time.monotonic(), whole
        elapsed, gone = time.monotonic() - self._start[0], whole - self._start[1]
        return elapsed * (1 - whole) / gone if gone > 0.02 and elapsed > 1 else None

    def notice(self, text: str) -> None:
        """Pass a warning on to the artist."""
        self.noticed(text)

    @contextmanager
    def stage(self, low: float, high: float) -> Iterator[JobContext]:
        """Let the reports inside count from ``low`` to ``high`` of the present stage."""
        before = self._low, self._high
        span = before[1] - before[0]
        self._low, self._high = before[0] + span * low, before[0] + span * high
        try:
            yield self
        finally:
            self._low, self._high = before

    def cancel(self) -> None:
        """Ask the job to stop at the next frame boundary."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        return self._stop.is_set()

    def raise_if_cancelled(self) -> None:
        """Raise :class:`Cancelled` when somebody asked the job to stop."""
        if self._stop.is_set():
            raise Cancelled
