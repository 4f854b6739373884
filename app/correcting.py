"""Corrections on frames that were tracked: they start from the mask that is shown there, not from nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app import prompting
from app.job import Jobs
from app.message_bar import MessageBar
from app.session import Session
from app.timeline.lanes import LaneSpan
from app.work import explain
from matting.job import JobContext
from matting.project.document import Document

if TYPE_CHECKING:  # brings zarr
    from matting.pipeline.workspace import Workspace

Change = Callable[[Document, int, int], Document]
"""The document with one thing more for a person (by id) on a frame."""
PRIORITY = 8
"""The artist waits for it."""


class Correcting(QObject):
    """Edits what people are given; the first thing on a tracked frame takes the mask along, in the same step."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._messages = session, jobs, messages
        self._tracked: dict[int, list[LaneSpan]] = {}
        self._waiting: dict[tuple[int, int], list[tuple[str, Change]]] = {}
        session.opened.connect(self._forget)

    def set_tracked(self, lanes: dict[int, list[LaneSpan]]) -> None:
        """Where there are masks, current or not, by instance id."""
        self._tracked = lanes

    def _forget(self) -> None:
        self._tracked, self._waiting = {}, {}

    def edit(self, text: str, document: Document, who: int, change: Change) -> None:
        """Make a change for a person on the frame that is shown, in one step that can be undone.

        Args:
            text: what the step is called.
            document: the current one, perhaps with the person new in it.
            who: their id.
            change: what to do.
        """
        frame = self._session.frame
        if (who, frame) in self._waiting:
            self._waiting[who, frame].append((text, change))
        elif document.instance(who).prompt_at(frame) is None and self._is_tracked(who, frame):
            self._waiting[who, frame] = [(text, change)]
            self._start_from_track(who, frame)
        else:
            self._apply(text, document, who, frame, change)
            self._session.set_active(who)

    def _apply(self, text: str, document: Document, who: int, frame: int, change: Change) -> None:
        person = document.instance(who)
        changed = change(document, who, frame)
        prompt = changed.instance(who).prompt_at(frame)
        if person.prompt_at(frame) is None and prompt is not None and prompt.absent:
            # It would say that they are not here, which nobody meant.
            self._messages.note(f"Nothing of {person.name} is selected on this frame, so nothing can be taken away.")
            return
        self._session.edit(text, changed)

    def _is_tracked(self, who: int, frame: int) -> bool:
        return any(span.start <= frame < span.stop for span in self._tracked.get(who, ()))

    def _start_from_track(self, who: int, frame: int) -> None:
        work = self._session.workspace

        def run(ctx: JobContext) -> str | None:
            return _keep_shown(work, who, frame)

        self._jobs.start(
            "Correcting",
            run,
            done=lambda mask: self._on_kept(work.folder, who, frame, mask),
            failed=lambda error: self._on_failed(who, frame, error),
            priority=PRIORITY,
        )

    def _on_kept(self, folder: Path, who: int, frame: int, mask: str | None) -> None:
        waiting = self._waiting.get((who, frame))
        if waiting is None or not self._session.is_open:
            return
        if self._session.workspace.folder != folder:  # the project got its name meanwhile, so the mask is elsewhere
            self._start_from_track(who, frame)
            return
        del self._waiting[who, frame]
        for text, change in waiting:
            document = self._session.document
            person = next((one for one in document.instances if one.id == who), None)
            if person is None:  # deleted meanwhile
                return
            if mask is not None and person.prompt_at(frame) is None:
                document = prompting.from_mask(document, who, frame, mask)
            self._apply(text, document, who, frame, change)

    def _on_failed(self, who: int, frame: int, error: Exception) -> None:
        self._waiting.pop((who, frame), None)
        self._messages.error(explain("Correcting", error))


def _keep_shown(work: Workspace, who: int, frame: int) -> str | None:
    """Put what is shown of a person on a frame into the project's prompts; the name of the mask, None for nobody."""
    from matting.project.prompts import keep_mask

    picture = work.index_picture(frame)
    if picture is None or not (picture == who).any():
        return None
    return keep_mask(work.folder / "prompts", picture == who)
