"""Mattes by MaGGIe: the authors' inference path, and a matter for clips of any length.

Source:
    Huynh et al., "MaGGIe: Masked Guided Gradual Human Instance Matting" (CVPR 2024), and the evaluation scripts of its
    public code. Differs from the scripts: clips of one and two frames are matted with their last frame repeated (the
    scripts yield nothing), frames without any mask are blank (they lose some), and what depends on single frames is
    computed once instead of once per window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from matting.arrays import FloatArray, Mask
from matting.errors import ShapeError
from matting.inference.device import MIB, Placed, budget_bytes
from matting.inference.maggie_memory import LEAST_SITES, picture_bytes, short_side_for, sites_for
from matting.inference.matter import Guided, Matted, Matter, Scope
from matting.inference.msg_vim import normalised
from matting.networks.maggie import WINDOW, FrameFeatures, MaGGIe
from matting.networks.maggie_instances import SLOTS
from matting.networks.on_device import described

SHORT_SIDE_PX = 576
"""What the published figures were computed at."""
MULTIPLE_PX = 64
_NOTHING = 1 / 255
_OPAQUE = 254 / 255


class MaggieMatter(Matter):
    """A :class:`~matting.inference.matter.Matter` that runs MaGGIe, up to ten instances in one pass.

    The picture is matted at a fixed short side and the mattes are brought back to the picture's size. After the network
    alphas up to 1/255 become 0 and from 254/255 become 1, as published; they are zero on frames where the instance has
    no mask and, where they sum to more than 1, scaled down in proportion. Nothing else is changed.

    The video model sees three frames at a time, and its middle mattes are carried on from frame to frame.

    Args:
        placed: the network with its weights.
        name: method and version, naming the weights as well.
        short_side_px: of the picture the network sees; None for the picture's own.
        coarse_masks: whether the network sees every eighth row and column of the masks only. None means as the model
            was trained and evaluated: the image model does, the video model does not.
        budget: how much memory a job that starts now may plan with on a device. The frames of a clip come one by one
            anyhow; what follows from the budget is how many pixels' details are computed together, which changes
            mattes by no more than rounding. It is told before a clip begins, as is what does not fit.
    """

    def __init__(
        self,
        placed: Placed[MaGGIe],
        name: str = "maggie/1",
        short_side_px: int | None = SHORT_SIDE_PX,
        coarse_masks: bool | None = None,
        budget: Callable[[torch.device], int] = budget_bytes,
    ) -> None:
        self._placed = placed
        self._network = placed.network
        self._name = name
        self._short_side_px = short_side_px
        self._coarse_masks = not placed.network.video if coarse_masks is None else coarse_masks
        self._budget = budget
        self._told: set[str] = set()

    @property
    def name(self) -> str:
        return self._name

    @property
    def scope(self) -> Scope:
        return (
            Scope(around=WINDOW // 2, carries=True, most_instances=SLOTS)
            if self._network.video
            else Scope(most_instances=SLOTS)
        )

    def matte(self, frames: NDArray[np.uint8], masks: Mask) -> FloatArray:
        """See :meth:`matting.inference.matter.Matter.matte`.

        More than ten instances are matted in groups of neighbours, see :func:`groups`.
        """
        if masks.ndim != 4 or masks.shape[1] <= SLOTS:
            return super().matte(frames, masks)
        alphas = np.zeros(masks.shape, np.float32)
        for group in groups(masks.astype(np.bool_)):
            alphas[:, group] = super().matte(frames, masks[:, group])
        alphas /= np.maximum(alphas.sum(axis=1, keepdims=True), 1)
        return alphas

    def stream(self, steps: Iterable[Guided], carried: FloatArray | None = None) -> Iterator[Matted]:
        """See :meth:`matting.inference.matter.Matter.stream`; what is carried has the size the network sees.

        Raises:
            ShapeError: there are more than ten instances.
        """
        for guided, alphas in self.network_alphas(steps, carried):
            height, width = guided.frame.shape[:2]
            finished = finish(alphas, (height, width), self._short_side_px)
            finished *= guided.masks.any(axis=(1, 2), keepdims=True)
            finished /= np.maximum(finished.sum(axis=0), 1)
            yield Matted(finished, alphas.numpy() if self._network.video else None)

    def network_alphas(
        self, steps: Iterable[Guided], carried: FloatArray | None = None
    ) -> Iterator[tuple[Guided, Tensor]]:
        """Each step with what the network makes of it.

        Yields:
            ``[N, H', W']`` float32 in [0, 1] on the CPU, at the size the network sees.
        """
        steps = iter(steps)
        opening = list(islice(steps, 1))
        for guided in opening:
            self._plan(guided)
        seen = map(_Seen, chain(opening, steps))
        if not self._network.video:
            for one in seen:
                yield one.guided, self._window([one], None)[0]
            return
        window = list(islice(seen, WINDOW))
        if not window:
            return
        given = len(window)
        window += window[-1:] * (WINDOW - given)
        before = None if carried is None else torch.tensor(carried)
        alphas = self._window(window, before)
        yield window[0].guided, alphas[0]
        if given == 1:
            return
        yield window[1].guided, alphas[1]
        for newest in seen:
            window = [*window[1:], newest]
            alphas = self._window(window, alphas[1])
            yield window[1].guided, alphas[1]
        if given == WINDOW:
            yield window[2].guided, alphas[2]

    def _window(self, window: Sequence[_Seen], previous: Tensor | None) -> Tensor:
        """``[T, N, H', W']`` float32 on the CPU; the first frame's is ``previous`` if there is one."""
        return self._placed.run(lambda: self._matted(window, previous), self._halve)

    def _halve(self) -> bool:
        decoder = self._network.decoder
        if decoder.sites_at_once <= LEAST_SITES:
            return False
        decoder.sites_at_once //= 2
        return True

    def _plan(self, guided: Guided) -> None:
        """Settle how much is computed together for clips like this frame, and where; tell it, but not twice."""
        height, width = padded_size(guided.frame.shape[:2], self._short_side_px)
        instances, frames = max(1, len(guided.masks)), WINDOW if self._network.video else 1
        pixels = height * width
        device = self._placed.device
        need = picture_bytes(pixels, instances, frames)
        budget = self._budget(device)
        sites = sites_for(budget, pixels, instances, frames, device.type)
        people = "1 person" if instances == 1 else f"{instances} people"
        what = f"{width} × {height} px with {people} take about {need // MIB} MiB"
        if not sites and device.type == "cuda":
            where = f"{described(device)} has {budget // MIB} MiB to use"
            self._tell_once(f"{what}, and {where}; working on the CPU, which is slower.")
            self._placed.to_cpu()
            self._plan(guided)
            return
        self._network.decoder.sites_at_once = sites or LEAST_SITES
        if sites:
            self._tell_once(f"{what} of {budget // MIB} MiB that may be used, with details {sites} px at a time.")
        else:
            side = short_side_for(budget, (height, width), instances, frames)
            advice = f"a short side of {side} px would fit (--short-side)" if side else "no size would fit"
            self._tell_once(f"{what}, and {budget // MIB} MiB may be used; {advice}. Trying all the same.")

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._placed.tell(text)

    def _matted(self, window: Sequence[_Seen], previous: Tensor | None) -> Tensor:
        if not any(one.guided.masks.any() for one in window):
            height, width = padded_size(window[0].guided.frame.shape[:2], self._short_side_px)
            blank = torch.zeros(len(window), len(window[0].guided.masks), height, width)
            return blank if previous is None else torch.cat([previous[None], blank[1:]])
        parts = [self._features(one) for one in window]
        features = FrameFeatures.join(parts)
        if previous is None:
            return self._network.decode(features).alpha[0].float().cpu()
        found = self._network.decode(features, previous=previous.to(self._placed.device)[None], first=1)
        return torch.cat([previous[None], found.alpha[0].float().cpu()])

    def _features(self, one: _Seen) -> FrameFeatures:
        device = self._placed.device
        if one.features is None or one.features.deep.device != device:
            frame, masks = prepare(one.guided, self._short_side_px)
            masks = masks[..., ::8, ::8] if self._coarse_masks else masks
            pictures = normalised(frame[None]).to(device)
            chosen = torch.from_numpy(np.ascontiguousarray(masks)).to(device, pictures.dtype)
            one.features = self._network.features(pictures[None], chosen[None, None])
        return one.features


@dataclass(eq=False)
class _Seen:
    """A step, and its features once a window needed them."""

    guided: Guided
    features: FrameFeatures | None = None


def prepare(guided: Guided, short_side_px: int | None) -> tuple[NDArray[np.uint8], Mask]:
    """Bring a frame and its masks to the size the network sees; what is added on the right and below is black.

    Returns:
        ``[H', W', 3]`` uint8 and ``[N, H', W']`` bool.

    Raises:
        ShapeError: there are more than ten instances.
    """
    frame, masks = guided
    if len(masks) > SLOTS:
        raise ShapeError(f"MaGGIe was given {len(masks)} instances, it mattes up to {SLOTS} at once")
    height, width = scaled_size(frame.shape[:2], short_side_px)
    below, right = -height % MULTIPLE_PX, -width % MULTIPLE_PX
    picture = frame
    chosen = masks.astype(np.uint8)
    if (height, width) != frame.shape[:2]:
        picture = np.asarray(cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
        chosen = np.zeros((len(masks), height, width), np.uint8)
        for target, mask in zip(chosen, masks.astype(np.uint8), strict=True):
            cv2.resize(mask, (width, height), dst=target, interpolation=cv2.INTER_NEAREST)
    return (
        np.pad(picture, ((0, below), (0, right), (0, 0))),
        np.pad(chosen, ((0, 0), (0, below), (0, right))) > 0,
    )


def finish(alphas: Tensor, size_hw: tuple[int, int], short_side_px: int | None) -> FloatArray:
    """``[N, H', W']`` as the network gives it to ``[N, H, W]`` of the picture; nearly sure values become sure."""
    height, width = scaled_size(size_hw, short_side_px)
    cut = alphas[:, :height, :width]
    if not len(cut):
        return np.zeros((0, *size_hw), np.float32)
    if (height, width) != size_hw:
        cut = interpolate(cut[None], size=size_hw, mode="bilinear", align_corners=True)[0]
    sized: FloatArray = cut.numpy().copy()
    sized[sized <= _NOTHING] = 0
    sized[sized >= _OPAQUE] = 1
    return sized


def scaled_size(size_hw: tuple[int, ...], short_side_px: int | None) -> tuple[int, int]:
    """Height and width with the short side as asked, cut off to whole pixels: some pictures come out 1 px smaller."""
    height, width = size_hw
    ratio = 1 if short_side_px is None else short_side_px / min(height, width)
    return int(height * ratio), int(width * ratio)


def padded_size(size_hw: tuple[int, ...], short_side_px: int | None) -> tuple[int, int]:
    """Height and width of what the network sees."""
    height, width = (side + -side % MULTIPLE_PX for side in scaled_size(size_hw, short_side_px))
    return height, width


def groups(masks: Mask) -> list[list[int]]:
    """Split instances into as few groups of at most ten as possible, neighbours together.

    Neighbours are those next to each other from left to right, by where their masks lie on the average of the clip.
    Instances without any mask are left out.

    Args:
        masks: ``[T, N, H, W]`` bool.

    Returns:
        Instance numbers, in ascending order within each group.
    """
    columns = masks.sum(axis=(0, 2))
    amount = columns.sum(axis=1)
    present = np.flatnonzero(amount)
    centre = (columns[present] @ np.arange(masks.shape[3])) / amount[present]
    ordered = present[np.argsort(centre, kind="stable")]
    count = -(-len(ordered) // SLOTS)
    return [sorted(part.tolist()) for part in np.array_split(ordered, count)] if count else []
