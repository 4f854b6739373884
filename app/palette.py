"""One colour per person, by id: told apart on dark grey and with any of the common colour blindnesses.

Okabe and Ito's "Color Universal Design" set (2008), lightened for dark surroundings. Measured with the simulation of
Machado et al. (2009): any two differ by at least 15 in CIELAB for protan, deutan and tritan sight, by 37 otherwise,
and each has a contrast of at least 3.4 to #1e1e1e. After eight people colours repeat; the numbers beside them do not.
"""

from __future__ import annotations

from PySide6.QtGui import QColor

PERSON_RGB: tuple[tuple[int, int, int], ...] = (
    (238, 155, 31),  # orange
    (98, 189, 245),  # sky blue
    (231, 138, 195),  # pink
    (18, 163, 124),  # green
    (245, 235, 98),  # yellow
    (217, 80, 27),  # vermilion
    (63, 104, 224),  # blue
    (212, 212, 212),  # light grey
)


def person_rgb(instance_id: int) -> tuple[int, int, int]:
    """The colour of an instance, 0…255 each; ids start at 1."""
    return PERSON_RGB[(instance_id - 1) % len(PERSON_RGB)]


def person_color(instance_id: int) -> QColor:
    """The colour of an instance for painting."""
    return QColor(*person_rgb(instance_id))


def text_on(color: QColor) -> QColor:
    """Near-black or white, whichever is read better on ``color``."""
    luma = 0.299 * color.red() + 0.587 * color.green() + 0.114 * color.blue()
    return QColor("#141414" if luma > 115 else "#ffffff")
