"""Making up what no frame shows, once per scene."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from matting.arrays import FloatArray, Mask, Picture
from matting.compositing.alignment import Homography
from matting.compositing.boxes import Box, box_of
from matting.compositing.extent import Extent
from matting.compositing.inpainting import inpaint

LONGEST_PX = 960
"""Longest side of a scene's picture."""


@dataclass(frozen=True)
class Scenery:
    """A picture of a whole scene without its instances.

    Attributes:
        colors: ``[h, w, 3]`` float32 in the units of the frames.
        known: ``[h, w]`` bool, what was seen or made up.
        from_scene: from scene coordinates to those of ``colors``.
    """

    colors: FloatArray
    known: Mask
    from_scene: Homography

    def inside(self, to_scene: Homography, box: Box) -> tuple[FloatArray, Mask]:
        """What a frame at that pose shows inside ``box``, and where it is known."""
        shift = np.array([[1, 0, box.left], [0, 1, box.top], [0, 0, 1]], np.float64)
        motion = self.from_scene @ to_scene @ shift
        size_wh = box.size_hw[::-1]
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        colors = cv2.warpPerspective(self.colors, motion, size_wh, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        known = cv2.warpPerspective(
            self.known.astype(np.uint8), motion, size_wh, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        )
        return np.asarray(colors, np.float32), np.asarray(known) > 0


def imagine(parts: Sequence[tuple[Homography, Picture, Mask]], needed: Iterable[tuple[Homography, Mask]]) -> Scenery:
    """Join references to one picture of the scene and inpaint what none of them shows.

    Args:
        parts: of each reference its way into the scene, its picture and its mask.
        needed: the masks of all frames of the scene, coarse or not, and their ways into it.
    """
    extent = Extent.around([(to_scene, hidden.shape) for to_scene, _, hidden in parts])
    scale = min(1.0, LONGEST_PX / max(extent.size_wh))
    size_wh, from_scene = extent.scaled(scale)
    peak = np.float32(np.iinfo(parts[0][1].dtype).max)
    colors, seen = np.zeros((size_wh[1], size_wh[0], 3), np.float32), np.zeros(size_wh[::-1], bool)
    for to_scene, picture, hidden in parts:
        motion = from_scene @ to_scene
        shown = np.asarray(cv2.warpPerspective((~hidden).astype(np.float32), motion, size_wh)) > 0.99
        # The first picture of a place stays: an average of slightly misplaced ones would be soft.
        fresh = shown & ~seen
        warped = cv2.warpPerspective(picture, motion, size_wh, borderMode=cv2.BORDER_REPLICATE)
        colors[fresh] = warped[fresh] / peak
        seen |= shown
    wanted = np.zeros(seen.shape, bool)
    for to_scene, hidden in needed:
        wanted |= np.asarray(cv2.warpPerspective(hidden.astype(np.float32), from_scene @ to_scene, size_wh)) > 0
    box = box_of(wanted & ~seen)
    if box is not None:
        box = box.grown(max(box.size_hw), seen.shape)
        colors[box.slices] = inpaint(colors[box.slices], ~seen[box.slices])
        seen[box.slices] = True
    return Scenery(colors * peak, seen, from_scene)
