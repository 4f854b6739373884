"""What works at the moment, how far it is, when it will be done, and how to stop it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QToolButton, QWidget

from app.icons import give_icon
from app.job import Job, Jobs

STEPS = 1000


class JobStrip(QWidget):
    """Follows the heavy jobs; empty while there are none."""

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("jobStrip")
        self.setAccessibleName("Running work")
        self._jobs = jobs
        self._job: Job | None = None
        self._title, self._left = QLabel(), QLabel()
        self._left.setMinimumWidth(self.fontMetrics().horizontalAdvance("88:88 left  "))
        self._bar = QProgressBar(maximum=STEPS)
        self._bar.setObjectName("jobProgress")
        self._bar.setFixedSize(180, 16)
        self._cancel = QToolButton(autoRaise=True)
        give_icon(self._cancel, "mdi6.stop-circle-outline")
        self._cancel.setText("Cancel")
        self._cancel.setObjectName("cancelJob")
        self._cancel.setAccessibleName("Cancel")
        self._cancel.setToolTip("Cancel  (Esc)\nStop; what is finished stays.")
        self._cancel.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._cancel.clicked.connect(self._on_cancel)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        for widget in (self._title, self._bar, self._left, self._cancel):
            row.addWidget(widget)
        jobs.started.connect(self._follow)
        jobs.ended.connect(self._follow)
        self._follow()

    def _follow(self) -> None:
        running = self._jobs.heavy
        self.setVisible(bool(running))
        if not running:
            self._job = None
            return
        waiting = f"  (+{len(running) - 1} waiting)" if len(running) > 1 else ""
        if running[0] is not self._job:
            self._job = running[0]
            self._bar.setValue(0)
            self._left.clear()
            self._cancel.setEnabled(True)
            self._job.signals.progressed.connect(self._on_progressed)
        self._title.setText(self._job.title + waiting)

    def _on_progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        if self._job is None or self.sender() is not self._job.signals:
            return
        self._bar.setValue(round(fraction * STEPS))
        if self._cancel.isEnabled():
            self._title.setText(message)
        self._left.setText(f"{duration(eta_s)} left" if eta_s is not None else "")

    def _on_cancel(self) -> None:
        if self._job is not None:
            self._job.cancel()
            self._cancel.setEnabled(False)
            self._title.setText("Stopping…")


def duration(seconds: float) -> str:
    """Minutes and seconds, hours where there are any."""
    minutes, rest = divmod(max(round(seconds), 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
