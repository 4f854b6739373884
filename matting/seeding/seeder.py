"""Turning what the artist gave on one frame into a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask, Picture, check_shape
from matting.errors import ShapeError


@dataclass(frozen=True)
class FramePrompt:
    """What one instance was given on one frame, in pixels of the displayed frame.

    Attributes:
        include: points (x, y) on the instance.
        exclude: points (x, y) off the instance.
        box: (x0, y0, x1, y1), half-open, clipped to the frame.
        mask: a drawn or imported selection ``[H, W]``, taken as it is where no points correct it.
        candidate: which mask is meant where a seeder offers several; 0 is the one it thinks best.
    """

    include: tuple[tuple[float, float], ...] = ()
    exclude: tuple[tuple[float, float], ...] = ()
    box: tuple[float, float, float, float] | None = None
    mask: Mask | None = None
    candidate: int = 0

    @property
    def absent(self) -> bool:
        """Whether this prompt says that the instance is not to be seen on the frame."""
        return not self.include and self.box is None and self.mask is None


@dataclass(frozen=True)
class Neighbour:
    """A picture of the same shot near the frame.

    Attributes:
        distance: how many frames later; negative is earlier, never 0.
        picture: ``[h, w, 3]`` uint8 RGB, of the frame's size or smaller.
    """

    distance: int
    picture: Picture


def checked_size(frame: Picture, prompts: Sequence[FramePrompt]) -> tuple[int, int]:
    """Height and width of a frame that is as seeders want it; raises ShapeError for it or a drawn mask that is not."""
    check_shape("frame", frame, (None, None, 3))
    if frame.dtype != np.uint8:
        raise ShapeError(f"frame is {frame.dtype}, expected uint8")
    size_hw = frame.shape[0], frame.shape[1]
    for given in prompts:
        if given.mask is not None:
            check_shape("drawn mask", given.mask, size_hw)
    return size_hw


class Seeder(Protocol):
    """One way of turning prompts into a mask."""

    @property
    def name(self) -> str:
        """Method and version; a part of the key of everything derived from its masks."""
        ...

    @property
    def looks_at(self) -> tuple[int, ...]:
        """The distances of the neighbours that it makes use of, ascending; empty if of none."""
        ...

    def seed(
        self,
        frame: Picture,
        prompt: FramePrompt,
        others: Sequence[FramePrompt],
        neighbours: Sequence[Neighbour] = (),
    ) -> Mask:
        """Select the prompted instance.

        Args:
            frame: ``[H, W, 3]`` uint8 RGB.
            prompt: what the artist gave for this instance on this frame.
            others: what was given for the other instances on the same frame; they are background here.
            neighbours: those of ``looks_at`` that there are in the same shot, ascending.

        Returns:
            ``[H, W]`` bool; empty if and only if ``prompt.absent``; contains every include point, no exclude point.
        """
        ...


def seed_frame(
    seeder: Seeder, frame: Picture, prompts: Mapping[int, FramePrompt], neighbours: Sequence[Neighbour] = ()
) -> dict[int, Mask]:
    """Select every prompted instance of one frame, each with the others as its background.

    Args:
        seeder: the way to do it.
        frame: ``[H, W, 3]`` uint8 RGB.
        prompts: instance id → what it was given on this frame.
        neighbours: those of the seeder's ``looks_at`` that there are in the same shot, ascending.

    Returns:
        The same ids in the same order → ``[H, W]`` bool. No pixel belongs to two: where masks overlap, it goes to the
        instance with the nearest include point or drawn pixel (a box without either counts by its middle).
    """
    masks = {
        own: seeder.seed(frame, prompt, [other for theirs, other in prompts.items() if theirs != own], neighbours)
        for own, prompt in prompts.items()
    }
    claims = np.zeros(frame.shape[:2], np.uint8)
    for mask in masks.values():
        claims += mask
    contested = claims > 1
    if contested.any():
        distances = np.stack([np.where(mask, _distance(prompts[own], mask), np.inf) for own, mask in masks.items()])
        nearest = distances.argmin(axis=0)
        for place, own in enumerate(masks):
            masks[own] = masks[own] & (~contested | (nearest == place))
    return masks


def _distance(prompt: FramePrompt, mask: Mask) -> NDArray[np.float32]:
    """Distance of every pixel to what the artist marked as this instance."""
    height, width = mask.shape
    unmarked = np.ones(mask.shape, np.uint8)
    marks = list(prompt.include)
    if prompt.mask is not None:
        unmarked[prompt.mask] = 0
    elif prompt.box is not None and not marks:
        x0, y0, x1, y1 = prompt.box
        marks = [((x0 + x1) / 2, (y0 + y1) / 2)]
    for x, y in marks:
        unmarked[min(max(int(y), 0), height - 1), min(max(int(x), 0), width - 1)] = 0
    return np.asarray(cv2.distanceTransform(unmarked, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)
