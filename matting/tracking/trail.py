"""What a tracker leaves behind on its way, so that it can go on from there after it was stopped or killed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from matting.tracking.stack import GROUND, Mark, Stack, no_room, packed, unpacked
from matting.tracking.tracker import FrameMasks
from matting.tracking.waypoint import State, read_state, write_state

EVERY_FRAMES = 16
"""So many frames are gone through between two waypoints, forward and backward alike."""
_FORMAT = 1
"""Counts up when a state of before could be misread."""


class Trail:
    """The place on disk of one track; to be used in a ``with``, which removes it when it ends well.

    It holds the last waypoint, which is the state of the tracker at some frame; the masks that were found before it;
    and the spill, which is what the forward pass leaves to the backward one. Of these two the waypoint says how much
    counts, so a process may be killed at any point. One process at a time leaves a trail; another that is on the same
    track meanwhile leaves none.

    Attributes:
        spill: for the tracker.
    """

    spill: Stack

    def __init__(self, folder: Path | None = None, key: str = "") -> None:
        """Name a place.

        Args:
            folder: where; it is made, and belongs to this track alone. None to leave nothing behind.
            key: says all that the track depends on but the tracker.
        """
        self._folder, self._key = folder, key
        self._by = ""
        self._passed = 0
        self._spilled = False

    def __enter__(self) -> Trail:
        """Open it; raises OutputError if it cannot be written."""
        with ExitStack() as opened:
            if self._folder is not None and not self._is_mine(opened):
                self._folder = None
            self.spill = opened.enter_context(Stack(self._folder and self._folder / "spill"))
            self._found = opened.enter_context(Stack(self._folder and self._folder / "found"))
            self._opened = opened.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._opened.close()
        if kind is None and self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _is_mine(self, opened: ExitStack) -> bool:
        from filelock import FileLock, Timeout  # slow to import

        assert self._folder is not None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            opened.enter_context(FileLock(self._folder / "lock").acquire(blocking=False))
        except (Timeout, NotImplementedError):  # somebody else's, or a file system without locks
            return False
        except OSError as error:
            raise no_room(self._folder, error) from error
        return True

    def recall(self, by: str) -> State | None:
        """The state at the last waypoint; None when there is none, or it is another's, or something is damaged.

        Args:
            by: the tracker, and all of its own that its masks depend on.
        """
        self._by = f"{_FORMAT} {by}"
        left = None if self._folder is None else read_state(self._folder / "waypoint")
        if left is None or (left.get("key"), left.get("by")) != (self._key, self._by):
            return None
        if not (self.spill.return_to(Mark(*left["spill"])) and self._found.return_to(Mark(*left["found"]))):
            self.spill.mark = self._found.mark = GROUND
            return None
        self._spilled = self.spill.mark.end > 0
        state: State = left["state"]
        return state

    def found(self) -> Iterator[FrameMasks]:
        """The masks that were found before the waypoint, the last ones first."""
        for index, ids, bits, code, shape, *certainty in self._found:
            masks = np.unpackbits(unpacked(bits, code), count=int(np.prod(shape))).reshape(shape).astype(np.bool_)
            yield FrameMasks(int(index), tuple(map(int, ids)), masks, *certainty)

    def note(self, masks: FrameMasks) -> None:
        """Keep the masks of a frame; raises OutputError when there is no room."""
        if self._folder is None:
            return
        certainty: list[Any] = [] if masks.certainty is None else [masks.certainty]
        bits = packed(np.packbits(masks.masks))
        self._found.lay_down(
            np.asarray(masks.index), np.asarray(masks.ids, np.int64), *bits, np.asarray(masks.masks.shape), *certainty
        )

    def passed(self, state: Callable[[], State]) -> None:
        """Say that a frame is behind, and what the state is, which is asked for at every waypoint.

        Raises:
            OutputError: there is no room.
        """
        self._passed += 1
        if self._passed >= EVERY_FRAMES:
            self._leave(state)

    def turned(self, state: Callable[[], State]) -> None:
        """Empty the spill, before it is filled anew; ``state`` and what is raised as for :meth:`passed`."""
        self.spill.mark = GROUND
        if self._spilled:
            self._leave(state)

    def _leave(self, state: Callable[[], State]) -> None:
        self._passed = 0
        if self._folder is None:
            return
        # Not brought to the disk, which costs more than it is worth: should the power fail, the checksums tell.
        self.spill.flush()
        self._found.flush()
        self._spilled = self.spill.mark.end > 0
        marks = {"spill": self.spill.mark, "found": self._found.mark}
        write_state(self._folder / "waypoint", {"key": self._key, "by": self._by, **marks, "state": state()})
