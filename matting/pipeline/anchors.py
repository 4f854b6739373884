"""What bounds an instance's track: its prompts, and both ends of each approved span; within one nothing else counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from matting.project.document import Instance, Lock


@dataclass(frozen=True)
class Anchor:
    """A frame whose mask is given.

    Attributes:
        key: says which mask that is.
        lock: the approved span that it comes from; None for a prompt.
    """

    key: str
    lock: Lock | None = None


def anchors(instance: Instance, frames: range, seed_key: Callable[[int], str]) -> dict[int, Anchor]:
    """Everything that bounds an instance's track, by frame in ascending order.

    Args:
        instance: with its prompts and locks.
        frames: those that belong together; what is outside does not count.
        seed_key: gives the key of the masks that the prompts on a frame give.
    """
    found = {
        prompt.frame: Anchor(seed_key(prompt.frame))
        for prompt in instance.prompts
        if prompt.frame in frames and instance.lock_at(prompt.frame) is None
    }
    for lock in instance.locks:
        for end in (max(lock.first, frames.start), min(lock.last, frames.stop - 1)):
            if end in lock.frames and end in frames:
                found[end] = Anchor(f"{lock.masks}@{end}", lock)
    return dict(sorted(found.items()))
