"""Everything that can be done, declared once: menus, toolbar, shortcuts and the `?` overlay come from this list."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QSizePolicy, QToolBar, QToolButton, QWidget

from app.icons import give_icon


@dataclass(frozen=True)
class Situation:
    """What the enablement of actions depends on."""

    is_open: bool = False
    has_active: bool = False
    has_prompt: bool = False
    """The active person was given something on this frame."""
    has_choice: bool = False
    """The seeder offers several masks for it."""
    has_people: bool = False
    """Somebody has a prompt between in and out."""
    working: bool = False
    """A heavy job runs or waits."""
    can_cut: bool = False
    """A cut can be put before this frame."""
    is_cut: bool = False
    """A shot begins at this frame, and not the clip."""
    has_places: bool = False
    """There is something to review."""
    is_flagged: bool = False
    """The active person should be looked at on this frame."""
    has_others: bool = False
    """There is somebody besides the active person."""
    can_undo: bool = False
    can_redo: bool = False


Rule = Callable[[Situation], bool]


def _always(now: Situation) -> bool:
    return True


def _open(now: Situation) -> bool:
    return now.is_open


def _person(now: Situation) -> bool:
    return now.has_active


def _people(now: Situation) -> bool:
    return now.has_people


@dataclass(frozen=True)
class Spec:
    """One action.

    Attributes:
        id: its object name, also of what is triggered.
        text: as in the menu, with its mnemonic.
        menu: the menu it is in; "" for keys only.
        keys: shortcuts; the first is shown.
        icon: name in qtawesome.
        tip: what it does, in a sentence.
        rule: when it can be used.
        group: actions of one group are exclusive and checkable.
        ends: whether a line follows in the menu.
    """

    id: str
    text: str
    menu: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    tip: str = ""
    rule: Rule = _open
    group: str = ""
    ends: bool = False

    @property
    def name(self) -> str:
        """The text without mnemonic and dots."""
        return self.text.replace("&", "").rstrip("…")


FILE, EDIT, PERSON, VIEW, PLAY, JOBS, HELP = "&File", "&Edit", "&Person", "&View", "P&layback", "&Work", "&Help"

SPECS: tuple[Spec, ...] = (
    Spec("open", "&Open clip or project…", FILE, ("Ctrl+O",), "mdi6.movie-open-plus-outline",
         "Open a video, or the project.json of a project.", _always),
    Spec("openFolder", "Open &folder…", FILE, ("Ctrl+Shift+O",), "mdi6.folder-open-outline",
         "Open a project, or a folder of numbered pictures.", _always),
    Spec("openSample", "Open the sa&mple", FILE, (), "mdi6.motion-play-outline",
         "Open the built-in clip with three people.", _always, ends=True),
    Spec("save", "&Save", FILE, ("Ctrl+S",), "mdi6.content-save-outline", "Save the project."),
    Spec("saveAs", "Save &as…", FILE, ("Ctrl+Shift+S",), "", "Save the project under another name.", ends=True),
    Spec("export", "&Export…", FILE, ("Ctrl+E",), "mdi6.export-variant",
         "Write the composite, mattes, cut-outs or masks.", ends=True),
    Spec("quit", "&Quit", FILE, ("Ctrl+Q",), "", "Close Matteo.", _always),
    Spec("undo", "&Undo", EDIT, ("Ctrl+Z",), "mdi6.undo", "Take the last change back.", lambda n: n.can_undo),
    Spec("redo", "&Redo", EDIT, ("Ctrl+Shift+Z", "Ctrl+Y"), "mdi6.redo", "Make the change again.",
         lambda n: n.can_redo, ends=True),
    Spec("setIn", "Set &in here", EDIT, ("I",), "mdi6.ray-start-arrow",
         "Work on the frames from here on."),
    Spec("setOut", "Set &out here", EDIT, ("O",), "mdi6.ray-end-arrow", "Work on the frames up to here."),
    Spec("clearRange", "&Whole clip", EDIT, ("Alt+X",), "", "Work on all frames again.", ends=True),
    Spec("addCut", "Add a &cut here", EDIT, ("Ctrl+K",), "mdi6.content-cut",
         "A new shot begins at this frame; nothing is tracked across.", lambda n: n.can_cut),
    Spec("removeCut", "Re&move this cut", EDIT, ("Ctrl+Shift+K",), "",
         "The shot that begins at this frame goes on from the one before.", lambda n: n.is_cut),
    Spec("pointTool", "&Point tool", PERSON, ("P",), "mdi6.cursor-default-click-outline",
         "Click a person to select it; Alt-click or right-click takes away, a drag draws a box.",
         group="tool"),
    Spec("boxTool", "&Box tool", PERSON, ("B",), "mdi6.vector-square", "Drag a box round the active person.",
         group="tool"),
    Spec("brushTool", "B&rush", PERSON, ("R",), "mdi6.brush",
         "Paint in exactly what belongs to the active person; Alt erases, Shift-click paints a straight line.",
         group="tool"),
    Spec("eraserTool", "&Eraser", PERSON, ("E",), "mdi6.eraser",
         "Take away exactly what does not belong to the active person.", group="tool"),
    Spec("polygonTool", "Pol&ygon", PERSON, ("Y",), "mdi6.vector-polygon",
         "Click corners round what belongs to the active person, double-click to close; begun with Alt it takes away.",
         group="tool"),
    Spec("handTool", "&Hand tool", PERSON, ("H",), "mdi6.hand-back-right-outline",
         "Push the picture around; so does the middle button, or Space while it is held.",
         group="tool", ends=True),
    Spec("brushSmaller", "&Smaller brush", PERSON, ("[",), "", "So does a drag to the left with Ctrl."),
    Spec("brushLarger", "Lar&ger brush", PERSON, ("]",), "", "So does a drag to the right with Ctrl.", ends=True),
    Spec("findPeople", "&Find people", PERSON, ("Ctrl+D",), "mdi6.account-search-outline",
         "Look for people on this frame; each is proposed, and nobody is selected before you accept them."),
    Spec("addPerson", "&Add a person", PERSON, ("Ctrl+Shift+N",), "mdi6.account-plus-outline",
         "The next click selects somebody new."),
    Spec("nextMask", "Another &mask", PERSON, ("Ctrl+Tab",), "mdi6.rotate-3d-variant",
         "Take the next of the masks that the network offers for these prompts.", lambda n: n.has_choice),
    Spec("notHere", "&Not here", PERSON, ("X",), "mdi6.account-off-outline",
         "The active person is not to be seen on this frame.", _person),
    Spec("clearPrompts", "&Clear prompts on this frame", PERSON, ("Delete", "Backspace"), "mdi6.backspace-outline",
         "Take away what the active person was given on this frame.", lambda n: n.has_prompt, ends=True),
    Spec("lock", "&Lock or unlock frames", PERSON, ("Ctrl+L",), "mdi6.lock-outline",
         "Keep the active person as they are in the marked frames (Shift-drag in the lane), or up to the next prompts.",
         _person, ends=True),
    Spec("nextPlace", "Next place to &review", PERSON, ("N",), "mdi6.alert-outline",
         "Go to the next frame where a mask is likely wrong, whoever it is.", lambda n: n.has_places),
    Spec("previousPlace", "Previous place to review", PERSON, ("Shift+N",), "",
         "Go to the frame before where a mask is likely wrong.", lambda n: n.has_places),
    Spec("looksRight", "Looks ri&ght", PERSON, ("V",), "mdi6.check",
         "What is flagged here is right as it is; it is not shown again while these masks stay.",
         lambda n: n.is_flagged),
    Spec("swapFromHere", "S&wap from here…", PERSON, (), "mdi6.swap-horizontal",
         "Exchange the active person with somebody else from this frame on, each up to their next prompt.",
         lambda n: n.has_active and n.has_others, ends=True),
    Spec("previousPerson", "Pre&vious person", PERSON, ("Ctrl+Up",), "", "Make the person before active.", _person),
    Spec("nextPerson", "Ne&xt person", PERSON, ("Ctrl+Down",), "", "Make the next person active.", _person),
    *(
        Spec(f"person{n}", f"Person &{n}", "", (str(n),), tip="Make this person of the list active.", rule=_person)
        for n in range(1, 10)
    ),
    Spec("previousPrompt", "&Previous prompted frame", PERSON, ("Up", "PgUp"), "",
         "Go to where the active person was given something before.", _person),
    Spec("nextPrompt", "Next prompted &frame", PERSON, ("Down", "PgDown"), "",
         "Go to where the active person is given something next.", _person),
    Spec("viewSource", "&Source", VIEW, ("S",), "mdi6.image-outline", "The footage alone; hold Q for a quick look.",
         group="view"),
    Spec("viewOverlay", "&Overlay", VIEW, ("M",), "mdi6.layers-outline", "Everybody's mask over the footage.",
         group="view"),
    Spec("viewMatte", "&Matte", VIEW, ("A",), "mdi6.contrast-circle", "The active person's matte, white is opaque.",
         group="view"),
    Spec("viewCheckerboard", "&Checkerboard", VIEW, ("Shift+C",), "mdi6.checkerboard",
         "The people who are kept, cut out.", group="view"),
    Spec("viewComposite", "Com&posite", VIEW, ("G",), "mdi6.image-multiple-outline", "What will be exported.",
         group="view", ends=True),
    Spec("fit", "&Fit", VIEW, ("F",), "mdi6.fit-to-screen-outline", "Show the whole picture."),
    Spec("actualSize", "&100 %", VIEW, ("Ctrl+1",), "mdi6.numeric-1-box-outline",
         "One pixel of the footage on one of the screen."),
    Spec("zoomIn", "Zoom &in", VIEW, ("Ctrl++", "Ctrl+="), "", "Come closer; so does the wheel."),
    Spec("zoomOut", "Zoom o&ut", VIEW, ("Ctrl+-",), "", "Go back; so does the wheel."),
    Spec("play", "&Play or pause", PLAY, ("Space",), "", "Play at real time, or stay."),
    Spec("playBackward", "Play &backward, again for faster", PLAY, ("J",)),
    Spec("pause", "&Stay", PLAY, ("K",)),
    Spec("playForward", "Play &forward, again for faster", PLAY, ("L",), ends=True),
    Spec("stepBack", "One frame back", PLAY, ("Left", ",")),
    Spec("stepForward", "One frame on", PLAY, ("Right", ".")),
    Spec("stepBack10", "Ten frames back", PLAY, ("Shift+Left",)),
    Spec("stepForward10", "Ten frames on", PLAY, ("Shift+Right",)),
    Spec("goToFirst", "First frame", PLAY, ("Home",)),
    Spec("goToLast", "Last frame", PLAY, ("End",)),
    Spec("previousShot", "Previous cut", PLAY, ("Alt+Up",), "", "Go to where this shot begins, or the one before."),
    Spec("nextShot", "Next cut", PLAY, ("Alt+Down",), "", "Go to where the next shot begins."),
    Spec("goToIn", "Go to in", PLAY, ("Shift+I",)),
    Spec("goToOut", "Go to out", PLAY, ("Shift+O",)),
    Spec("track", "&Track", JOBS, ("Ctrl+T",), "mdi6.vector-polyline",
         "Carry the selections through the range, both ways.", _people),
    Spec("matte", "&Matte", JOBS, ("Ctrl+M", "Ctrl+Shift+M"), "mdi6.circle-opacity",
         "Turn the masks into soft mattes; tracks first where needed.", _people),
    Spec("plate", "Build the &plate", JOBS, (), "mdi6.image-outline",
         "Find the background behind the people.", _people),
    Spec("matting", "Mattin&g…", JOBS, ("Alt+M",), "mdi6.tune-variant",
         "Choose how masks become mattes: in closed form, or by a network."),
    Spec("models", "Mo&dels…", JOBS, (), "mdi6.package-variant-closed",
         "Learned models that others made: their licences, and how they come here.", _always, ends=True),
    Spec("cancel", "&Cancel", JOBS, ("Esc",), "mdi6.stop-circle-outline",
         "Stop what is running; what is finished stays.", lambda n: n.working),
    Spec("shortcuts", "&Keyboard shortcuts", HELP, ("?",), "mdi6.keyboard-outline",
         "What can be done with keys.", _always),
)  # fmt: skip


def is_single_key(keys: str) -> bool:
    """Whether a shortcut would take a key away from text fields."""
    return not any(modifier in keys for modifier in ("Ctrl", "Alt", "F1"))


class Actions:
    """The list as Qt actions. Single keys act only while one of ``places`` has the focus."""

    def __init__(self, window: QWidget, handlers: dict[str, Callable[[], object]], places: Iterable[QWidget]) -> None:
        self._by_id: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        for spec in SPECS:
            action = self._make(window, spec)
            action.triggered.connect(lambda _checked=False, run=handlers[spec.id]: run())
            single = any(is_single_key(keys) for keys in spec.keys)
            action.setShortcutContext(
                Qt.ShortcutContext.WidgetWithChildrenShortcut if single else Qt.ShortcutContext.WindowShortcut
            )
            for place in places if single else [window]:
                place.addAction(action)

    def __getitem__(self, action_id: str) -> QAction:
        return self._by_id[action_id]

    def _make(self, window: QWidget, spec: Spec) -> QAction:
        action = QAction(spec.text, window)
        action.setObjectName(f"action_{spec.id}")
        action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
        action.setIconText(spec.name)
        action.setToolTip(f"{spec.name}{f'  ({shown_keys(spec.keys[0])})' if spec.keys else ''}\n{spec.tip}".rstrip())
        action.setStatusTip(spec.tip)
        if spec.icon:
            give_icon(action, spec.icon)
        if spec.group:
            action.setCheckable(True)
            if spec.group not in self._groups:
                self._groups[spec.group] = QActionGroup(window)
            self._groups[spec.group].addAction(action)
        self._by_id[spec.id] = action
        return action

    def update(self, now: Situation) -> None:
        """Enable what can be used now."""
        for spec in SPECS:
            self._by_id[spec.id].setEnabled(spec.rule(now))

    def fill_menus(self, bar: QMenuBar) -> None:
        menus: dict[str, QMenu] = {}
        for spec in (spec for spec in SPECS if spec.menu):
            if spec.menu not in menus:
                menus[spec.menu] = bar.addMenu(spec.menu)
                menus[spec.menu].setObjectName(f"menu_{spec.menu.replace('&', '').lower()}")
            menus[spec.menu].addAction(self._by_id[spec.id])
            if spec.ends:
                menus[spec.menu].addSeparator()

    def fill_toolbar(self, bar: QToolBar) -> None:
        """What is needed all the time: tools and views to the left, the work in its order to the right."""
        for place, names in enumerate(_TOOLBAR):
            if names is _TOOLBAR[-1]:
                space = QWidget()
                space.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
                bar.addWidget(space)
            elif place:
                bar.addSeparator()
            for name in names:
                self._add_button(bar, name, with_text=names in _TOOLBAR[-2:])

    def _add_button(self, bar: QToolBar, name: str, *, with_text: bool) -> None:
        action = self._by_id[name]
        bar.addAction(action)
        button = bar.widgetForAction(action)
        assert isinstance(button, QToolButton)
        button.setObjectName(f"tool_{name}")
        button.setAccessibleName(action.iconText())
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        if with_text:
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)


_TOOLBAR = (
    ("open", "save"),
    ("undo", "redo"),
    ("pointTool", "boxTool", "brushTool", "eraserTool", "polygonTool", "handTool"),
    ("findPeople",),
    ("fit", "actualSize"),
    ("viewSource", "viewOverlay", "viewMatte", "viewCheckerboard", "viewComposite"),
    ("track", "matte", "export"),
)


def shown_keys(keys: str) -> str:
    """A shortcut as this system writes it."""
    return QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
