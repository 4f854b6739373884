"""The transport: play, shuttle, step, loop, and where the playhead is in numbers."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSpinBox, QToolButton, QWidget

from app.icons import give_icon
from app.naming import named
from app.playback import Run, frame_times
from app.session import Session
from app.timecode import format_rate, index_at, parse_timecode, timecode_at
from matting.project.document import Document

FASTEST = 4


class Transport(QWidget):
    """Moves the session's playhead; knows nothing of pictures. A viewer that is late simply misses frames."""

    playing_changed = Signal(bool)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transport")
        self.setAccessibleName("Transport")
        self._session = session
        self._run: Run | None = None
        self._expected = 0
        self._clock = QElapsedTimer()
        self._timer = QTimer(self, singleShot=True, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._advance)
        self._lay_out()
        session.opened.connect(self._on_opened)
        session.frame_changed.connect(self._on_frame_changed)
        session.changed.connect(self._on_document_changed)
        self._on_opened()

    # -- playing -----------------------------------------------------------------------------------------------------

    @property
    def speed(self) -> int:
        """Times real time, negative when backward; 0 while paused."""
        return self._run.speed if self._run is not None else 0

    def play_forward(self) -> None:
        """Play; again for twice the speed, up to four times."""
        self._play(min(self.speed * 2, FASTEST) if self.speed > 0 else 1)

    def play_backward(self) -> None:
        """Play backward; again for twice the speed."""
        self._play(max(self.speed * 2, -FASTEST) if self.speed < 0 else -1)

    def pause(self) -> None:
        """Stay on the frame that is shown."""
        self._timer.stop()
        if self._run is not None:
            self._run = None
            self._show_state()
            self.playing_changed.emit(False)

    def toggle(self) -> None:
        """Play at real time, or pause."""
        if self._run is None:
            self.play_forward()
        else:
            self.pause()

    def step(self, frames: int) -> None:
        """Pause and move by so many frames."""
        self.pause()
        self._session.set_frame(self._session.frame + frames)

    def go_to_first(self) -> None:
        self.pause()
        self._session.set_frame(0)

    def go_to_last(self) -> None:
        if self._session.is_open:
            self.pause()
            self._session.set_frame(self._session.document.media.frame_count - 1)

    def _play(self, speed: int) -> None:
        if not self._session.is_open:
            return
        start, span = _span(self._session.document, self._session.frame, forward=speed > 0, loop=self._loop.isChecked())
        was_playing = self._run is not None
        self._begin(start, speed, span)
        self._move_to(start)
        if not was_playing:
            self.playing_changed.emit(True)

    def _begin(self, start: int, speed: int, span: range) -> None:
        assert self._session.clip is not None
        self._run = Run(frame_times(self._session.clip.info), start, speed, span, self._loop.isChecked())
        self._expected = start
        self._clock.start()
        self._wait(0.0)
        self._show_state()

    def _advance(self) -> None:
        if self._run is None:
            return
        elapsed_s = self._clock.nsecsElapsed() / 1e9
        frame = self._run.frame_at(elapsed_s)
        if frame is None:
            self._move_to(self._run.span[-1] if self._run.speed > 0 else self._run.span[0])
            self.pause()
            return
        self._wait(elapsed_s)
        self._move_to(frame)

    def _wait(self, elapsed_s: float) -> None:
        """Sleep until the next frame is due."""
        assert self._run is not None
        self._timer.start(max(round(self._run.next_change_s(elapsed_s) * 1000), 1))

    def _move_to(self, frame: int) -> None:
        self._expected = frame
        self._session.set_frame(frame)

    # -- following the session ---------------------------------------------------------------------------------------

    def _on_opened(self) -> None:
        self.pause()
        self.setEnabled(self._session.is_open)
        clip = self._session.clip
        self._rate.setText(f"{format_rate(clip.info.rate)} fps" if clip is not None else "")
        count = len(clip.info) if clip is not None else 1
        with QSignalBlocker(self._frame):
            self._frame.setRange(0, count - 1)
            self._frame.setSuffix(f" / {count - 1}" if clip is not None else "")
        self._show_frame(self._session.frame)

    def _on_frame_changed(self, frame: int) -> None:
        self._show_frame(frame)
        if self._run is not None and frame != self._expected:
            self._restart()  # someone else moved the playhead: go on from there

    def _on_document_changed(self, before: Document, after: Document) -> None:
        if self._run is not None and before.frames != after.frames:
            self._restart()

    def _restart(self) -> None:
        if self._run is not None:
            self._play(self._run.speed)

    def _show_frame(self, frame: int) -> None:
        clip = self._session.clip
        if not self._timecode.isModified():  # while someone types it is theirs
            self._timecode.setText(timecode_at(clip.info, frame) if clip is not None else "--:--:--:--")
        with QSignalBlocker(self._frame):
            self._frame.setValue(frame)

    def _show_state(self) -> None:
        speed = self.speed
        give_icon(self._toggle, "mdi6.pause" if speed else "mdi6.play-pause")
        self._forward.setChecked(speed > 0)
        self._backward.setChecked(speed < 0)
        self._speed.setText(f"{'−' if speed < 0 else ''}{abs(speed)}×" if speed not in (0, 1) else "")

    # -- typing ------------------------------------------------------------------------------------------------------

    def _on_timecode_typed(self) -> None:
        clip = self._session.clip
        if clip is not None and self._timecode.isModified():
            count = parse_timecode(self._timecode.text(), clip.info.rate)
            if count is not None:
                self._session.set_frame(index_at(clip.info, count))
        self._timecode.setModified(False)
        self._timecode.clearFocus()
        self._show_frame(self._session.frame)

    # -- layout ------------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        hint = "Timecode of the playhead; type one to go there"
        self._timecode = named(QLineEdit(self), "transportTimecode", hint, "Timecode")
        self._timecode.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._timecode.setFont(fixed)
        self._timecode.setFixedWidth(self._timecode.fontMetrics().horizontalAdvance("00:00:00:000") + 20)
        self._timecode.editingFinished.connect(self._on_timecode_typed)
        hint = "Frame of the playhead, counted from 0; type one to go there"
        self._frame = named(QSpinBox(self), "transportFrame", hint, "Frame")
        self._frame.setKeyboardTracking(False)
        self._frame.setFont(fixed)
        self._frame.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        # With a style sheet Qt still keeps the buttons' room, and all of it.
        self._frame.setStyleSheet("QSpinBox::up-button, QSpinBox::down-button { subcontrol-origin: margin; width: 0; }")
        self._frame.setMinimumWidth(self._frame.fontMetrics().horizontalAdvance("000000 / 000000") + 20)
        self._frame.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._frame.valueChanged.connect(self._session.set_frame)
        self._speed = named(QLabel(self), "transportSpeed")
        self._speed.setMinimumWidth(self._speed.fontMetrics().horizontalAdvance("−4×") + 8)
        self._rate = named(QLabel(self), "transportRate", "Frames per second of the clip")
        left, right = QHBoxLayout(), QHBoxLayout()
        left.addWidget(self._timecode)
        left.addWidget(self._frame)
        left.addStretch(1)
        right.addWidget(self._speed)
        right.addStretch(1)
        right.addWidget(self._rate)
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 4, 10, 4)
        row.addLayout(left, 1)  # equal shares at both sides keep the buttons in the middle
        row.addLayout(self._buttons())
        row.addLayout(right, 1)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        row.addWidget(self._button("transportFirst", "mdi6.skip-previous", "First frame (Home)", self.go_to_first))
        row.addWidget(self._button("transportBack", "mdi6.step-backward", "One frame back (←)", lambda: self.step(-1)))
        self._backward = self._button(
            "transportPlayBackward",
            "mdi6.play",
            "Play backward, again for faster (J)",
            self._on_backward,
            mirrored=True,
        )
        self._toggle = self._button("transportPlay", "mdi6.play-pause", "Play or pause (Space; K pauses)", self.toggle)
        self._forward = self._button(
            "transportPlayForward", "mdi6.play", "Play, again for faster (L)", self._on_forward
        )
        for button in (self._backward, self._toggle, self._forward):
            row.addWidget(button)
        self._backward.setCheckable(True)
        self._forward.setCheckable(True)
        row.addWidget(self._button("transportForward", "mdi6.step-forward", "One frame on (→)", lambda: self.step(1)))
        row.addWidget(self._button("transportLast", "mdi6.skip-next", "Last frame (End)", self.go_to_last))
        row.addSpacing(8)
        self._loop = self._button("transportLoop", "mdi6.repeat", "Loop between in and out", self._restart)
        self._loop.setCheckable(True)
        row.addWidget(self._loop)
        return row

    def _on_backward(self) -> None:
        self.play_backward()
        self._show_state()

    def _on_forward(self) -> None:
        self.play_forward()
        self._show_state()

    def _button(
        self, name: str, icon_name: str, hint: str, act: Callable[[], None], *, mirrored: bool = False
    ) -> QToolButton:
        button = named(QToolButton(self), name, hint, hint.partition(" (")[0].partition(",")[0])
        button.setAutoRaise(True)
        give_icon(button, icon_name, mirrored=mirrored)
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(act)
        return button


def _span(document: Document, frame: int, *, forward: bool, loop: bool) -> tuple[int, range]:
    """Where to start playing and where to stay; who stands at the end begins again, who stands behind it goes on."""
    inside, last = document.frames, document.media.frame_count - 1
    if forward:
        if frame < document.out_frame or (loop and frame == document.out_frame):
            return frame, inside
        if frame == document.out_frame or loop or frame == last:
            return document.in_frame, inside
        return frame, range(document.in_frame, last + 1)
    if frame > document.in_frame or (loop and frame == document.in_frame):
        return frame, inside
    if frame == document.in_frame or loop or frame == 0:
        return document.out_frame, inside
    return frame, range(0, document.out_frame + 1)
