"""The models as the window knows them: which are here, which are on their way, what went wrong with which."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app import stages
from app.job import Job, Jobs, Lane
from app.work import explain
from matting.weights import Model, models
from matting.weights.folder import shipped_file
from matting.worker import Worker

if TYPE_CHECKING:  # brings filelock
    from matting.weights.incoming import State

PATIENCE_S = 1.0
"""A server that is silent is not waited for when the artist stops; what came is on the disk already."""


@dataclass(frozen=True)
class Coming:
    """A model on its way: share in [0, 1], what is going on, seconds left or None."""

    share: float = 0
    message: str = "Waiting"
    seconds_left: float | None = None
    stopping: bool = False


class Models(QObject):
    """Brings models in, one after the other, beside the heavy jobs; the work is done in a process of its own."""

    changed = Signal()
    """What lies in the folder, or what is on its way, is different now."""
    brought = Signal(object)
    """A :class:`Model` that is installed now."""
    failed = Signal(object, str)
    """A :class:`Model` and why it did not come in."""

    def __init__(self, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._worker = Worker(patience_s=PATIENCE_S)
        self._states: dict[str, State] = {}
        self._running: dict[str, Job] = {}
        self._coming: dict[str, Coming] = {}
        self._errors: dict[str, str] = {}

    def state(self, model_id: str) -> State | None:
        """How far a model is; None while that has not been looked up yet."""
        return self._states.get(model_id)

    def coming(self, model_id: str) -> Coming | None:
        """How far a model is on its way; None when it is not."""
        return self._coming.get(model_id)

    def error(self, model_id: str) -> str:
        """Why the last try failed; "" when it did not."""
        return self._errors.get(model_id, "")

    @property
    def matters(self) -> list[tuple[Model, Path]]:
        """The installed models that make mattes, with their files."""
        paths = [(known, self._path(known)) for known in models() if known.task == "matte"]
        return [(known, path) for known, path in paths if path is not None]

    def _path(self, known: Model) -> Path | None:
        """What comes with Matteo is here before anybody has looked."""
        state = self._states.get(known.id)
        return shipped_file(known) if state is None else state.path

    def look_up(self) -> None:
        """See anew what lies in the folder."""
        self._jobs.start("Looking for models", lambda ctx: _look_up(), done=self._on_looked_up)

    def get(self, known: Model) -> None:
        """Fetch a model; goes on where an earlier try ended."""
        self._start(known, partial(stages.get_model, known.id))

    def bring(self, known: Model, file: Path) -> None:
        """Copy a file that the artist has, if it is the model's."""
        self._start(known, partial(stages.import_model, known.id, file))

    def cancel(self, model_id: str) -> None:
        """Stop; what has come stays for the next time."""
        if model_id in self._running:
            self._running[model_id].cancel()
            now = replace(self._coming[model_id], message="Stopping…", seconds_left=None, stopping=True)
            self._tell(model_id, now)

    def shut_down(self) -> None:
        """End the process; no job runs any more."""
        self._worker.close()

    def _start(self, known: Model, work: partial[Path]) -> None:
        if known.id in self._running:
            return
        self._errors.pop(known.id, None)
        self._running[known.id] = self._jobs.start(
            known.title,
            lambda ctx: self._worker.run(work, ctx=ctx),
            progressed=partial(self._on_progressed, known.id),
            done=lambda _: self.brought.emit(known),
            failed=lambda error: self._on_failed(known, error),
            finished=lambda: self._on_finished(known.id),
            lane=Lane.MODELS,
        )
        self._tell(known.id, Coming())

    def _on_progressed(self, model_id: str, share: float, message: str, seconds_left: float | None) -> None:
        if not self._coming[model_id].stopping:
            self._tell(model_id, Coming(share, message, seconds_left))

    def _on_failed(self, known: Model, error: Exception) -> None:
        self._errors[known.id] = explain(f"Bringing in {known.title}", error)
        self.failed.emit(known, self._errors[known.id])

    def _on_finished(self, model_id: str) -> None:
        del self._running[model_id], self._coming[model_id]
        self.changed.emit()
        self.look_up()

    def _on_looked_up(self, states: dict[str, State]) -> None:
        self._states = states
        self.changed.emit()

    def _tell(self, model_id: str, coming: Coming) -> None:
        self._coming[model_id] = coming
        self.changed.emit()


def _look_up() -> dict[str, State]:
    from matting.weights.incoming import state_of

    return {known.id: state_of(known) for known in models()}
