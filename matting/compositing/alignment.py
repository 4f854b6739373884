"""How the camera moved between two pictures, seen on everything that is not masked.

Motions are 3×3 homographies that map pixel coordinates (x, y) of one picture to another's; pixel centres are whole
numbers.

Source:
    Shi & Tomasi, "Good Features to Track" (CVPR 1994); Lucas & Kanade (IJCAI 1981), pyramidal as in OpenCV, checked
    forwards and backwards; Barath et al., "MAGSAC++" (CVPR 2020) for the homography.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask, Picture
from matting.frames import to_8_bit

Homography: TypeAlias = NDArray[np.float64]
Points: TypeAlias = NDArray[np.float32]
"""``[P, 2]`` as x, y."""

ANALYSED_PX = 640
"""Longest side of the pictures in which motion is measured."""
FEATURES = 250
EVENED_PX = 20.0
FEWEST = 8
"""Fewer points than this say nothing about the motion."""
TRUNCATED_PX = 3.0
"""A point this far off is an outlier, and how much farther does not matter."""


@dataclass(frozen=True)
class Sight:
    """What is needed of a picture to align others with it.

    Attributes:
        grey: ``[h, w]`` uint8, at most :data:`ANALYSED_PX` long, evened out so that exposure does not matter.
        usable: ``[h, w]`` uint8, 255 where nothing is masked.
        points: features on usable ground, in pixels of ``grey``.
        to_grey: from the picture's own pixels to those of ``grey``.
    """

    grey: NDArray[np.uint8]
    usable: NDArray[np.uint8]
    points: Points
    to_grey: Homography


def look_at(frame: Picture, hidden: Mask) -> Sight:
    """Prepare a frame whose ``hidden`` pixels ``[H, W]`` do not belong to the background."""
    height, width = hidden.shape
    scale = min(ANALYSED_PX / max(height, width), 1.0)
    small_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    picture = cv2.resize(to_8_bit(frame), small_wh, interpolation=cv2.INTER_AREA)
    covered = cv2.resize(hidden.astype(np.uint8) * 255, small_wh, interpolation=cv2.INTER_AREA)
    # Corners on the rim of a mask move with what is masked.
    rim = cv2.dilate(covered, np.ones((5, 5), np.uint8))
    usable = np.where(rim > 0, 0, 255).astype(np.uint8)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    found = cv2.goodFeaturesToTrack(grey, FEATURES, 0.01, max(small_wh) / 64 + 1, mask=usable)
    points = np.zeros((0, 2), np.float32) if found is None else np.asarray(found, np.float32).reshape(-1, 2)
    return Sight(_evened(grey, usable), usable, points, _resizing((width, height), small_wh))


def _evened(grey: NDArray[np.uint8], usable: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Bring every neighbourhood to the same brightness and contrast, counting only usable ground."""
    values, weight = grey.astype(np.float32), usable.astype(np.float32) / 255
    known = np.maximum(cv2.GaussianBlur(weight, (0, 0), EVENED_PX), 1e-3)
    mean = cv2.GaussianBlur(values * weight, (0, 0), EVENED_PX) / known
    variance = cv2.GaussianBlur((values - mean) ** 2 * weight, (0, 0), EVENED_PX) / known
    # The constant keeps the noise of a flat wall from looking like texture.
    even = 128 + 32 * (values - mean) / np.sqrt(variance + 400)
    return np.clip(np.rint(even), 0, 255).astype(np.uint8)


def align(
    source: Sight, target: Sight, guess: Homography, near: tuple[slice, slice] | None = None
) -> Homography | None:
    """Find the motion from ``source`` to ``target``, in pixels of the frames they were made of.

    Args:
        source: its points are followed.
        target: a picture of the same size.
        guess: about where to look.
        near: part of the target, in pixels of its frame, that matters most; points there decide alone if they suffice.

    Returns:
        The simplest of no motion, a shift, a similarity and a homography that explains the points, or None when
        there are too few or they contradict each other.
    """
    if len(source.points) < FEWEST:
        return None
    small_guess = target.to_grey @ guess @ np.linalg.inv(source.to_grey)
    start = move(source.points, small_guess)
    ends, there = _follow(source.grey, target.grey, source.points, start)
    back, again = _follow(target.grey, source.grey, ends, source.points)
    height, width = target.grey.shape
    inside = (ends >= 0).all(1) & (ends[:, 0] <= width - 1) & (ends[:, 1] <= height - 1)
    good = inside & there & again & (np.abs(back - source.points).max(1) < 0.5)
    column, row = np.rint(np.where(good[:, None], ends, 0)).astype(int).T
    good &= target.usable[row, column] > 0
    local = good & _within(ends, near, target.to_grey) if near is not None else good
    chosen = local if local.sum() >= 5 * FEWEST else good
    motion = _simplest(source.points[chosen], ends[chosen])
    return None if motion is None else np.linalg.inv(target.to_grey) @ motion @ source.to_grey


def move(points: Points, motion: Homography) -> Points:
    """Where a homography takes ``[P, 2]`` points."""
    if not len(points):
        return points
    return np.asarray(cv2.perspectiveTransform(points[:, None].astype(np.float64), motion)[:, 0], np.float32)


def _follow(one: NDArray[np.uint8], other: NDArray[np.uint8], points: Points, start: Points) -> tuple[Points, Mask]:
    """Where points went from picture to picture, looking round ``start`` first, and which could be followed."""
    flags = cv2.OPTFLOW_USE_INITIAL_FLOW
    ends, found, _ = cv2.calcOpticalFlowPyrLK(
        one, other, points[:, None], start[:, None].copy(), winSize=(15, 15), maxLevel=3, flags=flags
    )
    return np.asarray(ends, np.float32)[:, 0], np.asarray(found)[:, 0] > 0


def is_still(motion: Homography) -> bool:
    return bool(np.array_equal(motion, np.eye(3)))


def _simplest(start: Points, end: Points) -> Homography | None:
    if len(start) < FEWEST:
        return None
    shift = np.eye(3)
    shift[:2, 2] = np.median(end - start, axis=0)
    motions = [np.eye(3), shift]
    similar, _ = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=1.0)
    if similar is not None:
        motions.append(np.vstack([similar, [0, 0, 1]]))
    homography, _ = cv2.findHomography(start, end, cv2.USAC_MAGSAC, 1.0)
    if homography is not None and homography.shape == (3, 3):
        motions.append(np.asarray(homography, np.float64))
    errors = [np.linalg.norm(move(start, motion) - end, axis=1) for motion in motions]
    costs = [float(np.minimum(error, TRUNCATED_PX).mean()) for error in errors]
    # A twentieth of a pixel is the tracker's own noise; a still camera must come out as exactly still.
    chosen = next(i for i, cost in enumerate(costs) if cost <= 1.1 * min(costs) + 0.05)
    explained = (errors[chosen] < TRUNCATED_PX / 2).mean()
    return motions[chosen] if explained >= 0.4 else None


def _within(points: Points, part: tuple[slice, slice], to_grey: Homography) -> Mask:
    rows, columns = part
    corners = np.array([[columns.start, rows.start], [columns.stop - 1, rows.stop - 1]], np.float32)
    low, high = move(corners, to_grey)
    inside: Mask = (points >= low).all(1) & (points <= high).all(1)
    return inside


def _resizing(from_wh: tuple[int, int], to_wh: tuple[int, int]) -> Homography:
    x, y = to_wh[0] / from_wh[0], to_wh[1] / from_wh[1]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])
