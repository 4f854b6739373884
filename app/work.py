"""The heavy jobs of the editor: track, matte, plate, export; and what they leave behind for the timeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app import stages
from app.job import Job, Jobs, Lane
from app.message_bar import MessageBar
from app.session import Session
from app.status import Status, look_up
from matting.errors import MatteoError
from matting.project.document import Document, Weights
from matting.worker import Worker

if TYPE_CHECKING:  # brings zarr
    from matting.pipeline.workspace import Workspace

log = logging.getLogger(__name__)

LIVE_MS = 1500
"""How often the lanes fill while a job runs."""


class Work(QObject):
    """Starts the engine's stages on what is open and tells what came of them."""

    status_changed = Signal(object)
    """A :class:`Status` of the current document."""

    def __init__(self, session: Session, jobs: Jobs, messages: MessageBar, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs, self._messages = session, jobs, messages
        self._worker = Worker(stages.prepare, stages.tidy)
        self.device = "auto"
        """Where networks run; the machine's affair, so it is not in the document."""
        self._reading: Job | None = None
        self._after_reading: list[Callable[[], None]] = []
        self._status_job: Job | None = None
        self._status_due = False
        self._plate_missing = self._declined_plate = ""
        self._reviewed: Document | None = None  # once per document: what fails is not begun again by itself
        self._live = QTimer(self, interval=LIVE_MS)
        self._live.timeout.connect(session.results_changed)
        session.opened.connect(self._on_opened)
        session.changed.connect(self.update_status)
        session.results_changed.connect(self.update_status)

    # -- stages --------------------------------------------------------------------------------------------------------

    def track(self) -> None:
        """Carry the selections through the range."""
        self._start("Tracking", partial(stages.track, device=self.device))

    def matte(self) -> None:
        """Track where that is needed, then matte."""
        self._start("Matting", partial(stages.matte, device=self.device))

    def plate(self) -> None:
        """Find the background behind the people, tracking first where that is needed."""
        self._start("Building the plate", partial(stages.plate, device=self.device), stopped=self._decline_plate)

    def export(self, order: stages.ExportOrder) -> None:
        """Write a result."""
        self._start(
            f"Exporting {order.path.name}",
            partial(order, device=self.device),
            done=lambda: self._messages.note(f"Written: {order.path}"),
        )

    def choose_matting(self, choice: stages.MattingChoice) -> None:
        """Make mattes as chosen from now on; weights are read first, in turn with the other heavy jobs."""
        self.device = choice.device
        if self._reading is not None:  # only the newest choice counts
            self._reading.cancel()
            self._reading = None
        if choice.weights is None:
            self._set_matting("classical", None)
            return
        job = self._reading = self._jobs.start(
            "Reading the weights",
            lambda ctx: self._worker.run(choice, ctx=ctx),
            done=lambda found: self._on_read(job, *found),
            failed=lambda error: self._on_not_read(job, error),
            stopped=lambda: self._on_not_read(job, None),
            finished=self._on_finished,
            lane=Lane.HEAVY,
        )

    def _on_read(self, job: Job, matter: str, weights: Weights) -> None:
        if self._reading is job:
            self._reading = None
            self._set_matting(matter, weights)

    def _on_not_read(self, job: Job, error: Exception | None) -> None:
        if error is not None:
            self._messages.error(explain("Reading the weights", error))
        if self._reading is job:
            self._reading = None
            self._after_reading.clear()

    def _set_matting(self, matter: str, weights: Weights | None) -> None:
        session = self._session
        assert session.project is not None
        if weights is not None:
            weights = weights.model_copy(update={"path": session.project.relative(Path(weights.path))})
        methods = session.document.methods.model_copy(update={"matter": matter, "weights": weights})
        session.edit("Change matting", session.document.model_copy(update={"methods": methods}))
        waiting, self._after_reading = self._after_reading, []
        for start in waiting:
            start()

    def _start(
        self,
        title: str,
        stage: stages.Stage,
        done: Callable[[], None] | None = None,
        stopped: Callable[[], None] | None = None,
    ) -> None:
        if self._reading is not None:  # the document does not say yet what the artist chose
            self._after_reading.append(lambda: self._start(title, stage, done, stopped))
            return
        work = self._session.workspace
        self._jobs.start(
            title,
            lambda ctx: self._worker.run(stage, work, ctx=ctx),
            done=None if done is None else lambda _: done(),
            failed=lambda error: self._on_failed(title, error, stopped),
            stopped=stopped,
            finished=self._on_finished,
            noticed=self._messages.warn,
            lane=Lane.HEAVY,
        )
        self._live.start()

    def _on_failed(self, title: str, error: Exception, stopped: Callable[[], None] | None) -> None:
        self._messages.error(explain(title, error))
        if stopped is not None:
            stopped()

    def _on_finished(self) -> None:
        if not self._jobs.heavy:
            self._live.stop()
        if self._session.is_open:
            self._session.results_changed.emit()

    def shut_down(self) -> None:
        """End the worker; no job runs any more."""
        self._worker.close()

    # -- status --------------------------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        self._plate_missing = self._declined_plate = ""
        self._reviewed = None
        self._reading = None
        self._after_reading.clear()
        if self._session.is_open:
            self.update_status()
            self._jobs.start("Starting the engine", lambda ctx: self._worker.start())
        else:
            self._live.stop()

    def update_status(self) -> None:
        """Look up anew how far everybody is."""
        if not self._session.is_open:
            return
        if self._status_job is not None:
            self._status_due = True
            return
        work = self._session.workspace
        self._status_job = self._jobs.start(
            "Status",
            lambda ctx: look_up(work, ctx),
            done=lambda status: self._on_status(work, status),
            failed=lambda error: self._messages.error(explain("Looking up the results", error)),
            finished=self._on_status_finished,
        )

    def _on_status(self, work: Workspace, status: Status) -> None:
        if not self._session.is_open or self._session.workspace is not work:
            return
        self.status_changed.emit(status)
        self._plate_missing = status.plate_missing
        if self._plate_missing not in ("", self._declined_plate) and not self._jobs.heavy:
            self.plate()
        elif status.unreviewed and self._reviewed != work.document and not self._jobs.heavy:
            self._reviewed = work.document
            self._start("Reviewing", stages.review)

    def _on_status_finished(self) -> None:
        self._status_job = None
        if self._status_due:
            self._status_due = False
            self.update_status()

    def _decline_plate(self) -> None:
        """A plate that was stopped or failed is not begun again by itself."""
        self._declined_plate = self._plate_missing


def explain(title: str, error: Exception) -> str:
    """One sentence for the artist; what is not the artist's to mend goes to the log as well."""
    if isinstance(error, MatteoError):
        return str(error)
    log.error("%s failed", title, exc_info=error)
    return f"{title} failed because of a fault in Matteo ({type(error).__name__}: {error}); the log has the details."
