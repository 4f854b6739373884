"""Colours and cloth: one muted palette for people and street, so that no colour belongs to one of them alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from matting.synthesis.puppet.canvas import Fabric, Floats, speckle

Colour = Sequence[float]

RUST, CREAM, NAVY, UMBER = (0.47, 0.29, 0.215), (0.74, 0.665, 0.55), (0.175, 0.205, 0.27), (0.215, 0.150, 0.115)
SAGE, SKIN, OCHRE, STONE = (0.385, 0.415, 0.34), (0.80, 0.60, 0.475), (0.64, 0.49, 0.32), (0.56, 0.525, 0.47)
DARK_SKIN, TAUPE = (0.56, 0.385, 0.285), (0.40, 0.345, 0.29)


def cloth(colour: Colour, grain: float = 0.14, fine: float = 260) -> Fabric:
    """Woven cloth with a slight irregular grain."""
    base = np.array(colour, np.float32)

    def paint(along: Floats, across: Floats) -> Floats:
        weave = speckle(along, across, fine) * grain + speckle(along + 0.3, across, fine / 6) * grain
        return np.asarray(base * (1 + weave)[:, None], np.float32)

    return paint


def plaid(ground: Colour, first: Colour, second: Colour, size: float) -> Fabric:
    """Two crossing stripes on a ground."""
    base, one, two = (np.array(c, np.float32) for c in (ground, first, second))

    def paint(along: Floats, across: Floats) -> Floats:
        wide = [np.clip(np.sin(2 * np.pi * v / size) * 2.2 - 0.4, 0, 1)[:, None] for v in (along, across)]
        thin = [np.clip(np.sin(2 * np.pi * (v / size + 0.45)) * 8 - 7, 0, 1)[:, None] for v in (along, across)]
        colour = base + (one - base) * (0.5 * (wide[0] + wide[1])) + (two - base) * 0.45 * (thin[0] + thin[1])
        return np.asarray(colour * (1 + 0.18 * speckle(along, across, 240))[:, None], np.float32)

    return paint


def knit(colour: Colour, pitch: float = 0.016) -> Fabric:
    """Ribbed wool."""
    base = np.array(colour, np.float32)

    def paint(along: Floats, across: Floats) -> Floats:
        ribs = 0.10 * np.sin(2 * np.pi * across / pitch) + 0.05 * np.sin(2 * np.pi * along / pitch * 1.6)
        return np.asarray(base * (1 + ribs + 0.16 * speckle(along, across, 200))[:, None], np.float32)

    return paint


def tones(colour: Colour, spread: float = 0.3) -> Floats:
    """Light and dark variants of a colour for strands."""
    return np.array(colour, np.float32) * np.linspace(1 - spread, 1 + spread * 1.3, 4, dtype=np.float32)[:, None]
