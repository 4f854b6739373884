"""``matteo review``: the places of a project where a mask is likely wrong."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from matting.cli.progress import progress, say, warn
from matting.files import write_bytes
from matting.project.project import Project


def review(
    project: Annotated[Path, typer.Argument(metavar="DIR.matteo", help="The project's folder.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the places as JSON.")
    ] = None,
) -> None:
    """List where a tracked mask is likely wrong, who may be swapped, and who may be back; frames count from 0."""
    from matting.pipeline import review as stage
    from matting.pipeline.workspace import Workspace

    opened = Project.load(project)
    with opened.open_clip() as clip:
        for notice in clip.info.notices:
            warn(notice)
        work = Workspace.of(opened, clip)
        if stage.needs_review(work):
            with progress() as ctx:
                stage.review(work, ctx)
        found = stage.queue(work)
    names = {instance.id: instance.name for instance in opened.document.instances}
    for swap in found.swaps:
        say(f"{swap.frame}: {names[swap.one]} and {names[swap.other]} swapped?")
    for again in found.returns:
        x0, y0, x1, y1 = (round(side) for side in again.boxes[again.first])
        say(f"{again.first}: {again.words(names)}, x {x0}-{x1}, y {y0}-{y1}")
    for flag in found.flags:
        say(
            f"{flag.span}: {names[flag.instance_id]} {flag.words(names)}, worst at {flag.worst} ({flag.confidence:.2f})"
        )
    if not len(found):
        say("nothing to look at")
    if json_file is not None:
        places = {
            "flags": [asdict(flag) | {"words": flag.words(names)} for flag in found.flags],
            "swaps": [asdict(swap) for swap in found.swaps],
            "returns": [asdict(again) | {"words": again.words(names)} for again in found.returns],
        }
        write_bytes(json_file, json.dumps(places, indent=1).encode())
        say(str(json_file))
