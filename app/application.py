"""Starting the editor: the window first, everything slow after it."""

from __future__ import annotations

import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType

from PySide6.QtCore import QCoreApplication, QEvent, QTimer
from PySide6.QtWidgets import QApplication

from app.garbage import collected_when_idle
from app.icons import let_icons_sleep, wake_icons
from app.theme import apply_theme
from app.window import MainWindow

log = logging.getLogger(__name__)

INTERRUPTED = 130
"""Exit code after Ctrl+C, as shells have it."""
SWITCH_S = 0.002
"""How long a worker may hold the interpreter while the window waits for it; Python's own 5 ms add up."""
FIRST_PAINT_MS = 50
"""Time to get the window on the screen before a thread imports what the first job needs."""
BREATH_MS = 200
"""How often Python runs at least, so that it notices signals while nothing happens."""


def run(path: Path | None) -> int:
    """Show the editor, with a clip or project in it if one is named, until it is closed.

    Returns:
        The exit code.
    """
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication(sys.argv[:1])
    app.setApplicationName("Matteo")
    app.setDesktopFileName("matteo")
    apply_theme(app)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    let_icons_sleep()
    window = MainWindow()
    with _faults_told(window), _interruptible(window), collected_when_idle(lambda: window.jobs.idle):
        window.show()
        QTimer.singleShot(FIRST_PAINT_MS, window, lambda: _begin(window, path))
        code = app.exec()
    window.shut_down()  # closing did so already, unless the loop was ended in another way
    window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    sys.setswitchinterval(interval)
    return code


def _begin(window: MainWindow, path: Path | None) -> None:
    wake_icons()  # before any job runs: it takes a while, and the window stands still meanwhile
    if path is None:
        window.look_for_unsaved()
    else:
        window.files.open(path)
        window.models.look_up()


@contextmanager
def _faults_told(window: MainWindow) -> Iterator[None]:
    """A fault in a slot is logged and told in the window instead of ending in a terminal nobody looks at."""

    def tell(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            before(kind, fault, trace)
            return
        log.error("fault in the editor", exc_info=(kind, fault, trace))
        window.messages.error(f"A fault in Matteo ({kind.__name__}: {fault}); save your work. The log has the details.")

    before, sys.excepthook = sys.excepthook, tell
    try:
        yield
    finally:
        sys.excepthook = before


@contextmanager
def _interruptible(window: MainWindow) -> Iterator[None]:
    """Ctrl+C in the terminal ends the editor and keeps what is not saved for the next time."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        window.interrupt()
        QCoreApplication.exit(INTERRUPTED)

    before = signal.signal(signal.SIGINT, stop)
    breath = QTimer(interval=BREATH_MS)
    breath.timeout.connect(lambda: None)
    breath.start()
    try:
        yield
    finally:
        breath.stop()
        signal.signal(signal.SIGINT, before)
