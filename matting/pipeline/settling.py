"""What the artist answers to the review: right as it is, two people exchanged, somebody back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask
from matting.errors import ProjectError
from matting.files import write_bytes
from matting.finding.proposal import overlap
from matting.pipeline.review import content_of
from matting.pipeline.workspace import State, Workspace
from matting.project.document import Box, Dismissal, Point, Prompt
from matting.project.prompts import encode_mask
from matting.review.elsewhere import parts_of

_SAME_PART = 0.6
"""Intersection over union of two boxes that are about one part of a mask; the proposal was made on a small picture."""
_MARGIN = 0.06


def dismissal(work: Workspace, instance_id: int, frames: range) -> Dismissal:
    """That an instance is right as it is in some frames, to be put into the document.

    Raises:
        ProjectError: some of them are not tracked.
    """
    masks = content_of(work, instance_id, frames)
    if masks is None:
        name = work.document.instance(instance_id).name
        raise ProjectError(f"{name} is not tracked in the frames {frames[0]}-{frames[-1]}; track first.")
    return Dismissal(first=frames[0], last=frames[-1], masks=masks)


def swapped(work: Workspace, one: int, other: int, frame: int) -> tuple[Prompt, Prompt]:
    """Prompts that exchange two instances from a frame on: each gets the mask that the other one has there.

    Each is tracked anew from there, up to its next prompt or approved span; nothing that was given is taken away.

    Returns:
        That of ``one`` and that of ``other``, whose masks are kept in the project's folder.

    Raises:
        ProjectError: the frame is not tracked, or approved for one of them.
        OutputError: the project's folder cannot be written.
    """
    _refuse_locked(work, (one, other), frame, "then swap")
    if frame not in work.document.frames or work.mask_state(work.chunk_of(frame)) is not State.CURRENT:
        raise ProjectError(f"Frame {frame} is not tracked yet; track it, then swap.")
    picture = work.index_picture(frame)
    assert picture is not None
    return _as_prompt(work, picture == other, frame), _as_prompt(work, picture == one, frame)


def returned(work: Workspace, frame: int, boxes: Mapping[int, Box]) -> dict[int, Prompt]:
    """Prompts that say that people who were lost are back.

    Where a box is that of a part of somebody else's mask, the part changes hands, and both are given what they then
    have. Else the box is selected, without what belongs to others.

    Args:
        work: what is known of the clip.
        frame: where they are back; it is tracked, if only by masks that are stale.
        boxes: by instance id, one of those of a :class:`matting.review.returns.Return`.

    Returns:
        By instance id; masks are kept in the project's folder.

    Raises:
        ProjectError: the frame is approved for one of them.
        OutputError: the project's folder cannot be written.
    """
    shown = work.index_picture(frame)
    picture = np.zeros(work.document.size_hw, np.uint8) if shown is None else shown.copy()
    prompts: dict[int, Prompt] = {}
    changed: set[int] = set()
    for instance_id, box in boxes.items():
        picture[picture == instance_id] = 0
        found = _part_in(picture, box)
        if found is None:
            wider = _wider(box, work.document.size_hw)
            prompts[instance_id] = Prompt(frame=frame, box=wider, points=_others(picture, wider))
        else:
            owner, part = found
            picture[part] = instance_id
            changed |= {instance_id, owner}
    _refuse_locked(work, {*prompts, *changed}, frame, "then say who is back")
    return prompts | {i: _as_prompt(work, np.asarray(picture == i), frame) for i in sorted(changed)}


def _part_in(picture: NDArray[np.uint8], box: Box) -> tuple[int, Mask] | None:
    """A part of somebody's mask in several that fills a box: whose, and the part."""
    for owner in np.unique(picture[picture > 0]).tolist():
        parts = parts_of(np.asarray(picture == owner))
        for part, (x, y, width, height) in parts if len(parts) > 1 else []:
            if overlap((x, y, x + width, y + height), box) > _SAME_PART:
                return owner, part
    return None


def _refuse_locked(work: Workspace, ids: Iterable[int], frame: int, then: str) -> None:
    for instance in map(work.document.instance, ids):
        if (lock := instance.lock_at(frame)) is not None:
            raise ProjectError(f"{instance.name} is locked on frames {lock.first} to {lock.last}; unlock them, {then}.")


def _wider(box: Box, size_hw: tuple[int, int]) -> Box:
    """The box with a margin, since what speaks clearly for somebody ends before they do."""
    x0, y0, x1, y1 = box
    across, down = _MARGIN * (x1 - x0), _MARGIN * (y1 - y0)
    height, width = size_hw
    return max(x0 - across, 0.0), max(y0 - down, 0.0), min(x1 + across, float(width)), min(y1 + down, float(height))


def _others(picture: NDArray[np.uint8], box: Box) -> tuple[Point, ...]:
    """A point to leave out in the middle of everybody else who reaches into a box."""
    x0, y0, x1, y1 = (int(side) for side in box)
    inside = picture[y0:y1, x0:x1]
    points: list[Point] = []
    for owner in np.unique(inside[inside > 0]).tolist():
        depth = cv2.distanceTransform(np.pad((inside == owner).astype(np.uint8), 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
        y, x = np.unravel_index(int(depth.argmax()), depth.shape)
        points.append((float(x0 + x), float(y0 + y), 0))
    return tuple(points)


def _as_prompt(work: Workspace, mask: Mask, frame: int) -> Prompt:
    if not mask.any():
        return Prompt(frame=frame)
    name, png = encode_mask(mask)
    write_bytes(work.folder / "prompts" / name, png)
    return Prompt(frame=frame, mask=name)
