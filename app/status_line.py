"""The line at the bottom: where the playhead is and what the clip is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from app.session import Session
from app.timecode import format_rate, timecode_at

if TYPE_CHECKING:  # brings the decoders, which are slow to import
    from matting.media.clip import ClipInfo

# ITU-T H.273, the names that artists know.
_MATRICES = {0: "RGB", 1: "BT.709", 5: "BT.601", 6: "BT.601", 9: "BT.2020"}


class StatusLine(QWidget):
    """Follows the session; shows the pixel under the mouse when it is told."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusLine")
        self._session = session
        self._frame, self._clip, self._shots = QLabel(), QLabel(), QLabel()
        self._place, self._answer, self._review = QLabel(), QLabel(), QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(18)
        for label, name, tip in (
            (self._frame, "statusFrame", "Frame, counted from 0, of all frames; and its timecode"),
            (self._clip, "statusClip", "Size, colour and rate of the clip"),
            (self._shots, "statusShots", "Shots of the clip; nothing is tracked across a cut"),
            (self._review, "statusReview", "Places where a mask is likely wrong; N goes to the next one"),
            (self._place, "statusPlace", "Pixel under the mouse"),
            (self._answer, "statusAnswer", "What made the last selection, and how long you waited for it"),
        ):
            label.setObjectName(name)
            label.setToolTip(tip)
            label.setTextFormat(Qt.TextFormat.PlainText)
            row.addWidget(label)
        row.addStretch(1)
        session.opened.connect(self._on_opened)
        session.frame_changed.connect(self._on_frame_changed)
        session.changed.connect(self._update_shots)

    def _on_opened(self) -> None:
        self._answer.clear()
        if self._session.clip is not None:
            self._clip.setText(describe_clip(self._session.clip.info))
            self._on_frame_changed(self._session.frame)
        self._update_shots()

    def _update_shots(self) -> None:
        shots = len(self._session.document.shots) if self._session.is_open else 1
        self._shots.setText(f"{shots} shots" if shots > 1 else "")

    def show_search(self, share: float) -> None:
        """Show how far the search for cuts is; 1 when it is over."""
        if share < 1:
            self._shots.setText(f"Looking for cuts, {share:.0%}")
        else:
            self._update_shots()

    def show_review(self, count: int) -> None:
        """Show how many places there are to review."""
        self._review.setText(f"{count} to review" if count else "")

    def _on_frame_changed(self, frame: int) -> None:
        if self._session.clip is not None:
            info = self._session.clip.info
            self._frame.setText(f"frame {frame} / {len(info) - 1}   {timecode_at(info, frame)}")

    def show_answer(self, text: str) -> None:
        """Show how the last selection was made."""
        self._answer.setText(text)

    def show_place(self, place: tuple[int, int] | None) -> None:
        """Show x and y of a pixel, or nothing."""
        self._place.setText(f"x {place[0]}  y {place[1]}" if place is not None else "")


def describe_clip(info: ClipInfo) -> str:
    """Size, colour and rate in a few words: 1920×1080  8-bit BT.709  25 fps."""
    height, width = info.size_hw
    aspect = f" ({float(info.pixel_aspect):.3f}:1 pixels)" if info.pixel_aspect != 1 else ""
    matrix = _MATRICES.get(info.color.matrix, f"matrix {info.color.matrix}")
    guessed = " guessed" if info.color.guessed else ""
    levels = " full range" if info.color.full_range and info.color.matrix else ""
    return f"{width}×{height}{aspect}   {info.bit_depth}-bit {matrix}{levels}{guessed}   {format_rate(info.rate)} fps"
