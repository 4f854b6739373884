from __future__ import annotations

import gc
import weakref

from pytestqt.qtbot import QtBot

from app.garbage import collected_when_idle


class Knot:
    """Kept alive by nothing but itself."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_go_on_the_gui_thread_and_the_collector_is_as_before_afterwards(qtbot: QtBot) -> None:
    with collected_when_idle(lambda: False):
        assert not gc.isenabled()
        knot = weakref.ref(Knot())
        qtbot.waitUntil(lambda: knot() is None)
    assert gc.isenabled()
