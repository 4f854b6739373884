"""The main window: widgets put in their places and connected. What happens is decided elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Property, QRectF, QSize, Qt
from PySide6.QtGui import QCloseEvent, QCursor, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QLabel,
    QMainWindow,
    QSplitter,
    QStackedWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from app.actions import Actions, Situation
from app.cutting import Cutting
from app.editing import Editing
from app.export_dialog import ExportDialog
from app.finding import Finding
from app.frames import FrameServer
from app.inspector import Inspector
from app.job import Jobs
from app.job_strip import JobStrip
from app.locking import Locking
from app.matting_dialog import MattingDialog
from app.message_bar import MessageBar
from app.method_choice import SEEDER, TRACKER, MethodChoice
from app.models import Models
from app.models_dialog import ModelsDialog
from app.opening import load_engine, unsaved_projects
from app.people import PeoplePanel
from app.project_files import ProjectFiles
from app.returning import Returning
from app.reviewing import Reviewing
from app.selecting import Selecting
from app.session import Session
from app.shortcut_overlay import ShortcutOverlay
from app.stages import ExportOrder
from app.start_page import StartPage
from app.status import Status
from app.status_line import StatusLine
from app.thumbnails import Thumbnails
from app.timeline.cuts import can_cut
from app.timeline.timeline import Timeline
from app.tools.proposals import Offers, ProposalGesture
from app.transport import Transport
from app.viewer import STEP, Tool, Viewer
from app.views import View
from app.work import Work, explain
from matting.project.document import Document
from matting.seeding.drawing import Polygon, Stroke
from matting.seeding.names import offers_masks

LAST = -20
"""Priority of what may wait for everything else."""


class MainWindow(QMainWindow):
    """One project in one window."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.setWindowTitle("Matteo")
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self._leaving = False
        self._peeking: View | None = None
        self.session, self.jobs = Session(self), Jobs(self)
        self._central = QWidget()
        self.setCentralWidget(self._central)
        self.messages = MessageBar(self._central)
        self.frames = FrameServer(self.session, self.jobs, self)
        self.work = Work(self.session, self.jobs, self.messages, self)
        self.models = Models(self.jobs, self)
        self.files = ProjectFiles(self.session, self.jobs, self.messages, self)
        self._editing = Editing(self.session, self.jobs, self.messages, self)
        self._locking = Locking(self.session, self.jobs, self.messages, self)
        self._reviewing = Reviewing(self.session, self.jobs, self.messages, self)
        self._returning = Returning(self.session, self.jobs, self.messages, self._reviewing, self)
        self._finding = Finding(self.session, self.jobs, self.messages, lambda: self.work.device, self)
        self._cutting = Cutting(self.session, self.jobs, self.messages, self)
        self._seeder_choice = MethodChoice(SEEDER, self.session, self.jobs, self)
        self._tracker_choice = MethodChoice(TRACKER, self.session, self.jobs, self)
        self._selecting = Selecting(self.session, self.jobs, lambda: self.work.device, self)
        self._thumbnails = Thumbnails(self.session, self.jobs, self)
        self.viewer, self._timeline = Viewer(self.session), Timeline(self.session)
        self._transport, self._people = Transport(self.session), PeoplePanel(self.session)
        self._inspector, self._start = Inspector(self.session), StartPage()
        self._overlay = ShortcutOverlay(self)
        self._lay_out()
        self.actions_by_id = Actions(self, self._handlers(), (self.viewer, self._timeline))
        self._fill_bars()
        self._connect()
        self._on_opened()

    def _is_busy(self) -> bool:
        return not self.jobs.idle

    busy = Property(bool, _is_busy)
    """Whether anything is being made; tests wait for its end."""

    # -- layout ------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        side = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        side.setObjectName("sideSplitter")
        side.addWidget(self._people)
        side.addWidget(self._inspector)
        side.setStretchFactor(1, 1)
        side.setSizes([240, 560])
        picture = QWidget()
        column = QVBoxLayout(picture)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.viewer, 1)
        column.addWidget(self._transport)
        middle = QSplitter(Qt.Orientation.Vertical, childrenCollapsible=False)
        middle.setObjectName("middleSplitter")
        middle.addWidget(picture)
        middle.addWidget(self._timeline)
        middle.setStretchFactor(0, 1)
        middle.setSizes([600, 230])
        editor = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        editor.setObjectName("editorSplitter")
        editor.addWidget(middle)
        editor.addWidget(side)
        editor.setStretchFactor(0, 1)
        editor.setSizes([1120, 320])
        # A click on a button must not take the keys away from the viewer.
        for button in editor.findChildren(QAbstractButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._start)
        self._pages.addWidget(editor)
        self._editor = editor
        outer = QVBoxLayout(self._central)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._pages)

    def _fill_bars(self) -> None:
        self.actions_by_id.fill_menus(self.menuBar())
        bar = QToolBar("Tools", movable=False)
        bar.setObjectName("toolbar")
        bar.setIconSize(QSize(20, 20))
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.actions_by_id.fill_toolbar(bar)
        self.addToolBar(bar)
        self.statusBar().setSizeGripEnabled(False)
        self._line = StatusLine(self.session)
        self._zoom = QLabel()
        self._zoom.setObjectName("zoom")
        self._zoom.setContentsMargins(8, 0, 12, 0)
        self._zoom.setToolTip("Zoom: screen pixels per picture pixel")
        self.statusBar().addWidget(self._line, 1)
        self.statusBar().addPermanentWidget(self._zoom)
        self.statusBar().addPermanentWidget(JobStrip(self.jobs))
        self.actions_by_id["pointTool"].setChecked(True)
        self.actions_by_id["viewOverlay"].setChecked(True)

    # -- wiring ------------------------------------------------------------------------------------------------------

    def _handlers(self) -> dict[str, Callable[[], object]]:
        session, transport, editing = self.session, self._transport, self._editing
        views = {f"view{view.title()}": view for view in View}
        return {
            "open": self.files.ask_open,
            "openFolder": self.files.ask_open_folder,
            "openSample": self.files.open_sample,
            "save": self.files.save,
            "saveAs": self.files.save_as,
            "export": self._ask_export,
            "quit": self.close,
            "undo": session.undo_stack.undo,
            "redo": session.undo_stack.redo,
            "setIn": self._timeline.set_in_here,
            "setOut": self._timeline.set_out_here,
            "clearRange": self._timeline.clear_range,
            "addCut": self._cutting.add_here,
            "removeCut": self._cutting.remove_here,
            "pointTool": lambda: self.viewer.set_tool(Tool.POINT),
            "boxTool": lambda: self.viewer.set_tool(Tool.BOX),
            "brushTool": lambda: self.viewer.set_tool(Tool.BRUSH),
            "eraserTool": lambda: self.viewer.set_tool(Tool.ERASER),
            "polygonTool": lambda: self.viewer.set_tool(Tool.POLYGON),
            "brushSmaller": lambda: self.viewer.resize_brush(-1),
            "brushLarger": lambda: self.viewer.resize_brush(1),
            "handTool": lambda: self.viewer.set_tool(Tool.HAND),
            "findPeople": self._find_people,
            "addPerson": self._people.add_person,
            "nextMask": editing.next_candidate,
            "notHere": editing.not_here,
            "clearPrompts": editing.clear_prompts,
            "lock": lambda: self._locking.toggle(self._timeline.marked),
            "nextPlace": lambda: self._reviewing.go(1),
            "previousPlace": lambda: self._reviewing.go(-1),
            "looksRight": lambda: self._reviewing.looks_right(session.active_id, session.frame),
            "swapFromHere": lambda: self._reviewing.ask_swap(self, QCursor.pos()),
            "previousPerson": lambda: editing.cycle(-1),
            "nextPerson": lambda: editing.cycle(1),
            **{f"person{n}": lambda n=n: editing.activate_place(n) for n in range(1, 10)},  # type: ignore[misc]
            "previousPrompt": lambda: editing.go_to_prompt(-1),
            "nextPrompt": lambda: editing.go_to_prompt(1),
            **{name: lambda view=view: self._set_view(view) for name, view in views.items()},  # type: ignore[misc]
            "fit": self.viewer.fit,
            "actualSize": self.viewer.actual_size,
            "zoomIn": lambda: self.viewer.zoom(STEP),
            "zoomOut": lambda: self.viewer.zoom(1 / STEP),
            "play": transport.toggle,
            "playBackward": transport.play_backward,
            "pause": transport.pause,
            "playForward": transport.play_forward,
            "stepBack": lambda: transport.step(-1),
            "stepForward": lambda: transport.step(1),
            "stepBack10": lambda: transport.step(-10),
            "stepForward10": lambda: transport.step(10),
            "goToFirst": transport.go_to_first,
            "goToLast": transport.go_to_last,
            "previousShot": lambda: self._cutting.go_to_shot(-1),
            "nextShot": lambda: self._cutting.go_to_shot(1),
            "goToIn": editing.go_to_in,
            "goToOut": editing.go_to_out,
            "track": lambda: self._cutting.when_known(self.work.track),
            "matte": lambda: self._cutting.when_known(self.work.matte),
            "plate": lambda: self._cutting.when_known(self.work.plate),
            "matting": self._ask_matting,
            "models": self._show_models,
            "cancel": self.jobs.cancel_heavy,
            "shortcuts": self._overlay.pop_up,
        }

    def _connect(self) -> None:
        session, viewer = self.session, self.viewer
        session.opened.connect(self._on_opened)
        session.moved.connect(self._update_title)
        session.changed.connect(self._on_changed)
        session.results_changed.connect(self.frames.refresh)
        session.frame_changed.connect(self._on_frame_changed)
        session.active_changed.connect(self._update_actions)
        session.undo_stack.indexChanged.connect(self._update_actions)
        session.undo_stack.cleanChanged.connect(self._update_title)
        self.frames.shown.connect(viewer.show_picture)
        self.frames.failed.connect(lambda error: self.messages.error(explain("Showing the frame", error)))
        self._selecting.done.connect(self.frames.refresh)  # it tells nothing new of how far anybody is
        self._selecting.busy_changed.connect(viewer.busy.set_text)
        self._selecting.answered.connect(self._line.show_answer)
        self._selecting.noticed.connect(self.messages.warn)
        self._selecting.failed.connect(lambda error: self.messages.error(explain("Selecting", error)))
        self.work.status_changed.connect(self._on_status)
        self.models.brought.connect(lambda known: self.messages.note(f"{known.title} is installed."))
        self.models.brought.connect(self._seeder_choice.look)
        self.models.failed.connect(lambda known, why: self.messages.error(why))
        self._timeline.thumbnails_wanted.connect(self._thumbnails.ask)
        self._timeline.lock_asked.connect(self._locking.lock)
        self._timeline.unlock_asked.connect(self._locking.unlock)
        self._timeline.right_said.connect(self._reviewing.looks_right)
        self._timeline.swap_asked.connect(self._reviewing.swap)
        self._reviewing.changed.connect(self._on_places_changed)
        self._cutting.looking.connect(self._line.show_search)
        self._thumbnails.made.connect(self._timeline.set_thumbnail)
        viewer.point_given.connect(self._on_point)
        viewer.box_given.connect(self._on_box)
        viewer.drawing_given.connect(self._on_drawing)
        viewer.drawing_begun.connect(self._transport.pause)
        finding, returning = self._finding, self._returning
        found = Offers(lambda: finding.boxes, finding.accept, finding.dismiss, covered=self._covered)
        back = Offers(
            lambda: returning.boxes if viewer.is_current else {},
            returning.accept,
            returning.dismiss,
            returning.label,
            self._covered,
        )
        viewer.set_over(ProposalGesture(viewer, found), ProposalGesture(viewer, back))
        finding.changed.connect(viewer.update)
        returning.changed.connect(viewer.update)
        self.messages.changed.connect(viewer.update)
        viewer.space_tapped.connect(self._transport.toggle)
        viewer.peeked.connect(self._on_peeked)
        viewer.zoomed.connect(lambda density: self._zoom.setText(f"{density * 100:.0f} %"))
        viewer.pointed_at.connect(self._line.show_place)
        viewer.pointed_at.connect(self._selecting.get_ready)
        self._transport.playing_changed.connect(self._on_playing)
        self._inspector.track_requested.connect(self.actions_by_id["track"].trigger)
        self._inspector.matte_requested.connect(self.actions_by_id["matte"].trigger)
        self._inspector.plate_requested.connect(self.actions_by_id["plate"].trigger)
        self._inspector.matting_change_requested.connect(self._ask_matting)
        self._inspector.seeder.chosen.connect(self._seeder_choice.choose)
        self._seeder_choice.installed.connect(self._inspector.seeder.set_installed)
        self._seeder_choice.failed.connect(lambda error: self.messages.error(explain("Choosing the seeder", error)))
        self._inspector.tracker.chosen.connect(self._tracker_choice.choose)
        self._tracker_choice.installed.connect(self._inspector.tracker.set_installed)
        self._tracker_choice.failed.connect(lambda error: self.messages.error(explain("Choosing the tracker", error)))
        self.models.brought.connect(self._tracker_choice.look)
        self.jobs.started.connect(self._on_jobs_changed)
        self.jobs.ended.connect(self._on_jobs_changed)
        self._start.open_asked.connect(self.files.ask_open)
        self._start.folder_asked.connect(self.files.ask_open_folder)
        self._start.sample_asked.connect(self.files.open_sample)
        self._start.recover_asked.connect(self.files.open)

    def _covered(self) -> QRectF:
        return self.messages.over(self.viewer)

    def look_for_unsaved(self) -> None:
        """Offer what a crash left behind, and see which models are here."""
        self.models.look_up()
        self.jobs.start("Looking for unsaved projects", lambda ctx: unsaved_projects(), done=self._start.show_unsaved)

    def _on_opened(self) -> None:
        is_open = self.session.is_open
        self._pages.setCurrentWidget(self._editor if is_open else self._start)
        self._line.setVisible(is_open)
        self._zoom.setVisible(is_open)
        self._update_title()
        self._update_actions()
        if is_open:
            self.viewer.setFocus()
            self.frames.request()
            self._selecting.select()
            self.jobs.start("Loading the engine", load_engine, priority=LAST)

    def _on_changed(self, before: Document, after: Document) -> None:
        self._on_places_changed()
        if not self._selecting.follow(before, after):
            self.frames.refresh()

    def _on_frame_changed(self) -> None:
        self._update_actions()
        if not self._transport.speed:
            self._selecting.select()

    def _on_status(self, status: Status) -> None:
        self._timeline.set_states(status.lanes)
        self._people.set_states(status.words)
        self._editing.set_tracked(status.lanes)
        self._reviewing.set_queue(status.queue)

    def _on_places_changed(self) -> None:
        self._timeline.set_reviews(self._reviewing.marks())
        self._line.show_review(self._reviewing.count)
        self._update_actions()

    def _on_point(self, x: float, y: float, label: int) -> None:
        self._show_masks()
        self._editing.add_point(x, y, label)

    def _on_box(self, box: tuple[float, float, float, float]) -> None:
        self._show_masks()
        self._editing.add_box(box)

    def _on_drawing(self, drawing: Stroke | Polygon) -> None:
        self._show_masks()
        self._editing.add_drawing(drawing)

    def _find_people(self) -> None:
        self._show_masks()
        self._finding.find()

    def _show_masks(self) -> None:
        """Who clicks wants to see what the click selects."""
        self._transport.pause()
        if self.frames.view is not View.OVERLAY:
            self.actions_by_id["viewOverlay"].trigger()

    def _set_view(self, view: View) -> None:
        self._peeking = None
        self.frames.set_view(view)

    def _on_peeked(self, peeking: bool) -> None:
        if peeking and self._peeking is None:
            self._peeking = self.frames.view
            self.frames.set_view(View.SOURCE)
        elif not peeking and self._peeking is not None:
            self.frames.set_view(self._peeking)
            self._peeking = None

    def _on_playing(self, playing: bool) -> None:
        speed = self._transport.speed if playing else 0
        self.frames.set_ahead((speed > 0) - (speed < 0))
        if not playing:
            self._selecting.select()

    def _on_jobs_changed(self) -> None:
        self._inspector.set_busy(bool(self.jobs.heavy))
        self._update_actions()

    def _ask_export(self) -> None:
        ExportDialog(self.session, self._export, self).open()

    def _export(self, order: ExportOrder) -> None:
        self._cutting.when_known(lambda: self.work.export(order))

    def _ask_matting(self) -> None:
        dialog = MattingDialog(self.session, self.models, self.work.device, self.work.choose_matting, self)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show_models(self) -> None:
        dialog = ModelsDialog(self.models, self)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _update_actions(self) -> None:
        session = self.session
        active = session.active
        document = session.document if session.is_open else None
        self.actions_by_id.update(
            Situation(
                is_open=session.is_open,
                has_active=active is not None,
                has_prompt=active is not None and active.prompt_at(session.frame) is not None,
                has_choice=document is not None
                and offers_masks(document.methods.seeder)
                and active is not None
                and (prompt := active.prompt_at(session.frame)) is not None
                and prompt.seeds,
                has_people=document is not None
                and any(p.frame in document.frames for i in document.instances for p in i.prompts),
                working=bool(self.jobs.heavy),
                can_cut=document is not None and can_cut(document, session.frame),
                is_cut=document is not None and session.frame in (document.cuts or ()),
                has_places=bool(self._reviewing.count),
                is_flagged=active is not None and self._reviewing.is_flagged(active.id, session.frame),
                has_others=document is not None and len(document.instances) > 1,
                can_undo=session.undo_stack.canUndo(),
                can_redo=session.undo_stack.canRedo(),
            )
        )

    def _update_title(self) -> None:
        session = self.session
        self.setWindowModified(session.is_open and not session.undo_stack.isClean())
        if session.project is None or session.clip is None:
            self.setWindowTitle("Matteo")
            return
        name = f"{session.clip.info.path.name} (not saved yet)" if session.untitled else session.project.folder.name
        self.setWindowTitle(f"{name}[*] — Matteo")

    # -- drop and close ----------------------------------------------------------------------------------------------

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if len(event.mimeData().urls()) == 1 and event.mimeData().urls()[0].isLocalFile():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.files.open(Path(event.mimeData().urls()[0].toLocalFile()))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._leaving or not self.files.unsaved:
            self._leaving = True
            self.files.let_go()
            self.shut_down()
            event.accept()
        else:
            event.ignore()
            self.files.leave(self._leave)

    def _leave(self) -> None:
        self._leaving = True
        self.close()

    def shut_down(self) -> None:
        """Stop everything that works and wait for it."""
        self.hide()
        self.session.rest()  # a job that starts after the pools were waited for would hold up their end for good
        self.jobs.shut_down()
        self._selecting.shut_down()
        self.work.shut_down()
        self.models.shut_down()
        self.frames.close()

    def interrupt(self) -> None:
        """End at once, but so that nothing is lost: what is not saved comes back next time."""
        self._leaving = True
        self.files.keep_for_later()
        self.shut_down()
