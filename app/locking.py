"""Locking what is approved: a person's frames that nothing changes any more until they are unlocked."""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.job import Jobs
from app.lock_spans import stretch
from app.message_bar import MessageBar
from app.session import Session
from app.work import explain
from matting.job import JobContext
from matting.project.document import Lock


class Locking(QObject):
    """Locks and unlocks frames of people; the masks are put aside in a job, and the document says so when they are."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._messages = session, jobs, messages

    def toggle(self, frames: range | None) -> None:
        """Unlock the active person where they are locked, else lock.

        Args:
            frames: what the artist has marked; None for the stretch that the playhead is in.
        """
        person = self._session.active
        if person is None:
            return
        frames = frames or stretch(self._session.document, person, self._session.frame)
        locks = [lock for lock in person.locks if lock.first in frames and lock.last in frames]
        if lock := person.lock_at(self._session.frame if self._session.frame in frames else frames.start):
            self.unlock(person.id, lock.first)
        elif locks:
            self.unlock(person.id, locks[0].first)
        else:
            self.lock(person.id, frames)

    def lock(self, instance_id: int, frames: range) -> None:
        """Keep what is shown of a person in these frames."""
        inside = self._session.document.frames
        frames = range(max(frames.start, inside.start), min(frames.stop, inside.stop))
        if not frames:
            self._messages.note(f"Only frames between in and out can be locked ({inside.start} to {inside.stop - 1}).")
            return
        work = self._session.workspace

        def run(ctx: JobContext) -> Lock:
            from matting.pipeline.approve import approve

            return approve(work, instance_id, frames, ctx)

        self._jobs.start(
            "Locking",
            run,
            done=lambda lock: self._on_kept(instance_id, lock),
            failed=lambda error: self._messages.error(explain("Locking", error)),
        )

    def _on_kept(self, instance_id: int, lock: Lock) -> None:
        document = self._session.document
        person = next((one for one in document.instances if one.id == instance_id), None)
        if person is None:  # deleted meanwhile
            return
        self._session.edit(f"Lock {person.name}", document.with_instance(person.with_lock(lock)))
        self._messages.note(
            f"{person.name} is locked on frames {lock.first} to {lock.last}; nothing changes there. Ctrl+L unlocks."
        )

    def unlock(self, instance_id: int, frame: int) -> None:
        """Let the locked span of a person that a frame lies in follow from the prompts again."""
        document = self._session.document
        person = document.instance(instance_id)
        self._session.edit(f"Unlock {person.name}", document.with_instance(person.without_lock(frame)))
