"""Which frames a lock is about, and what it forbids."""

from __future__ import annotations

from matting.project.document import Document, Instance


def stretch(document: Document, person: Instance, frame: int) -> range:
    """The locked span that a frame lies in, else the frames round it up to the next prompted or locked ones.

    Prompted frames belong to it, locked ones do not.
    """
    if lock := person.lock_at(frame):
        return lock.frames
    frames = document.frames
    prompted = [p.frame for p in person.prompts if p.frame in frames]
    first = max(
        [frames.start, *(f for f in prompted if f <= frame), *(k.last + 1 for k in person.locks if k.last < frame)]
    )
    last = min(
        [frames.stop - 1, *(f for f in prompted if f > frame), *(k.first - 1 for k in person.locks if k.first > frame)]
    )
    return range(first, last + 1)


def refusal(person: Instance, frame: int) -> str:
    """Why a person cannot be changed on a frame; "" where they can."""
    lock = person.lock_at(frame)
    if lock is None:
        return ""
    return (
        f"{person.name} is locked on frames {lock.first} to {lock.last}; unlock them (Ctrl+L) to change anything there."
    )
