"""What a click means for the document: documents in, documents out."""

from __future__ import annotations

from matting.project.document import CANDIDATES, Box, Document, Instance, Point, Prompt
from matting.seeding.drawing import Polygon, Stroke


def with_point(document: Document, instance_id: int, frame: int, point: Point) -> Document:
    """One more point for a person on a frame."""
    instance = document.instance(instance_id)
    prompt = instance.prompt_at(frame) or Prompt(frame=frame)
    changed = prompt.model_copy(update={"points": (*prompt.points, point), "candidate": 0})
    return document.with_instance(instance.with_prompt(changed))


def with_box(document: Document, instance_id: int, frame: int, box: Box) -> Document:
    """Another box for a person on a frame, in place of the one before, and of a mask: who draws a box starts anew."""
    instance = document.instance(instance_id)
    prompt = instance.prompt_at(frame) or Prompt(frame=frame)
    return document.with_instance(
        instance.with_prompt(prompt.model_copy(update={"box": box, "mask": None, "candidate": 0}))
    )


def with_drawing(document: Document, instance_id: int, frame: int, drawing: Stroke | Polygon) -> Document:
    """A stroke or polygon for a person on a frame, over everything that was drawn there before for anybody."""
    orders = [
        known.order
        for other in document.instances
        if (given := other.prompt_at(frame)) is not None
        for known in given.drawn
    ]
    instance = document.instance(instance_id)
    prompt = instance.prompt_at(frame) or Prompt(frame=frame)
    latest = drawing.model_copy(update={"order": max(orders, default=-1) + 1})
    return document.with_instance(instance.with_prompt(prompt.model_copy(update={"drawn": (*prompt.drawn, latest)})))


def from_mask(document: Document, instance_id: int, frame: int, mask: str) -> Document:
    """The person on a frame as a mask of the project's folder has them, to be corrected."""
    return document.with_instance(document.instance(instance_id).with_prompt(Prompt(frame=frame, mask=mask)))


def with_next_candidate(document: Document, instance_id: int, frame: int) -> Document:
    """The next of the masks that the seeder offers for what a person was given on a frame; the first after the last."""
    instance = document.instance(instance_id)
    prompt = instance.prompt_at(frame)
    if prompt is None:
        return document
    rank = (prompt.candidate + 1) % CANDIDATES
    return document.with_instance(instance.with_prompt(prompt.model_copy(update={"candidate": rank})))


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
