"""Putting one frame together: looks on instances, a backdrop behind them.

Everything is computed in float32 from the stored alphas and rounded once at the end; only the boxes where something
changes are touched. Units are those of the frame: 0…255 or 0…65535.

Source:
    Porter & Duff, "Compositing Digital Images" (SIGGRAPH 1984), operator *over*; over the original the unknown
    background is eliminated by I = αF + (1 − α)B, which leaves every pixel with α = 0 as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from matting.arrays import FloatArray, Picture, StoredAlpha, check_shape
from matting.compositing.backdrops import Backdrop, Blurred, Color, Original, Plate, Transparent
from matting.compositing.behind import flat, out_of_focus
from matting.compositing.blur import blur_inside
from matting.compositing.boxes import Box, box_of
from matting.compositing.depth import rounded, to_depth
from matting.compositing.looks import Blur, Keep, Look, Recolor, Remove
from matting.compositing.recolor import recolor


@dataclass(frozen=True)
class Layer:
    """One instance on one frame.

    Attributes:
        alpha: ``[H, W]`` uint8, its stored alpha; at every pixel those of all layers sum to at most 255.
        look: what is done to it.
    """

    alpha: StoredAlpha
    look: Look


def needs_plate(looks: Iterable[Look], backdrop: Backdrop) -> bool:
    """Whether :func:`composite` cannot do without a plate; a blurred backdrop only gets better with one."""
    if isinstance(backdrop, Original):
        return any(isinstance(look, Remove) for look in looks)
    return isinstance(backdrop, Plate)


def composite(
    frame: Picture,
    layers: Sequence[Layer],
    backdrop: Backdrop,
    *,
    plate: Picture | None = None,
    behind: Picture | None = None,
) -> Picture:
    """Compose one frame.

    Over the original: ``O = I + Σ αᵢ·(look(Fᵢ) − Fᵢ)``, where a removed instance's ``look(Fᵢ)`` is the plate. Over
    another backdrop B: ``O = Σ αᵢ·look(Fᵢ) + (1 − Σ αᵢ)·B`` over the instances that are not removed.

    Args:
        frame: ``[H, W, 3]`` uint8 or uint16 RGB.
        layers: the instances in any order.
        backdrop: what stands behind them.
        plate: the frame with the instances taken out; see :func:`needs_plate`.
        behind: the picture of an image or video backdrop, ``[H, W, 3]``, 8 or 16 bits; see ``cover``.

    Returns:
        ``[H, W, 3]`` in the frame's dtype; ``[H, W, 4]`` straight RGBA, black where nothing is, for the transparent
        backdrop.

    Raises:
        ShapeError: the sizes disagree.
        ValueError: the plate or the backdrop's picture is needed and missing.
    """
    for layer in layers:
        check_shape("alpha", layer.alpha, frame.shape[:2])
    for picture in (plate, behind):
        if picture is not None:
            check_shape("plate or backdrop", picture, frame.shape)
    if isinstance(backdrop, Original):
        return _over_original(frame, layers, plate)
    kept = [layer for layer in layers if not isinstance(layer.look, Remove)]
    if isinstance(backdrop, Transparent):
        return _over_nothing(frame, kept)
    return _over_backdrop(frame, kept, _backdrop(frame, layers, backdrop, plate, behind))


def cutout(frame: Picture, alpha: StoredAlpha) -> Picture:
    """One instance alone: ``[H, W, 4]`` straight RGBA in the frame's dtype, black where alpha is 0."""
    return composite(frame, [Layer(alpha, Keep())], Transparent())


def merge_mattes(alphas: Iterable[StoredAlpha], size_hw: tuple[int, int]) -> StoredAlpha:
    """One matte of all instances: the sum of their ``[H, W]`` alphas, which is at most 255."""
    return sum(alphas, start=np.zeros(size_hw, np.uint8))


def matte_picture(alpha: StoredAlpha) -> Picture:
    """A matte as a grey ``[H, W, 3]`` uint8 picture."""
    return np.repeat(alpha[..., None], 3, axis=-1)


def _over_original(frame: Picture, layers: Sequence[Layer], plate: Picture | None) -> Picture:
    result = frame.copy()
    changed = [layer for layer in layers if not isinstance(layer.look, Keep)]
    box = _box_around(changed)
    if box is None:
        return result
    total = frame[box.slices].astype(np.float32)
    everybody = merge_mattes([layer.alpha[box.slices] for layer in layers], box.size_hw)
    for layer in changed:
        own_box = box_of(layer.alpha)
        if own_box is None:
            continue
        here = own_box.within(box)
        opacity, foreground = _opacity(layer, own_box), _foreground(frame, layer.alpha, own_box)
        if isinstance(layer.look, Remove):
            looked = _plate(plate, frame, own_box)
            alone = everybody[here] == layer.alpha[own_box.slices]
            foreground = np.where(alone[..., None], _against(looked, frame[own_box.slices], opacity), foreground)
        else:
            looked = _looked(layer.look, foreground, opacity, frame)
        total[here] += opacity[..., None] * (looked - foreground)
    result[box.slices] = rounded(total, frame)
    return result


def _over_backdrop(frame: Picture, kept: Sequence[Layer], behind: Picture) -> Picture:
    result = to_depth(behind, frame).copy()
    box = _box_around(kept)
    if box is None:
        return result
    left_over = 255 - merge_mattes([layer.alpha[box.slices] for layer in kept], box.size_hw)
    total = np.asarray(result[box.slices] * (left_over / np.float32(255))[..., None], np.float32)
    for layer in kept:
        _add_looked(total, box, frame, layer)
    result[box.slices] = rounded(total, frame)
    return result


def _over_nothing(frame: Picture, kept: Sequence[Layer]) -> Picture:
    result = np.zeros((*frame.shape[:2], 4), frame.dtype)
    box = _box_around(kept)
    if box is None:
        return result
    total = np.zeros((*box.size_hw, 3), np.float32)
    for layer in kept:
        _add_looked(total, box, frame, layer)
    alpha = merge_mattes([layer.alpha[box.slices] for layer in kept], box.size_hw)
    straight = np.asarray(total * (np.float32(255) / np.maximum(alpha, 1))[..., None], np.float32)
    result[box.slices] = np.dstack([rounded(straight, frame), to_depth(alpha, frame)])
    return result


def _add_looked(total: FloatArray, box: Box, frame: Picture, layer: Layer) -> None:
    """Add α·look(F) to ``total``, the part of a picture inside ``box``."""
    own_box = box_of(layer.alpha)
    if own_box is not None:
        opacity, foreground = _opacity(layer, own_box), _foreground(frame, layer.alpha, own_box)
        total[own_box.within(box)] += opacity[..., None] * _looked(layer.look, foreground, opacity, frame)


def _opacity(layer: Layer, box: Box) -> FloatArray:
    return np.asarray(layer.alpha[box.slices] / np.float32(255), np.float32)


def _against(plate: FloatArray, picture: Picture, opacity: FloatArray) -> FloatArray:
    """The colour of an instance before a known background: what I = αF + (1 − α)P leaves, as far as it is a colour.

    Better than an estimate from the frame alone: what remains of thin hair or of an edge whose alpha is a little too
    low goes with the instance.
    """
    share = np.maximum(opacity, np.float32(1 / 255))[..., None]
    return np.clip((picture - (1 - share) * plate) / share, 0, np.float32(np.iinfo(picture.dtype).max))


def _plate(plate: Picture | None, frame: Picture, box: Box) -> FloatArray:
    if plate is None:
        raise ValueError("removing an instance needs a plate")
    return to_depth(plate[box.slices], frame).astype(np.float32)


def _foreground(frame: Picture, alpha: StoredAlpha, box: Box) -> FloatArray:
    # Brings numba with it, which is slow to import.
    from matting.compositing.foreground import foreground_inside, padded

    around = padded(box, alpha.shape)
    return foreground_inside(frame, alpha, around)[box.within(around)]


def _looked(look: Look, foreground: FloatArray, opacity: FloatArray, frame: Picture) -> FloatArray:
    """``look(F)`` of an instance that is not removed."""
    if isinstance(look, Blur):
        return blur_inside(foreground, opacity, look.radius)
    if not isinstance(look, Recolor):
        return foreground
    peak = np.float32(np.iinfo(frame.dtype).max)
    there = opacity > 0
    looked = foreground.copy()
    looked[there] = recolor(foreground[there] / peak, look.color, look.strength) * peak
    return looked


def _backdrop(
    frame: Picture, layers: Sequence[Layer], backdrop: Backdrop, plate: Picture | None, behind: Picture | None
) -> Picture:
    if isinstance(backdrop, Color):
        return flat(backdrop.color, frame)
    if isinstance(backdrop, Blurred):
        if plate is not None:
            return rounded(out_of_focus(to_depth(plate, frame), backdrop.radius), frame)
        people = merge_mattes([layer.alpha for layer in layers], frame.shape[:2]) > 0
        return rounded(out_of_focus(frame, backdrop.radius, people), frame)
    picture = plate if isinstance(backdrop, Plate) else behind
    if picture is None:
        raise ValueError(f"the backdrop {backdrop.kind!r} needs its picture")
    return picture


def _box_around(layers: Sequence[Layer]) -> Box | None:
    boxes = [box for box in (box_of(layer.alpha) for layer in layers) if box is not None]
    return reduce(Box.joined, boxes) if boxes else None
