"""What a click means for the document: documents in, documents out."""

from __future__ import annotations

from matting.project.document import Box, Document, Instance, Point, Prompt


def with_point(document: Document, instance_id: int, frame: int, point: Point) -> Document:
    """One more point for a person on a frame."""
    instance = document.instance(instance_id)
    prompt = instance.prompt_at(frame) or Prompt(frame=frame)
    changed = prompt.model_copy(update={"points": (*prompt.points, point)})
    return document.with_instance(instance.with_prompt(changed))


def with_box(document: Document, instance_id: int, frame: int, box: Box) -> Document:
    """Another box for a person on a frame, in place of the one before."""
    instance = document.instance(instance_id)
    prompt = instance.prompt_at(frame) or Prompt(frame=frame)
    return document.with_instance(instance.with_prompt(prompt.model_copy(update={"box": box})))


def absent(document: Document, instance_id: int, frame: int) -> Document:
    """The person is not to be seen on this frame."""
    return document.with_instance(document.instance(instance_id).with_prompt(Prompt(frame=frame)))


def without_prompt(document: Document, instance_id: int, frame: int) -> Document:
    """Nothing is given for the person on this frame any more."""
    return document.with_instance(document.instance(instance_id).without_prompt(frame))


def with_person(document: Document) -> tuple[Document, Instance]:
    """One more person, without prompts."""
    instance = document.new_instance()
    return document.with_instance(instance), instance


def with_found(document: Document, frame: int, box: Box, mask: str | None) -> tuple[Document, Instance]:
    """One more person, who was found on a frame, in a box and perhaps with a mask of the project's folder."""
    document, person = with_person(document)
    person = person.with_prompt(Prompt(frame=frame, box=box, mask=mask))
    return document.with_instance(person), person


def clipped_box(corner: tuple[float, float], other: tuple[float, float], size_hw: tuple[int, int]) -> Box | None:
    """The box between two corners, inside the picture; None where it has no area there."""
    height, width = size_hw
    (xa, ya), (xb, yb) = corner, other
    x0, x1 = max(min(xa, xb), 0.0), min(max(xa, xb), float(width))
    y0, y1 = max(min(ya, yb), 0.0), min(max(ya, yb), float(height))
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
