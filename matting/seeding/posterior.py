"""Joining where a figure is expected with what its colours and its movement say.

Source:
    The models are learned again from their own answer as by Rother, Kolmogorov, Blake, "GrabCut" (SIGGRAPH 2004). The
    first answers are smooth, by Grady, "Multilabel Random Walker Image Segmentation Using Prior Models" (CVPR 2005)
    with two labels, which leaves doubt where there is some; the last are cut along edges.
"""

from __future__ import annotations

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask, Picture
from matting.seeding.graph_cut import graph_cut
from matting.seeding.odds import Codes, colour_codes, learn_odds, learn_odds_by_storey

_SMOOTH_ROUNDS, _CUT_ROUNDS = 3, 2
# Where a figure can be matters less with each turn, as its colours become known.
_FADE = 0.9
_STOREYS = 3
# What stands still is background; but a coat may be like the wall behind it.
_COLOUR_LEAK, _COLOUR_LIMIT, _COLOUR_LEAST = 0.5, 3.0, 1e-4
_MOTION_LEAK, _MOTION_LIMIT, _MOTION_LEAST = 0.9, 4.0, 1e-3
_ODDS_LIMIT = 5.0
_PRICE, _CONTRAST = 15.0, 0.7
_CUT_DOUBT = 0.4
_SMOOTHNESS = 40.0
_FLOOR = 0.01
_SURE = 1e3
_CG_STEPS = 60


def find_figure(
    picture: Picture, expected: FloatArray, sure_in: Mask, sure_out: Mask, motion: Codes | None = None
) -> Mask:
    """The pixels that belong to the figure.

    Args:
        picture: ``[h, w, 3]`` uint8 RGB.
        expected: ``[h, w]`` log-odds from where the pixel is.
        sure_in: ``[h, w]`` bool, inside whatever the rest says.
        sure_out: ``[h, w]`` bool, outside; ``sure_in`` wins.
        motion: how each pixel moves, if that is known.

    Returns:
        ``[h, w]`` bool.
    """
    lab = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB), np.uint8)
    colours = lab.astype(np.float32)
    codes = colour_codes(lab)
    right, down = _conductance(colours)
    weight = np.where(sure_in | sure_out, np.float32(_SURE), np.float32(1))
    sure_out = sure_out & ~sure_in
    probability = _sigmoid(expected)
    inside = probability > 0.5
    for turn in range(_SMOOTH_ROUNDS + _CUT_ROUNDS):
        probability[sure_out] = 0
        probability[sure_in] = 1
        odds = expected * _FADE**turn
        odds = odds + learn_odds_by_storey(codes, probability, _STOREYS, _COLOUR_LEAK, _COLOUR_LIMIT, _COLOUR_LEAST)
        if motion is not None:
            odds = odds + learn_odds(motion, probability, _MOTION_LEAK, _MOTION_LIMIT, _MOTION_LEAST)
        target = _sigmoid(odds)
        target[sure_out] = 0
        target[sure_in] = 1
        if turn < _SMOOTH_ROUNDS:
            probability = _smooth(target, weight, right, down)
        else:
            odds = np.clip(odds, -_ODDS_LIMIT, _ODDS_LIMIT)
            inside = graph_cut(colours, odds, sure_in, sure_out, _PRICE, _CONTRAST)
            sides = np.maximum(target, 1 - _CUT_DOUBT), np.minimum(target, _CUT_DOUBT)
            probability = np.where(inside, *sides).astype(np.float32)
    return inside


def _sigmoid(odds: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


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
