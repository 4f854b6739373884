"""Small pictures for the filmstrip, made in a job when nothing more urgent is asked for."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QImage

from app.job import Job, Jobs
from app.session import Session
from matting.job import JobContext

HEIGHT_PX = 128
PATIENT = -10


class Thumbnails(QObject):
    """Makes what was asked for last; asking again replaces what is not made yet."""

    made = Signal(int, QImage)

    def __init__(self, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session, self._jobs = session, jobs
        self._job: Job | None = None
        session.opened.connect(self._stop)

    def _stop(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._job = None

    def ask(self, indices: list[int]) -> None:
        """Make the thumbnails of these frames."""
        self._stop()
        if not self._session.is_open or not indices:
            return
        work = self._session.workspace

        def run(ctx: JobContext) -> None:
            from app.render import to_image

            with work.clip.duplicate() as clip:
                for index in indices:
                    ctx.raise_if_cancelled()
                    image = to_image(clip.frame(index))
                    small = image.scaledToHeight(HEIGHT_PX, Qt.TransformationMode.SmoothTransformation)
                    ctx.raise_if_cancelled()
                    self.made.emit(index, small)

        self._job = self._jobs.start("Thumbnails", run, priority=PATIENT)
