"""The clean plate: what stands behind the instances, taken from other frames of the shot.

Two passes. The first places every frame in its scene and remembers some hundred bytes of each; from these a few
reference frames are chosen and kept. The second makes each frame's plate: references are aligned, matched in
exposure, merged where they agree, and fitted to the surroundings of the hole. What no reference shows is made up
once per scene, so that it stays in its place over time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask, Picture, check_shape
from matting.compositing.alignment import look_at
from matting.compositing.boxes import separate
from matting.compositing.camera import CameraPath
from matting.compositing.made_up import Scenery, imagine
from matting.compositing.patching import Patcher
from matting.compositing.references import Grid, Reference, View, choose_references
from matting.frames import FrameSource
from matting.job import JobContext

MOST_REFERENCES = 24
REFERENCE_BYTES = 400_000_000


@dataclass(frozen=True)
class PlateFrame:
    """The plate at one frame.

    Attributes:
        picture: ``[H, W, 3]`` in the frame's dtype; the frame itself wherever ``coverage`` is 0.
        coverage: ``[H, W]`` uint8: 255 where the frame was masked, falling to 0 a few pixels outside.
        unseen: share of the masked pixels in [0, 1] that no reference shows, so that they were made up.
    """

    picture: Picture
    coverage: NDArray[np.uint8]
    unseen: float


@dataclass(frozen=True)
class Plate:
    """Everything needed to make the plate of any frame of a span.

    Attributes:
        span: the frames.
        views: where each of them lies.
        references: the frames it is made from.
        sceneries: scene → a picture of it in which what no reference shows is made up.
    """

    span: range
    views: Sequence[View]
    references: Sequence[Reference]
    sceneries: dict[int, Scenery]

    def frame(self, index: int, frame: Picture, hidden: Mask) -> PlateFrame:
        """Make the plate of one frame; may be called from several threads at once.

        Args:
            index: which frame of the span.
            frame: ``[H, W, 3]`` uint8 or uint16, its picture.
            hidden: ``[H, W]`` bool, the mask that :func:`build_plate` was given for it.

        Raises:
            ShapeError: mask and frame differ in size.
        """
        check_shape("mask", hidden, frame.shape[:2])
        picture, coverage, unseen = frame.copy(), np.zeros(hidden.shape, np.uint8), 0
        holes = separate(hidden, max(16, min(hidden.shape) // 16))
        if holes:
            view = self.views[index - self.span.start]
            scene = [r for r in self.references if r.view.pose.scene == view.pose.scene and r.view.index != index]
            patcher = Patcher(frame, hidden, view, scene, self.sceneries.get(view.pose.scene))
            for box, hole in holes:
                patch = patcher.patch(box, hole)
                touched = patch.coverage > 0
                picture[box.slices][touched] = patch.colors[touched]
                coverage[box.slices][touched] = patch.coverage[touched]
                unseen += patch.made_up_pixels
        return PlateFrame(picture, coverage, unseen / max(int(hidden.sum()), 1))


def build_plate(source: FrameSource, masks: Callable[[int], Mask], span: range, ctx: JobContext) -> Plate:
    """Look through a span once and keep what is needed to make the plate of any of its frames.

    Memory: at most :data:`MOST_REFERENCES` pictures within about :data:`REFERENCE_BYTES`, and some hundred bytes a
    frame.

    Args:
        source: where the pictures come from; read once in order, then the references again by index.
        masks: frame index → ``[H, W]`` bool, everything to take out, grown as far as its alphas reach.
        span: the frames, step 1; cuts inside are found and respected.
        ctx: told the progress; asked to stop between frames.

    Raises:
        Cancelled: somebody asked to stop.
        ShapeError: a mask differs from the frames in size.
    """
    grid, path = Grid(source.size_hw), CameraPath()
    views: list[View] = []
    with ctx.stage(0.0, 0.8):
        for index, frame in source.frames(span.start, span.stop):
            ctx.report(len(views) / len(span), "Following the camera")
            hidden = masks(index)
            check_shape("mask", hidden, frame.shape[:2])
            views.append(View(index, path.follow(frame, hidden), grid.pack(hidden)))
    with ctx.stage(0.8, 0.95):
        references = _collect(source, masks, choose_references(views, grid, span, _most(source.size_hw)), ctx)
    with ctx.stage(0.95, 1.0):
        sceneries = {}
        for scene in sorted({reference.view.pose.scene for reference in references}):
            ctx.report(0.0, "Filling in what is never seen")
            sceneries[scene] = _scenery(scene, references, views, grid)
    return Plate(span, tuple(views), tuple(references), sceneries)


def plates(
    source: FrameSource, masks: Callable[[int], Mask], span: range, ctx: JobContext
) -> Iterator[tuple[int, PlateFrame]]:
    """Make the plates of a whole span in order; arguments and errors as for :func:`build_plate`."""
    with ctx.stage(0.0, 0.3):
        plate = build_plate(source, masks, span, ctx)
    with ctx.stage(0.3, 1.0):
        for index, frame in source.frames(span.start, span.stop):
            ctx.report((index - span.start) / len(span), "Making the plate")
            yield index, plate.frame(index, frame, masks(index))


def _most(size_hw: tuple[int, int]) -> int:
    """How many references of 16 bits with mask fit the budget."""
    return min(MOST_REFERENCES, max(REFERENCE_BYTES // (size_hw[0] * size_hw[1] * 7), 2))


def _collect(
    source: FrameSource, masks: Callable[[int], Mask], chosen: Sequence[View], ctx: JobContext
) -> list[Reference]:
    references = []
    for number, view in enumerate(sorted(chosen, key=lambda view: view.index)):
        ctx.report(number / len(chosen), "Collecting the background")
        picture, hidden = source.frame(view.index), masks(view.index)
        references.append(Reference(view, picture, hidden, look_at(picture, hidden)))
    return references


def _scenery(scene: int, references: Sequence[Reference], views: Sequence[View], grid: Grid) -> Scenery:
    parts = [(r.view.pose.to_scene, r.picture, r.hidden) for r in references if r.view.pose.scene == scene]
    members = (view for view in views if view.pose.scene == scene)
    return imagine(parts, ((view.pose.to_scene @ grid.to_frame, grid.unpack(view.hidden)) for view in members))
