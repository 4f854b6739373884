"""What moves by itself, and not because the camera does."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from matting.arrays import FloatArray
from matting.tracking.motion import Motion, resized

_ROWS = 40
"""So many rows of the motion are looked at, at most."""
_ROUNDS = 10
_AGREEING_PX = 0.5
"""A displacement this far from what the camera does counts half as much in the next round."""
_TERMS = 6


def own_motion(motion: Motion, background: FloatArray) -> FloatArray:
    """How fast each pixel moves against the background, whose motion is taken for a quadratic function of the place.

    Args:
        motion: from the frame before.
        background: ``[h, w]`` in [0, 1], how much each pixel counts, of any size.

    Returns:
        ``[h, w]``, at the size of ``motion``: pixels of a picture 640 wide.

    Source:
        the eight-parameter motion of a plane (Bergen et al., "Hierarchical model-based motion estimation", ECCV 1992)
        without its constraint, so that it is linear; fitted by reweighted least squares.
    """
    height, width = motion.origin.shape[:2]
    terms = _terms((height, width))
    spacing = max(1, height // _ROWS)
    known = terms[::spacing, ::spacing].reshape(-1, _TERMS)
    moved = motion.origin[::spacing, ::spacing].reshape(-1, 2)
    weights = (resized(background, (height, width)) * motion.trust)[::spacing, ::spacing].ravel() + np.float32(1e-3)
    agreeing = np.ones_like(weights)
    for _ in range(_ROUNDS):
        weighted = (known * (weights * agreeing)[:, np.newaxis]).T
        camera = np.linalg.solve(weighted @ known + 1e-4 * np.eye(_TERMS, dtype=np.float32), weighted @ moved)
        off = np.square(known @ camera - moved).sum(axis=1)
        agreeing = np.asarray(1 / (1 + off / _AGREEING_PX**2), np.float32)
    rest = motion.origin - (terms @ camera).astype(np.float32)
    return np.asarray(np.sqrt(np.square(rest).sum(axis=-1)) * np.float32(640 / max(height, width)), np.float32)


@lru_cache(maxsize=4)
def _terms(size_hw: tuple[int, int]) -> FloatArray:
    y, x = np.indices(size_hw, np.float32)
    x = (x - np.float32(size_hw[1] / 2)) / np.float32(max(size_hw))
    y = (y - np.float32(size_hw[0] / 2)) / np.float32(max(size_hw))
    return np.stack((np.ones_like(x), x, y, x * x, x * y, y * y), axis=-1)
