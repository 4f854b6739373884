"""The inspector: prompts, look, backdrop and actions for what is active."""

from __future__ import annotations

from pathlib import PurePosixPath

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from app.icons import give_icon
from app.inspector_backdrop import BackdropGroup
from app.inspector_fields import LABEL_PX, Group, hint_label
from app.inspector_look import LookGroup
from app.inspector_prompts import PromptGroup
from app.method_choice import SEEDER, TRACKER, MethodBox
from app.naming import named
from app.palette import person_color, text_on
from app.session import Session
from app.theme import RAISED, TEXT
from matting.project.document import Document

_CLOSED = "Open a clip to begin."
_NOBODY = "Add a person to the list, then click them in the viewer."
MOST_LETTERS = 20
"""Of a file's name, which is one word and does not wrap."""


class Inspector(QScrollArea):
    """Groups about the active person, then about the whole picture."""

    track_requested = Signal()
    matte_requested = Signal()
    plate_requested = Signal()
    matting_change_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setAccessibleName("Inspector")
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._session = session
        self._busy = False
        content = named(QWidget(), "inspectorContent")
        self.setStyleSheet("#inspector, #inspectorContent { border: none; background: transparent; }")
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        self._prompts = PromptGroup(session, content)
        self._look = LookGroup(session, content)
        self._backdrop = BackdropGroup(session, content)
        column.addWidget(self._title(content))
        for group in (self._selecting(content), self._prompts, self._look, self._backdrop, self._actions(content)):
            column.addWidget(group)
        column.addStretch(1)
        self.setWidget(content)
        self.setMinimumWidth(content.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width())
        session.opened.connect(self.refresh)
        session.changed.connect(self.refresh)
        session.active_changed.connect(self.refresh)
        session.frame_changed.connect(self._prompts.refresh)
        self.refresh()

    def set_busy(self, busy: bool) -> None:
        """Hold back the actions while a job runs."""
        self._busy = busy
        self._refresh_actions()

    def refresh(self) -> None:
        """Follow the session."""
        for group in (self.seeder, self._prompts, self._look, self._backdrop, self.tracker):
            group.refresh()
        person = self._session.active
        self._name.setText(person.name if person is not None else "Nobody is active")
        self._badge.setText(str(person.id) if person is not None else "")
        color = person_color(person.id) if person is not None else None
        back, front = (color.name(), text_on(color).name()) if color is not None else (RAISED, TEXT)
        self._badge.setStyleSheet(f"background: {back}; color: {front}; border-radius: 4px; font-weight: bold;")
        self._hint.setText(_NOBODY if self._session.is_open else _CLOSED)
        self._hint.setVisible(person is None)
        self._refresh_actions()

    def _refresh_actions(self) -> None:
        is_open = self._session.is_open
        prompted = is_open and any(person.prompts for person in self._session.document.instances)
        for button in (self._track, self._matte, self._plate):
            button.setEnabled(prompted and not self._busy)
        self._method.setText(how_it_is_made(self._session.document) if is_open else "")
        self._method.setVisible(is_open)
        self._change.setVisible(is_open)

    # -- layout ------------------------------------------------------------------------------------------------------

    def _title(self, parent: QWidget) -> QWidget:
        box = QWidget(parent)
        self._badge = QLabel(box, alignment=Qt.AlignmentFlag.AlignCenter)
        self._badge.setFixedSize(22, 20)
        self._name = named(QLabel(box), "inspectorName")
        self._name.setStyleSheet("font-weight: bold;")
        self._name.setMinimumWidth(1)  # a long name is cut, it does not widen the panel
        self._hint = hint_label("inspectorHint", box)
        head = QHBoxLayout()
        head.addWidget(self._badge)
        head.addWidget(self._name, 1)
        column = QVBoxLayout(box)
        column.setContentsMargins(16, 10, 12, 6)
        column.addLayout(head)
        column.addWidget(self._hint)
        return box

    def _selecting(self, parent: QWidget) -> Group:
        group = Group("Selecting", "inspectorSelecting", parent)
        hint = "What turns clicks and boxes into masks; Work ▸ Models… brings more of them"
        self.seeder = MethodBox(SEEDER, hint, self._session, group)
        label = QLabel("With", group)
        label.setFixedWidth(LABEL_PX)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self.seeder, 1)
        group.rows.addLayout(row)
        return group

    def _actions(self, parent: QWidget) -> Group:
        group = Group("Actions", "inspectorActions", parent)
        hint = "Carry the masks of all people from their prompts through in…out (Ctrl+T)"
        self._track = named(QPushButton("Track", group), "inspectorTrack", hint)
        give_icon(self._track, "mdi6.vector-polyline")
        self._track.clicked.connect(self.track_requested)
        hint = "Turn the masks into soft mattes from in to out; tracks first where needed (Ctrl+M)"
        self._matte = named(QPushButton("Matte", group), "inspectorMatte", hint)
        give_icon(self._matte, "mdi6.circle-opacity")
        self._matte.clicked.connect(self.matte_requested)
        hint = "Make the background without people, which Remove and the plate backdrop show"
        self._plate = named(QPushButton("Plate", group), "inspectorPlate", hint)
        give_icon(self._plate, "mdi6.image-outline")
        self._plate.clicked.connect(self.plate_requested)
        row = QHBoxLayout()
        row.setSpacing(6)
        for button in (self._track, self._matte, self._plate):
            row.addWidget(button, 1)
        self._method = hint_label("inspectorMethod", group)
        self._method.setAlignment(Qt.AlignmentFlag.AlignTop)
        hint = "What carries the masks from prompted frames to the others; “matteo models” brings Cutie"
        self.tracker = MethodBox(TRACKER, hint, self._session, group)
        follow = QHBoxLayout()
        follow.addWidget(QLabel("Follow with", group))
        follow.addWidget(self.tracker, 1)
        group.rows.addLayout(follow)
        group.rows.addLayout(row)
        hint = "Choose how masks become mattes: in closed form, or by a network (Alt+M)"
        self._change = named(QPushButton("Change…", group), "inspectorChangeMatting", hint, "Change matting")
        self._change.clicked.connect(self.matting_change_requested)
        made = QHBoxLayout()
        made.setSpacing(6)
        made.addWidget(self._method, 1)
        made.addWidget(self._change, 0, Qt.AlignmentFlag.AlignTop)
        group.rows.addLayout(made)
        return group


def how_it_is_made(document: Document) -> str:
    """The document's methods and at what size they work, in a sentence."""
    methods, (height, width) = document.methods, document.size_hw
    weights = methods.weights
    names = " · ".join([methods.seeder, methods.tracker, methods.matter or "masks only"])
    if weights is None:
        return f"Made with {names}; processed at source resolution, {width}×{height}."
    made = f"Made with {names} (weights {shortened(PurePosixPath(weights.path).name)})"
    if weights.short_side is None or weights.short_side >= min(height, width):
        return f"{made}; the network works at source resolution, {width}×{height}."
    return (
        f"{made}; the network works at {weights.short_side} px short side, mattes are delivered at source "
        f"resolution, {width}×{height}."
    )


def shortened(name: str) -> str:
    """A file's name, without its middle if it is so long that it would widen the panel."""
    return name if len(name) <= MOST_LETTERS else f"{name[: MOST_LETTERS // 2]}…{name[-MOST_LETTERS // 2 + 1 :]}"
