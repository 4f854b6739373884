"""The heavy jobs of the editor: track, matte, plate, export; and what they leave behind for the timeline."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from app import stages
from app.job import Job, Jobs, Lane
from app.message_bar import MessageBar
from app.session import Session
from app.status import Status, look_up
from matting.errors import MatteoError
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
        self._worker = Worker(stages.prepare)
        self._status_job: Job | None = None
        self._status_due = False
        self._plate_missing = self._declined_plate = ""
        self._live = QTimer(self, interval=LIVE_MS)
        self._live.timeout.connect(session.results_changed)
        session.opened.connect(self._on_opened)
        session.changed.connect(self.update_status)
        session.results_changed.connect(self.update_status)

    # -- stages --------------------------------------------------------------------------------------------------------

    def track(self) -> None:
        """Carry the selections through the range."""
        self._start("Tracking", stages.track)

    def matte(self) -> None:
        """Track where that is needed, then matte."""
        self._start("Matting", stages.matte)

    def plate(self) -> None:
        """Find the background behind the people, tracking first where that is needed."""
        self._start("Building the plate", stages.plate, stopped=self._decline_plate)

    def export(self, order: stages.ExportOrder) -> None:
        """Write a result."""
        self._start(
            f"Exporting {order.path.name}",
            order,
            done=lambda: self._messages.note(f"Written: {order.path}"),
        )

    def _start(
        self,
        title: str,
        stage: stages.Stage,
        done: Callable[[], None] | None = None,
        stopped: Callable[[], None] | None = None,
    ) -> None:
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
