"""Going through the places where a mask is likely wrong: gone to, found right, or two people exchanged."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.job import Jobs
from app.message_bar import MessageBar
from app.session import Session
from app.timeline.review_marks import ReviewMark
from app.work import explain
from matting.job import JobContext
from matting.project.document import Dismissal, Prompt

if TYPE_CHECKING:  # brings OpenCV
    from matting.pipeline.review import Queue
    from matting.review.flags import Flag
    from matting.review.returns import Return
    from matting.review.swaps import Swap

_IF_WRONG = "Correct it with a click, or say Looks right (V)."
_IF_BACK = "✓ says yes, ✕ no (Enter, Esc)."
_IF_SWAPPED = "If so, choose Swap from here in the menu Person; if not, Looks right (V)."


class Reviewing(QObject):
    """Knows the review queue of the document that is shown."""

    changed = Signal()
    """There are other places now."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._messages = session, jobs, messages
        self._flags: tuple[Flag, ...] = ()
        self._swaps: tuple[Swap, ...] = ()
        self._returns: tuple[Return, ...] = ()
        session.opened.connect(lambda: self._set((), (), ()))

    def set_queue(self, queue: Queue) -> None:
        """What the store says now."""
        self._set(queue.flags, queue.swaps, queue.returns)

    def _set(self, flags: tuple[Flag, ...], swaps: tuple[Swap, ...], returns: tuple[Return, ...]) -> None:
        if (flags, swaps, returns) != (self._flags, self._swaps, self._returns):
            self._flags, self._swaps, self._returns = flags, swaps, returns
            self.changed.emit()

    @property
    def count(self) -> int:
        """Places to look at."""
        return len(self._flags) + len(self._swaps) + len(self._returns)

    def marks(self) -> dict[int, list[ReviewMark]]:
        """What the lanes show, by instance id."""
        names = self._names()
        marks: dict[int, list[ReviewMark]] = {}
        for flag in self._flags:
            mark = ReviewMark(flag.first, flag.last, flag.worst, False, described(flag, names))
            marks.setdefault(flag.instance_id, []).append(mark)
        for swap in self._swaps:
            mark = ReviewMark(swap.frame, swap.last, swap.frame, True, asked(swap, names))
            for instance_id in (swap.one, swap.other):
                marks.setdefault(instance_id, []).append(mark)
        for back in self._returns:
            mark = ReviewMark(back.first, back.last, back.first, False, f"{back.words(names)}?")
            marks.setdefault(back.instance_id, []).append(mark)
        return marks

    def _names(self) -> dict[int, str]:
        return {person.id: person.name for person in self._session.document.instances} if self._session.is_open else {}

    def is_flagged(self, instance_id: int, frame: int) -> bool:
        """Whether there is something to look at here."""
        offered = any(back.instance_id == instance_id for back in self.returns_at(frame))
        return bool(offered or self._flags_at(instance_id, frame) or self._swaps_at(instance_id, frame))

    def _flags_at(self, instance_id: int, frame: int) -> list[Flag]:
        return [f for f in self._flags if f.instance_id == instance_id and f.first <= frame <= f.last]

    def _swaps_at(self, instance_id: int, frame: int) -> list[Swap]:
        return [s for s in self._swaps if instance_id in (s.one, s.other) and s.frame <= frame <= s.last]

    def returns_at(self, frame: int) -> list[Return]:
        """Who was lost and may be back on a frame."""
        return [back for back in self._returns if frame in back.boxes]

    # -- going there -------------------------------------------------------------------------------------------------

    def go(self, by: int) -> None:
        """Go to the next (1) or previous (-1) place, after the last to the first again, and make its person active."""
        names = self._names()
        texts = {(s.frame, s.one): f"{asked(s, names)} {_IF_SWAPPED}" for s in self._swaps}
        texts |= {(r.first, r.instance_id): f"{r.words(names)}. {_IF_BACK}" for r in self._returns}
        for flag in self._flags:
            texts.setdefault((flag.worst, flag.instance_id), f"{described(flag, names)}. {_IF_WRONG}")
        if not texts:
            self._messages.note("There is nothing to review: no mask looks wrong where the clip is tracked.")
            return
        places, here = sorted(texts), (self._session.frame, self._session.active_id)
        beyond = [place for place in places if (place > here if by > 0 else place < here)] or places
        frame, instance_id = beyond[0 if by > 0 else -1]
        self._session.set_frame(frame)
        self._session.set_active(instance_id)
        self._messages.note(texts[frame, instance_id])

    # -- settling ----------------------------------------------------------------------------------------------------

    def looks_right(self, instance_id: int, frame: int) -> None:
        """What is asked here is right as it is; it stays settled for as long as these masks stay."""
        swaps = self._swaps_at(instance_id, frame)
        spans = {i: range(s.frame, s.last + 1) for s in swaps for i in (s.one, s.other)}
        if not spans:
            back = [r for r in self.returns_at(frame) if r.instance_id == instance_id]
            for place in back or self._flags_at(instance_id, frame):
                spans[instance_id] = range(place.first, place.last + 1)
        self.settle(spans)

    def settle(self, spans: dict[int, range]) -> None:
        """By instance id, frames on which the masks are right as they are; one step that can be undone."""
        if not spans:
            return
        work = self._session.workspace

        def run(ctx: JobContext) -> dict[int, Dismissal]:
            from matting.pipeline.settling import dismissal

            return {person_id: dismissal(work, person_id, frames) for person_id, frames in spans.items()}

        self._jobs.start(
            "Looks right",
            run,
            done=self._on_right,
            failed=lambda error: self._messages.error(explain("Looks right", error)),
        )

    def _on_right(self, dismissals: dict[int, Dismissal]) -> None:
        document = self._session.document
        for person in document.instances:
            if person.id in dismissals:
                document = document.with_instance(person.with_dismissal(dismissals[person.id]))
        self._session.edit("Looks right", document)

    def ask_swap(self, parent: QWidget, at: QPoint) -> None:
        """Exchange the active person with somebody from the playhead on; asks with whom where there is a choice."""
        person, frame = self._session.active, self._session.frame
        if person is None:
            return
        others = [other for other in self._session.document.instances if other.id != person.id]
        if len(others) == 1:
            self.swap(person.id, others[0].id, frame)
            return
        menu = QMenu(parent)
        menu.setObjectName("swapMenu")
        for other in others:
            action = menu.addAction(
                f"Swap {person.name} with {other.name} from frame {frame}",
                partial(self.swap, person.id, other.id, frame),
            )
            action.setObjectName(f"swapWith{other.id}")
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(at)

    def swap(self, one: int, other: int, frame: int) -> None:
        """Exchange two people from a frame on, each up to their next prompt or locked frames."""
        work = self._session.workspace

        def run(ctx: JobContext) -> dict[int, Prompt]:
            from matting.pipeline.settling import swapped

            return dict(zip((one, other), swapped(work, one, other, frame), strict=True))

        self._jobs.start(
            "Swapping",
            run,
            done=self._on_swapped,
            failed=lambda error: self._messages.error(explain("Swapping", error)),
        )

    def _on_swapped(self, prompts: dict[int, Prompt]) -> None:
        document = self._session.document
        people = [person for person in document.instances if person.id in prompts]
        if len(people) != len(prompts):  # one was deleted meanwhile
            return
        for person in people:
            document = document.with_instance(person.with_prompt(prompts[person.id]))
        names = " and ".join(person.name for person in people)
        frame = next(iter(prompts.values())).frame
        self._session.edit(f"Swap {names} from frame {frame}", document)
        self._messages.note(
            f"{names} have taken each other's mask on frame {frame}. Track (Ctrl+T) to carry that on, for each up to"
            " their next prompt; undo takes it back."
        )


def described(flag: Flag, names: dict[int, str]) -> str:
    """Such as "Ann, frames 120-131: area jumps (confidence 12 % at frame 124)"."""
    frames = f"frame {flag.span}" if flag.first == flag.last else f"frames {flag.span}"
    sure = f"confidence {100 * flag.confidence:.0f} % at frame {flag.worst}"
    return f"{names.get(flag.instance_id, 'Somebody')}, {frames}: {flag.words(names)} ({sure})"


def asked(swap: Swap, names: dict[int, str]) -> str:
    """Such as "Ann and Ben swapped at 214?"."""
    return f"{names.get(swap.one, 'Somebody')} and {names.get(swap.other, 'somebody')} swapped at {swap.frame}?"
