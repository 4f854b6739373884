"""Weights by formula, so that a network of 30 million values can be compared with its authors' without carrying them.

A layout is ``{key: {"shape": [...], "dtype": "float32", ...}}``, the keys those of a public checkpoint. The random part
of each tensor is seeded by its key alone, so that every implementation can fill in the same numbers.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

POWER_ITERATIONS = 2
"""Too few to converge: whoever makes one more, or one less, gets visibly different mattes."""

Layout = Mapping[str, Mapping[str, Any]]


def read_layout(path: Path) -> Layout:
    content = json.loads(path.read_text())
    layout: Layout = content.get("tensors", content)
    return layout


def formula_weights(layout: Layout) -> dict[str, Tensor]:
    """A whole checkpoint of the layout, in its order."""
    made: dict[str, NDArray[np.float64]] = {}
    for key in layout:
        if key not in made:
            made.update(_values(key, layout))
    return {
        key: torch.from_numpy(np.asarray(made[key], entry["dtype"]).reshape(entry["shape"]))
        for key, entry in layout.items()
    }


def _values(key: str, layout: Layout) -> dict[str, NDArray[np.float64]]:
    """The values of ``key``, and of its partner where two are made together."""
    stem = key[:-2]
    if key.endswith(("_u", "_v")) and f"{stem}_bar" in layout:
        u, v = _singular_vectors(stem, layout)
        return {f"{stem}_u": u, f"{stem}_v": v}
    entry = layout[key]
    return {key: np.asarray(_plain(key, entry) * entry.get("scale", 1.0) + entry.get("shift", 0.0))}


def _plain(key: str, entry: Mapping[str, Any]) -> NDArray[np.float64]:
    shape = tuple(entry["shape"])
    name = key.rpartition(".")[2]
    if "init" in entry:
        return np.broadcast_to(np.asarray(entry["init"], np.float64), shape).copy()
    if entry["dtype"].startswith("int"):
        return np.zeros(shape)
    normal = _normal(key, shape)
    if name == "running_mean":
        return 0.1 * normal
    if name == "running_var":
        return 1 + 0.1 * np.abs(normal)
    if "bias" in name:
        return 0.05 * normal
    if len(shape) > 1:
        return np.asarray(normal * np.sqrt(2 / np.prod(shape[1:])))
    return 1 + 0.1 * normal


def _singular_vectors(stem: str, layout: Layout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    raw = f"{stem}_bar"
    matrix = _values(raw, layout)[raw].reshape(layout[raw]["shape"][0], -1)
    u = _unit(_normal(f"{stem}_u", (matrix.shape[0],)))
    v = u
    for _ in range(POWER_ITERATIONS):
        v = _unit(matrix.T @ u)
        u = _unit(matrix @ v)
    return u, v


def _normal(key: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    return np.random.Generator(np.random.PCG64(zlib.crc32(key.encode()))).standard_normal(shape)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    unit: NDArray[np.float64] = vector / (np.sqrt((vector * vector).sum()) + 1e-12)
    return unit
