"""What an artist paints: strokes and polygons that say exactly which pixels belong to an instance and which do not.

They lie over what a seeder finds, whichever it is. Of two that cover a pixel the later one counts, also where they
were drawn for two instances.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from matting.arrays import Mask

LARGEST_PX = 4096.0
"""Radius of the largest brush."""

_TOUCHING_PX2 = 1e-6
"""Squared distance from which two points of a stroke are two."""

Place = tuple[float, float]
"""x, y in pixels of the displayed frame, where (0, 0) is the corner of the first pixel; may lie outside."""


class _Drawn(BaseModel):
    """What strokes and polygons have in common.

    Attributes:
        label: 1 puts the pixels in, 0 takes them out.
        order: of two drawings on a frame the one with the higher order is the later; of equals the one that comes
            later in the prompt, or belongs to the later instance.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    label: Literal[0, 1]
    order: Annotated[int, Field(ge=0)] = 0


class Stroke(_Drawn):
    """All pixels whose centre is within ``radius`` of a line through ``points``; of one point it is a disc."""

    kind: Literal["stroke"] = "stroke"
    radius: Annotated[float, Field(gt=0, le=LARGEST_PX)]
    points: Annotated[tuple[Place, ...], Field(min_length=1)]


class Polygon(_Drawn):
    """All pixels whose centre is inside; where the outline crosses itself, every second part is outside."""

    kind: Literal["polygon"] = "polygon"
    points: Annotated[tuple[Place, ...], Field(min_length=3)]


Drawing = Annotated[Stroke | Polygon, Field(discriminator="kind")]


def covered(drawing: Stroke | Polygon, size_hw: tuple[int, int]) -> Mask:
    """The pixels of a frame that a drawing covers, ``[H, W]`` bool; what reaches out of the frame is cut off."""
    return _stroked(drawing, size_hw) if isinstance(drawing, Stroke) else _filled(drawing.points, size_hw)


def misses(drawing: Stroke | Polygon, size_hw: tuple[int, int]) -> bool:
    """Whether a drawing is all outside of the frame, or a polygon so thin that it covers nothing."""
    if isinstance(drawing, Polygon):
        return not covered(drawing, size_hw).any()
    x, y = zip(*drawing.points, strict=True)
    across, down = _span(min(x), max(x), drawing.radius, size_hw[1]), _span(min(y), max(y), drawing.radius, size_hw[0])
    return across[0] >= across[1] or down[0] >= down[1]


def in_order(drawn: Mapping[int, Sequence[Stroke | Polygon]]) -> list[tuple[int, int]]:
    """Instance id and place of every drawing, the one that lies on top last."""
    steps = [(drawing.order, own, place) for own, drawings in drawn.items() for place, drawing in enumerate(drawings)]
    return [(own, place) for _, own, place in sorted(steps)]


def draw_over(picture: NDArray[np.uint8], drawn: Mapping[int, Sequence[Stroke | Polygon]]) -> NDArray[np.uint8]:
    """Put what was drawn over masks.

    Args:
        picture: ``[H, W]`` uint8, pixel value = instance id, 0 = nobody; stays as it is.
        drawn: instance id → its drawings, in their order.

    Returns:
        The same with every pixel that was put in given to the instance it was put in for, and every pixel that was
        taken out of the instance it belonged to given to nobody.
    """
    size_hw = picture.shape[0], picture.shape[1]
    result = picture.copy()
    for own, place in in_order(drawn):
        drawing = drawn[own][place]
        part = covered(drawing, size_hw)
        if drawing.label:
            result[part] = own
        else:
            result[part & (result == own)] = 0
    return result


def _stroked(stroke: Stroke, size_hw: tuple[int, int]) -> Mask:
    mask = np.zeros(size_hw, np.bool_)
    segments = list(pairwise(stroke.points)) or [(stroke.points[0], stroke.points[0])]
    for start, end in segments:
        x0, x1 = _span(start[0], end[0], stroke.radius, size_hw[1])
        y0, y1 = _span(start[1], end[1], stroke.radius, size_hw[0])
        if x0 >= x1 or y0 >= y1:
            continue
        x = np.arange(x0, x1, dtype=np.float32)[None, :] + np.float32(0.5 - start[0])
        y = np.arange(y0, y1, dtype=np.float32)[:, None] + np.float32(0.5 - start[1])
        along_x, along_y = end[0] - start[0], end[1] - start[1]
        length = along_x * along_x + along_y * along_y
        # How far along the segment its nearest place is, and from there to the pixel.
        share = np.clip((x * along_x + y * along_y) / length, 0, 1) if length > _TOUCHING_PX2 else np.float32(0)
        off = np.square(x - share * along_x) + np.square(y - share * along_y)
        mask[y0:y1, x0:x1] |= off <= stroke.radius * stroke.radius
    return mask


def _span(one: float, other: float, radius: float, limit: int) -> tuple[int, int]:
    """The whole pixels that a segment reaches on one axis."""
    low, high = min(one, other) - radius, max(one, other) + radius
    return int(min(max(np.floor(low), 0), limit)), int(min(max(np.ceil(high), 0), limit))


def _filled(corners: Sequence[Place], size_hw: tuple[int, int]) -> Mask:
    """Line by line: each edge turns the inside out from where it crosses the middle of a row."""
    height, width = size_hw
    turns = np.zeros((height, width + 1), np.bool_)
    for edge in pairwise([*corners, corners[0]]):
        (xa, ya), (xb, yb) = sorted(edge, key=lambda end: end[1])  # there and back again must cross at the same places
        first, last = (int(np.clip(np.ceil(y - 0.5), 0, height)) for y in (ya, yb))
        if first >= last:
            continue
        rows = np.arange(first, last)
        crossings = xa + (rows + 0.5 - ya) * (xb - xa) / (yb - ya)
        columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.intp)
        turns[rows, columns] ^= True
    inside: Mask = np.logical_xor.accumulate(turns, axis=1)[:, :width]
    return inside
