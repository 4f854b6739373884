"""Heavy work in a process of its own.

Most of what the engine does holds Python's interpreter lock for longer than a window may stand still, so a thread is
not enough. A crash in a decoder, or a system that takes the memory back, ends the worker and not the window.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

import psutil

from matting.errors import Cancelled, MatteoError, WorkerError
from matting.job import JobContext

POLL_S = 0.05
"""How soon a wish to stop is passed on, and the shortest time between two reports."""
_STOP = b""
_NICENESS = 5
_PATIENCE_S = 5.0


class _Kind(Enum):
    PROGRESS = auto()
    NOTICE = auto()
    RESULT = auto()
    CANCELLED = auto()
    FAILED = auto()


class Worker:
    """One process that does one thing at a time; it starts when it is first needed and stays for the next job.

    Safe to use from several threads: they wait for each other.
    """

    def __init__(
        self,
        prepare: Callable[[], None] | None = None,
        tidy: Callable[[], None] | None = None,
        patience_s: float | None = None,
    ) -> None:
        """Nothing starts yet.

        Args:
            prepare: what the process does first, such as slow imports.
            tidy: what it does after each job.
            patience_s: how long a job that was asked to stop may go on before its process is ended; None for as long
                as it likes.
        """
        self._prepare, self._tidy, self._patience_s = prepare, tidy, patience_s
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    def run(self, function: Callable[..., Any], *arguments: object, ctx: JobContext) -> Any:
        """Call ``function(*arguments, ctx)`` in the worker and wait for what it returns.

        Args:
            function: of a module that imports no Qt; the worker finds it by its name.
            arguments: go there by pickle.
            ctx: hears of the progress, and can stop the work.

        Raises:
            Cancelled: ``ctx`` asked to stop.
            WorkerError: the process ended in the middle of it.
            Exception: whatever the function raised, with the worker's traceback as a note.
        """
        with self._lock:
            ctx.raise_if_cancelled()
            connection = self._connected()
            try:
                connection.send_bytes(pickle.dumps((function, arguments)))
                return self._follow(connection, ctx)
            except (EOFError, ConnectionError):
                code = self._end()
                raise WorkerError(
                    f"The engine's process ended in the middle of the work ({_reason(code)}). What was finished is "
                    "kept; start it again, and close other programs if memory was short."
                ) from None

    def start(self) -> None:
        """Start the process now, so that the first job finds it prepared; does not wait for it."""
        with self._lock:
            self._connected()

    def close(self) -> None:
        """End the process; nothing must run. The next job starts another."""
        with self._lock:
            self._end()

    def _connected(self) -> Connection:
        if self._process is not None and not self._process.is_alive():
            self._end()
        if self._connection is None:
            # A forked copy of a process with threads may hang, so a new interpreter on every system.
            context = multiprocessing.get_context("spawn")
            self._connection, theirs = context.Pipe()
            self._process = context.Process(
                target=_serve, args=(theirs, self._prepare, self._tidy), name="matteo-worker", daemon=True
            )
            self._process.start()
            theirs.close()
        return self._connection

    def _end(self) -> int | None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        code = None
        if self._process is not None:
            self._process.join(_PATIENCE_S)  # it ends by itself when nobody listens any more
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
            code = self._process.exitcode
            self._process.close()
            self._process = None
        return code

    def _follow(self, connection: Connection, ctx: JobContext) -> Any:
        asked: float | None = None
        while True:
            if ctx.cancelled and asked is None:
                connection.send_bytes(_STOP)
                asked = time.monotonic()
            if asked is not None and self._patience_s is not None and time.monotonic() - asked > self._patience_s:
                self._end()
                raise Cancelled
            if not connection.poll(POLL_S):
                continue
            kind, value = connection.recv()
            if kind is _Kind.PROGRESS:
                ctx.progressed(*value)
            elif kind is _Kind.NOTICE:
                ctx.notice(value)
            elif kind is _Kind.RESULT:
                return value
            elif kind is _Kind.CANCELLED:
                raise Cancelled
            else:
                raise value


def _reason(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


class _Reporting(JobContext):
    """Sends what it is told to the process that waits."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._told, self._message = 0.0, ""

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        now = time.monotonic()
        if now - self._told >= POLL_S or message != self._message:
            self._told, self._message = now, message
            self._connection.send((_Kind.PROGRESS, (fraction, message, eta_s)))

    def noticed(self, text: str) -> None:
        self._connection.send((_Kind.NOTICE, text))


def _serve(
    connection: Connection, prepare: Callable[[], None] | None = None, tidy: Callable[[], None] | None = None
) -> None:
    """The worker's whole life: one request after the other until nobody is there to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the window decides what it means
    with suppress(psutil.Error, OSError):  # the window goes first where both want the processor
        if sys.platform == "win32":
            psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            os.nice(_NICENESS)
    requests: queue.SimpleQueue[tuple[bytes, _Reporting]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(connection, requests), daemon=True).start()
    if prepare is not None:
        prepare()
    while True:
        request, ctx = requests.get()
        connection.send(_answer(request, ctx))
        if tidy is not None:  # after the answer, which may be an error whose traceback holds on to what failed
            tidy()


def _listen(connection: Connection, requests: queue.SimpleQueue[tuple[bytes, _Reporting]]) -> None:
    newest = _Reporting(connection)
    while True:
        try:
            message = connection.recv_bytes()
        except (EOFError, OSError):
            os._exit(0)  # whoever asked is gone; what is finished is on the disk
        if message == _STOP:
            newest.cancel()
        else:
            newest = _Reporting(connection)
            requests.put((message, newest))


def _answer(request: bytes, ctx: _Reporting) -> tuple[_Kind, object]:
    try:
        function, arguments = pickle.loads(request)
        return _Kind.RESULT, function(*arguments, ctx)
    except Cancelled:
        return _Kind.CANCELLED, None
    except MatteoError as error:
        return _Kind.FAILED, error
    except Exception as error:  # noqa: BLE001  (the edge of the process: whatever it was must reach whoever waits)
        return _Kind.FAILED, _portable(error)


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note; a RuntimeError in its place where it does not survive pickling."""
    trace = traceback.format_exc()
    error.add_note(trace)
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001  (classes of any library, whose pickling may fail in any way)
        error = RuntimeError(f"{type(error).__name__}: {error}")
        error.add_note(trace)
    return error
