"""What a prompt says, in words."""

from __future__ import annotations

from matting.project.document import Prompt


def is_absent(prompt: Prompt) -> bool:
    """Whether the prompt says that the person is not in the picture on its frame."""
    return prompt.box is None and prompt.mask is None and not any(label for *_, label in prompt.points)


def describe_prompt(prompt: Prompt) -> str:
    """What was given, as a short list: "2 points, box"."""
    if is_absent(prompt):
        return "not here"
    count = len(prompt.points)
    parts = [f"{count} point{'s' if count > 1 else ''}"] if count else []
    parts += ["box"] if prompt.box is not None else []
    parts += ["drawn mask"] if prompt.mask is not None else []
    return ", ".join(parts)
