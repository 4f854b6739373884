"""Where the trails of unfinished tracks lie, and which of them go on."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from matting.tracking.trail import Trail


@dataclass(frozen=True)
class Trails:
    """Trails in ``<folder>/<first frame>/<stop>-<key>``.

    Attributes:
        folder: where; nothing else lies in it.
        key: for a span all that its track depends on; None where there can be no such track.
    """

    folder: Path
    key: Callable[[range], str | None]

    def span_of(self, missing: range) -> range:
        """The frames of the track that was begun and holds these; these themselves if there is none.

        What is missing shrinks as a track goes on, but its trail knows the way only as it was planned.
        """
        for path in self.folder.glob("*/*-*"):
            stop, key = path.name.split("-", 1)
            span = range(int(path.parent.name), int(stop))
            if span.start <= missing.start and missing.stop <= span.stop and key == self.key(span):
                return span
        return missing

    def open(self, span: range) -> Trail:
        """The trail of a track; to be entered."""
        key = self.key(span)
        assert key is not None
        return Trail(self._path(span), key)

    def drop_all_but(self, spans: Iterable[range]) -> None:
        """Give back the room of all others, which nobody will go on with."""
        kept = {self._path(span) for span in spans}
        for path in self.folder.glob("*/*"):
            if path not in kept:
                shutil.rmtree(path, ignore_errors=True)

    def _path(self, span: range) -> Path:
        return self.folder / f"{span.start:06d}" / f"{span.stop:06d}-{self.key(span)}"
