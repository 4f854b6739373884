"""Vectors made with the authors' code, cut to the size a test suite can carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from formula_weights import Layout, read_layout
from numpy.typing import NDArray

FOLDER = Path(__file__).parent / "golden"


def golden(network: str, case: str) -> dict[str, NDArray[Any]]:
    with np.load(FOLDER / network / f"{case}.npz") as stored:
        return {name: stored[name] for name in stored.files}


def golden_layout(network: str, name: str = "layout") -> Layout:
    return read_layout(FOLDER / network / f"{name}.json")
