"""The list of people: who they are, what is done to them, and how far they are."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.icons import give_icon, give_picture
from app.naming import named
from app.palette import person_color, text_on
from app.session import Session
from app.theme import ACCENT, FAINT, RAISED, TEXT
from matting.compositing.looks import Blur, Look, Recolor, Remove
from matting.project.document import MAX_INSTANCES, Document, Instance

NAME_LENGTH = 80
_EMPTY = "No people yet. Click a person in the viewer, or let Matteo find people (Ctrl+D)."
_CLOSED = "Open a clip to select people in it."
_STYLE = f"""
#peopleList, #peopleRows {{ background: transparent; border: none; }}
PersonRow {{ border: 1px solid transparent; border-radius: 5px; }}
PersonRow:hover {{ background: #303030; }}
PersonRow[active="true"] {{ background: {RAISED}; }}
PersonRow:focus {{ border-color: {ACCENT}; }}
PersonRow QLineEdit {{ padding: 1px 4px; }}
PersonRow QLineEdit:read-only {{ background: transparent; border-color: transparent; padding: 1px 4px; color: {TEXT}; }}
"""


class PeoplePanel(QWidget):
    """Follows the session's people; click to activate, double-click or F2 to rename."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("people")
        self.setAccessibleName("People")
        self.setStyleSheet(_STYLE)
        self._session = session
        self._rows: dict[int, PersonRow] = {}
        self._states: dict[int, str] = {}
        self._lay_out()
        session.opened.connect(self._rebuild)
        session.changed.connect(self._on_changed)
        session.active_changed.connect(self._show_active)
        self._rebuild()

    def set_states(self, states: dict[int, str]) -> None:
        """Say in a few words how far each person is, by instance id."""
        self._states = dict(states)
        for instance_id, row in self._rows.items():
            row.set_state(states.get(instance_id, ""))

    def add_person(self) -> None:
        """Add a person and make them the active one."""
        if self._session.is_open and self._session.document.next_id <= MAX_INSTANCES:
            person = self._session.document.new_instance()
            self._session.edit(f"Add {person.name}", self._session.document.with_instance(person))
            self._session.set_active(person.id)

    def delete_person(self) -> None:
        """Delete the active person with their prompts; undo brings both back."""
        person = self._session.active
        if person is not None:
            self._session.edit(f"Delete {person.name}", self._session.document.without_instance(person.id))

    def rename_active(self) -> None:
        """Begin to type the active person's name."""
        if self._session.active_id in self._rows:
            self._rows[self._session.active_id].begin_rename()

    # -- following the session ---------------------------------------------------------------------------------------

    def _on_changed(self, before: Document, after: Document) -> None:
        if [one.id for one in before.instances] != [one.id for one in after.instances]:
            self._rebuild()
        else:
            for person in after.instances:
                self._rows[person.id].show_person(person)

    def _rebuild(self) -> None:
        people = self._session.document.instances if self._session.is_open else ()
        had_focus = any(row.hasFocus() for row in self._rows.values())
        for row in self._rows.values():
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        self._rows = {}
        for place, person in enumerate(people):
            row = PersonRow(person, self._area.widget())
            row.activated.connect(self._session.set_active)
            row.moved.connect(self._step)
            row.renamed.connect(self._on_renamed)
            row.deleted.connect(self.delete_person)
            row.set_state(self._states.get(person.id, ""))
            self._list.insertWidget(place, row)
            self._rows[person.id] = row
        self._hint.setText(_EMPTY if self._session.is_open else _CLOSED)
        self._hint.setVisible(not people)
        self._show_active()
        if had_focus and self._session.active_id in self._rows:
            self._rows[self._session.active_id].setFocus()

    def _show_active(self) -> None:
        for instance_id, row in self._rows.items():
            row.set_active(instance_id == self._session.active_id)
        if self._session.active_id in self._rows:
            self._area.ensureWidgetVisible(self._rows[self._session.active_id], 0, 4)
        is_open = self._session.is_open
        self._add.setEnabled(is_open and self._session.document.next_id <= MAX_INSTANCES)
        self._delete.setEnabled(self._session.active is not None)

    def _step(self, by: int) -> None:
        """Activate the next or the previous person, for the arrow keys."""
        ids = list(self._rows)
        place = min(max(ids.index(self._session.active_id) + by, 0), len(ids) - 1)
        self._session.set_active(ids[place])
        self._rows[ids[place]].setFocus()

    def _on_renamed(self, instance_id: int, name: str) -> None:
        person = self._session.document.instance(instance_id)
        renamed = person.model_copy(update={"name": name})
        self._session.edit(f"Rename {person.name} to {name}", self._session.document.with_instance(renamed))

    # -- layout ------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        rows = named(QWidget(), "peopleRows")
        self._list = QVBoxLayout(rows)
        self._list.setContentsMargins(6, 6, 6, 6)
        self._list.setSpacing(2)
        self._hint = named(QLabel(rows), "peopleHint")
        self._hint.setWordWrap(True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._hint.setStyleSheet(f"color: {FAINT}; padding: 12px;")
        self._list.addWidget(self._hint)
        self._list.addStretch(1)
        self._area = named(QScrollArea(self), "peopleList")
        self._area.setWidgetResizable(True)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setWidget(rows)
        hint = "Add a person, then click them in the viewer"
        self._add = named(QPushButton("Add person", self), "addPerson", hint)
        give_icon(self._add, "mdi6.account-plus")
        self._add.clicked.connect(self.add_person)
        hint = "Delete the active person and their prompts (undo brings them back)"
        self._delete = named(QPushButton("Delete", self), "deletePerson", hint, "Delete person")
        give_icon(self._delete, "mdi6.delete-outline")
        self._delete.clicked.connect(self.delete_person)
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 2, 8, 8)
        buttons.addWidget(self._add, 1)
        buttons.addWidget(self._delete)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._area, 1)
        column.addLayout(buttons)


class PersonRow(QFrame):
    """One person: colour and number, name over state, look."""

    activated = Signal(int)
    renamed = Signal(int, str)
    moved = Signal(int)
    """An arrow key: 1 for the person below, -1 for the one above."""
    deleted = Signal()

    def __init__(self, person: Instance, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._person = person
        self.setObjectName(f"person-{person.id}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        color = person_color(person.id)
        self._badge = QLabel(str(person.id), self, alignment=Qt.AlignmentFlag.AlignCenter)
        self._badge.setFixedSize(26, 26)
        self._badge.setStyleSheet(
            f"background: {color.name()}; color: {text_on(color).name()}; border-radius: 5px; font-weight: bold;"
        )
        self._name = named(QLineEdit(self), f"personName-{person.id}", "Double-click or F2 to rename")
        self._name.setReadOnly(True)
        self._name.setMaxLength(NAME_LENGTH)
        self._name.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._name.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._name.installEventFilter(self)
        self._name.editingFinished.connect(self._end_rename)
        self._state = named(QLabel(self), f"personState-{person.id}")
        self._state.setStyleSheet(f"color: {FAINT}; padding-left: 4px;")
        self._look = named(QLabel(self), f"personLook-{person.id}")
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(self._name)
        words.addWidget(self._state)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 5, 10, 5)
        row.setSpacing(6)
        row.addWidget(self._badge)
        row.addLayout(words, 1)
        row.addWidget(self._look)
        self.show_person(person)

    def show_person(self, person: Instance) -> None:
        """Follow the document."""
        self._person = person
        if self._name.isReadOnly() and self._name.text() != person.name:
            self._name.setText(person.name)
            self._name.setCursorPosition(0)
        self.setAccessibleName(f"Person {person.id}: {person.name}")
        name, color, words = _look_icon(person.look)
        give_picture(self._look, name, color, 18)
        self._look.setToolTip(words)
        self._look.setAccessibleName(words)

    def set_state(self, words: str) -> None:
        self._state.setText(words or "not tracked")
        self.setAccessibleDescription(words)

    def set_active(self, active: bool) -> None:
        self.setProperty("active", active)
        self.style().unpolish(self)
        self.style().polish(self)

    def begin_rename(self) -> None:
        """Make the name a text field; Enter keeps, Escape leaves as it was."""
        self._name.setReadOnly(False)
        self._name.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._name.setFocus()
        self._name.selectAll()

    def _end_rename(self) -> None:
        if self._name.isReadOnly():
            return
        name = self._name.text().strip()
        self._name.setReadOnly(True)
        self._name.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._name.deselect()
        self.setFocus()
        if name and name != self._person.name:
            self.renamed.emit(self._person.id, name)
        self.show_person(self._person)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The name takes the mouse like the rest of the row until it is being typed."""
        if self._name.isReadOnly():
            if isinstance(event, QMouseEvent):
                if event.type() == QEvent.Type.MouseButtonPress:
                    self.mousePressEvent(event)
                elif event.type() == QEvent.Type.MouseButtonDblClick:
                    self.begin_rename()
                return True
        elif isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self._name.setText(self._person.name)
                self._end_rename()
            event.accept()  # also the question whether it is a shortcut: it is not, while a name is typed
            return True
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.setFocus()
        self.activated.emit(self._person.id)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.begin_rename()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F2:
            self.activated.emit(self._person.id)
            self.begin_rename()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.activated.emit(self._person.id)
        elif event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.moved.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        elif event.key() == Qt.Key.Key_Delete:
            self.activated.emit(self._person.id)
            self.deleted.emit()
        else:
            super().keyPressEvent(event)


def _look_icon(look: Look) -> tuple[str, str, str]:
    """Icon, its colour, and words for what is done to a person."""
    if isinstance(look, Remove):
        return "mdi6.account-off-outline", TEXT, "Removed"
    if isinstance(look, Recolor):
        visible = look.color if QColor(look.color).lightnessF() > 0.25 else TEXT
        return "mdi6.palette", visible, f"Recoloured to {look.color}"
    if isinstance(look, Blur):
        return "mdi6.blur", TEXT, "Blurred"
    return "mdi6.account", FAINT, "Kept as filmed"
