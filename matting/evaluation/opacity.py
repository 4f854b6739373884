"""Opacities as they are stored, 8 or 16 bits, and as numbers in [0, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray

Opacity: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | FloatArray
"""Unsigned integers over their full range, or float32 in [0, 1]."""


def full(alpha: NDArray[Any]) -> float:
    """The value that means opaque: 255, 65535, or 1 for floats."""
    return 1.0 if alpha.dtype.kind == "f" else float(2 ** (8 * alpha.dtype.itemsize) - 1)


def as_float(alpha: Opacity) -> FloatArray:
    """Opacities as float32 in [0, 1]."""
    return np.asarray(alpha, np.float32) / np.float32(full(alpha))


def stack(alphas: Sequence[Opacity]) -> Opacity:
    """At least one array of one shape with an axis before; as floats where 8 and 16 bits come together."""
    if len({alpha.dtype for alpha in alphas}) > 1:
        return np.stack([as_float(alpha) for alpha in alphas])
    return cast(Opacity, np.stack(alphas))
