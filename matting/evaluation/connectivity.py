"""Conn: how much of two mattes hangs together with their common core.

Source:
    Rhemann et al., "A Perceptually Motivated Online Benchmark for Image Matting" (CVPR 2009), in steps of 0.1.
"""

from __future__ import annotations

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask
from matting.evaluation.tally import Tally, check_pair

# Opacities are compared as float32: in float64 a constant 0.9 would lie below the threshold 0.9.
_THRESHOLDS = np.arange(11).astype(np.float32) / np.float32(10)
_TOLERATED = np.float32(0.15)


def conn(pred: FloatArray, truth: FloatArray) -> Tally:
    """Connectivity error 1e-3 Σ|φ(p) − φ(g)| for each instance in each frame.

    l is, at every pixel, the threshold (0, 0.1 … 0.9) before the first at which the pixel is not in the largest
    4-connected part of {p and g both reach it}, 1 where there is none; the distance x − l counts from 0.15 on:
    φ(x) = 1 − (x − l)[x − l ≥ 0.15].

    Args:
        pred: ``[T, N, H, W]`` float32 opacities p in [0, 1].
        truth: the same, ground truth g.

    Returns:
        Counts T for each instance.
    """
    frames, instances, *_ = check_pair(pred, truth)
    score = np.zeros(instances)
    for t, n in np.ndindex(frames, instances):
        p, g = pred[t, n], truth[t, n]
        level = _levels(np.minimum(p, g))
        score[n] += 1e-3 * cv2.norm(_apart(p, level), _apart(g, level), cv2.NORM_L1)
    return Tally(score, np.full(instances, float(frames)))


def _apart(alpha: FloatArray, level: FloatArray) -> FloatArray:
    distance = alpha - level
    distance[distance < _TOLERATED] = 0
    return distance


def _levels(both: FloatArray) -> FloatArray:
    """The l of :func:`conn`, ``[H, W]``, of the lesser of two opacities."""
    levels = np.zeros_like(both)
    x, y, width, height = cv2.boundingRect((both >= _THRESHOLDS[1]).view(np.uint8))
    if not width:
        return levels
    both = both[y : y + height, x : x + width]  # outside of it no pixel passes the first threshold
    inside = levels[y : y + height, x : x + width]
    held: Mask = np.ones(both.shape, np.bool_)
    for threshold in _THRESHOLDS[1:]:
        held &= _largest_part(both >= threshold)
        inside[held] = threshold
    return levels


def _largest_part(mask: Mask) -> Mask:
    """The largest 4-connected part, the first in reading order among equals; nothing where there is none."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8), connectivity=4)
    if count < 2:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + np.argmax(stats[1:, cv2.CC_STAT_AREA]))
