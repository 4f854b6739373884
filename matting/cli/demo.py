"""``matteo demo``: the whole main job on the built-in sample, measured against the sample's truth."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from matting.cli.contact import contact_sheet, overlay, tinted_mattes
from matting.cli.progress import progress, say
from matting.cli.screen import has_screen
from matting.compositing.looks import Recolor, Remove
from matting.evaluation.truth import iou, mad, psnr, squared_error
from matting.files import write_bytes
from matting.job import JobContext
from matting.media import open_clip
from matting.pipeline.export import Target, export
from matting.pipeline.methods import choose_methods
from matting.pipeline.prompted import cut_prompted
from matting.pipeline.workspace import Workspace
from matting.project.document import Document
from matting.project.masks import to_index_picture
from matting.project.project import Project
from resources import SAMPLE

RECOLORED, REMOVED = 1, 3
SHOWN = 4
"""Columns of the contact sheet."""


def demo(
    context: typer.Context,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the results go.")] = Path("matteo-demo"),
    headless: Annotated[bool, typer.Option("--headless", help="Only write the results.")] = False,
) -> None:
    """Run the main job on the built-in sample: cut three people, remove one, recolour another, export, measure."""
    folder = out / "demo.matteo"
    with open_clip(SAMPLE / "clip.mp4") as clip, progress() as ctx:
        with ctx.stage(0, 0.6):
            cut_prompted(clip, SAMPLE / "prompts.json", folder, None, choose_methods(), ctx)
        project = Project.load(folder)
        project.document = _with_looks(project.document)
        project.save()
        work = Workspace.of(project, clip)
        with ctx.stage(0.6, 0.95):
            written = _export(work, out, ctx)
        with ctx.stage(0.95, 1):
            numbers = _measure(work, out / "composite.mp4", ctx)
            sheet = out / "contact.png"
            _write_contact_sheet(work, out / "composite.mp4", sheet)
    names = {i.id: i.name for i in project.document.instances}
    prompted = ", ".join(f"{i.name} on {len(i.prompts)}" for i in project.document.instances)
    say(f"\nThe sample has {len(clip)} frames and 3 people, prompted as an artist would: {prompted} frames.")
    say(f"{names[RECOLORED]} was recoloured, {names[REMOVED]} removed. Measured against the sample's truth:")
    for line in numbers:
        say(line)
    say("\nWritten:")
    for path in (*written, sheet, folder):
        say(f"  {path}")
    if headless or not has_screen():
        return
    open_editor: Callable[[Path | None], int] = context.obj
    raise typer.Exit(open_editor(folder))


def _with_looks(document: Document) -> Document:
    ann, cleo = document.instance(RECOLORED), document.instance(REMOVED)
    document = document.with_instance(ann.model_copy(update={"look": Recolor(color="#1FA37A")}))
    return document.with_instance(cleo.model_copy(update={"look": Remove()}))


def _export(work: Workspace, out: Path, ctx: JobContext) -> list[Path]:
    targets = [Target(out / "composite.mp4", overwrite=True), Target(out / "mattes", what="matte", overwrite=True)]
    cut_out = work.document.instance(RECOLORED)
    targets.append(Target(out / f"cutout_{cut_out.name}.mov", what="cutout", instances=(RECOLORED,), overwrite=True))
    ends = np.linspace(0.6, 1, len(targets))
    for place, target in enumerate(targets):
        with ctx.stage(ends[place - 1] if place else 0, ends[place]):
            export(work, target, ctx)
    return [target.path for target in targets]


def _truth(instance_id: int, index: int) -> NDArray[np.uint8]:
    content = np.frombuffer((SAMPLE / "alpha" / str(instance_id) / f"{index:05d}.png").read_bytes(), np.uint8)
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def _measure(work: Workspace, composite: Path, ctx: JobContext) -> list[str]:
    """Mask IoU and MAD of masks and alphas for each person, and PSNR where the removed one alone is to be seen."""
    sums = {i: np.zeros(3) for i in work.ids}
    frames = work.document.frames
    after, before, count = 0.0, 0.0, 0
    with open_clip(composite) as made, open_clip(next(SAMPLE.glob("plate.*"))) as plates:
        pairs = zip(
            made.frames(0, len(made)), plates.frames(0, len(plates)), work.clip.frames(0, len(made)), strict=True
        )
        for (index, picture), (_, plate), (_, source) in pairs:
            truth = {i: _truth(i, index) for i in work.ids}
            for i, mask in zip(work.ids, work.masks(index), strict=True):
                sums[i] += (
                    iou(mask, truth[i] >= 128),
                    mad(mask.astype(np.uint8) * 255, truth[i]),
                    mad(work.alpha(index, i), truth[i]),
                )
            others = sum(truth[i].astype(np.int32) for i in work.ids if i != REMOVED)
            hole = (truth[REMOVED] > 12) & (others == 0)
            after += squared_error(picture[hole], plate[hole])
            before += squared_error(source[hole], plate[hole])
            count += 3 * int(hole.sum())
            ctx.report((index + 1) / len(frames), "Measuring")
    lines = []
    for instance in work.prompted:
        mask_iou, mask_mad, alpha_mad = sums[instance.id] / len(frames)
        lines.append(
            f"  {instance.name:<6} mask IoU {mask_iou:.3f}   alpha MAD {1e3 * alpha_mad:.2f}e-3"
            f" (the mask's own {1e3 * mask_mad:.2f}e-3)"
        )
    lines.append(
        f"  removal PSNR {psnr(after, count):.1f} dB where she was (with her still there {psnr(before, count):.1f} dB)"
    )
    return lines


def _write_contact_sheet(work: Workspace, composite: Path, target: Path) -> None:
    frames = work.document.frames
    shown = [int(frames.start + (place + 0.5) * len(frames) / SHOWN) for place in range(SHOWN)]
    columns = []
    with open_clip(composite) as made:
        for index in shown:
            source = work.clip.frame(index)
            columns.append([
                source,
                overlay(source, to_index_picture(work.masks(index), work.ids)),
                tinted_mattes([work.alpha(index, i) for i in work.ids], work.ids),
                made.frame(index - frames.start),
            ])  # fmt: skip
    names = {i.id: i.name for i in work.prompted}
    titles = ["source", "masks", "mattes", f"composite: {names[REMOVED]} removed, {names[RECOLORED]} recoloured"]
    sheet = contact_sheet(columns, titles, shown)
    write_bytes(target, cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())
