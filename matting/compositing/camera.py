"""The way of the camera through a shot."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from matting.arrays import Mask, Picture
from matting.compositing.alignment import Homography, Sight, align, look_at

KEY_SHARE = 0.5
"""A new key frame starts when this share of the old one's picture is left; fewer key frames mean less drift."""
BLIND_DIFFERENCE = 6.0
"""Where there is nothing to hold on to: pictures differing by less on average (of 255) show the same place."""


@dataclass(frozen=True)
class Pose:
    """Where a frame lies.

    Attributes:
        scene: frames of different scenes share no background.
        to_scene: from the frame's pixels to those of the scene's first frame.
    """

    scene: int
    to_scene: Homography


class CameraPath:
    """Places one frame after another, each against the last key frame."""

    def __init__(self) -> None:
        self._key: Sight | None = None
        self._key_pose = Pose(-1, np.eye(3))
        self._last: Sight | None = None
        self._last_pose = Pose(-1, np.eye(3))

    def follow(self, frame: Picture, hidden: Mask) -> Pose:
        """Place the next frame; ``hidden`` is ``[H, W]``, what does not belong to the background."""
        sight = look_at(frame, hidden)
        self._last_pose = self._place(sight)
        self._last = sight
        return self._last_pose

    def _place(self, sight: Sight) -> Pose:
        if self._key is None or self._last is None:
            return self._start_scene(sight)
        pose = self._against(self._key, self._key_pose, sight)
        if pose is not None and _overlap(self._key, self._key_pose, pose) >= KEY_SHARE:
            return pose
        # Too far from the key frame: the frame before becomes the key.
        if self._last is not self._key:
            self._key, self._key_pose = self._last, self._last_pose
            pose = self._against(self._key, self._key_pose, sight) or pose
        if pose is not None:
            return pose
        if _difference(self._last, sight) < BLIND_DIFFERENCE:
            return self._last_pose
        return self._start_scene(sight)

    def _start_scene(self, sight: Sight) -> Pose:
        self._key, self._key_pose = sight, Pose(self._key_pose.scene + 1, np.eye(3))
        return self._key_pose

    def _against(self, key: Sight, key_pose: Pose, sight: Sight) -> Pose | None:
        guess = np.linalg.inv(self._last_pose.to_scene) @ key_pose.to_scene
        motion = align(key, sight, guess)
        if motion is None or not _plausible(motion, sight):
            return None
        to_scene = key_pose.to_scene @ np.linalg.inv(motion)
        return Pose(key_pose.scene, to_scene / to_scene[2, 2])


def _corners(sight: Sight) -> Homography:
    height, width = sight.grey.shape
    corners = np.array([[0, width - 1, width - 1, 0], [0, 0, height - 1, height - 1], [1, 1, 1, 1]], np.float64)
    return np.linalg.inv(sight.to_grey) @ corners


def _plausible(motion: Homography, sight: Sight) -> bool:
    """No camera turns a frame inside out or makes it ten times as large from one key frame to the next."""
    depth = (motion @ _corners(sight))[2]
    return bool((depth > 0.1).all() and (depth < 10).all() and 0.1 < np.linalg.det(motion[:2, :2]) < 10)


def _overlap(key: Sight, key_pose: Pose, pose: Pose) -> float:
    """About which share of the key frame is still in the picture."""
    corners = _corners(key)
    moved = np.linalg.inv(pose.to_scene) @ key_pose.to_scene @ corners
    moved, corners = moved[:2] / moved[2], corners[:2]
    low, high = np.maximum(moved.min(1), corners.min(1)), np.minimum(moved.max(1), corners.max(1))
    size = np.maximum(corners.max(1) - corners.min(1), 1)
    return float(np.prod(np.maximum(high - low, 0) / size)) if (size > 1).all() else 1.0


def _difference(one: Sight, other: Sight) -> float:
    both = (one.usable > 0) & (other.usable > 0)
    if not both.any():
        return 0.0
    # Smoothed, since noise differs even where the place is the same.
    off = cv2.blur(one.grey, (9, 9)).astype(np.float32) - cv2.blur(other.grey, (9, 9))
    return float(np.abs(off[both]).mean())
