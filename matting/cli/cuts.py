"""Cuts as the command line takes and tells them."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias

import typer

from matting.cli.progress import say
from matting.errors import MediaError
from matting.job import JobContext
from matting.media import Clip
from matting.media.cuts import find_cuts

CutsOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="auto|none|A,B,…",
        help="First frames of new shots: auto looks through the whole clip, none says that it is one shot.",
    ),
]


def cuts_named(text: str | None, frame_count: int) -> tuple[int, ...] | Literal["auto"] | None:
    """What the option says; None where it was not given.

    Raises:
        BadParameter: it says something else.
        MediaError: a cut does not lie in the clip.
    """
    if text is None or text == "auto":
        return "auto" if text else None
    if text == "none":
        return ()
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise typer.BadParameter(f"--cuts takes auto, none or frames such as 120,341; {text} is something else.")
    cuts = tuple(sorted({int(part) for part in text.split(",")}))
    if not 0 < cuts[0] <= cuts[-1] < frame_count:
        raise MediaError(f"The cuts {text} are not in the clip, whose frames after the first are 1-{frame_count - 1}.")
    return cuts


def found_cuts(text: str | None, clip: Clip, ctx: JobContext) -> tuple[int, ...]:
    """The cuts for a job without a project: looked for, and told, unless the option says them."""
    named = cuts_named(text, len(clip))
    if named is not None and named != "auto":
        return named
    cuts = find_cuts(clip, ctx)
    say(in_words(cuts))
    return cuts


def in_words(cuts: tuple[int, ...]) -> str:
    """Such as ``2 cuts: frames 120, 341``."""
    if not cuts:
        return "no cuts"
    plural = "s" if len(cuts) > 1 else ""
    return f"{len(cuts)} cut{plural}: frame{plural} {', '.join(map(str, cuts))}"
