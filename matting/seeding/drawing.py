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
    steps = [(drawing.order, own, drawing) for own, drawings in sorted(drawn.items()) for drawing in drawings]
    for _, own, drawing in sorted(steps, key=lambda step: step[0]):
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
    for (xa, ya), (xb, yb) in pairwise([*corners, corners[0]]):
        first, last = (int(np.clip(np.ceil(y - 0.5), 0, height)) for y in (min(ya, yb), max(ya, yb)))
        if first >= last:
            continue
        rows = np.arange(first, last)
        crossings = xa + (rows + 0.5 - ya) * (xb - xa) / (yb - ya)
        columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.intp)
        turns[rows, columns] ^= True
    inside: Mask = np.logical_xor.accumulate(turns, axis=1)[:, :width]
    return inside
