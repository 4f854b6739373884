"""Who was lost and may be back: offered on the frames where they are seen, and what becomes of a yes or a no."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from app.job import Jobs
from app.message_bar import MessageBar
from app.reviewing import Reviewing
from app.session import Session
from app.work import explain
from matting.job import JobContext
from matting.project.document import Box, Prompt


class Returning(QObject):
    """Takes what the review knows of them; the document hears of it when the artist says yes or no."""

    changed = Signal()
    """Other people are on offer than before."""

    def __init__(
        self, session: Session, jobs: Jobs, messages: MessageBar, reviewing: Reviewing, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._messages, self._reviewing = session, jobs, messages, reviewing
        self._answered: set[int] = set()
        session.frame_changed.connect(self._ask_again)
        reviewing.changed.connect(self._ask_again)

    def _ask_again(self) -> None:
        self._answered.clear()
        self.changed.emit()

    @property
    def boxes(self) -> Mapping[int, Box]:
        """Where who may be on the frame that is shown, by instance id."""
        if not self._session.is_open:
            return {}
        frame, people = self._session.frame, {person.id for person in self._session.document.instances}
        return {
            back.instance_id: back.boxes[frame]
            for back in self._reviewing.returns_at(frame)
            if back.instance_id in people - self._answered
        }

    def label(self, instance_id: int) -> str:
        """Such as "Ann?"."""
        return f"{self._session.document.instance(instance_id).name}?"

    def accept(self, ids: list[int]) -> None:
        """They are back: they are given what is offered, in one step that can be undone."""
        work, frame = self._session.workspace, self._session.frame
        boxes = {instance_id: box for instance_id, box in self.boxes.items() if instance_id in ids}
        if not boxes:
            return
        self._answer(boxes)

        def run(ctx: JobContext) -> dict[int, Prompt]:
            from matting.pipeline.settling import returned

            return returned(work, frame, boxes)

        self._jobs.start(
            "Taking up again",
            run,
            done=lambda prompts: self._on_accepted(list(boxes), prompts),
            failed=self._on_failed,
        )

    def dismiss(self, ids: list[int]) -> None:
        """It is not them; they are lost on these frames, and right so."""
        frame = self._session.frame
        spans = {
            back.instance_id: range(back.first, back.last + 1)
            for back in self._reviewing.returns_at(frame)
            if back.instance_id in ids
        }
        self._answer(spans)
        self._reviewing.settle(spans)

    def _answer(self, ids: Mapping[int, object]) -> None:
        self._answered |= set(ids)
        self.changed.emit()

    def _on_accepted(self, back: list[int], prompts: dict[int, Prompt]) -> None:
        document = self._session.document
        known = {person.id: person for person in document.instances}
        if not set(prompts) <= set(known):  # one was deleted meanwhile
            return
        for instance_id, prompt in prompts.items():
            document = document.with_instance(known[instance_id].with_prompt(prompt))
        names = " and ".join(known[instance_id].name for instance_id in back)
        frame = prompts[back[0]].frame
        self._session.edit(f"{names} back at frame {frame}", document)
        self._session.set_active(back[0])
        self._messages.note(
            f"{names} may be corrected like anybody selected; then Track (Ctrl+T) carries that on in both directions."
        )

    def _on_failed(self, error: Exception) -> None:
        self._ask_again()
        self._messages.error(explain("Taking up again", error))
