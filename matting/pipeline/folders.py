"""Masks in, something out, without a project: what the commands ``track``, ``matte`` and ``plate`` do."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from matting.arrays import Mask
from matting.compositing.plate import plates
from matting.errors import OutputError
from matting.files import replacing_pictures
from matting.frames import to_8_bit
from matting.inference.matter import Matter, reach_px, to_stored
from matting.job import JobContext
from matting.media import Clip
from matting.media.presets import default_preset
from matting.media.writer import open_writer
from matting.pipeline.patch import grown
from matting.project.masks import MaskFolder, to_index_picture
from matting.tracking.tracker import Tracker


def number(clip: Clip, index: int) -> str:
    """The name of a frame's picture: its index, or the stem of its file in an image sequence."""
    return clip.info.sequence[index].stem if clip.info.sequence else f"{index:05d}"


def track_folder(clip: Clip, masks: Path, out: Path, tracker: Tracker, overwrite: bool, ctx: JobContext) -> None:
    """Write an index picture for every frame of the clip from masks given for some.

    Raises:
        PromptError: the masks do not fit the clip.
        OutputError: ``out`` is taken or cannot be written.
        Cancelled: somebody asked to stop; ``out`` is as it was.
    """
    given = MaskFolder(masks, clip.info)
    _pass_on(given, ctx)
    seeds = {index: dict(zip(given.ids, given.masks(index), strict=True)) for index in given.paths}
    with replacing_pictures(out, [f"{number(clip, t)}.png" for t in range(len(clip))], overwrite) as partial:
        for step in tracker.track(clip, range(len(clip)), seeds, ctx):
            picture = to_index_picture(step.masks, step.ids)
            _write(partial / f"{number(clip, step.index)}.png", picture)


def matte_folder(clip: Clip, masks: Path, out: Path, matter: Matter, overwrite: bool, ctx: JobContext) -> None:
    """Write ``out/<id>/<number>.png``, 8-bit alphas, for every frame that has a mask.

    Raises:
        PromptError: the masks do not fit the clip.
        OutputError: ``out`` is taken or cannot be written.
        Cancelled: somebody asked to stop; ``out`` is as it was.
    """
    given = MaskFolder(masks, clip.info)
    _pass_on(given, ctx)
    indices = sorted(given.paths)
    if len(indices) < len(clip):
        ctx.notice(f"{len(clip) - len(indices)} of {len(clip)} frames have no mask; mattes are written for the others.")
    names = [f"{number(clip, t)}.png" for t in indices]
    with ExitStack() as stack:
        folders = [stack.enter_context(replacing_pictures(out / str(i), names, overwrite)) for i in given.ids]
        for done, index in enumerate(indices):
            frames = to_8_bit(clip.frame(index))[None]
            stored = to_stored(matter.matte(frames, given.masks(index)[None])[0])
            for folder, alpha in zip(folders, stored, strict=True):
                _write(folder / f"{number(clip, index)}.png", alpha)
            ctx.report((done + 1) / len(indices), "Matting")


def plate_folder(clip: Clip, masks: Path, out: Path, overwrite: bool, ctx: JobContext) -> None:
    """Write the clip with everything taken out that the masks cover; frames without a mask come back unchanged.

    Raises:
        PromptError: the masks do not fit the clip.
        OutputError: ``out`` is taken or cannot be written.
        Cancelled: somebody asked to stop; ``out`` is as it was.
    """
    given = MaskFolder(masks, clip.info)
    _pass_on(given, ctx)
    reach = reach_px(clip.size_hw)

    def hidden(index: int) -> Mask:
        if index not in given.paths:
            return np.zeros(clip.size_hw, np.bool_)
        return grown(np.asarray(given.masks(index).any(axis=0)), reach)

    span = range(len(clip))
    with open_writer(out, default_preset(out), clip.info, span, overwrite=overwrite) as writer:
        for _, plate in plates(clip, hidden, span, ctx):
            writer.write(plate.picture)
    for notice in writer.notices:
        ctx.notice(notice)


def _pass_on(given: MaskFolder, ctx: JobContext) -> None:
    for notice in given.notices:
        ctx.notice(notice)


def _write(path: Path, picture: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    try:
        path.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
    except OSError as error:
        raise OutputError(f"{path.parent} could not be written: {error.strerror}.") from error
