"""The inspector's prompt group: what the active person was given on the frame that is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.icons import give_icon, give_picture
from app.inspector_fields import Group, hint_label
from app.lock_spans import refusal
from app.naming import named
from app.prompt_text import describe_drawn
from app.session import Session
from app.theme import BAD, GOOD, TEXT
from matting.project.document import Instance, Prompt

_NONE = "Nothing given on this frame. Click the person with the point tool, or drag a box round them."
_ABSENT = "Said to be out of the picture here."


class PromptGroup(Group):
    """Points, box and drawn mask with a button each to delete them, and "not here"."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Prompts on this frame", "inspectorPrompts", parent)
        self._session = session
        self._shown: tuple[int, int, Prompt] | None = None
        self._list = QVBoxLayout()
        self._list.setSpacing(1)
        self._entries: list[QWidget] = []
        self._hint = hint_label("promptHint", self)
        hint = "Tell the tracker that this person is hidden or out of the picture on this frame"
        self._absent = named(QToolButton(self), "promptAbsent", hint, "Not here on this frame")
        self._absent.setText("Not here on this frame")
        give_icon(self._absent, "mdi6.cancel")
        self._absent.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._absent.setCheckable(True)
        self._absent.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._absent.clicked.connect(self._on_absent)
        self.rows.addLayout(self._list)
        self.rows.addWidget(self._hint)
        self.rows.addWidget(self._absent)

    def refresh(self) -> None:
        """Follow the active person and the playhead."""
        person, frame = self._session.active, self._session.frame
        self.setEnabled(person is not None)
        prompt = person.prompt_at(frame) if person is not None else None
        shown = (person.id, frame, prompt) if person is not None and prompt is not None else None
        if shown != self._shown:  # mostly nothing is given, and playback passes here for every frame
            self._shown = shown
            self._rebuild(prompt)
        absent = prompt is not None and prompt.absent
        locked = refusal(person, frame) if person is not None else ""
        for part in (*self._entries, self._absent):
            part.setEnabled(not locked)
        self._absent.setChecked(absent)
        self._hint.setText(locked or (_ABSENT if absent else _NONE))
        self._hint.setVisible(person is not None and (prompt is None or absent or bool(locked)))

    def _rebuild(self, prompt: Prompt | None) -> None:
        for entry in self._entries:
            self._list.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
        self._entries = []
        if prompt is None:
            return
        for place, (x, y, label) in enumerate(prompt.points):
            what, icon_name, color = (
                ("Include", "mdi6.plus-circle", GOOD) if label else ("Exclude", "mdi6.minus-circle", BAD)
            )
            self._add(
                f"Point-{place}", icon_name, color, f"{what} at {x:.0f}, {y:.0f}", partial(self._drop_point, place)
            )
        if prompt.box is not None:
            x0, y0, x1, y1 = prompt.box
            words = f"Box {x0:.0f}, {y0:.0f} to {x1:.0f}, {y1:.0f}"
            self._add("Box", "mdi6.vector-square", TEXT, words, lambda: self._replace("box", None))
        if prompt.mask is not None:
            self._add("Mask", "mdi6.image-outline", TEXT, "Mask", lambda: self._replace("mask", None))
        if prompt.drawn:
            words = f"Painted: {describe_drawn(prompt)}"
            self._add("Drawn", "mdi6.brush", TEXT, words, lambda: self._replace("drawn", ()))

    def _add(self, name: str, icon_name: str, color: str, words: str, delete: Callable[[], None]) -> None:
        entry = named(QWidget(self), f"prompt{name}")
        mark = QLabel(entry)
        give_picture(mark, icon_name, color, 15)
        button = named(QToolButton(entry), f"delete{name}", f"Delete: {words}", f"Delete: {words}")
        button.setAutoRaise(True)
        give_icon(button, "mdi6.close")
        button.setIconSize(QSize(14, 14))
        button.clicked.connect(delete)
        row = QHBoxLayout(entry)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(mark)
        row.addWidget(QLabel(words, entry), 1)
        row.addWidget(button)
        self._list.addWidget(entry)
        self._entries.append(entry)

    # -- edits -------------------------------------------------------------------------------------------------------

    def _current(self) -> tuple[Instance, Prompt] | None:
        person = self._session.active
        prompt = person.prompt_at(self._session.frame) if person is not None else None
        return (person, prompt) if person is not None and prompt is not None else None

    def _drop_point(self, place: int) -> None:
        if (current := self._current()) is not None:
            points = current[1].points
            self._replace("points", points[:place] + points[place + 1 :])

    def _replace(self, field: str, value: object) -> None:
        """Change one part of the prompt; what then includes nothing goes as a whole, or it would say "not here"."""
        if (current := self._current()) is None:
            return
        person, prompt = current
        rest = prompt.model_copy(update={field: value})
        if field != "drawn":  # other prompts, other masks to choose from
            rest = rest.model_copy(update={"candidate": 0})
        after = person.without_prompt(prompt.frame) if rest.absent else person.with_prompt(rest)
        what = "point" if field == "points" else field
        self._session.edit(f"Delete {what} of {person.name}", self._session.document.with_instance(after))

    def _on_absent(self, absent: bool) -> None:
        person, frame = self._session.active, self._session.frame
        if person is None:
            return
        after = person.with_prompt(Prompt(frame=frame)) if absent else person.without_prompt(frame)
        text = f"{person.name} is {'not ' if absent else ''}here on frame {frame}"
        self._session.edit(text, self._session.document.with_instance(after))
