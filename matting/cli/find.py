"""``matteo find``: who is on a frame, for those who prompt many clips at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from matting.cli.progress import progress, say, warn
from matting.errors import OutputError
from matting.files import write_bytes
from matting.media import open_clip
from matting.weights import installed, model


def find(
    clip: Annotated[
        Path, typer.Argument(metavar="CLIP", help="A video file, or a folder, %05d pattern or glob of pictures.")
    ],
    frame: Annotated[int, typer.Option(metavar="N", min=0, help="The frame that is searched, counted from 0.")],
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write what is printed.")] = None,
    prompts: Annotated[
        Path | None, typer.Option(metavar="P.json", help="Write prompts for everybody who is found, for cut.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")] = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")] = False,
) -> None:
    """Find the people on a frame: by Mask R-CNN if it is installed, else by outlines, faces and movement."""
    from matting.pipeline import finding
    from matting.pipeline.methods import check_device

    check_device(device)
    if prompts is not None and prompts.exists() and not overwrite:
        raise OutputError(f"{prompts} exists; add --overwrite or choose another name.")
    with open_clip(clip) as footage, progress() as ctx:
        for notice in footage.info.notices:
            warn(notice)
        found = finding.find_people(footage, frame, ctx, device=device)
    method = finding.method()
    for number, person in enumerate(found, 1):
        box = ", ".join(f"{side:.0f}" for side in person.box)
        say(f"person {number}: box {box}, score {person.score:.2f}, by {person.source}")
    say(f"{len(found)} people on frame {frame} by {method}")
    if installed(finding.MODEL) is not None:
        say(model(finding.MODEL).in_short)
    if json_file is not None:
        listed = [{"box": list(p.box), "score": round(p.score, 4), "source": p.source} for p in found]
        content = {"frame": frame, "method": method, "people": listed}
        write_bytes(json_file, json.dumps(content, indent=1).encode() + b"\n")
        say(str(json_file))
    if prompts is not None:
        if not found:
            warn(f"Nobody was found, so {prompts} was not written.")
            return
        finding.write_prompts(prompts, found, frame)
        say(str(prompts))
