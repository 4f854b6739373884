"""What a finder hands to the artist: somebody who may be on the frame, to be accepted or dismissed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matting.arrays import Mask

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the displayed frame, half-open."""

SAME = 0.45
"""Intersection over union from which two boxes are about one person."""
INSIDE = 0.75
"""Share of the smaller box inside the larger from which the smaller is a part of the same person."""


@dataclass(frozen=True)
class Proposal:
    """One person that may be there.

    Attributes:
        box: see :data:`Box`; inside the frame.
        score: how sure the finder is, in [0, 1]; comparable within one frame only.
        mask: ``[H, W]`` bool where the finder knows the outline, else None.
        source: what found it: "mask-rcnn", "hog", "face" or "motion".
    """

    box: Box
    score: float
    mask: Mask | None
    source: str


def clipped(box: Box, size_hw: tuple[int, int]) -> Box | None:
    """The part of a box that is in the picture, to a tenth of a pixel; None where there is none."""
    x0, y0 = round(max(float(box[0]), 0.0), 1), round(max(float(box[1]), 0.0), 1)
    x1, y1 = round(min(float(box[2]), float(size_hw[1])), 1), round(min(float(box[3]), float(size_hw[0])), 1)
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    common = _common(one, other)
    return common / (_area(one) + _area(other) - common) if common else 0.0


def inside(one: Box, other: Box) -> float:
    """Share of the smaller of two boxes that lies in the larger, in [0, 1]."""
    return _common(one, other) / min(_area(one), _area(other))


def _common(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def distinct(proposals: Iterable[Proposal], taken: Sequence[Box] = ()) -> list[Proposal]:
    """Non-maximum suppression: the best of those that are about one person, without people who are selected already.

    Args:
        proposals: in any order.
        taken: boxes of the people who are selected.

    Returns:
        The proposals that remain, best first; of equal ones the one to the left, then the upper one.
    """
    kept: list[Proposal] = []
    for proposal in sorted(proposals, key=lambda p: (-p.score, p.box)):
        known = [*taken, *(other.box for other in kept)]
        if not any(overlap(proposal.box, box) > SAME or inside(proposal.box, box) > INSIDE for box in known):
            kept.append(proposal)
    return kept
