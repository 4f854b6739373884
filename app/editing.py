"""What clicks and keys do to the document, the playhead and the active person."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app import prompting
from app.correcting import Correcting
from app.job import Jobs
from app.lock_spans import refusal
from app.message_bar import MessageBar
from app.session import Session
from app.timeline.lanes import LaneSpan
from matting.project.document import MAX_INSTANCES, Box, Document
from matting.seeding.drawing import Polygon, Stroke, misses


class Editing(QObject):
    """Edits the session's document; tells when something cannot be done."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._messages = session, messages
        self._correcting = Correcting(session, jobs, messages, self)

    def set_tracked(self, lanes: dict[int, list[LaneSpan]]) -> None:
        """Where there are masks, so that corrections start from them; by instance id."""
        self._correcting.set_tracked(lanes)

    # -- prompts -------------------------------------------------------------------------------------------------------

    def add_point(self, x: float, y: float, label: int) -> None:
        """A point for the active person; an include point selects somebody new where nobody is active."""
        if not self._may_edit():
            return
        if self._session.active is None and label == 0:
            self._messages.note("Click a person first; then take away what does not belong to them.")
            return
        document, who = self._document_with_active()
        if document is not None:
            text = "Add a point" if label else "Take away with a point"
            self._correcting.edit(
                text, document, who, lambda d, i, frame: prompting.with_point(d, i, frame, (x, y, 1 if label else 0))
            )

    def add_drawing(self, drawing: Stroke | Polygon) -> None:
        """A stroke or polygon for the active person; one that puts in selects somebody new where nobody is active."""
        if not self._may_edit():
            return
        if misses(drawing, self._session.document.size_hw):
            return
        if self._session.active is None and not drawing.label:
            self._messages.note("Nobody is active whom something could be taken away from.")
            return
        document, who = self._document_with_active()
        if document is not None:
            what = {"stroke": ("Erase", "Paint"), "polygon": ("Cut out a polygon", "Draw a polygon")}
            self._correcting.edit(
                what[drawing.kind][drawing.label],
                document,
                who,
                lambda d, i, frame: prompting.with_drawing(d, i, frame, drawing),
            )

    def add_box(self, box: Box) -> None:
        """A box for the active person, or for somebody new."""
        if self._may_edit():
            document, who = self._document_with_active()
            if document is not None:
                self._edit("Draw a box", prompting.with_box(document, who, self._session.frame, box), who)

    def _edit(self, text: str, document: Document, who: int) -> None:
        self._session.edit(text, document)
        self._session.set_active(who)

    def _document_with_active(self) -> tuple[Document | None, int]:
        document = self._session.document
        if self._session.active is not None:
            return document, self._session.active_id
        if document.next_id > MAX_INSTANCES:
            self._messages.warn(f"A project holds at most {MAX_INSTANCES} people.")
            return None, 0
        document, instance = prompting.with_person(document)
        return document, instance.id

    def _may_edit(self) -> bool:
        """Whether the active person can be given something on this frame; says why where they cannot."""
        if not self._in_range():
            return False
        person = self._session.active
        if person is not None and (reason := refusal(person, self._session.frame)):
            self._messages.note(reason)
            return False
        return True

    def _in_range(self) -> bool:
        document = self._session.document
        if self._session.frame in document.frames:
            return True
        self._messages.note(
            f"Frame {self._session.frame} lies outside in and out ({document.in_frame} to {document.out_frame});"
            " select people between them."
        )
        return False

    def next_candidate(self) -> None:
        """The next of the masks that the seeder offers for what the active person was given on this frame."""
        person = self._session.active
        if person is not None and self._may_edit():
            document = prompting.with_next_candidate(self._session.document, person.id, self._session.frame)
            self._session.edit(f"Another mask for {person.name}", document)

    def not_here(self) -> None:
        """The active person is not to be seen on this frame."""
        person = self._session.active
        if person is not None and self._may_edit():
            document = prompting.absent(self._session.document, person.id, self._session.frame)
            self._session.edit(f"{person.name} is not here", document)

    def clear_prompts(self) -> None:
        """Take away what the active person was given on this frame."""
        person = self._session.active
        if person is not None and person.prompt_at(self._session.frame) is not None and self._may_edit():
            document = prompting.without_prompt(self._session.document, person.id, self._session.frame)
            self._session.edit("Clear prompts", document)

    # -- people --------------------------------------------------------------------------------------------------------

    def activate_place(self, place: int) -> None:
        """Make the person at a place of the list active; the first is 1."""
        people = self._session.document.instances
        if place <= len(people):
            self._session.set_active(people[place - 1].id)

    def cycle(self, by: int) -> None:
        """Make the next (1) or previous (-1) person of the list active."""
        ids = [instance.id for instance in self._session.document.instances]
        if ids:
            here = ids.index(self._session.active_id) if self._session.active_id in ids else -1
            self._session.set_active(ids[(here + by) % len(ids)])

    # -- playhead ------------------------------------------------------------------------------------------------------

    def go_to_prompt(self, by: int) -> None:
        """Go to the active person's next (1) or previous (-1) prompted frame."""
        person = self._session.active
        if person is None:
            return
        frames = [p.frame for p in person.prompts if (p.frame - self._session.frame) * by > 0]
        if frames:
            self._session.set_frame(min(frames) if by > 0 else max(frames))

    def go_to_in(self) -> None:
        self._session.set_frame(self._session.document.in_frame)

    def go_to_out(self) -> None:
        self._session.set_frame(self._session.document.out_frame)
