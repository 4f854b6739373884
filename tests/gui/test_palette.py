from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtGui import QColor

from app.palette import PERSON_RGB, person_color, person_rgb, text_on

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision Deficiency" (2009),
# severity 1, on linear RGB.
SIGHT: dict[str, list[list[float]]] = {
    "normal": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(rgb: tuple[int, int, int]) -> NDArray[np.float64]:
    share = np.array(rgb) / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def lab(light: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = np.cbrt(XYZ @ np.clip(light, 0, 1) / [0.95047, 1, 1.08883])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize(("sight", "least"), [("normal", 35), ("protan", 15), ("deutan", 15), ("tritan", 15)])
def test_people_are_told_apart_with_any_sight(sight: str, least: float) -> None:
    seen = [lab(np.asarray(SIGHT[sight]) @ linear(rgb)) for rgb in PERSON_RGB]
    assert min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2)) >= least


def test_every_colour_stands_out_on_the_dark_theme() -> None:
    ground = XYZ[1] @ linear((30, 30, 30))
    for rgb in PERSON_RGB:
        assert (XYZ[1] @ linear(rgb) + 0.05) / (ground + 0.05) > 3


def test_numbers_are_readable_on_their_colour() -> None:
    for instance_id in range(1, 9):
        color = person_color(instance_id)
        pair = [XYZ[1] @ linear((c.red(), c.green(), c.blue())) + 0.05 for c in (color, text_on(color))]
        assert max(pair) / min(pair) > 4


def test_a_colour_belongs_to_an_id() -> None:
    assert person_rgb(1) == PERSON_RGB[0]
    assert person_rgb(9) == PERSON_RGB[0]
    assert person_color(2) == QColor(*person_rgb(2))
