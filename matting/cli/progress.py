"""Progress on a terminal as a bar with the time left, elsewhere as plain lines."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from matting.job import JobContext

PLAIN_EVERY_S = 5.0


def say(text: str) -> None:
    """Tell a result on stdout."""
    print(text, flush=True)  # noqa: T201


def warn(text: str) -> None:
    """Tell something that needs attention on stderr."""
    print(f"note: {text}", file=sys.stderr, flush=True)  # noqa: T201


def clock(seconds: float) -> str:
    """``0:42`` or ``1:02:03``."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class _BarContext(JobContext):
    def __init__(self, progress: Progress, task: TaskID) -> None:
        super().__init__()
        self._progress, self._task = progress, task

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        eta = "" if eta_s is None else f"{clock(eta_s)} left"
        self._progress.update(self._task, completed=fraction, description=message, eta=eta)

    def noticed(self, text: str) -> None:
        self._progress.console.print(f"note: {text}", highlight=False)


class _LineContext(JobContext):
    def __init__(self) -> None:
        super().__init__()
        self._last, self._message = 0.0, ""

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        now = time.monotonic()
        stage = message.split(" ")[0]
        if stage != self._message or now - self._last >= PLAIN_EVERY_S:
            self._last, self._message = now, stage
            eta = "" if eta_s is None else f", {clock(eta_s)} left"
            print(f"{fraction:4.0%} {message}{eta}", file=sys.stderr, flush=True)  # noqa: T201

    def noticed(self, text: str) -> None:
        warn(text)


@contextmanager
def progress() -> Iterator[JobContext]:
    """A context that shows on stderr how far the work is."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _LineContext()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[eta]}"))
    with Progress(*columns, console=console) as bar:
        yield _BarContext(bar, bar.add_task("Starting", total=1.0, eta=""))
