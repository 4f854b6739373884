"""Finding people on a frame: by Mask R-CNN where its weights are installed, else by outlines, faces and movement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting import weights
from matting.arrays import FloatArray
from matting.compositing.alignment import align, look_at
from matting.errors import MediaError
from matting.files import write_bytes
from matting.finding.moving import Movement, movement
from matting.finding.proposal import Box, Proposal
from matting.finding.unlearned import find_unlearned
from matting.frames import to_8_bit
from matting.job import JobContext
from matting.media import Clip
from matting.pipeline.parties import box_of
from matting.pipeline.workspace import Workspace
from matting.project.prompts import GivenInstance, GivenPrompt, PromptFile, encode_mask

MODEL = "mask-rcnn"
_NEIGHBOURS = (-32, -20, -12, -6, 6, 12, 20, 32)
"""Frames to compare with, relative to the one that is searched: near enough for the light to be the same, far enough
for people to have moved."""
_WORKING_PX = 480
"""Longer side of the pictures in which movement is looked for."""


def method() -> str:
    """How people are found on this machine, in words."""
    return "Mask R-CNN" if weights.installed(MODEL) else "outlines, faces and movement (no weights installed)"


def find_people(
    clip: Clip,
    frame: int,
    ctx: JobContext,
    taken: Sequence[Box] = (),
    shot: range | None = None,
    device: str = "auto",
) -> list[Proposal]:
    """Propose people on a frame.

    Args:
        clip: the footage; it stays open.
        frame: index in the clip.
        ctx: hears of the progress, and can stop the work.
        taken: boxes of the people who are selected on the frame already; they are not proposed again.
        shot: the frames that show the same place as this one, where that is known.
        device: auto, cpu or cuda[:k]; for the network.

    Returns:
        Best first, each about another person; the same for the same frame every time. With masks where Mask R-CNN
        found them.

    Raises:
        MediaError: there is no such frame, or it cannot be read.
        CheckpointError: the weights that are installed are damaged.
        DeviceError: there is no such device, or too little memory.
        Cancelled: somebody asked to stop.
    """
    if not 0 <= frame < len(clip):
        raise MediaError(f"There is no frame {frame} in {clip.info.path}; it has the frames 0-{len(clip) - 1}.")
    picture = to_8_bit(clip.frame(frame))
    path = weights.installed(MODEL)
    if path is not None:
        return _by_network(path, picture, taken, ctx, device)
    moving = _movement(clip, frame, shot or range(len(clip)), picture, ctx)
    ctx.report(0.7, "Looking for outlines and faces")
    return find_unlearned(picture, moving, taken)


def _by_network(
    path: Path, picture: NDArray[np.uint8], taken: Sequence[Box], ctx: JobContext, device: str
) -> list[Proposal]:
    from matting.finding.mask_rcnn import MaskRcnnFinder  # slow to import
    from matting.inference.device import choose

    ctx.report(0, "Reading the weights of Mask R-CNN")
    finder = MaskRcnnFinder(path, choose(device), ctx.notice)
    ctx.report(0.4, "Looking for people")
    return finder.find(picture, taken)


def _movement(clip: Clip, frame: int, shot: range, picture: NDArray[np.uint8], ctx: JobContext) -> Movement | None:
    height, width = clip.size_hw
    scale = min(1.0, _WORKING_PX / max(height, width))
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))

    def small(whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.asarray(cv2.resize(whole, size_wh, interpolation=cv2.INTER_AREA), np.uint8)

    here = small(picture)
    # In the order of the clip, since going back costs a decoder most.
    around: dict[int, NDArray[np.uint8]] = {}
    for step in _NEIGHBOURS:
        ctx.report(0.6 * len(around) / len(_NEIGHBOURS), "Looking for movement")
        if frame + step in shot:
            around[step] = small(to_8_bit(clip.frame(frame + step)))
    before = [around[step] for step in _NEIGHBOURS[::-1] if step < 0 and step in around]
    after = [around[step] for step in _NEIGHBOURS if step > 0 and step in around]
    return movement(here, [*_aligned(here, before), *_aligned(here, after)], scale)


def _aligned(here: NDArray[np.uint8], others: Sequence[NDArray[np.uint8]]) -> list[FloatArray]:
    """Pictures farther and farther away, as the camera of ``here`` would see them, as far as that can be told."""
    nothing = np.zeros(here.shape[:2], np.bool_)
    target, motion = look_at(here, nothing), np.eye(3)
    aligned: list[FloatArray] = []
    for other in others:
        found = align(look_at(other, nothing), target, motion)
        if found is not None:
            motion = found
            unknown = (float("nan"),) * 3
            warped = cv2.warpPerspective(
                other.astype(np.float32), motion, here.shape[1::-1], borderMode=cv2.BORDER_CONSTANT, borderValue=unknown
            )
            aligned.append(np.asarray(warped, np.float32))
    return aligned


def taken_boxes(work: Workspace, frame: int) -> list[Box]:
    """The boxes of the people who are selected on a frame: by what was given there, or by what the store holds."""
    boxes: list[Box] = [
        prompt.box
        for instance in work.document.instances
        if (prompt := instance.prompt_at(frame)) is not None and prompt.box is not None
    ]
    if frame in work.document.frames and work.prompted:
        picture = work.index_picture(frame)
        if picture is not None:
            # What is stale may hold people who were deleted since.
            boxes += [box_of(picture == i) for i in np.unique(picture).tolist() if i in work.ids]
    return boxes


def write_prompts(path: Path, proposals: Sequence[Proposal], frame: int) -> None:
    """Write a prompts file that selects everybody who was proposed; masks go beside it as ``<name>-<number>.png``.

    Args:
        proposals: at least one.

    Raises:
        OutputError: the folder cannot be written.
    """
    instances = []
    for number, proposal in enumerate(proposals, 1):
        mask = None
        if proposal.mask is not None:
            mask = f"{path.stem}-{number}.png"
            write_bytes(path.with_name(mask), encode_mask(proposal.mask)[1])
        prompt = GivenPrompt(frame=frame, box=proposal.box, mask=mask)
        instances.append(GivenInstance(name=f"person {number}", prompts=(prompt,)))
    content = PromptFile(instances=tuple(instances)).model_dump_json(indent=1, exclude_defaults=True)
    write_bytes(path, content.encode() + b"\n")
