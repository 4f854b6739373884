"""Which frame is where: the zoom and the scroll position that all strips of the timeline share."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QObject, Signal

from app.timecode import nominal_rate

GUTTER_PX = 156
"""Width of the column with names at the left of every strip."""
MARGIN_PX = 10
"""Room before the first and after the last frame, so that handles at the ends can be grabbed."""
MAX_PX_PER_FRAME = 120.0


class Axis(QObject):
    """Frames to x and back. A frame is the cell between ``x(t)`` and ``x(t + 1)``; points lie at its middle."""

    changed = Signal()
    """Everything moved."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.frame_count = 0
        self.px_per_frame = 1.0
        self.offset_px = 0.0
        self._width_px = 1.0

    @property
    def content_px(self) -> float:
        """Width of the whole clip with its margins."""
        return self.frame_count * self.px_per_frame + 2 * MARGIN_PX

    @property
    def max_offset_px(self) -> float:
        return max(self.content_px - self._width_px, 0.0)

    @property
    def width_px(self) -> float:
        """Width that is visible, without the gutter."""
        return self._width_px

    @property
    def _fit(self) -> float:
        return min(max(self._width_px - 2 * MARGIN_PX, 1.0) / max(self.frame_count, 1), MAX_PX_PER_FRAME)

    @property
    def is_fitted(self) -> bool:
        """Whether the whole clip is visible."""
        return self.px_per_frame <= self._fit * 1.0001

    def x(self, frame: float) -> float:
        """The x in a strip at which a frame's cell begins."""
        return GUTTER_PX + MARGIN_PX + frame * self.px_per_frame - self.offset_px

    def middle(self, frame: int) -> float:
        return self.x(frame + 0.5)

    def frame_at(self, x: float) -> int:
        """The frame whose cell is at ``x``, or the nearest one."""
        frame = int((x - GUTTER_PX - MARGIN_PX + self.offset_px) // self.px_per_frame)
        return min(max(frame, 0), max(self.frame_count - 1, 0))

    def visible(self) -> range:
        """The frames of which at least a part is to be seen."""
        if not self.frame_count:
            return range(0)
        return range(self.frame_at(GUTTER_PX), self.frame_at(GUTTER_PX + self._width_px) + 1)

    def set_frame_count(self, count: int) -> None:
        """Show another clip, whole."""
        self.frame_count = count
        self.fit()

    def set_width(self, width_px: float) -> None:
        """Follow the widget's width; a clip that was whole stays whole."""
        fitted = self.is_fitted
        self._width_px = max(width_px, 1.0)
        if fitted:
            self.fit()
        else:
            self._move(max(self.px_per_frame, self._fit), self.offset_px)

    def fit(self) -> None:
        """Show the whole clip."""
        self._move(self._fit, 0.0)

    def zoom(self, factor: float, at_x: float) -> None:
        """Zoom so that the frame under ``at_x`` stays there."""
        here = at_x - GUTTER_PX - MARGIN_PX
        place = (here + self.offset_px) / self.px_per_frame
        scale = min(max(self.px_per_frame * factor, self._fit), MAX_PX_PER_FRAME)
        self._move(scale, place * scale - here)

    def scroll_to(self, offset_px: float) -> None:
        self._move(self.px_per_frame, offset_px)

    def reveal(self, frame: int) -> None:
        """Turn the page when a frame is out of sight."""
        left, right = self.x(frame) - GUTTER_PX, self.x(frame + 1) - GUTTER_PX
        if left < 0:
            self.scroll_to(self.offset_px + right - 0.9 * self._width_px)
        elif right > self._width_px:
            self.scroll_to(self.offset_px + left - 0.1 * self._width_px)

    def _move(self, px_per_frame: float, offset_px: float) -> None:
        self.px_per_frame = px_per_frame
        self.offset_px = min(max(offset_px, 0.0), self.max_offset_px)
        self.changed.emit()


def tick_steps(rate: Fraction, px_per_frame: float, label_px: float) -> tuple[int, int]:
    """Frames between labels and between ticks: round numbers of timecode, as many as there is room for.

    Args:
        rate: of the clip; 0 for a ruler that counts frames.
        px_per_frame: the zoom.
        label_px: room that a label needs.
    """
    steps = _timecode_steps(nominal_rate(rate)) if rate else _decimal_steps()
    label = next((step for step in steps if step * px_per_frame >= label_px), steps[-1])
    tick = next(step for step in steps if label % step == 0 and (step * px_per_frame >= 7 or step == label))
    return label, tick


def _timecode_steps(nominal: int) -> list[int]:
    below = [step for step in range(1, nominal) if nominal % step == 0]
    seconds = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200]
    return below + [nominal * s for s in seconds]


def _decimal_steps() -> list[int]:
    return [digit * 10**power for power in range(7) for digit in (1, 2, 5)]
