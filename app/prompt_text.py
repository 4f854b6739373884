"""What a prompt says, in words."""

from __future__ import annotations

from matting.project.document import Prompt


def describe_prompt(prompt: Prompt) -> str:
    """What was given, as a short list: "2 points, box"."""
    if prompt.absent:
        return "not here"
    count = len(prompt.points)
    parts = [f"{count} point{'s' if count > 1 else ''}"] if count else []
    parts += ["box"] if prompt.box is not None else []
    parts += ["mask"] if prompt.mask is not None else []
    return ", ".join([*parts, *([describe_drawn(prompt)] if prompt.drawn else [])])


def describe_drawn(prompt: Prompt) -> str:
    """How much was painted: "3 strokes, 1 polygon"."""
    parts = []
    for kind in ("stroke", "polygon"):
        count = sum(drawing.kind == kind for drawing in prompt.drawn)
        parts += [f"{count} {kind}{'s' if count > 1 else ''}"] if count else []
    return ", ".join(parts)
