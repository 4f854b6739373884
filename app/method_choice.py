"""Which methods are installed, and the artist's choice among them: files are looked at, so jobs do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, QSignalBlocker, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QWidget

from app.job import Jobs
from app.naming import named
from app.session import Session
from matting.job import JobContext
from matting.seeding.names import TITLES as SEEDERS
from matting.tracking.names import TITLES as TRACKERS


@dataclass(frozen=True)
class Kind:
    """What is chosen.

    Attributes:
        field: of the document's methods; its weights are in ``<field>_weights``.
        verb: what is done with it.
        titles: what people call the methods, by id.
        installed: looks which there are; slow.
        settle: the method and the fingerprint of its weights; slow.
    """

    field: Literal["seeder", "tracker"]
    verb: str
    titles: Mapping[str, str]
    installed: Callable[[], tuple[str, ...]]
    settle: Callable[[str], tuple[str, str]]


def _installed_trackers() -> tuple[str, ...]:
    from matting.pipeline.trackers import installed_trackers

    return installed_trackers()


def _choose_tracker(tracker: str) -> tuple[str, str]:
    from matting.pipeline.trackers import choose_tracker

    return choose_tracker(tracker)


def _installed_seeders() -> tuple[str, ...]:
    from matting.pipeline.seeders import installed_seeders

    return installed_seeders()


def _choose_seeder(seeder: str) -> tuple[str, str]:
    from matting.pipeline.seeders import choose_seeder

    return choose_seeder(seeder)


SEEDER = Kind("seeder", "Select with", SEEDERS, _installed_seeders, _choose_seeder)
TRACKER = Kind("tracker", "Follow with", TRACKERS, _installed_trackers, _choose_tracker)


class MethodChoice(QObject):
    """Puts what is chosen into the document."""

    installed = Signal(object)
    """Ids of the methods that can be chosen."""
    failed = Signal(object)

    def __init__(self, kind: Kind, session: Session, jobs: Jobs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kind, self._session, self._jobs = kind, session, jobs
        session.opened.connect(self.look)

    def look(self) -> None:
        """See what is installed now."""
        if self._session.is_open:
            self._jobs.start(
                f"Looking for each {self._kind.field}", lambda ctx: self._kind.installed(), done=self.installed.emit
            )

    def choose(self, method: str) -> None:
        """Use another method from now on."""
        if method == getattr(self._session.document.methods, self._kind.field):
            return

        def settle(ctx: JobContext) -> tuple[str, str]:
            return self._kind.settle(method)

        self._jobs.start(
            f"Choosing the {self._kind.field}",
            settle,
            done=lambda chosen: self._set(*chosen),
            failed=self._on_failed,
        )

    def _set(self, method: str, weights: str) -> None:
        if self._session.is_open:
            kind, document = self._kind, self._session.document
            methods = document.methods.model_copy(update={kind.field: method, f"{kind.field}_weights": weights})
            text = f"{kind.verb} {kind.titles[method]}"
            self._session.edit(text, document.model_copy(update={"methods": methods}))

    def _on_failed(self, error: Exception) -> None:
        self.look()
        self.failed.emit(error)


class MethodBox(QComboBox):
    """The methods of a kind; what is not installed is shown and cannot be chosen."""

    chosen = Signal(str)
    """Id of the method that the artist wants."""

    def __init__(self, kind: Kind, hint: str, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        named(self, f"{kind.field}Choice", hint, kind.verb)
        self._kind, self._session = kind, session
        for method, title in kind.titles.items():
            self.addItem(title, method)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)
        self.activated.connect(self._on_activated)
        self.set_installed(tuple(kind.titles)[:1])

    def set_installed(self, installed: tuple[str, ...]) -> None:
        """Offer these methods."""
        model = self.model()
        assert isinstance(model, QStandardItemModel)
        for place, (method, title) in enumerate(self._kind.titles.items()):
            there = method in installed
            model.item(place).setEnabled(there)
            self.setItemText(place, title if there else f"{title} (not installed)")

    def refresh(self) -> None:
        """Follow the document."""
        self.setEnabled(self._session.is_open)
        if self._session.is_open:
            with QSignalBlocker(self):
                self.setCurrentIndex(self.findData(getattr(self._session.document.methods, self._kind.field)))

    def _on_activated(self, place: int) -> None:
        self.chosen.emit(str(self.itemData(place)))
        self.refresh()  # it shows what the document says, which follows the choice
