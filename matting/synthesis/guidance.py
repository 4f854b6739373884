"""Masks as trackers give them, from true alphas: coarse, late, torn, stuck together, now and then of somebody else.

Every function takes and gives masks ``[T, N, H, W]`` bool, one per frame and instance, and draws from the generator.

Sources:
    Li et al., "Video Instance Matting" (WACV 2024), section 3.3: mask erase, paste and merge, temporal mask guidance.
    Huynh et al., "MaGGIe" (CVPR 2024), with the sizes of its public code: threshold, morphology, 1/8 resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from matting.arrays import Mask

_MORPHOLOGY_SHARE = 29 / 640
"""Largest side of the structuring element, of the picture's longer side: 29 px at 640."""
_PLAIN_SHARE = 8 / 640
"""The same for guidance to measure by: an outline is off by what a tracker's is, and no limb is lost."""


@dataclass(frozen=True)
class Harm:
    """How likely each kind of harm is, per clip; 0 never, 1 always.

    Attributes:
        morphology: eroded, dilated or both.
        coarse: drawn at 1/2 to 1/10 of the size, as networks and proxies do.
        polygon: an outline of few corners.
        erase, paste, merge: of the mixture of mask augmentations.
        temporal: the mask of another frame joins in.
        swap: two instances exchanged in a run of frames.
        torn: a piece at somebody's edge is missing, or too much, on all frames.
    """

    morphology: float = 0.8
    coarse: float = 0.5
    polygon: float = 0.1
    erase: float = 0.1
    paste: float = 0.08
    merge: float = 0.05
    temporal: float = 0.1
    swap: float = 0.03
    torn: float = 0.0


def guidance(alphas: NDArray[np.uint8], rng: Generator, harm: Harm | None = None, longer_px: int | None = None) -> Mask:
    """Guidance for a clip.

    Args:
        alphas: ``[T, N, H, W]`` uint8, what is to be seen.
        rng: decides what happens.
        harm: how likely each kind of it is.
        longer_px: the longer side of the whole picture, if the alphas are those of a part of it.

    Returns:
        ``[T, N, H, W]`` bool. Masks may overlap, as those of trackers do.
    """
    harm = harm or Harm()
    masks = alphas >= max(1, round(rng.uniform(0.1, 0.95) * 255))
    if rng.random() < harm.polygon:
        masks = _each(masks, _polygon)
    if rng.random() < harm.morphology:
        ratio = (longer_px or max(masks.shape[2:])) / max(masks.shape[2:])
        masks = grown_or_shrunk(masks, rng, _MORPHOLOGY_SHARE * ratio, skew=2)
    if rng.random() < harm.coarse:
        masks = coarse(masks, float(rng.uniform(2, 10)))
    for chance, spoil in (
        (harm.temporal, temporal), (harm.erase, erase), (harm.paste, paste), (harm.merge, merge), (harm.swap, swap),
    ):  # fmt: skip
        if rng.random() < chance:
            masks = spoil(masks, rng)
    if harm.torn and rng.random() < harm.torn:  # without it no die is cast for it: older runs stay as they were
        masks = tear(masks, rng)
    return masks


def _each(masks: Mask, change: Callable[[Mask], Mask]) -> Mask:
    """``change`` of every ``[H, W]``."""
    return np.stack([np.stack([change(mask) for mask in frame]) for frame in masks]) if masks.size else masks


def grown_or_shrunk(masks: Mask, rng: Generator, share: float = _MORPHOLOGY_SHARE, skew: float = 1.0) -> Mask:
    """Dilated, eroded, or one after the other, with elements of random size; alike on all frames of an instance.

    Args:
        masks: ``[T, N, H, W]`` bool.
        rng: decides which and how large.
        share: the largest side of an element, of the picture's longer side.
        skew: 1 makes all sizes as likely, more makes small ones likelier.
    """
    largest = max(2, round(share * max(masks.shape[2:])))
    result = masks.copy()
    for place in range(masks.shape[1]):
        sides = 1 + (largest * rng.random(2) ** skew).astype(int)
        elements = [cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(side),) * 2) for side in sides]
        order = ((cv2.dilate,), (cv2.erode,), (cv2.dilate, cv2.erode), (cv2.erode, cv2.dilate))[int(rng.integers(4))]
        for frame in range(len(masks)):
            mask = masks[frame, place].astype(np.uint8)
            for step, element in zip(order, elements, strict=False):
                mask = step(mask, element).astype(np.uint8)
            result[frame, place] = mask > 0
    return result


def plain_guidance(alphas: NDArray[np.uint8], rng: Generator) -> Mask:
    """Guidance to measure by, which stays the same whatever is trained with.

    Cut at one half, grown or shrunk, and drawn at 1/8 of the size.

    Args:
        alphas: ``[T, N, H, W]`` uint8, what is to be seen.
        rng: decides who is grown or shrunk, and by how much; alike on all frames.

    Returns:
        ``[T, N, H, W]`` bool. A pixel that two masks claim goes to the instance of which more is to be seen there.
    """
    masks = alphas > 127
    largest = max(2, round(_PLAIN_SHARE * max(alphas.shape[2:])))
    for place in range(alphas.shape[1]):
        change = (cv2.dilate, cv2.erode)[int(rng.integers(2))]
        element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (int(rng.integers(2, largest + 1)),) * 2)
        for frame in masks:
            frame[place] = change(frame[place].astype(np.uint8), element) > 0
    masks = coarse(masks, 8)
    claims = np.where(masks, alphas.astype(np.int16) + 1, 0)
    places = np.arange(masks.shape[1])[:, None, None]
    return np.asarray(masks & (claims.argmax(axis=1)[:, None] == places))


def coarse(masks: Mask, factor: float) -> Mask:
    """As if drawn at ``1 / factor`` of the size."""
    return _each(masks, lambda mask: _coarse(mask, factor))


def _coarse(mask: Mask, factor: float) -> Mask:
    height, width = mask.shape
    size = max(1, round(width / factor)), max(1, round(height / factor))
    small = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5)


def _polygon(mask: Mask) -> Mask:
    """The outline with few corners, as drawn by hand; what is narrower than 2 % of its length is lost."""
    drawn = np.zeros(mask.shape, np.uint8)
    for outline in cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
        corners = cv2.approxPolyDP(outline, 0.012 * cv2.arcLength(outline, True), True)
        if len(corners) > 2:
            cv2.fillPoly(drawn, [corners], 1)
    return drawn > 0


def erase(masks: Mask, rng: Generator) -> Mask:
    """Mask erase: on each frame a part of some instances is missing."""
    result = masks.copy()
    for frame in result:
        for mask in frame:
            if rng.random() < 0.5 and (box := _box(mask)) is not None:
                x, y, w, h = _part(box, rng, 1 / 8, 1 / 2)
                mask[y : y + h, x : x + w] = False
    return result


def paste(masks: Mask, rng: Generator) -> Mask:
    """Mask paste: on each frame one region of a mask is copied over another of the same size."""
    result = masks.copy()
    height, width = masks.shape[2:]
    for frame in result:
        for mask in frame:
            if rng.random() < 0.5:
                w, h = (int(rng.integers(max(side // 8, 1), max(side // 4, 1) + 1)) for side in (width, height))
                (x0, x1), (y0, y1) = rng.integers(0, width - w + 1, 2), rng.integers(0, height - h + 1, 2)
                mask[y1 : y1 + h, x1 : x1 + w] = mask[y0 : y0 + h, x0 : x0 + w].copy()
    return result


def merge(masks: Mask, rng: Generator) -> Mask:
    """Mask merge: on some frames two instances are taken for one."""
    result = masks.copy()
    if masks.shape[1] < 2:
        return result
    first, second = rng.choice(masks.shape[1], 2, replace=False)
    for frame in result:
        if rng.random() < 0.4:
            frame[first] |= frame[second]
            frame[second] = frame[first]
    return result


def temporal(masks: Mask, rng: Generator) -> Mask:
    """Temporal mask guidance: the mask of a random frame joins that of every frame."""
    return masks | masks[rng.integers(0, len(masks), len(masks))]


def swap(masks: Mask, rng: Generator) -> Mask:
    """From some frame to some other, two instances have each other's mask."""
    result = masks.copy()
    if masks.shape[1] < 2:
        return result
    first, second = rng.choice(masks.shape[1], 2, replace=False)
    start = int(rng.integers(0, len(masks)))
    stop = int(rng.integers(start, len(masks))) + 1
    result[start:stop, [first, second]] = masks[start:stop, [second, first]]
    return result


def tear(masks: Mask, rng: Generator) -> Mask:
    """Of some instances a round piece at the edge is missing on all frames, or there is one too many.

    As when a tracker takes a bag for the wall behind it, and the wall for a sleeve: no other frame tells better.
    """
    result = masks.copy()
    for place in range(masks.shape[1]):
        first = masks[0, place]
        edge = np.argwhere(first & ~_eroded(first))
        if not len(edge) or rng.random() < 0.4:
            continue
        y, x = edge[int(rng.integers(len(edge)))]
        radii = (np.sqrt(first.sum()) * np.exp(rng.uniform(np.log(0.06), np.log(0.35), 2))).astype(int) + 1
        piece = np.zeros(first.shape, np.uint8)
        axes = int(radii[0]), int(radii[1])
        cv2.ellipse(piece, (int(x), int(y)), axes, float(rng.uniform(0, 180)), 0, 360, 1, cv2.FILLED)
        result[:, place] = result[:, place] & (piece == 0) if rng.random() < 0.6 else result[:, place] | (piece > 0)
    return result


def _eroded(mask: Mask) -> Mask:
    return np.asarray(cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8))) > 0


def salt_and_pepper(masks: Mask, share: float, rng: Generator) -> Mask:
    """A share of all pixels is set or cleared at random: the noise of the VIM paper's figure 3."""
    struck = rng.random(masks.shape) < share
    return np.where(struck, rng.random(masks.shape) < 0.5, masks)


def _box(mask: Mask) -> tuple[int, int, int, int] | None:
    if not mask.any():
        return None
    x, y, w, h = cv2.boundingRect(mask.astype(np.uint8))
    return x, y, w, h


def _part(box: tuple[int, int, int, int], rng: Generator, least: float, most: float) -> tuple[int, int, int, int]:
    """A random rectangle inside a box, each side a random share of it."""
    x, y, width, height = box
    w, h = (max(1, round(side * rng.uniform(least, most))) for side in (width, height))
    return x + int(rng.integers(0, width - w + 1)), y + int(rng.integers(0, height - h + 1)), w, h
