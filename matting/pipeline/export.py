"""Writing what a document makes: the composite, mattes, cut-outs or masks, as a video or as pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from matting.arrays import Picture, StoredAlpha
from matting.compositing.composite import cutout, merge_mattes
from matting.errors import OutputError
from matting.job import JobContext
from matting.media.presets import Preset, check_preset, default_preset
from matting.media.writer import open_writer
from matting.pipeline.cut import make_plate, track
from matting.pipeline.damage import tell_damage
from matting.pipeline.matte import matte
from matting.pipeline.picture import Compositor
from matting.pipeline.workspace import Workspace

What = Literal["composite", "matte", "cutout", "mask"]


@dataclass(frozen=True)
class Target:
    """What to write and where.

    Attributes:
        path: the file, or the folder of a picture sequence or of several files.
        preset: how it is encoded; None to go by the path's extension.
        instances: whose matte or cut-out; None for everybody.
        merge: one matte or cut-out of all instances instead of one each.
        frames: the frames to write, inside the document's range; None for all of that.
        start_number: number of the first picture of a sequence; None to number by frame index.
    """

    path: Path
    preset: Preset | None = None
    what: What = "composite"
    instances: tuple[int, ...] | None = None
    merge: bool = False
    frames: range | None = None
    overwrite: bool = False
    start_number: int | None = None


@dataclass(frozen=True)
class _Output:
    """One file or sequence, and how its picture is made from a frame's index and source."""

    path: Path
    picture: Callable[[int, Picture], Picture | StoredAlpha]
    alpha: bool = False
    gray: bool = False


def export(work: Workspace, target: Target, ctx: JobContext, device: str = "auto") -> None:
    """Write a target; masks, alphas and plate that it needs and the store does not hold yet are made first.

    Args:
        work: what is exported.
        target: what to write and where.
        ctx: told of every frame.
        device: auto, cpu or cuda[:k]; for alphas by learned matters.

    Raises:
        OutputError: the place is taken or cannot be written, or the preset cannot hold what is asked for.
        PromptError: it needs mattes, and nobody is selected.
        CheckpointError, DeviceError: it needs mattes, and the document's matter cannot be had.
        Cancelled: somebody asked to stop; nothing is left under the target's name.
    """
    preset = target.preset or default_preset(target.path)
    span = target.frames if target.frames is not None else work.document.frames
    if span.start < work.document.in_frame or span.stop - 1 > work.document.out_frame:
        raise OutputError(
            f"The frames {span.start}-{span.stop - 1} reach outside the project's range"
            f" {work.document.in_frame}-{work.document.out_frame}; move its in and out first."
        )
    compositor = Compositor(work)
    outputs = _outputs(work, compositor, target, preset)
    for output in outputs:
        check_preset(preset, output.path)
    with ExitStack() as stack:
        # Opened before any long work, so that a place that cannot be written is told at once.
        writers = [
            stack.enter_context(
                open_writer(
                    output.path, preset, work.clip.info, span,
                    alpha=output.alpha, gray=output.gray, overwrite=target.overwrite,
                    audio=target.what == "composite", start_number=target.start_number,
                )
            )
            for output in outputs
        ]  # fmt: skip
        ready = _prepare(work, compositor, target, ctx, device)
        with ctx.stage(ready, 1):
            for done, (index, source) in enumerate(work.clip.frames(span.start, span.stop)):
                for writer, output in zip(writers, outputs, strict=True):
                    writer.write(output.picture(index, source))
                ctx.report((done + 1) / len(span), "Exporting")
    tell_damage(work.clip, ctx)
    for notice in dict.fromkeys(notice for writer in writers for notice in writer.notices):
        ctx.notice(notice)


def _prepare(work: Workspace, compositor: Compositor, target: Target, ctx: JobContext, device: str) -> float:
    """Make what the target needs; returns the share of the whole that this is reckoned as."""
    if target.what == "composite" and not compositor.needs_alphas:
        return 0.0
    with ctx.stage(0, 0.15):
        track(work, ctx, device)
    if target.what == "mask":
        return 0.15
    with ctx.stage(0.15, 0.55):
        matte(work, ctx, device)
    if target.what == "composite" and compositor.needs_plate:
        with ctx.stage(0.55, 0.75):
            make_plate(work, ctx)
        return 0.75
    return 0.55


def _outputs(work: Workspace, compositor: Compositor, target: Target, preset: Preset) -> list[_Output]:
    if target.what == "composite":
        return [_Output(target.path, compositor.frame, alpha=compositor.transparent)]
    if target.what == "mask":
        if preset is not Preset.PNG:
            raise OutputError("Masks are written as index pictures; use --preset png and name a folder.")
        return [_Output(target.path, lambda index, _: _index_picture(work, index), gray=True)]
    chosen = target.instances if target.instances is not None else work.ids
    if missing := [i for i in chosen if i not in work.ids]:
        raise OutputError(f"Instance {missing[0]} has no prompt in the range, so it has no matte.")

    def alpha(instance_ids: tuple[int, ...], index: int) -> StoredAlpha:
        return merge_mattes((work.alpha(index, i) for i in instance_ids), work.document.size_hw)

    def output(path: Path, instance_ids: tuple[int, ...]) -> _Output:
        if target.what == "matte":
            return _Output(path, lambda index, _: alpha(instance_ids, index), gray=True)
        return _Output(path, lambda index, source: cutout(source, alpha(instance_ids, index)), alpha=True)

    if target.merge:
        return [output(target.path, chosen)]
    if preset is Preset.PNG and target.what == "matte":
        return [output(target.path / str(i), (i,)) for i in chosen]
    if len(chosen) == 1:
        return [output(target.path, chosen)]
    if preset is Preset.PNG:
        return [output(target.path / str(i), (i,)) for i in chosen]
    return [output(target.path.with_suffix("") / f"{i}{preset.extension}", (i,)) for i in chosen]


def _index_picture(work: Workspace, index: int) -> StoredAlpha:
    picture: StoredAlpha = np.zeros(work.document.size_hw, np.uint8)
    for instance_id, mask in zip(work.ids, work.masks(index), strict=True):
        picture[mask] = instance_id
    return picture
