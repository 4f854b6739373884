"""Selecting one instance without weights: a rough figure first, then its outline.

The name is that of the method it grew from (Rother, Kolmogorov, Blake, "GrabCut", SIGGRAPH 2004): colour models and a
cut in turns. What was added: where a figure can be expected, what moves, and colours that hold only nearby.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import cv2
import numpy as np

from matting.arrays import Mask, Picture
from matting.recent import Recent
from matting.seeding.alike import mean_of_alike
from matting.seeding.figure import Box, expect_figure
from matting.seeding.graph_cut import graph_cut
from matting.seeding.motion import Motion, find_motion
from matting.seeding.odds import Codes, motion_codes
from matting.seeding.posterior import find_figure
from matting.seeding.seeder import FramePrompt, Neighbour, checked_size
from matting.seeding.view import View, around, bounds, clip_box, look, pixels

_COARSE_PIXELS = 60_000
_FINE_PIXELS = 150_000
_BAND_COARSE_PX = 3
_REACH = 1.3
_LEAST_REACH = 0.08
_MOST_SURE, _FEW = 0.02, 0.01
_PRICE, _CONTRAST = 4.0, 0.7
_SMALLEST_HOLE = 0.004
_SMALLEST_PART = 0.04
_MEND_SHARE = 0.15
_DRAWN = 3.0
_KEPT_MOTIONS = 4

_motions: Recent[bytes, Motion | None] = Recent(_KEPT_MOTIONS)
"""What moves on the frames that were clicked on last; it does not depend on the prompts."""


class GrabCutSeeder:
    """A :class:`~matting.seeding.seeder.Seeder` that needs no weights."""

    @property
    def name(self) -> str:
        return "grabcut/3"

    @property
    def looks_at(self) -> tuple[int, ...]:
        return -12, -6, -2, 2, 6, 12

    def seed(
        self,
        frame: Picture,
        prompt: FramePrompt,
        others: Sequence[FramePrompt],
        neighbours: Sequence[Neighbour] = (),
    ) -> Mask:
        """Select the prompted instance; see :meth:`matting.seeding.seeder.Seeder.seed`.

        A drawn mask comes back as it is but for a neighbourhood of each point that contradicts it; an empty drawn
        mask without points stays empty. Where an include and an exclude point share a pixel, include wins.

        Raises:
            ShapeError: the frame is not uint8 RGB, or a drawn mask has another size.
        """
        size_hw = checked_size(frame, (prompt, *others))
        if prompt.absent:
            return np.zeros(size_hw, np.bool_)
        motion = _motion_of(frame, neighbours)
        if prompt.mask is None:
            mask = _find(frame, prompt, others, motion)
        else:
            mask = _mend(frame, prompt.mask, prompt, others, motion)
        for points, inside in ((prompt.exclude, False), (prompt.include, True)):
            for x, y in pixels(points, size_hw):
                mask[y, x] = inside
        return mask


def _motion_of(frame: Picture, neighbours: Sequence[Neighbour]) -> Motion | None:
    if not neighbours:
        return None
    seen = hashlib.sha1(repr(frame.shape).encode(), usedforsecurity=False)
    for picture in (frame, *(neighbour.picture for neighbour in neighbours)):
        seen.update(np.ascontiguousarray(picture).data)
    seen.update(repr([neighbour.distance for neighbour in neighbours]).encode())
    return _motions.get(seen.digest(), lambda: find_motion(frame, neighbours))


def _find(frame: Picture, prompt: FramePrompt, others: Sequence[FramePrompt], motion: Motion | None) -> Mask:
    """From a box, points or both."""
    size_hw = frame.shape[0], frame.shape[1]
    coarse = look(frame, _window(prompt, size_hw), _COARSE_PIXELS, prompt, others)
    rough = coarse.place(_tidy(_roughly(coarse, _moving(coarse, motion, size_hw)), coarse), size_hw)
    fine = look(frame, around(bounds(rough), 0.1, size_hw), _FINE_PIXELS, prompt, others)
    band_px = max(1, round(_BAND_COARSE_PX * fine.scale / coarse.scale))
    mask = _sharpen(frame, _tidy(_outlined(fine, fine.shrink(rough), band_px), fine), fine)
    return mask if mask.any() else rough


def _window(prompt: FramePrompt, size_hw: tuple[int, int]) -> Box:
    """Where the figure is looked for. A single point says nothing of its size."""
    box = clip_box(prompt.box, size_hw)
    if box:
        return around(box, 0.3, size_hw)
    if len(prompt.include) == 1:
        return 0, 0, size_hw[1], size_hw[0]
    points = np.array(pixels(prompt.include, size_hw))
    (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
    margin = round(max(_REACH * max(x1 - x0, y1 - y0), _LEAST_REACH * size_hw[0]))
    x0, y0, x1, y1 = int(x0), int(y0), int(x1) + 1, int(y1) + 1
    return max(0, x0 - margin), max(0, y0 - margin), min(size_hw[1], x1 + margin), min(size_hw[0], y1 + margin)


def _moving(view: View, motion: Motion | None, size_hw: tuple[int, int]) -> Codes | None:
    if motion is None:
        return None
    return motion_codes(*(view.stretch(a, size_hw) for a in (motion.change, motion.share)))


def _roughly(view: View, moving: Codes | None) -> Mask:
    """The figure at a coarse size: where it can be, weighed against its colours and its movement."""
    own, rivals = view.own, [point for other in view.others for point in other.include]
    expected = expect_figure(view.size_hw, own.include, view.visible(own.exclude + rivals), own.box)
    return find_figure(view.picture, expected, *view.sure(), moving)


def _outlined(view: View, mask: Mask, radius_px: int) -> Mask:
    """Decide again what is near the outline of the mask, by what looks like it nearby."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
    solid = mask.astype(np.uint8)
    lab = np.asarray(cv2.cvtColor(view.picture, cv2.COLOR_RGB2LAB), np.uint8)
    alike = mean_of_alike(lab, mask.astype(np.float32), np.ones(mask.shape, np.float32), _FEW, 0.5)
    share = np.clip(alike, _MOST_SURE, 1 - _MOST_SURE)
    depth = cv2.distanceTransform(solid, cv2.DIST_L2, 3) - cv2.distanceTransform(1 - solid, cv2.DIST_L2, 3)
    odds = np.log(share / (1 - share)) + np.clip(depth / radius_px, -1, 1)
    inside, outside = view.sure()
    outside |= (cv2.dilate(solid, disk) == 0) & ~inside
    inside |= (cv2.erode(solid, disk) > 0) & ~outside
    return graph_cut(lab.astype(np.float32), odds.astype(np.float32), inside, outside, _PRICE, _CONTRAST)


def _tidy(mask: Mask, view: View) -> Mask:
    """Keep the parts that the prompt speaks of and close small holes; never empty."""
    kept = _chosen_parts(mask, view)
    _, parts, stats, _ = cv2.connectedComponentsWithStats((~kept).astype(np.uint8), connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < _SMALLEST_HOLE * kept.sum()
    small[0] = False
    for x, y in view.visible(view.own.exclude + [point for other in view.others for point in other.include]):
        small[parts[y, x]] = False
    filled: Mask = kept | small[parts]
    return filled


def _chosen_parts(mask: Mask, view: View) -> Mask:
    _, parts, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[:, cv2.CC_STAT_AREA]
    wanted = np.zeros(len(stats), np.bool_)
    for x, y in view.visible(view.own.include):
        wanted[parts[y, x]] = True
    if view.own.box:
        x0, y0, x1, y1 = view.own.box
        # What hangs at the box's rim only is more often a neighbour than a part of the figure.
        core = parts[(3 * y0 + y1) // 4 : (y0 + 3 * y1) // 4 + 1, (3 * x0 + x1) // 4 : (x0 + 3 * x1) // 4 + 1]
        seen = np.unique(core)
        wanted[seen[areas[seen] > _SMALLEST_PART * mask.sum()]] = True
    wanted[0] = False
    kept: Mask = wanted[parts]
    return kept if kept.any() else _stand_in(view)


def _stand_in(view: View) -> Mask:
    """What a prompt itself covers, for when the colours say nothing."""
    mask = view.sure()[0]
    if view.own.box:
        x0, y0, x1, y1 = view.own.box
        mask[y0:y1, x0:x1] = True
    return mask


def _sharpen(frame: Picture, mask: Mask, view: View) -> Mask:
    """Bring a mask from its working size to the frame's, its outline drawn to the edges of the full picture.

    Source: He, Sun, Tang, "Guided Image Filtering" (PAMI 2013), with the grey picture as guide.
    """
    size_hw = frame.shape[0], frame.shape[1]
    if view.scale >= 1:
        return view.place(mask, size_hw)
    x0, y0, x1, y1 = view.window
    guide = cv2.cvtColor(frame[y0:y1, x0:x1], cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    soft = cv2.resize(mask.astype(np.float32), (x1 - x0, y1 - y0), interpolation=cv2.INTER_LINEAR)
    window = (2 * round(1.5 / view.scale) + 1,) * 2
    mean, level = cv2.blur(guide, window), cv2.blur(soft, window)
    slope = (cv2.blur(guide * soft, window) - mean * level) / (cv2.blur(guide * guide, window) - mean * mean + 1e-4)
    offset = level - slope * mean
    sharp = np.zeros(size_hw, np.bool_)
    sharp[y0:y1, x0:x1] = cv2.blur(slope, window) * guide + cv2.blur(offset, window) > 0.5
    return sharp


def _mend(
    frame: Picture, drawn: Mask, prompt: FramePrompt, others: Sequence[FramePrompt], motion: Motion | None
) -> Mask:
    """From a drawn mask: as it is, but cut anew round each point that contradicts it."""
    size_hw = frame.shape[0], frame.shape[1]
    mask = drawn.astype(np.bool_)
    wrong = [(x, y) for x, y in pixels(prompt.include, size_hw) if not mask[y, x]]
    wrong += [(x, y) for x, y in pixels(prompt.exclude, size_hw) if mask[y, x]]
    if not wrong:
        return mask
    x0, y0, x1, y1 = bounds(mask) if mask.any() else (0, 0, size_hw[1], size_hw[0])
    doubt = np.zeros(size_hw, np.uint8)
    for point in wrong:
        cv2.circle(doubt, point, max(2, round(_MEND_SHARE * max(x1 - x0, y1 - y0))), 1, cv2.FILLED)
    view = look(frame, around(bounds((doubt > 0) | mask), 0.1, size_hw), _COARSE_PIXELS, prompt, others)
    inside, open_ = view.shrink(mask), view.shrink(doubt > 0)
    sure_in, sure_out = view.sure()
    # The drawing is a strong hint away from the points and none near them, where the colours and they decide.
    expected = np.where(open_, np.float32(0), np.where(inside, np.float32(_DRAWN), np.float32(-_DRAWN)))
    moving = _moving(view, motion, size_hw)
    cut = _sharpen(frame, find_figure(view.picture, expected, sure_in, sure_out & open_, moving), view)
    mended: Mask = np.where(doubt > 0, cut, mask)
    return mended
