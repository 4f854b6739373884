"""The filmstrip: pictures of the clip along the axis, asked for as they come into sight."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QImage, QPainter
from PySide6.QtWidgets import QWidget

from app.session import Session
from app.timecode import format_rate
from app.timeline.axis import GUTTER_PX, MARGIN_PX, Axis
from app.timeline.cuts import open_cut_menu
from app.timeline.strip import Strip

HEIGHT_PX = 58
PADDING_PX = 4
CACHED = 512
"""Thumbnails that are kept, the oldest dropped first; 36 MB at 16:9 and double density."""
SETTLE_MS = 60
"""Wait for a zoom or a scroll to come to rest before asking for pictures."""


class Filmstrip(Strip):
    """Slots of the width of a picture, fixed to the clip rather than to the window."""

    thumbnails_wanted = Signal(list)
    """Indices of the frames in sight that have no picture yet, from left to right; replaces what was asked before."""

    def __init__(self, session: Session, axis: Axis, parent: QWidget | None = None) -> None:
        super().__init__(session, axis, parent)
        self.setObjectName("timelineFilm")
        self.setAccessibleName("Filmstrip")
        self.setFixedHeight(HEIGHT_PX)
        self._images: dict[int, QImage] = {}
        self._known: list[int] = []
        self._settled = QTimer(self, singleShot=True, interval=SETTLE_MS)
        self._settled.timeout.connect(self._ask)
        axis.changed.connect(self._settled.start)
        session.opened.connect(self._on_opened)

    def set_thumbnail(self, index: int, image: QImage) -> None:
        """Show a picture of frame ``index``; any size, it is scaled here once."""
        ratio = self.devicePixelRatioF()
        size = QSize(round(self._slot_px() * ratio), round(self._picture_px() * ratio))
        smooth = Qt.TransformationMode.SmoothTransformation
        scaled = image.scaled(size, Qt.AspectRatioMode.IgnoreAspectRatio, smooth)
        scaled.setDevicePixelRatio(ratio)
        if index not in self._images:
            bisect.insort(self._known, index)
        self._images[index] = scaled
        if len(self._images) > CACHED:
            oldest = next(iter(self._images))
            del self._images[oldest]
            self._known.remove(oldest)
        self.refresh()

    def wanted(self) -> list[int]:
        """The frames in sight that have no picture yet."""
        if not self.session.is_open:
            return []
        area = QRectF(GUTTER_PX, 0, self.width() - GUTTER_PX, self.height())
        frames = dict.fromkeys(frame for frame, _ in self._slots(area))
        return [frame for frame in frames if frame not in self._images]

    def _ask(self) -> None:
        if wanted := self.wanted():
            self.thumbnails_wanted.emit(wanted)

    def _on_opened(self) -> None:
        self._images.clear()
        self._known.clear()
        self.refresh()
        self._settled.start()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        open_cut_menu(self, self.session, self.axis, event)

    # -- slots -------------------------------------------------------------------------------------------------------

    def _picture_px(self) -> int:
        return self.height() - 2 * PADDING_PX

    def _slot_px(self) -> float:
        """Width of a picture as displayed."""
        height, width = self.session.document.size_hw
        assert self.session.clip is not None
        aspect = width * float(self.session.clip.info.pixel_aspect) / height
        return min(max(self._picture_px() * aspect, 16.0), 400.0)

    def _slots(self, area: QRectF) -> Iterator[tuple[int, QRectF]]:
        """Frame and place of each slot that touches ``area``.

        Frames are multiples of a power of two, so that a little zooming asks for few new ones.
        """
        width, scale = self._slot_px(), self.axis.px_per_frame
        pitch = max(width, scale)
        quantum = 2 ** max(int(math.log2(width / scale)), 0) if scale < width else 1
        origin = self.axis.x(0)
        slot = max(int((area.left() - origin) // pitch), 0)
        while origin + slot * pitch < area.right() and slot * pitch < self.axis.frame_count * scale:
            frame = min(int(slot * pitch / scale + 1e-6), self.axis.frame_count - 1) // quantum * quantum
            yield frame, QRectF(origin + slot * pitch, PADDING_PX, width, self._picture_px())
            slot += 1

    def _nearest(self, frame: int) -> int | None:
        """The frame nearest to ``frame`` of which there is a picture; a stand-in until its own has come."""
        if frame in self._images:
            return frame
        place = bisect.bisect(self._known, frame)
        around = self._known[max(place - 1, 0) : place + 1]
        return min(around, key=lambda known: abs(known - frame), default=None)

    # -- painting ----------------------------------------------------------------------------------------------------

    def paint_empty(self, painter: QPainter) -> None:
        painter.setPen(self.muted_color())
        area = QRect(GUTTER_PX, 0, self.width() - GUTTER_PX, self.height())
        painter.drawText(area, Qt.AlignmentFlag.AlignCenter, "Open a clip to begin")

    def paint_content(self, painter: QPainter, area: QRectF) -> None:
        end = self.axis.x(self.axis.frame_count)
        painter.setClipRect(area & QRectF(0, 0, end, self.height()))
        for frame, rect in self._slots(area):
            known = self._nearest(frame)
            if known is None:
                painter.fillRect(rect.adjusted(0, 0, -1, 0), QColor(128, 128, 128, 24))
                continue
            painter.setOpacity(1.0 if known == frame else 0.45)
            painter.drawImage(rect.topLeft(), self._images[known])
            painter.setOpacity(1.0)
            painter.fillRect(QRectF(rect.right() - 1, rect.top(), 1, rect.height()), QColor(0, 0, 0, 110))
        painter.setClipRect(area)

    def paint_gutter(self, painter: QPainter) -> None:
        assert self.session.clip is not None
        info, (height, width) = self.session.clip.info, self.session.document.size_hw
        box = QRect(12, 8, GUTTER_PX - 12 - MARGIN_PX, self.height() - 16)
        painter.setPen(self.palette().windowText().color())
        name = painter.fontMetrics().elidedText(info.path.name, Qt.TextElideMode.ElideMiddle, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignTop, name)
        font = self.font()
        font.setPointSizeF(font.pointSizeF() * 0.88)
        painter.setFont(font)
        painter.setPen(self.muted_color())
        painter.drawText(box, Qt.AlignmentFlag.AlignBottom, f"{width}×{height} · {format_rate(info.rate)} fps")
