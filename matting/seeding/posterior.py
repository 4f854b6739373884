"""Joining where a figure is expected with what its colours say, smoothly within and sharply across edges.

Source:
    The colour models are re-learned from their own answer as by Rother, Kolmogorov, Blake, "GrabCut" (2004); the
    smoothing is Grady, "Multilabel Random Walker Image Segmentation Using Prior Models" (CVPR 2005) with two labels.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, Picture

_ROUNDS = 4
# Where a figure can be matters less with each turn, as its colours become known.
_FADE = 0.9
_BINS = 16
_STOREYS = 3
_COLOUR_LIMIT = 3.0
_SMOOTHNESS = 40.0
_FLOOR = 0.01
_SURE = 1e3
_CG_STEPS = 60


def figure_probability(picture: Picture, expected: FloatArray, sure_in: Mask, sure_out: Mask) -> FloatArray:
    """Probability that each pixel belongs to the figure.

    Args:
        picture: ``[h, w, 3]`` uint8 RGB.
        expected: ``[h, w]`` log-odds from where the pixel is.
        sure_in: ``[h, w]`` bool, inside whatever the rest says.
        sure_out: ``[h, w]`` bool, outside; ``sure_in`` wins.

    Returns:
        ``[h, w]`` float32 in [0, 1].
    """
    colours = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)
    bins = (colours // (256 // _BINS)).astype(np.intp)
    flat = (bins[..., 0] * _BINS + bins[..., 1]) * _BINS + bins[..., 2]
    right, down = _conductance(colours.astype(np.float32))
    weight = np.where(sure_in | sure_out, np.float32(_SURE), np.float32(1))
    probability = _sigmoid(expected)
    for turn in range(_ROUNDS):
        probability[sure_out] = 0
        probability[sure_in] = 1
        target = _sigmoid(expected * _FADE**turn + _colour_odds(flat, probability))
        target[sure_out] = 0
        target[sure_in] = 1
        probability = _smooth(target, weight, right, down)
    return probability


def _sigmoid(odds: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _colour_odds(flat: NDArray[np.intp], probability: FloatArray) -> FloatArray:
    """Log-odds of each pixel's colour; learned per storey, for a coat's colour says nothing about the feet."""
    height = len(flat)
    middles = (np.arange(_STOREYS) + 0.5) * height / _STOREYS
    rows = np.arange(height)[:, None] + 0.5
    odds = np.zeros(flat.shape, np.float32)
    total = np.zeros((height, 1), np.float32)
    for middle in middles:
        near = np.exp(-0.5 * ((rows - middle) * _STOREYS / height) ** 2).astype(np.float32)
        inside = _histogram(flat, probability * near)
        outside = _histogram(flat, (1 - probability) * near)
        odds += near * np.log(inside / outside)[flat]
        total += near
    limited: FloatArray = np.clip(odds / total, -_COLOUR_LIMIT, _COLOUR_LIMIT)
    return limited


def _histogram(flat: NDArray[np.intp], weight: FloatArray) -> FloatArray:
    counts = np.bincount(flat.ravel(), weight.ravel(), _BINS**3).reshape(_BINS, _BINS, _BINS)
    for axis in range(3):
        counts = 0.5 * counts + 0.25 * (np.roll(counts, 1, axis) + np.roll(counts, -1, axis))
    share: FloatArray = (counts.ravel() / max(weight.sum(), 1e-6) + 1e-4).astype(np.float32)
    return share


def _conductance(colours: FloatArray) -> tuple[FloatArray, FloatArray]:
    """How strongly each pixel is tied to its right and lower neighbour, ``[h, w-1]`` and ``[h-1, w]``."""
    across = ((colours[:, 1:] - colours[:, :-1]) ** 2).sum(axis=2)
    along = ((colours[1:] - colours[:-1]) ** 2).sum(axis=2)
    usual = max(float(np.concatenate([across.ravel(), along.ravel(), [0.0]]).mean()), 1.0)
    right, down = (_SMOOTHNESS * (np.exp(-change / usual) + _FLOOR) for change in (across, along))
    return right, down


def _smooth(target: FloatArray, weight: FloatArray, right: FloatArray, down: FloatArray) -> FloatArray:
    """Minimise ``weight·(x - target)² + conductance·(difference to each neighbour)²`` by conjugate gradients."""
    diagonal = weight.copy()
    for tie, here, there in ((right, np.s_[:, :-1], np.s_[:, 1:]), (down, np.s_[:-1], np.s_[1:])):
        diagonal[here] += tie
        diagonal[there] += tie

    def apply(x: FloatArray) -> FloatArray:
        product = diagonal * x
        for tie, here, there in ((right, np.s_[:, :-1], np.s_[:, 1:]), (down, np.s_[:-1], np.s_[1:])):
            product[here] -= tie * x[there]
            product[there] -= tie * x[here]
        return product

    x = target.copy()
    residual = weight * target - apply(x)
    step = residual / diagonal
    energy = float((residual * step).sum())
    enough = 1e-6 * energy
    for _ in range(_CG_STEPS):
        if energy <= enough:
            break
        product = apply(step)
        length = energy / float((step * product).sum())
        x += length * step
        residual -= length * product
        scaled = residual / diagonal
        before, energy = energy, float((residual * scaled).sum())
        step = scaled + energy / before * step
    return np.clip(x, 0, 1)
