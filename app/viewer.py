"""The viewer: the picture, zoomed and panned, with the prompts of the frame over it."""

from __future__ import annotations

from enum import Enum, auto

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QEnterEvent,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app.busy_mark import BusyMark
from app.markers import paint_prompts
from app.palette import person_color
from app.session import Session
from app.theme import GROUND, LINE
from app.tools.gesture import Gesture
from app.tools.painting import STEP as BRUSH_STEP
from app.tools.painting import Brush, BrushGesture
from app.tools.pointing import BoxGesture, PointGesture
from app.tools.polygon import PolygonGesture
from app.views import Shown

STEP = 1.2
"""Factor of one notch of the wheel."""
SMALLEST, LARGEST = 0.02, 64.0
MARGIN_PX = 12
CRISP_FROM = 2.0
"""Device pixels per picture pixel from which single pixels are to be seen."""


class Tool(Enum):
    """What the left button does in the viewer."""

    POINT = auto()
    BOX = auto()
    BRUSH = auto()
    ERASER = auto()
    POLYGON = auto()
    HAND = auto()


class Viewer(QWidget):
    """Shows one picture; what is drawn on it with a tool comes out in pixels of the frame."""

    point_given = Signal(float, float, int)
    """x, y and 1 to include or 0 to exclude."""
    box_given = Signal(object)
    drawing_given = Signal(object)
    """A stroke or a polygon."""
    drawing_begun = Signal()
    """A tool has begun with something for the frame that is shown."""
    space_tapped = Signal()
    peeked = Signal(bool)
    """The artist holds the key to see the source, or let go of it."""
    pointed_at = Signal(object)
    """(x, y) in whole pixels of the frame under the mouse, or None."""
    zoomed = Signal(float)
    """Device pixels per picture pixel."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("viewer")
        self.setAccessibleName("Viewer")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(240, 160)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self._session = session
        self._shown: Shown | None = None
        self._small = QImage()
        self._aspect = 1.0
        self._size_wh = (1, 1)
        self._scale = 1.0
        self._offset = QPointF()
        self._fitted = True
        self._brush = Brush()
        self._gestures = {
            Tool.POINT: PointGesture(self, self.point_given.emit, self.box_given.emit),
            Tool.BOX: BoxGesture(self, self.box_given.emit),
            Tool.BRUSH: BrushGesture(self, self._brush, 1, self.drawing_given.emit),
            Tool.ERASER: BrushGesture(self, self._brush, 0, self.drawing_given.emit),
            Tool.POLYGON: PolygonGesture(self, self.drawing_given.emit),
            Tool.HAND: Gesture(self),
        }
        self._tool = Tool.POINT
        self._over: tuple[Gesture, ...] = ()
        self._working: Gesture | None = None
        self._busy = BusyMark(self)
        self._pan_from: QPointF | None = None
        self._space = self._space_used = False
        session.opened.connect(self._on_opened)
        session.changed.connect(self.update)
        session.frame_changed.connect(self._on_frame_changed)
        session.active_changed.connect(self.update)

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def shown(self) -> Shown | None:
        """The picture on the screen."""
        return self._shown

    @property
    def is_current(self) -> bool:
        """Whether that is of the frame at the playhead; a moment later than the playhead it is."""
        return self._shown is not None and self._shown.wanted.frame == self._session.frame

    def show_picture(self, shown: Shown) -> None:
        self._shown, self._small = shown, QImage()
        for gesture in self._hearing:
            gesture.refreshed()
        self.update()

    def _on_frame_changed(self) -> None:
        """What is half drawn was meant for the frame before."""
        for gesture in self._hearing:
            gesture.cancel()
        self._working = None
        self.update()

    @property
    def busy(self) -> BusyMark:
        """The mark that says what is waited for."""
        return self._busy

    def set_tool(self, tool: Tool) -> None:
        self._gesture.cancel()
        self._working = None
        self._tool = tool
        self._update_cursor()

    def set_over(self, *gestures: Gesture) -> None:
        """What is to be had from the picture whatever the tool is; they hear of mouse and keys first, in turn."""
        self._over = gestures

    def resize_brush(self, steps: int) -> None:
        """Make brush and eraser larger, or smaller with a negative number of steps."""
        self._brush.set_radius(self._brush.radius * BRUSH_STEP**steps)
        self.update()

    @property
    def _gesture(self) -> Gesture:
        return self._gestures[self._tool]

    @property
    def _hearing(self) -> tuple[Gesture, ...]:
        """Who hears of mouse and keys, in turn."""
        return (*self._over, self._gesture)

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height of the frame in pixels."""
        return self._size_wh

    def active_color(self) -> QColor:
        """Of the active person; white for somebody new."""
        return person_color(self._session.active_id) if self._session.active_id else QColor("white")

    def _on_opened(self) -> None:
        self._shown = None
        if self._session.clip is not None:
            info = self._session.clip.info
            self._aspect = float(info.pixel_aspect)
            self._size_wh = (info.size_hw[1], info.size_hw[0])
            self.fit()
        self.update()

    # -- zoom --------------------------------------------------------------------------------------------------------

    def to_widget(self, x: float, y: float) -> QPointF:
        """Where a place of the frame is in the widget; (0, 0) is the top left corner of the first pixel."""
        return QPointF(x * self._scale * self._aspect, y * self._scale) + self._offset

    def to_frame(self, place: QPointF) -> tuple[float, float]:
        """Which place of the frame is there in the widget."""
        inside = place - self._offset
        return inside.x() / (self._scale * self._aspect), inside.y() / self._scale

    def fit(self) -> None:
        """Show the whole picture, and keep doing so when the widget changes."""
        self._fitted = True
        width, height = self._size_wh
        room = QSize(max(self.width() - 2 * MARGIN_PX, 1), max(self.height() - 2 * MARGIN_PX, 1))
        self._scale = min(room.width() / (width * self._aspect), room.height() / height)
        shown = QPointF(width * self._aspect, height) * self._scale
        self._offset = QPointF((self.width() - shown.x()) / 2, (self.height() - shown.y()) / 2)
        self._on_zoomed()

    def actual_size(self) -> None:
        """One pixel of the picture on one of the screen."""
        self._zoom_to(1 / self.devicePixelRatioF(), QPointF(self.rect().center()))

    def zoom(self, factor: float, around: QPointF | None = None) -> None:
        """Come closer (above 1) or go back; what is at ``around`` stays there, by default the middle."""
        self._zoom_to(self._scale * factor, around if around is not None else QPointF(self.rect().center()))

    def _zoom_to(self, scale: float, around: QPointF) -> None:
        x, y = self.to_frame(around)
        self._fitted = False
        self._scale = min(max(scale, SMALLEST), LARGEST)
        self._offset += around - self.to_widget(x, y)
        self._on_zoomed()

    def _on_zoomed(self) -> None:
        self._keep_in_sight()
        self._small = QImage()
        self.zoomed.emit(self._scale * self.devicePixelRatioF())
        self.update()

    def _keep_in_sight(self) -> None:
        """Some of the picture stays inside however it is pushed."""
        width, height = (side * self._scale for side in self._size_wh)
        width *= self._aspect
        keep = 40.0
        self._offset.setX(min(max(self._offset.x(), keep - width), self.width() - keep))
        self._offset.setY(min(max(self._offset.y(), keep - height), self.height() - keep))

    # -- painting ----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(GROUND))
        if self._shown is None:
            return
        frame = QRectF(self.to_widget(0, 0), self.to_widget(*self._size_wh))
        painter.setPen(QColor(LINE))
        painter.drawRect(frame.adjusted(-1, -1, 0, 0))
        self._paint_picture(painter, frame, self._shown.image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._shown.wanted.view in ("source", "overlay"):
            paint_prompts(painter, self._session, self._shown.wanted.frame, self.to_widget)
        for gesture in reversed(self._hearing):
            gesture.paint(painter)
        if self._shown.hint:
            self._paint_hint(painter, self._shown.hint)
        self._busy.paint(painter)

    def _paint_picture(self, painter: QPainter, frame: QRectF, image: QImage) -> None:
        density = self.devicePixelRatioF() * self._scale
        if density >= 1:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, density < CRISP_FROM)
            painter.drawImage(frame, image)
            return
        if self._small.isNull():  # painting would leave pixels out; this looks at all of them
            size = (frame.size() * self.devicePixelRatioF()).toSize().expandedTo(QSize(1, 1))
            smooth = Qt.TransformationMode.SmoothTransformation
            self._small = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        painter.drawImage(frame, self._small)

    def _paint_hint(self, painter: QPainter, text: str) -> None:
        metrics = painter.fontMetrics()
        box = QRectF(metrics.boundingRect(text)).adjusted(0, 0, 24, 12)
        box.moveCenter(QPointF(self.width() / 2, 0))
        box.moveBottom(self.height() - 14.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 20, 20, 215))
        painter.drawRoundedRect(box, 5, 5)
        painter.setPen(QColor("#e8e8e8"))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self._fitted:
            self.fit()

    def sizeHint(self) -> QSize:
        return QSize(960, 540)

    # -- mouse -------------------------------------------------------------------------------------------------------

    def wheelEvent(self, event: QWheelEvent) -> None:
        notches = event.angleDelta().y() / 120
        if self._session.is_open and notches:
            self.zoom(STEP**notches, event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self._session.is_open:
            return
        left = event.button() is Qt.MouseButton.LeftButton
        if event.button() is Qt.MouseButton.MiddleButton or (left and (self._space or self._tool is Tool.HAND)):
            self._pan_from = event.position()
            self._space_used = self._space
            self._update_cursor()
        else:
            self._working = next((gesture for gesture in self._hearing if gesture.press(event)), None)
            if self._working is not None:
                self.drawing_begun.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._tell_place(event.position())
        if self._pan_from is not None:
            self._fitted = False
            self._offset += event.position() - self._pan_from
            self._pan_from = event.position()
            self._keep_in_sight()
            self.update()
        elif self._working is not None:
            self._working.move(event)
        else:
            for gesture in self._hearing:
                gesture.move(event)
            self._update_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not (self._session.is_open and any(gesture.double_click(event) for gesture in self._hearing)):
            self.mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._pan_from is not None and event.button() is not Qt.MouseButton.RightButton:
            self._pan_from = None
            self._update_cursor()
            return
        if self._working is not None and event.button() is Qt.MouseButton.LeftButton:
            working, self._working = self._working, None
            working.release(event)

    def _tell_place(self, place: QPointF) -> None:
        x, y = self.to_frame(place)
        width, height = self._size_wh
        inside = self._shown is not None and 0 <= x < width and 0 <= y < height
        self.pointed_at.emit((int(x), int(y)) if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        for gesture in self._hearing:
            gesture.leave()
        self.pointed_at.emit(None)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._update_cursor()

    def contextMenuEvent(self, event: QEvent) -> None:
        event.accept()  # the right button excludes

    def _update_cursor(self) -> None:
        if self._pan_from is not None:
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif self._space or self._tool is Tool.HAND:
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(next((g.cursor for g in self._hearing if g.cursor is not None), Qt.CursorShape.ArrowCursor))

    # -- keys --------------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        # Space plays when it is tapped and pans while it is held, so the shortcut must not take it here.
        if event.type() is QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._means(event):
            event.accept()
            return True
        return super().event(event)

    def _means(self, event: QKeyEvent) -> bool:
        """Whether a key means something here now, in place of its shortcut."""
        return _is_held(event) or any(gesture.wants(event) for gesture in self._hearing)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        listener = next((gesture for gesture in self._hearing if gesture.wants(event)), None)
        if listener is not None:
            listener.key(event)
        elif event.isAutoRepeat() or event.modifiers():
            super().keyPressEvent(event)
        elif event.key() == Qt.Key.Key_Space:
            self._space, self._space_used = True, False
            self._update_cursor()
        elif event.key() == Qt.Key.Key_Q:
            self.peeked.emit(True)
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.isAutoRepeat():
            return
        if event.key() == Qt.Key.Key_Space and self._space:
            self._space = False
            self._update_cursor()
            if not self._space_used:
                self.space_tapped.emit()
        elif event.key() == Qt.Key.Key_Q:
            self.peeked.emit(False)
        else:
            super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._space = False
        self.peeked.emit(False)
        self._update_cursor()
        self.update()


def _is_held(event: QKeyEvent) -> bool:
    """Whether it is a key that means something for as long as it is down."""
    return event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Q) and not event.modifiers()
