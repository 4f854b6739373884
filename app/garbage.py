"""Python's cycle collector, moved to where it does no harm.

Left to itself it runs in whichever thread allocates: in a worker it would destroy Qt objects of the GUI thread, and a
full run while a job loads its libraries holds up the window for a tenth of a second.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from PySide6.QtCore import QTimer

YOUNG_MS = 100
"""How often new objects are looked through: often, so that few have gathered even while libraries load."""
OLD_S, OLD_AT_LATEST_S = 60, 600
"""How often all objects are: while nothing works, and at the latest."""


@contextmanager
def collected_when_idle(idle: Callable[[], bool]) -> Iterator[None]:
    """Collect on the GUI thread only, and everything only while ``idle``."""
    last = time.monotonic()

    def collect() -> None:
        nonlocal last
        waited_s = time.monotonic() - last
        if waited_s > (OLD_S if idle() else OLD_AT_LATEST_S):
            gc.collect()
            last = time.monotonic()
        else:
            gc.collect(1)

    timer = QTimer(interval=YOUNG_MS)
    timer.timeout.connect(collect)
    was_on = gc.isenabled()
    gc.disable()
    timer.start()
    try:
        yield
    finally:
        timer.stop()
        if was_on:
            gc.enable()
