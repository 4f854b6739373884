"""What an artist would click on the sample: points on each garment, a few beside it, and a loose box, on six frames."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Alphas = NDArray[np.uint8]

NAMES = ("ann", "ben", "cleo")
_WANTED: dict[str, tuple[int, ...]] = {"ann": (0, 25, 50, 75, 100, 124), "ben": (0, 25, 46, 68, 96, 124)}
_PARTS = (0.0, 0.1, 0.22, 0.38, 0.55, 0.75, 0.9, 1.0)
"""From top to bottom: hair, face, chest, waist, hips, legs, feet get a click each, as they differ in colour."""
_LIMBS, _GAPS = 4, 6
_IN, _OUT = 225, 20


def prompts(alphas: Alphas) -> dict[str, object]:
    """The prompts file's content from the true alphas ``[T, N, H, W]``."""
    rng = np.random.default_rng(3)
    hidden = np.flatnonzero(alphas[:, 2].reshape(len(alphas), -1).max(1) == 0)
    first, last = int(hidden[0]), int(hidden[-1])
    wanted = _WANTED | {"cleo": (0, first - 16, last + 18, len(alphas) - 1)}
    people: list[dict[str, object]] = []
    for person, name in enumerate(NAMES):
        given = [_prompt(alphas[frame], person, frame, rng) for frame in wanted[name]]
        if name == "cleo":
            given += [{"frame": first}, {"frame": last}]
        given.sort(key=lambda prompt: int(str(prompt["frame"])))
        people.append({"name": name, "prompts": given})
    return {"instances": people}


def _prompt(alphas: Alphas, person: int, frame: int, rng: np.random.Generator) -> dict[str, object]:
    inside = (alphas[person] >= _IN).astype(np.uint8)
    rows, columns = np.nonzero(alphas[person] >= 100)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    height, width = inside.shape
    points = []
    for low, high in pairwise(_PARTS):
        part = np.zeros_like(inside)
        a, b = round(top + (bottom - top) * low), round(top + (bottom - top) * high)
        part[a:b] = inside[a:b]
        points += [(*spot, 1) for spot in _click(part, rng, 2.0)]
    apart = round((bottom - top) * 0.12)
    left_out = inside.copy()
    for x, y, _ in points:
        cv2.circle(left_out, (x, y), apart, 0, -1)
    points += [(*spot, 1) for spot in _clicks(left_out, rng, 3.0, _LIMBS, apart)]
    around = np.zeros_like(inside)
    around[max(top - 6, 0) : bottom + 6, max(left - 14, 0) : right + 14] = 1
    others = alphas.astype(int).sum(0) - alphas[person]
    neighbour = (others >= _IN).astype(np.uint8) & around
    if neighbour.sum() > 300:
        points += [(*spot, 0) for spot in _click(neighbour, rng, 3.0)]
    empty = (alphas[person] <= _OUT).astype(np.uint8) & around
    points += [(*spot, 0) for spot in _clicks(empty, rng, 2.5, _GAPS, apart)]
    loose = rng.integers(3, 9, 4)
    box = [
        max(left - loose[0], 0),
        max(top - loose[1], 0),
        min(right + loose[2], width),
        min(bottom + loose[3], height),
    ]
    return {"frame": frame, "points": [list(map(int, point)) for point in points], "box": list(map(int, box))}


def _click(region: NDArray[np.uint8], rng: np.random.Generator, least: float) -> list[tuple[int, int]]:
    """One point near the middle of a region, unless it is nowhere ``least`` pixels deep."""
    depth = cv2.distanceTransform(np.pad(region, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    if depth.max() < least:
        return []
    rows, columns = np.nonzero(depth >= 0.85 * depth.max())
    pick = int(rng.integers(len(rows)))
    return [(int(columns[pick]), int(rows[pick]))]


def _clicks(
    region: NDArray[np.uint8], rng: np.random.Generator, least: float, most: int, apart: int
) -> list[tuple[int, int]]:
    """Up to ``most`` points deep in a region, ``apart`` pixels from one another, the deepest first."""
    left, spots = region.copy(), []
    for _ in range(most):
        for x, y in _click(left, rng, least):
            spots.append((x, y))
            cv2.circle(left, (x, y), apart, 0, -1)
    return spots
