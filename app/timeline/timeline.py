"""The timeline widget: strips over one axis, scroll bars, zoom buttons, and what they mean for the session."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QImage, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QScrollBar, QToolButton, QWidget

from app.icons import give_icon
from app.naming import named
from app.session import Session
from app.timeline.axis import GUTTER_PX, Axis
from app.timeline.film import Filmstrip
from app.timeline.lanes import LANE_PX, Lanes, LaneSpan
from app.timeline.review_marks import ReviewMark
from app.timeline.ruler import Ruler

ZOOM_STEP = 1.6


class Timeline(QWidget):
    """Ruler, filmstrip and lanes of what the session holds."""

    frame_requested = Signal(int)
    """The artist moved the playhead here; the session has it already."""
    thumbnails_wanted = Signal(list)
    """See :attr:`Filmstrip.thumbnails_wanted`."""

    lock_asked = Signal(int, range)
    """See :attr:`Lanes.lock_asked`."""
    unlock_asked = Signal(int, int)
    """See :attr:`Lanes.unlock_asked`."""

    right_said = Signal(int, int)
    """See :attr:`Lanes.right_said`."""
    swap_asked = Signal(int, int, int)
    """See :attr:`Lanes.swap_asked`."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("timeline")
        self.setAccessibleName("Timeline")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._session = session
        self._axis = Axis(self)
        self._ruler = Ruler(session, self._axis, self)
        self._film = Filmstrip(session, self._axis, self)
        self._lanes = Lanes(session, self._axis, self)
        self._across = named(QScrollBar(Qt.Orientation.Horizontal, self), "timelineScroll")
        self._down = named(QScrollBar(Qt.Orientation.Vertical, self), "lanesScroll")
        for bar in (self._across, self._down):
            policy = bar.sizePolicy()
            policy.setRetainSizeWhenHidden(True)
            bar.setSizePolicy(policy)
        self._lay_out()
        for strip in (self._ruler, self._film, self._lanes):
            strip.scrubbed.connect(self._go_to)
        self._lanes.prompt_opened.connect(self._go_to)
        self._lanes.lock_asked.connect(self.lock_asked)
        self._lanes.unlock_asked.connect(self.unlock_asked)
        self._lanes.right_said.connect(self.right_said)
        self._lanes.swap_asked.connect(self.swap_asked)
        self._lanes.scroll_range_changed.connect(self._update_down)
        self._film.thumbnails_wanted.connect(self.thumbnails_wanted)
        self._axis.changed.connect(self._update_across)
        self._across.valueChanged.connect(self._axis.scroll_to)
        self._down.valueChanged.connect(self._lanes.scroll_to)
        session.opened.connect(self._on_opened)
        session.frame_changed.connect(self._axis.reveal)
        self._on_opened()

    def set_states(self, states: dict[int, list[LaneSpan]]) -> None:
        """Show how far each person's results are, by instance id; who is missing has none."""
        self._lanes.set_states(states)

    def set_reviews(self, reviews: dict[int, list[ReviewMark]]) -> None:
        """Show what should be reviewed, by instance id."""
        self._lanes.set_reviews(reviews)

    def set_thumbnail(self, index: int, image: QImage) -> None:
        """Answer to :attr:`thumbnails_wanted`; a picture of any size, 64 px high or more for sharp ones."""
        if self._session.is_open:
            self._film.set_thumbnail(index, image)

    @property
    def marked(self) -> range | None:
        """The frames that the artist has marked in the active person's lane."""
        return self._lanes.marked

    def set_in_here(self) -> None:
        """Begin the range at the playhead; an out that lies before it goes to the end of the clip."""
        if self._session.is_open:
            frame, document = self._session.frame, self._session.document
            out = document.out_frame if document.out_frame >= frame else document.media.frame_count - 1
            self._set_range("Set in", frame, out)

    def set_out_here(self) -> None:
        """End the range at the playhead; an in that lies behind it goes to the start of the clip."""
        if self._session.is_open:
            frame, document = self._session.frame, self._session.document
            self._set_range("Set out", document.in_frame if document.in_frame <= frame else 0, frame)

    def clear_range(self) -> None:
        """Work on the whole clip."""
        if self._session.is_open:
            self._set_range("Clear range", 0, self._session.document.media.frame_count - 1)

    def _set_range(self, text: str, in_frame: int, out_frame: int) -> None:
        update = {"in_frame": in_frame, "out_frame": out_frame}
        self._session.edit(text, self._session.document.model_copy(update=update))

    def zoom_to_fit(self) -> None:
        """Show the whole clip."""
        self._axis.fit()

    def zoom_in(self) -> None:
        self._axis.zoom(ZOOM_STEP, self._axis.middle(self._session.frame))

    def zoom_out(self) -> None:
        self._axis.zoom(1 / ZOOM_STEP, self._axis.middle(self._session.frame))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._grid = grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._ruler, 0, 0)
        grid.addWidget(self._film, 1, 0)
        grid.addWidget(self._lanes, 2, 0)
        grid.addWidget(self._down, 2, 1)
        grid.setRowStretch(2, 1)
        bottom = QHBoxLayout()
        bottom.setContentsMargins(0, 0, 0, 0)
        bottom.setSpacing(0)
        bottom.addWidget(self._zoom_buttons())
        bottom.addWidget(self._across, 1)
        grid.addLayout(bottom, 3, 0)

    def _zoom_buttons(self) -> QWidget:
        box = QWidget(self)
        box.setFixedWidth(GUTTER_PX)
        row = QHBoxLayout(box)
        row.setContentsMargins(8, 1, 8, 1)
        row.setSpacing(2)
        for name, icon_name, hint, act in (
            ("timelineZoomOut", "mdi6.magnify-minus-outline", "Zoom out", self.zoom_out),
            ("timelineZoomIn", "mdi6.magnify-plus-outline", "Zoom in", self.zoom_in),
            ("timelineZoomFit", "mdi6.arrow-expand-horizontal", "Show the whole clip", self.zoom_to_fit),
        ):
            button = named(QToolButton(box), name, f"{hint} (or turn the wheel)", f"{hint} in the timeline")
            button.setAutoRaise(True)
            give_icon(button, icon_name)
            button.setIconSize(QSize(18, 18))
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.clicked.connect(act)
            row.addWidget(button)
        row.addStretch(1)
        return box

    def _on_opened(self) -> None:
        open_ = self._session.is_open
        self._axis.set_frame_count(self._session.document.media.frame_count if open_ else 0)
        self._update_down()

    def _go_to(self, frame: int) -> None:
        self._session.set_frame(frame)
        self.frame_requested.emit(frame)

    def _update_across(self) -> None:
        with QSignalBlocker(self._across):
            self._across.setRange(0, round(self._axis.max_offset_px))
            self._across.setPageStep(round(self._axis.width_px))
            self._across.setSingleStep(round(max(self._axis.px_per_frame, 20)))
            self._across.setValue(round(self._axis.offset_px))
        self._across.setVisible(not self._axis.is_fitted)

    def _update_down(self) -> None:
        with QSignalBlocker(self._down):
            self._down.setRange(0, self._lanes.scroll_max_px)
            self._down.setPageStep(self._lanes.height())
            self._down.setSingleStep(LANE_PX)
            self._down.setValue(self._lanes.scroll_px)
        self._down.setVisible(self._lanes.scroll_max_px > 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._grid.activate()
        self._axis.set_width(self._lanes.width() - GUTTER_PX)
        self._update_down()
