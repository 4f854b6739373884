"""From the forward and the backward pass to one mask per instance."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.tracking.motion import resized
from matting.tracking.plan import Plan
from matting.tracking.sweep import Sightings, odds, opacity

_FADE = 8.0
"""How late an instance gives way to a seed that says it is gone: absence counts by this power of the nearness."""
_ISLAND = 0.1
"""Parts of a mask smaller than this share of its largest are taken for the background's look-alikes."""
_UNFOUND = 0.02
"""What a pixel counts that was not found on the prompted frame, where one that was counts 1."""


def as_opacity(stored: NDArray[np.uint8]) -> FloatArray:
    """Values in [0, 1] of what is kept in 8 bits."""
    return np.asarray(stored / np.float32(255), np.float32)


def blend(plan: Plan, index: int, forward: Sightings, backward: Sightings) -> FloatArray:
    """Weigh both passes where an instance lies between two seeds.

    Returns:
        ``[N, h, w]`` in [0, 1].
    """
    blended = np.zeros(forward.states.shape, np.float32)
    for number, instance in enumerate(plan.ids):
        earlier, later = plan.bracket(instance, index)
        if earlier is None or later is None:
            alone = backward if earlier is None else forward
            blended[number] = as_opacity(alone.states[number])
        elif forward.states[number].any() or backward.states[number].any():
            share = (later - index) / (later - earlier)
            from_earlier = _weight(plan, instance, earlier, share, forward, number)
            from_later = _weight(plan, instance, later, 1 - share, backward, number)
            speaking = from_earlier * odds(as_opacity(forward.states[number]))
            speaking += from_later * odds(as_opacity(backward.states[number]))
            blended[number] = opacity(speaking / (from_earlier + from_later))
    return blended


def exclusive(states: FloatArray, seeds: dict[int, Mask], size_hw: tuple[int, int]) -> Mask:
    """Bring states to full size, each pixel to the instance that has most of it, if that is more than half.

    Args:
        states: ``[N, h, w]`` in [0, 1].
        seeds: place among the N → mask ``[H, W]`` that comes back as it is.
        size_hw: H and W.

    Returns:
        ``[N, H, W]``; no pixel belongs to two.
    """
    best = np.full(size_hw, 0.5, np.float32)
    owner = np.full(size_hw, -1, np.int32)
    for number, state in enumerate(states):
        claim = seeds[number] * np.float32(2) if number in seeds else resized(state, size_hw)
        better = claim > best
        best[better], owner[better] = claim[better], number
    masks = np.asarray(owner == np.arange(len(states)).reshape(-1, 1, 1))
    for number in range(len(masks)):
        if number not in seeds:
            masks[number] = without_islands(masks[number])
    return masks


def certainty(states: FloatArray, expected: Sequence[bool]) -> FloatArray:
    """How decided each state is, on average over the pixels that it is about.

    Args:
        states: ``[N, h, w]`` in [0, 1].
        expected: for each of the N, whether a seed next to the frame has it in the picture.

    Returns:
        ``[N]`` in [0, 1]; 0 for who should be there and is lost, 1 for who is rightly nowhere.
    """
    sure = np.zeros(len(states), np.float32)
    for number, state in enumerate(states):
        about = state[state > 0.1]
        sure[number] = np.abs(2 * about - 1).mean() if about.size else not expected[number]
    return sure


def without_islands(mask: Mask) -> Mask:
    """``[H, W]`` bool without the parts that are small beside the largest one (8-connected)."""
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    areas[0] = 0
    if count <= 2:
        return mask
    return np.asarray((areas >= _ISLAND * areas.max())[parts])


def _weight(plan: Plan, instance: int, end: int, nearness: float, seen: Sightings, number: int) -> FloatArray:
    """``[h, w]``: how much a pass counts that set out from the seed at ``end``."""
    size_hw = seen.states.shape[1:]
    covered = float(plan.seeds[end][instance].mean())
    if not covered:
        return np.full(size_hw, nearness**_FADE, np.float32)
    # A pass that has lost most of its mask cannot find it again, and should not speak against the other.
    alive = min(1.0, float(seen.states[number].mean()) / 255 / covered)
    trust = resized(as_opacity(seen.trusts[number]), (size_hw[0], size_hw[1]))
    return np.asarray(nearness * (alive + 1e-6) * (trust + _UNFOUND), np.float32)
