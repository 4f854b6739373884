"""One picture for the viewer, made in a worker thread, which is also the one to import this."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QImage

from app.palette import person_rgb
from app.views import Shown, View, Wanted

if TYPE_CHECKING:  # slow to import; whoever has a workspace has them already
    from matting.pipeline.picture import Compositor
    from matting.pipeline.workspace import Workspace

Rgb8: TypeAlias = NDArray[np.uint8]
AnyDepth: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]

TINT = 0.45
"""How strongly a person's colour covers the footage in the overlay."""
SQUARE_PX = 16
DARK, LIGHT = 92, 148
"""Greys of the checkerboard."""


class Renderer:
    """Makes pictures of one workspace with a reader of its own; belongs to the thread that uses it."""

    def __init__(self, work: Workspace) -> None:
        self._given = self._work = work
        self._seen: tuple[int, AnyDepth] | None = None

    def close(self) -> None:
        """Give the reader back."""
        self._work.clip.close()

    def follow(self, work: Workspace) -> None:
        """Go on with another document about the same clip."""
        if work is not self._given:
            self._given, self._work = work, replace(work, clip=self._work.clip)
            for made in ("_compositor", "_cutter"):
                self.__dict__.pop(made, None)

    def render(self, wanted: Wanted) -> Shown:
        """The picture; the source with a hint where the view's own results are not there.

        Raises:
            MediaError: the frame or a backdrop cannot be read.
        """
        source = self._source(wanted.frame)
        if wanted.view is View.SOURCE:
            return Shown(wanted, to_image(source))
        if wanted.frame not in self._work.document.frames:
            return Shown(wanted, to_image(source), "This frame lies outside in and out.")
        try:
            return Shown(wanted, to_image(self._picture(wanted, source)))
        except KeyError:
            return Shown(wanted, to_image(source), self._missing(wanted))

    def _source(self, frame: int) -> AnyDepth:
        """The clip's picture; the last one is kept, for mostly it is what lies over it that has changed."""
        if self._seen is None or self._seen[0] != frame:
            self._seen = frame, self._work.clip.frame(frame)
        return self._seen[1]

    def _picture(self, wanted: Wanted, source: AnyDepth) -> Rgb8:
        match wanted.view:
            case View.OVERLAY:
                return self._overlay(wanted.frame, source)
            case View.MATTE:
                return self._mattes(wanted)
            case View.CHECKERBOARD:
                if not self._work.prompted:
                    raise KeyError("nobody")
                return on_checkerboard(to_8_bit(self._cutter.frame(wanted.frame, source)))
            case _:
                picture = to_8_bit(self._compositor.frame(wanted.frame, source))
                return on_checkerboard(picture) if picture.shape[2] == 4 else picture

    def _missing(self, wanted: Wanted) -> str:
        if not self._work.prompted:
            return "Nobody is selected yet: click a person with the point tool (P)."
        chunk = self._work.chunk_of(wanted.frame)
        from matting.pipeline.workspace import State

        if self._work.mask_state(chunk) is not State.CURRENT:
            return "Not tracked here yet: Track (Ctrl+T), then Matte (Ctrl+M)."
        if any(self._work.alpha_state(chunk, i) is not State.CURRENT for i in self._work.ids):
            return "Not matted here yet: Matte (Ctrl+M)."
        return "The plate behind the removed people is not built yet."

    @cached_property
    def _compositor(self) -> Compositor:
        from matting.pipeline.picture import Compositor

        return Compositor(self._work)

    @cached_property
    def _cutter(self) -> Compositor:
        """Composites the kept people, with their looks, on nothing."""
        from matting.compositing.backdrops import Transparent
        from matting.pipeline.picture import Compositor

        document = self._work.document.model_copy(update={"backdrop": Transparent()})
        return Compositor(self._work.with_document(document))

    def _overlay(self, frame: int, source: AnyDepth) -> Rgb8:
        masks = self._work.index_picture(frame)
        picture = to_8_bit(source)
        if masks is None:
            return picture
        return tinted(picture, masks)

    def _mattes(self, wanted: Wanted) -> Rgb8:
        work = self._work
        if not work.prompted:
            raise KeyError("nobody")
        if wanted.active_id in work.ids:
            alpha = work.alpha(wanted.frame, wanted.active_id)
            return np.repeat(alpha[..., None], 3, axis=2)
        total = np.zeros((*work.document.size_hw, 3), np.float32)
        for instance_id in work.ids:
            alpha = work.alpha(wanted.frame, instance_id)
            total += alpha[..., None].astype(np.float32) / 255 * np.array(person_rgb(instance_id), np.float32)
        return np.rint(total).clip(0, 255).astype(np.uint8)


def tinted(picture: Rgb8, masks: NDArray[np.uint8]) -> Rgb8:
    """The picture with everybody's mask over it in their colour, outlined.

    Args:
        picture: ``[H, W, 3]`` uint8.
        masks: ``[H, W]`` uint8, pixel value = instance id.
    """
    import cv2

    # In OpenCV throughout, and only where somebody is, with room for the outlines: a click waits for this, and numpy's
    # way of picking pixels takes six times as long.
    width = max(1, round(max(masks.shape) / 900))
    left, top, columns, rows = cv2.boundingRect(masks)
    part = np.s_[max(top - width, 0) : top + rows + width, max(left - width, 0) : left + columns + width]
    result = picture.copy()
    here, under = masks[part], result[part]
    colors = np.array([[(0, 0, 0), *(person_rgb(i) for i in range(1, 256))]], np.uint8)
    painted = np.asarray(cv2.LUT(cv2.merge((here, here, here)), colors), np.uint8)
    cv2.copyTo(cv2.addWeighted(under, 1 - TINT, painted, TINT, 0), here, under)
    kernel = np.ones((2 * width + 1, 2 * width + 1), np.uint8)
    edge = cv2.min(cv2.morphologyEx(here, cv2.MORPH_GRADIENT, kernel), here)
    cv2.copyTo(painted, edge, under)
    return result


def on_checkerboard(picture: Rgb8) -> Rgb8:
    """Straight RGBA ``[H, W, 4]`` uint8 over a grey checkerboard."""
    height, width = picture.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    board = np.where((rows // SQUARE_PX + columns // SQUARE_PX) % 2, LIGHT, DARK).astype(np.float32)[..., None]
    opacity = picture[..., 3:].astype(np.float32) / 255
    return np.rint(picture[..., :3] * opacity + board * (1 - opacity)).astype(np.uint8)


def to_8_bit(picture: AnyDepth) -> Rgb8:
    """What a screen shows of a picture of any depth."""
    return picture.astype(np.uint8) if picture.dtype == np.uint8 else (picture >> 8).astype(np.uint8)


def to_image(picture: AnyDepth) -> QImage:
    """``[H, W, 3]`` RGB as an image that owns its pixels, in the format that is painted fastest."""
    pixels = np.ascontiguousarray(to_8_bit(picture))
    height, width = pixels.shape[:2]
    image = QImage(pixels.data, width, height, 3 * width, QImage.Format.Format_RGB888)
    return image.convertToFormat(QImage.Format.Format_RGB32)
