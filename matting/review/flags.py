"""The review queue: frames that are likely wrong, in runs, each with its worst frame and the reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from matting.review.confidence import FLAGGED_BELOW, Confidence

_BRIDGED = 2
"""So few frames in between that are not flagged do not make two places of one."""


@dataclass(frozen=True)
class Flag:
    """A place where an instance should be looked at.

    Attributes:
        instance_id: whose mask.
        first, last: frames, both included.
        worst: the frame with the least confidence; the first of them.
        confidence: there, in [0, 1].
        reason: the evidence against the mask there, as in :class:`matting.review.confidence.Confidence`.
        beside: id of the instance that touches it, for the reason "touch"; 0 for nobody.
    """

    instance_id: int
    first: int
    last: int
    worst: int
    confidence: float
    reason: str
    beside: int = 0

    @property
    def span(self) -> str:
        """Such as "120-131", or "120"."""
        return f"{self.first}-{self.last}" if self.first < self.last else f"{self.first}"

    def words(self, names: Mapping[int, str]) -> str:
        """The reason in words; ``names`` by instance id."""
        if self.reason == "touch":
            return f"touches {names.get(self.beside, 'somebody')}"
        return _WORDS[self.reason]


_WORDS = {
    "motion": "motion disagrees",
    "jump": "area jumps",
    "size": "much larger than in its prompts",
    "smaller": "much smaller than in its prompts",
    "colours": "leaves the colours of its prompts",
    "doubt": "the tracker is unsure",
    "lost": "lost",
}


class Runs:
    """Groups flagged frames as they come, in order."""

    def __init__(self, ids: Sequence[int]) -> None:
        """For some instances, in the order of their places in what is added."""
        self._ids = ids
        self._open: dict[int, Flag] = {}
        self._closed: list[Flag] = []

    def add(self, frame: int, confidences: Sequence[Confidence | None]) -> None:
        """The next frame; None where a mask is beyond doubt, because it was given, approved or looked at."""
        for instance_id, confidence in zip(self._ids, confidences, strict=True):
            run = self._open.get(instance_id)
            if run is not None and (confidence is None or frame > run.last + 1 + _BRIDGED):
                self._closed.append(self._open.pop(instance_id))
                run = None
            if confidence is None or confidence.value >= FLAGGED_BELOW:
                continue
            beside = self._ids[confidence.beside] if confidence.beside >= 0 else 0
            here = Flag(instance_id, frame, frame, frame, confidence.value, confidence.reason, beside)
            if run is not None:
                here = replace(here if here.confidence < run.confidence else run, first=run.first, last=frame)
            self._open[instance_id] = here

    def flags(self) -> tuple[Flag, ...]:
        """All runs so far, by their first frames."""
        return tuple(sorted([*self._closed, *self._open.values()], key=lambda flag: (flag.first, flag.instance_id)))
