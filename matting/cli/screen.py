"""Whether there is a screen."""

from __future__ import annotations

import os
import sys


def has_screen() -> bool:
    """Whether a window can be shown here."""
    if os.environ.get("QT_QPA_PLATFORM") in ("offscreen", "minimal"):
        return False
    return sys.platform != "linux" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
