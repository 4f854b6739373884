"""What the viewer can show of a frame, and a picture made for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from PySide6.QtGui import QImage


class View(StrEnum):
    """What the viewer shows of a frame."""

    SOURCE = "source"
    OVERLAY = "overlay"
    MATTE = "matte"
    CHECKERBOARD = "checkerboard"
    COMPOSITE = "composite"


@dataclass(frozen=True)
class Wanted:
    """Which picture; ``active_id`` is the person whose matte is shown, 0 for all."""

    frame: int
    view: View
    active_id: int = 0


@dataclass(frozen=True)
class Shown:
    """A picture as it is painted; ``hint`` says what is missing for the view that was asked for, and what to do."""

    wanted: Wanted
    image: QImage = field(repr=False)
    hint: str = ""
