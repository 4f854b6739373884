"""The inspector's look group: what is done to the active person."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from app.icons import give_icon
from app.inspector_fields import ColorField, Group, SliderField, hint_label
from app.naming import named
from app.session import Session
from matting.compositing.looks import Blur, Keep, Look, Recolor, Remove

DEFAULT_COLOR = "#2F6FED"
SLIDER_RADIUS_PX = 100.0
_DEFAULTS: dict[str, Look] = {
    "keep": Keep(),
    "remove": Remove(),
    "recolor": Recolor(color=DEFAULT_COLOR),
    "blur": Blur(),
}
_KINDS = (
    ("keep", "lookKeep", "mdi6.account", "Keep", "Keep: leave this person as filmed"),
    ("remove", "lookRemove", "mdi6.account-off-outline", "Remove", "Remove: show the background in their place"),
    ("recolor", "lookRecolor", "mdi6.palette", "Recolour", "Recolour: another hue, the same shading and texture"),
    ("blur", "lookBlur", "mdi6.blur", "Blur", "Blur: make this person unrecognisable"),
)
_ADVICE = {
    "keep": "Left exactly as filmed.",
    "remove": "Taken out; the plate shows in their place.",
}


class LookGroup(Group):
    """Four exclusive buttons and the fields of the chosen one."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__("Look", "inspectorLook", parent)
        self._session = session
        self._last: dict[tuple[int, str], Look] = {}
        self._buttons: dict[str, QToolButton] = {}
        self.rows.addLayout(self._kind_buttons())
        self._advice = hint_label("lookAdvice", self)
        self._color = ColorField("Colour", "recolor", DEFAULT_COLOR, self)
        self._strength = SliderField(
            "Strength", "recolorStrength", minimum=0, maximum=1, default=Recolor(color=DEFAULT_COLOR).strength,
            unit="%", scale=100, parent=self,
        )  # fmt: skip
        self._radius = SliderField(
            "Radius", "blurRadius", minimum=1, maximum=SLIDER_RADIUS_PX, default=Blur().radius, unit="px", parent=self
        )
        for widget in (self._advice, self._color, self._strength, self._radius):
            self.rows.addWidget(widget)
        self._color.edited.connect(lambda color, gesture: self._change("color", color, gesture))
        self._strength.edited.connect(lambda strength, gesture: self._change("strength", strength, gesture))
        self._radius.edited.connect(lambda radius, gesture: self._change("radius", radius, gesture))
        session.opened.connect(self._last.clear)

    def refresh(self) -> None:
        """Follow the active person."""
        person = self._session.active
        look = person.look if person is not None else Keep()
        if person is not None:
            self._last[person.id, look.kind] = look
        self._buttons[look.kind].setChecked(True)
        self._advice.setText(_ADVICE.get(look.kind, "") if person is not None else "")
        self._advice.setVisible(look.kind in _ADVICE and person is not None)
        self._color.setVisible(isinstance(look, Recolor))
        self._strength.setVisible(isinstance(look, Recolor))
        self._radius.setVisible(isinstance(look, Blur))
        if isinstance(look, Recolor):
            self._color.show_value(look.color)
            self._strength.show_value(look.strength)
        elif isinstance(look, Blur):
            self._radius.show_value(look.radius)
        self.setEnabled(person is not None)

    def _choose(self, kind: str) -> None:
        person = self._session.active
        if person is not None and kind != person.look.kind:
            # A look comes back with the values it had on this person before.
            self._set(self._last.get((person.id, kind), _DEFAULTS[kind]), f"Look of {person.name}: {kind}")

    def _change(self, field: str, value: object, gesture: str) -> None:
        person = self._session.active
        if person is not None and hasattr(person.look, field):
            look = person.look.model_copy(update={field: value})
            self._set(look, f"{field.capitalize()} of {person.name}", f"{gesture}-{person.id}")

    def _set(self, look: Look, text: str, gesture: str | None = None) -> None:
        person = self._session.active
        assert person is not None
        changed = person.model_copy(update={"look": look})
        self._session.edit(text, self._session.document.with_instance(changed), gesture)

    def _kind_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        exclusive = QButtonGroup(self)
        for kind, name, icon_name, text, hint in _KINDS:
            button = named(QToolButton(self), name, hint, hint.partition(":")[0])
            button.setText(text)
            button.setCheckable(True)
            give_icon(button, icon_name)
            button.setIconSize(QSize(20, 20))
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            button.clicked.connect(partial(self._choose, kind))
            exclusive.addButton(button)
            self._buttons[kind] = button
            row.addWidget(button)
        return row
