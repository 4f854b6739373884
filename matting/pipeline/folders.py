"""Masks in, something out, without a project: what the commands ``track``, ``matte`` and ``plate`` do."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from glob import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask, StoredAlpha
from matting.compositing.plate import plates
from matting.errors import OutputError
from matting.files import PARTIAL, replacing_pictures, write_bytes
from matting.frames import shots_between, to_8_bit
from matting.inference.matter import Guided, Matter, reach_px, to_stored
from matting.job import JobContext
from matting.media import Clip
from matting.media.presets import default_preset
from matting.media.writer import open_writer
from matting.pipeline.parties import box_of, cropped, parties, region, uncropped
from matting.pipeline.patch import grown
from matting.pipeline.trails import Trails
from matting.project.masks import MaskFolder, to_index_picture
from matting.project.store import digest, joined
from matting.tracking.seeds import lazy_seeds
from matting.tracking.tracker import Tracker, nobody

_TRAILS = ".trails"


def number(clip: Clip, index: int) -> str:
    """The name of a frame's picture: its index, or the stem of its file in an image sequence."""
    return clip.info.sequence[index].stem if clip.info.sequence else f"{index:05d}"


def track_folder(
    clip: Clip,
    masks: Path,
    out: Path,
    tracker: Tracker,
    overwrite: bool,
    ctx: JobContext,
    cuts: tuple[int, ...] = (),
) -> None:
    """Write an index picture for every frame of the clip from masks given for some.

    What was stopped, or killed, goes on where it was when the same is asked again: pictures that are finished wait in
    a hidden folder beside ``out``, and so does what the tracker goes on from.

    Args:
        cuts: the first frames of new shots; nothing is carried from one shot to the next.

    Raises:
        PromptError: the masks do not fit the clip.
        OutputError: ``out`` is taken or cannot be written.
        Cancelled: somebody asked to stop; ``out`` is as it was.
    """
    given = MaskFolder(masks, clip.info)
    _pass_on(given, ctx)
    contents = [(index, hashlib.sha256(path.read_bytes()).hexdigest()) for index, path in sorted(given.paths.items())]
    key = digest("track/1", clip.info.fingerprint, tracker.name, cuts, contents)
    seeds = lazy_seeds(
        dict.fromkeys(given.paths, given.ids), lambda index: dict(zip(given.ids, given.masks(index), strict=True))
    )
    names = [f"{number(clip, t)}.png" for t in range(len(clip))]
    with replacing_pictures(out, names, overwrite, key) as partial:
        missing = {t for t, name in enumerate(names) if not (partial / name).exists()}
        if done := len(clip) - len(missing):
            ctx.notice(f"{done} of {len(clip)} frames had been tracked before; it goes on from there.")
        for other in out.parent.glob(f".{escape(out.name)}{PARTIAL}*/{_TRAILS}"):  # of what was asked for before
            if other.parent != partial:
                shutil.rmtree(other, ignore_errors=True)
        trails = Trails(partial / _TRAILS, lambda span: key)
        for shot in shots_between(cuts, len(clip)):
            of_shot = {index: masks for index, masks in seeds.items() if index in shot}
            runs = joined(range(t, t + 1) for t in shot if t in missing)
            for run in dict.fromkeys(map(trails.span_of, runs)):
                left = [t for t in run if t in missing]
                with ctx.stage(done / len(clip), (done + len(left)) / len(clip)), trails.open(run) as trail:
                    steps = tracker.track(clip, run, of_shot, ctx, trail) if of_shot else nobody(run, clip.size_hw)
                    for step in steps:
                        if step.index in missing:
                            write_bytes(partial / names[step.index], _png(to_index_picture(step.masks, step.ids)))
                done += len(left)
        shutil.rmtree(partial / _TRAILS, ignore_errors=True)


def matte_folder(
    clip: Clip,
    masks: Path,
    out: Path,
    matter: Matter,
    overwrite: bool,
    ctx: JobContext,
    crop: bool = False,
    cuts: tuple[int, ...] = (),
) -> None:
    """Write ``out/<id>/<number>.png``, 8-bit alphas, for every frame that has a mask.

    Args:
        crop: let the matter see only the part of the picture that the masks go through.
        cuts: the first frames of new shots; mattes begin anew there.

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
        done = 0
        shots = shots_between(cuts, len(clip))
        for frames in (run for shot in shots for run in joined(range(t, t + 1) for t in indices if t in shot)):
            for index, alphas in zip(frames, _alphas(clip, given, matter, frames, ctx, crop), strict=True):
                for place, alpha in alphas.items():
                    _write(folders[place] / f"{number(clip, index)}.png", alpha)
                done += 1
                ctx.report(done / len(indices), "Matting")


def _alphas(
    clip: Clip, given: MaskFolder, matter: Matter, frames: range, ctx: JobContext, crop: bool
) -> Iterator[dict[int, StoredAlpha]]:
    """Of each frame the alphas by the instance's place in ``given.ids``; groups of instances go side by side."""
    groups = _groups(given, frames, matter.scope.most_instances or len(given.ids))
    order = [place for group in groups for place in group]
    streams = [_stream(clip, given, matter, frames, group, ctx, crop) for group in groups]
    for _ in frames:
        alphas = np.concatenate([next(stream) for stream in streams])
        if len(streams) > 1:  # each group for itself keeps the promise that they add up to one at most
            alphas /= np.maximum(alphas.sum(axis=0), 1)
        yield dict(zip(order, to_stored(alphas), strict=True))


def _stream(
    clip: Clip,
    given: MaskFolder,
    matter: Matter,
    frames: range,
    group: tuple[int, ...],
    ctx: JobContext,
    crop: bool,
) -> Iterator[FloatArray]:
    height, width = clip.size_hw
    seen = 0, 0, width, height
    if crop:
        anyone = (np.asarray(given.masks(t)[list(group)].any(axis=0)) for t in frames)
        seen = region((box_of(mask) for mask in anyone if mask.any()), clip.size_hw)
    steps = (cropped(step, seen) for step in _steps(clip.duplicate(), given, frames, group, ctx))
    for matted in matter.stream(steps):
        yield uncropped(matted.alphas, seen, clip.size_hw)


def _groups(given: MaskFolder, frames: range, most: int) -> list[tuple[int, ...]]:
    places = tuple(range(len(given.ids)))
    if len(places) <= most:
        return [places]
    return parties(places, ({i: box_of(m) for i, m in enumerate(given.masks(t)) if m.any()} for t in frames), most)


def _steps(clip: Clip, given: MaskFolder, frames: range, group: tuple[int, ...], ctx: JobContext) -> Iterator[Guided]:
    with clip:
        for index, picture in clip.frames(frames.start, frames.stop):
            ctx.raise_if_cancelled()
            yield Guided(to_8_bit(picture), given.masks(index)[list(group)])


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


def _png(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def _write(path: Path, picture: NDArray[np.uint8]) -> None:
    try:
        path.write_bytes(_png(picture))
    except OSError as error:
        raise OutputError(f"{path.parent} could not be written: {error.strerror}.") from error
