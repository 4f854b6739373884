"""What moves against the camera's own movement, from pictures before and after a frame.

Source:
    Flow by Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search" (ECCV 2016); the camera's
    movement is the homography that most of the flow agrees with, found by RANSAC (Fischler and Bolles, 1981).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from matting.arrays import FloatArray, Picture
from matting.seeding.alike import mean_of_alike
from matting.seeding.seeder import Neighbour

_PIXELS = 130_000
_GRID = 8
_AGREE_PX = 1.0
_FEWEST = 0.1
_TRIES = 300
_ANOTHER = 25.0
_NOISE = 1e-3
_LITTLE = 3.0
_GRAIN = 2.0
_STEP_PX = 2
_FIRM = 0.6


@dataclass(frozen=True)
class Motion:
    """How a frame differs from its neighbours, at a small size.

    Attributes:
        change: ``[h, w]`` float32, 0 up: distance in Lab to what the camera would see there had nothing moved of
            itself. Of two neighbours on either side the smaller counts, because what the figure uncovers has changed
            on one side only; of several distances the larger. At the ends of a shot, with neighbours on one side,
            it is the middle one of the distances.
        share: ``[h, w]`` float32, 0 to 1: how much of what would have changed, had it moved as the flow says, did
            change, among the pixels nearby of nearly the same colour. So a plain coat moves with its seams, and a
            plain wall stands still with its corners, where flow alone spreads from the one to the other. 0.5 where
            nothing can be told.
    """

    change: FloatArray
    share: FloatArray


def find_motion(frame: Picture, neighbours: Sequence[Neighbour]) -> Motion | None:
    """Compare a frame with its neighbours.

    Args:
        frame: ``[H, W, 3]`` uint8 RGB.
        neighbours: of the same size. One that shows something else, as after a cut, is left out.

    Returns:
        None when no neighbour can be compared.
    """
    here = shrunk(frame)
    sides: dict[int, list[tuple[FloatArray, FloatArray]]] = {}
    for neighbour in neighbours:
        found = _against(here, shrunk(neighbour.picture))
        if found is not None:
            sides.setdefault(abs(neighbour.distance), []).append(found)
    if not sides:
        return None
    change, due = (_joined([[side[which] for side in both] for both in sides.values()]) for which in (0, 1))
    change = np.maximum(change - _GRAIN * np.median(change), 0)
    told = np.maximum.reduce([change, due, _texture(here)])
    lab = np.asarray(cv2.cvtColor(here, cv2.COLOR_RGB2LAB), np.uint8)
    return Motion(change, mean_of_alike(lab, change / np.maximum(told, _NOISE), told, _LITTLE, 0.5))


def _joined(distances: list[list[FloatArray]]) -> FloatArray:
    """One map of those against the neighbours at each distance, of which there are one or two."""
    pairs = [np.minimum(*sides) for sides in distances if len(sides) == 2]
    if pairs:
        return np.asarray(np.maximum.reduce(pairs), np.float32)
    # Seen from one side, what the figure will cover has changed, too, but not at every distance.
    return np.asarray(np.median([sides[0] for sides in distances], axis=0), np.float32)


def _texture(picture: Picture) -> FloatArray:
    """What a step of a few pixels would change, the larger of across and along."""
    lab = _soft_lab(picture)
    steps = [np.linalg.norm(lab - np.roll(lab, _STEP_PX, axis), axis=2) for axis in (0, 1)]
    return np.asarray(np.maximum(*steps), np.float32)


def shrunk(picture: Picture) -> Picture:
    """A picture at the size at which movement is looked for; whoever keeps neighbours need not keep more."""
    height, width = picture.shape[:2]
    scale = min(1.0, (_PIXELS / (height * width)) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _against(here: Picture, there: Picture) -> tuple[FloatArray, FloatArray] | None:
    """What changed, and what would have, had it moved as the flow says."""
    height, width = here.shape[:2]
    if min(height, width) < 4 * _GRID:
        return None
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    grey, other = (cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (here, there))
    flow = search.calc(grey, other, np.zeros((height, width, 2), np.float32))
    rows, columns = (a.ravel() for a in np.mgrid[_GRID // 2 : height : _GRID, _GRID // 2 : width : _GRID])
    # Where there is nothing to hold on to, the flow is nought whatever the camera does.
    firm = cv2.cornerMinEigenVal(cv2.GaussianBlur(grey, (0, 0), 1.0), 9)[rows, columns]
    held = firm >= np.quantile(firm, _FIRM)
    rows, columns = rows[held], columns[held]
    start = np.stack([columns, rows], axis=1).astype(np.float32)
    cv2.setRNGSeed(0)
    camera, agree = cv2.findHomography(start, start + flow[rows, columns], cv2.RANSAC, _AGREE_PX, maxIters=_TRIES)
    if camera is None or agree.mean() < _FEWEST:
        return None
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    camera = camera.astype(np.float32)
    depth = camera[2, 0] * x + camera[2, 1] * y + camera[2, 2]
    to_x = (camera[0, 0] * x + camera[0, 1] * y + camera[0, 2]) / depth
    to_y = (camera[1, 0] * x + camera[1, 1] * y + camera[1, 2]) / depth
    own = _soft_lab(here)
    change = np.linalg.norm(own - _at(_soft_lab(there), to_x, to_y), axis=2)
    change[(to_x < 0) | (to_x > width - 1) | (to_y < 0) | (to_y > height - 1)] = 0
    if np.median(change) > _ANOTHER:
        return None
    drift_x, drift_y = flow[..., 0] - (to_x - x), flow[..., 1] - (to_y - y)
    due = np.linalg.norm(own - _at(own, x - drift_x, y - drift_y), axis=2)
    return change.astype(np.float32), due.astype(np.float32)


def _at(picture: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


def _soft_lab(picture: Picture) -> FloatArray:
    lab = cv2.cvtColor(picture, cv2.COLOR_RGB2LAB).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(lab, (0, 0), 1.0), np.float32)
