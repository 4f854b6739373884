"""How well masks fit the true ones: region and contour, and how both go over a clip.

Sources: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation" (CVPR 2016),
sections 4 and 5; Pont-Tuset et al., "The 2017 DAVIS Challenge on Video Object Segmentation" (2017), section 3. Frames
are index pictures, pixel value = instance id; pixels that the truth marks 255 ("void") count neither way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask

Ids: TypeAlias = NDArray[np.uint8]
"""An index picture, ``[H, W]``."""
Values: TypeAlias = NDArray[np.float64]
VOID = 255
TOLERANCE = 0.008
"""How far apart two contours may be, as a share of the picture's diagonal."""
RECALLED = 0.5
"""The value above which a frame counts as found."""


def overlaps(pred: Ids, truth: Ids, ids: Sequence[int]) -> Values:
    """Intersection over union of every predicted instance with every true one.

    Returns:
        ``[N, N]`` in the order of ``ids``: predicted × true, in [0, 1]; 1 where both are empty.
    """
    known = truth != VOID
    pairs = np.bincount(pred[known].astype(np.int32) * 256 + truth[known], minlength=1 << 16).reshape(256, 256)
    both = pairs[np.ix_(ids, ids)]
    either = pairs.sum(axis=1)[list(ids), None] + pairs.sum(axis=0)[None, list(ids)] - both
    return np.where(either, both / np.maximum(either, 1), 1.0)


def contour_accuracy(pred: Mask, truth: Mask, void: Mask | None = None) -> float:
    """F: the harmonic mean of how much of each contour lies near the other one.

    Near is within 0.008 of the picture's diagonal, rounded up to whole pixels; a contour's pixels are those that differ
    from a neighbour to the right, below, or both. The authors' code matches by this dilation instead of one to one.

    Args:
        pred: ``[H, W]``.
        truth: ``[H, W]``.
        void: ``[H, W]``, what counts neither way.

    Returns:
        In [0, 1]; 1 where neither has a contour, 0 where only one has.
    """
    reach_px = math.ceil(TOLERANCE * math.hypot(*truth.shape))
    if void is not None:
        pred, truth = pred & ~void, truth & ~void
    window = _window(pred | truth)
    if window is None:
        return 1.0
    mine, its = contour(pred)[window], contour(truth)[window]
    if not mine.any() or not its.any():
        return float(mine.any() == its.any())
    precision, recall = mine[_near(its, reach_px)].sum() / mine.sum(), its[_near(mine, reach_px)].sum() / its.sum()
    return float(2 * precision * recall / (precision + recall)) if precision + recall else 0.0


def contour(mask: Mask) -> Mask:
    """The pixels of ``[H, W]`` that differ from their neighbour to the right, below, or right below."""
    edge = np.zeros_like(mask)
    edge[:, :-1] |= mask[:, :-1] != mask[:, 1:]
    edge[:-1] |= mask[:-1] != mask[1:]
    edge[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return edge


def recall(values: Values) -> float:
    """The share of frames above 0.5; NaN without frames."""
    return float(np.mean(values > RECALLED)) if len(values) else math.nan


def decay(values: Values) -> float:
    """How much is lost from the first quarter of the frames to the last one; NaN without frames.

    The quarters share the frame where they meet, as in the authors' code.
    """
    if not len(values):
        return math.nan
    ends = np.rint(np.linspace(0, len(values) - 1, 5) + 1e-10).astype(int)  # halves go up
    first, last = values[: ends[1] + 1], values[ends[3] :]
    return float(first.mean() - last.mean())


def _window(mask: Mask) -> tuple[slice, slice] | None:
    """Round a mask and the pixels beside it, where its contour is; None where it is empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return slice(max(int(rows[0]) - 1, 0), int(rows[-1]) + 2), slice(max(int(columns[0]) - 1, 0), int(columns[-1]) + 2)


def _near(edge: Mask, reach_px: int) -> Mask:
    """Everything within ``reach_px`` of an edge that is not empty."""
    distance = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return np.asarray(distance <= reach_px + 1e-3)
