"""Finding the cuts of a clip: where one shot ends and the next begins."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.frames import to_8_bit
from matting.job import JobContext
from matting.media.clip import Clip

LONGEST_PX = 160
"""Longer side of the pictures that are compared: a cut changes the whole picture, and grain does not count."""
LEAST_CHANGE = 12.0
"""Of 255, on average over the picture: less is no cut, even where hue and saturation jump, as they do near black."""
RETURNED = 0.35
"""Of the change at a cut this share at least must separate all near pictures of the two shots; after a flash, what was
there before comes back, moved on a little.
"""
SHORTEST_S, SHORTEST_FRAMES = Fraction(1, 4), 4
"""No shot is shorter than the longer of both; what is, counts as a flash."""


def find_cuts(clip: Clip, ctx: JobContext) -> tuple[int, ...]:
    """Look for hard cuts through the whole clip, which is decoded once; memory does not grow with its length.

    PySceneDetect's adaptive detector proposes: a change of hue, saturation and brightness that stands out from those
    of its neighbours, so that pans and fades propose nothing. A proposal counts if the picture really changes and what
    was there before does not come back within the shortest length of a shot, as it does after a flash. Of two that are
    closer than that the greater change counts.

    Returns:
        The first frame of each shot but the first one, ascending.

    Raises:
        Cancelled: somebody asked to stop.
        MediaError: the file went away or a picture of a sequence is broken.
    """
    shortest = max(SHORTEST_FRAMES, round(clip.info.rate * SHORTEST_S))
    cuts: list[int] = []
    last_change = 0.0
    for at, change in _confirmed(clip, shortest, ctx):
        if cuts and at - cuts[-1] < shortest:
            if change > last_change:
                cuts[-1], last_change = at, change
        else:
            cuts.append(at)
            last_change = change
    return tuple(cuts)


def _confirmed(clip: Clip, shortest: int, ctx: JobContext) -> Iterator[tuple[int, float]]:
    """Where the picture changes for good, and by how much of 255."""
    from scenedetect.detectors import AdaptiveDetector

    detector = AdaptiveDetector(min_scene_len=0)
    recent: dict[int, NDArray[np.uint8]] = {}
    waiting: list[int] = []
    for index, picture in clip.frames(0, len(clip)):
        ctx.report(index / len(clip), "Looking for cuts")
        recent[index] = _small(to_8_bit(picture))
        waiting += detector.process_frame(index, cv2.cvtColor(recent[index], cv2.COLOR_RGB2BGR))
        if waiting and index >= waiting[0] + shortest:
            yield from _change(recent, waiting.pop(0), shortest)
        # The detector looks back by its window; what waits needs the pictures before it.
        oldest = min(waiting, default=index - detector.window_width) - shortest - 1
        recent = {at: small for at, small in recent.items() if at >= oldest}
    for at in waiting:
        yield from _change(recent, at, shortest)


def _change(recent: dict[int, NDArray[np.uint8]], at: int, shortest: int) -> Iterator[tuple[int, float]]:
    """The proposal ``at`` and its change, if it is a cut."""
    before, after = recent[at - 1], recent[at]
    change = _difference(before, after)
    apart = [_difference(before, recent[t]) for t in range(at, at + shortest + 1) if t in recent]
    apart += [_difference(recent[t], after) for t in range(at - shortest - 1, at) if t in recent]
    if min(apart) >= max(LEAST_CHANGE, RETURNED * change):
        yield at, change


def _small(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = picture.shape[:2]
    shrink = min(1.0, LONGEST_PX / max(height, width))
    size_wh = max(1, round(width * shrink)), max(1, round(height * shrink))
    return np.asarray(cv2.resize(picture, size_wh, interpolation=cv2.INTER_AREA), np.uint8)


def _difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(cv2.absdiff(one, other).mean())
