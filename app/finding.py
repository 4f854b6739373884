"""Find people: proposals for the frame that is shown, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import prompting
from app.job import Job, Jobs
from app.message_bar import MessageBar
from app.session import Session
from app.work import explain
from matting.job import JobContext
from matting.project.document import MAX_INSTANCES, Box, Document

if TYPE_CHECKING:  # slow to import
    from matting.finding.proposal import Proposal
    from matting.project.project import Project


class Finding(QObject):
    """Holds what was proposed until it is accepted or dismissed, or another frame is shown.

    The document hears of nobody before they are accepted.
    """

    changed = Signal()
    """Other people are on offer than before."""

    def __init__(
        self,
        session: Session,
        jobs: Jobs,
        messages: MessageBar,
        device: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        """``device`` says where networks run at the moment."""
        super().__init__(parent)
        self._session, self._jobs, self._messages, self._device = session, jobs, messages, device
        self._job: Job | None = None
        self._offers: dict[int, Proposal] = {}
        self._opening = 0
        session.opened.connect(self._on_opened)
        session.frame_changed.connect(self._forget)

    @property
    def boxes(self) -> Mapping[int, Box]:
        """The boxes on offer, by their numbers."""
        return {number: proposal.box for number, proposal in self._offers.items()}

    @property
    def working(self) -> bool:
        """Whether people are being looked for."""
        return self._job is not None

    def find(self) -> None:
        """Look for people on the frame that is shown."""
        session = self._session
        document, frame = session.document, session.frame
        if frame not in document.frames:
            self._messages.note(
                f"Frame {frame} lies outside in and out ({document.in_frame} to {document.out_frame});"
                " look for people between them."
            )
            return
        self._forget()
        work, device = session.workspace, self._device()

        def run(ctx: JobContext) -> list[Proposal]:
            from matting.pipeline.finding import find_people, taken_boxes

            own = work.for_thread()
            with own.clip:
                return find_people(own.clip, frame, ctx, taken_boxes(own, frame), own.shot_of(frame), device)

        job = self._job = self._jobs.start(
            "Finding people",
            run,
            done=lambda found: self._on_found(job, found),
            failed=lambda error: self._on_failed(job, error),
            noticed=self._messages.warn,
        )
        self._messages.note("Looking for people on this frame…")
        self.changed.emit()

    def accept(self, numbers: list[int]) -> None:
        """Make people of these proposals, in one step that can be undone."""
        chosen = [self._offers[number] for number in numbers if number in self._offers]
        room = MAX_INSTANCES + 1 - self._session.document.next_id
        if len(chosen) > room:
            self._messages.warn(f"A project holds at most {MAX_INSTANCES} people.")
            return
        frame, project = self._session.frame, self._session.project
        if not chosen or project is None:
            return
        self.dismiss(numbers)
        if all(proposal.mask is None for proposal in chosen):
            self._add(frame, [(proposal.box, None) for proposal in chosen])
            return
        self._keep_outlines(project, frame, chosen)

    def _keep_outlines(self, project: Project, frame: int, chosen: list[Proposal]) -> None:
        folder, opening = project.prompts_folder, self._opening
        self._jobs.start(
            "Keeping outlines",
            lambda ctx: _keep(folder, chosen),
            done=lambda kept: self._on_kept(folder, opening, frame, chosen, kept),
            failed=lambda error: self._messages.error(explain("Keeping the outlines", error)),
        )

    def dismiss(self, numbers: list[int]) -> None:
        """Offer these people no more."""
        for number in numbers:
            self._offers.pop(number, None)
        self.changed.emit()

    def _on_kept(
        self, folder: Path, opening: int, frame: int, chosen: list[Proposal], kept: list[tuple[Box, str | None]]
    ) -> None:
        project = self._session.project
        if project is None or opening != self._opening:
            return
        if project.prompts_folder == folder:
            self._add(frame, kept)
        else:  # the project got its name meanwhile, so the outlines are elsewhere
            self._keep_outlines(project, frame, chosen)

    def _add(self, frame: int, people: list[tuple[Box, str | None]]) -> None:
        document: Document = self._session.document
        for box, mask in people:
            document, person = prompting.with_found(document, frame, box, mask)
        self._session.edit(f"Accept {len(people)} people" if len(people) > 1 else "Accept a person", document)
        self._session.set_active(person.id)

    def _on_opened(self) -> None:
        self._opening += 1
        self._forget()

    def _forget(self) -> None:
        """Another frame: what was found, or is being looked for, is about the one before."""
        if self._job is not None:
            self._job.cancel()
            self._job = None
        if self._offers:
            self._offers = {}
        self.changed.emit()

    def _on_found(self, job: Job, found: list[Proposal]) -> None:
        if job is not self._job:
            return
        self._job = None
        self._offers = dict(enumerate(found, 1))
        if found:
            who = "One person" if len(found) == 1 else f"{len(found)} people"
            self._messages.note(
                f"{who} may be here: click to accept, Alt-click or ✕ to dismiss; Enter accepts all, Esc dismisses all."
            )
        else:
            self._messages.note("Nobody else was found here; select people with the point tool, or try another frame.")
        self.changed.emit()

    def _on_failed(self, job: Job, error: Exception) -> None:
        if job is self._job:
            self._job = None
            self._messages.error(explain("Finding people", error))
            self.changed.emit()


def _keep(folder: Path, chosen: list[Proposal]) -> list[tuple[Box, str | None]]:
    """Write the outlines to the project; the boxes and the names of their masks."""
    from matting.project.prompts import keep_mask

    return [(p.box, None if p.mask is None else keep_mask(folder, p.mask)) for p in chosen]
