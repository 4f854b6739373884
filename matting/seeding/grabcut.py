"""Selecting one instance without weights: a rough figure first, then GrabCut along its outline.

Source:
    Rother, Kolmogorov, Blake, "GrabCut: Interactive Foreground Extraction using Iterated Graph Cuts" (SIGGRAPH 2004).
    OpenCV's, which by itself collapses onto the clicked disks where figure and street share their colours; here it only
    decides a band whose middle :mod:`matting.seeding.posterior` has found.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask, Picture, check_shape
from matting.errors import ShapeError
from matting.seeding.figure import expect_figure
from matting.seeding.posterior import figure_probability
from matting.seeding.seeder import FramePrompt
from matting.seeding.view import View, around, bounds, clip_box, look, pixels

_COARSE_PIXELS = 40_000
_FINE_PIXELS = 350_000
_BAND_COARSE_PX = 5
_ROUNDS = 2
_SMALLEST_HOLE = 0.004
_SMALLEST_PART = 0.04
_MEND_SHARE = 0.15
_DRAWN = 3.0

Labels = NDArray[np.uint8]
"""``[h, w]`` of OpenCV's four GrabCut labels."""


class GrabCutSeeder:
    """A :class:`~matting.seeding.seeder.Seeder` that needs no weights."""

    @property
    def name(self) -> str:
        return "grabcut/1"

    def seed(self, frame: Picture, prompt: FramePrompt, others: Sequence[FramePrompt]) -> Mask:
        """Select the prompted instance; see :meth:`matting.seeding.seeder.Seeder.seed`.

        A drawn mask comes back as it is but for a neighbourhood of each point that contradicts it; an empty drawn
        mask without points stays empty. Where an include and an exclude point share a pixel, include wins.

        Raises:
            ShapeError: the frame is not uint8 RGB, or a drawn mask has another size.
        """
        check_shape("frame", frame, (None, None, 3))
        if frame.dtype != np.uint8:
            raise ShapeError(f"frame is {frame.dtype}, expected uint8")
        size_hw = frame.shape[0], frame.shape[1]
        for given in (prompt, *others):
            if given.mask is not None:
                check_shape("drawn mask", given.mask, size_hw)
        if prompt.absent:
            return np.zeros(size_hw, np.bool_)
        mask = _find(frame, prompt, others) if prompt.mask is None else _mend(frame, prompt.mask, prompt, others)
        for points, inside in ((prompt.exclude, False), (prompt.include, True)):
            for x, y in pixels(points, size_hw):
                mask[y, x] = inside
        return mask


def _find(frame: Picture, prompt: FramePrompt, others: Sequence[FramePrompt]) -> Mask:
    """From a box, points or both."""
    size_hw = frame.shape[0], frame.shape[1]
    box = clip_box(prompt.box, size_hw)
    window = around(box, 0.3, size_hw) if box else (0, 0, size_hw[1], size_hw[0])
    coarse = look(frame, window, _COARSE_PIXELS, prompt, others)
    rough = coarse.place(_tidy(_roughly(coarse), coarse), size_hw)
    fine = look(frame, around(bounds(rough), 0.15, size_hw), _FINE_PIXELS, prompt, others)
    labels = _band_labels(fine.shrink(rough), round(_BAND_COARSE_PX * fine.scale / coarse.scale))
    mask = _sharpen(frame, _tidy(_cut(fine, labels), fine), fine)
    return mask if mask.any() else rough


def _roughly(view: View) -> Mask:
    """The figure at a coarse size: where it can be, weighed against its colours."""
    own, rivals = view.own, [point for other in view.others for point in other.include]
    expected = expect_figure(view.size_hw, own.include, view.visible(own.exclude + rivals), own.box)
    inside: Mask = figure_probability(view.picture, expected, *view.sure()) > 0.5
    return inside


def _band_labels(mask: Mask, radius_px: int) -> Labels:
    """Leave only what is near the outline of the mask to be decided."""
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius_px + 1,) * 2)
    labels = np.where(mask, np.uint8(cv2.GC_PR_FGD), np.uint8(cv2.GC_PR_BGD))
    labels[np.asarray(cv2.erode(mask.astype(np.uint8), disk)) > 0] = cv2.GC_FGD
    labels[np.asarray(cv2.dilate(mask.astype(np.uint8), disk)) == 0] = cv2.GC_BGD
    return labels


def _cut(view: View, labels: Labels) -> Mask:
    """Run GrabCut; where one side has no pixel to learn from, the labels are the answer."""
    inside, outside = view.sure()
    labels[outside], labels[inside] = cv2.GC_BGD, cv2.GC_FGD
    chosen: Mask = (labels & 1) > 0  # GC_FGD and GC_PR_FGD are the odd ones
    if chosen.all() or not chosen.any() or labels.max() < cv2.GC_PR_BGD:
        return chosen
    # OpenCV starts its clusters from a generator that it keeps per thread; the same prompts give the same mask.
    cv2.setRNGSeed(0)
    cv2.grabCut(
        view.picture, labels, (0, 0, 1, 1), np.zeros((1, 65)), np.zeros((1, 65)), _ROUNDS, cv2.GC_INIT_WITH_MASK
    )
    cut: Mask = (labels & 1) > 0
    return cut


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


def _mend(frame: Picture, drawn: Mask, prompt: FramePrompt, others: Sequence[FramePrompt]) -> Mask:
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
    cut = _sharpen(frame, figure_probability(view.picture, expected, sure_in, sure_out & open_) > 0.5, view)
    mended: Mask = np.where(doubt > 0, cut, mask)
    return mended
