from __future__ import annotations

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from editor_content import clip_info, find, open_session
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from app.playback import Run, frame_times
from app.session import Session
from app.theme import apply_theme
from app.transport import Transport

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module", autouse=True)
def _theme(qapp: QApplication) -> None:
    apply_theme(qapp)


@pytest.fixture
def session(qtbot: QtBot, tmp_path: Path) -> Session:
    return open_session(tmp_path, clip_info(100))


@pytest.fixture
def transport(qtbot: QtBot, session: Session) -> Transport:
    transport = Transport(session)
    qtbot.addWidget(transport)
    transport.resize(900, 44)
    with qtbot.waitExposed(transport):
        transport.show()
    return transport


def press(transport: Transport, name: str) -> None:
    QTest.mouseClick(find(transport, QToolButton, name), LEFT)


def set_range(session: Session, first: int, last: int) -> None:
    update = {"in_frame": first, "out_frame": last}
    session.edit("Set range", session.document.model_copy(update=update))


# -- which frame is due ----------------------------------------------------------------------------------------------


def test_a_run_keeps_to_the_clock_at_any_speed() -> None:
    times = frame_times(clip_info(500, Fraction(25)))
    forward = Run(times, 100, 1, range(500), loop=False)
    assert [forward.frame_at(s) for s in (0.0, 0.039, 0.041, 1.001, 4.001, 15.99)] == [100, 100, 101, 125, 200, 499]
    assert forward.frame_at(16.01) is None
    assert Run(times, 100, 4, range(500), loop=False).frame_at(1.001) == 200
    backward = Run(times, 100, -2, range(500), loop=False)
    assert [backward.frame_at(s) for s in (0.0, 0.019, 0.021, 1.001)] == [100, 100, 99, 50]
    assert backward.frame_at(2.03) is None


def test_a_long_run_does_not_drift() -> None:
    rate = Fraction(30000, 1001)
    run = Run(frame_times(clip_info(20_000, rate)), 0, 1, range(20_000), loop=False)
    for index in (1, 5_432, 19_998):
        middle = float((index + Fraction(1, 2)) / rate)
        assert run.frame_at(middle) == index


def test_variable_rate_shows_each_frame_as_long_as_it_lasts() -> None:
    info = clip_info(5, Fraction(25), pts=[0, 9000, 99000, 100800, 180000])  # 0, 0.1, 1.1, 1.12, 2 s
    times = frame_times(info)
    assert times[-1] == pytest.approx(2.04)
    run = Run(times, 0, 1, range(5), loop=False)
    assert [run.frame_at(s) for s in (0.05, 0.11, 1.09, 1.105, 1.13, 2.01)] == [0, 1, 1, 2, 3, 4]
    assert run.next_change_s(0.2) == pytest.approx(0.9)
    back = Run(times, 4, -1, range(5), loop=False)
    assert [back.frame_at(s) for s in (0.03, 0.05, 0.915, 0.925, 0.95, 1.93, 1.95)] == [4, 3, 3, 2, 1, 1, 0]


@pytest.mark.parametrize("speed", [1, -1, 4, -4])
def test_a_loop_stays_in_its_span_and_comes_round(speed: int) -> None:
    times = frame_times(clip_info(500, Fraction(25)))
    run = Run(times, 20, speed, range(10, 35), loop=True)
    seen = [run.frame_at(s) for s in np.arange(0, 5, 0.005)]
    assert set(seen) == set(range(10, 35))
    assert run.frame_at(1.0 / abs(speed) + 0.002) == 20  # a span of one second


def test_a_run_from_outside_comes_in_and_then_loops() -> None:
    times = frame_times(clip_info(100, Fraction(25)))
    run = Run(times, 0, 1, range(50, 75), loop=True)
    assert run.frame_at(1.01) == 25
    assert run.frame_at(3.01) == 50


# -- the widget ------------------------------------------------------------------------------------------------------


def test_play_moves_the_playhead_in_order_and_stops_at_out(
    transport: Transport, session: Session, qtbot: QtBot
) -> None:
    set_range(session, 10, 16)
    session.set_frame(10)
    seen: list[int] = []
    states: list[bool] = []
    session.frame_changed.connect(seen.append)
    transport.playing_changed.connect(states.append)
    press(transport, "transportPlay")
    qtbot.waitUntil(lambda: transport.speed == 0)
    assert seen == sorted(set(seen))
    assert session.frame == 16
    assert states == [True, False]
    press(transport, "transportPlay")  # at the end: from in again
    assert session.frame == 10
    press(transport, "transportPlay")
    assert states == [True, False, True, False]


def test_backward_stops_at_in(transport: Transport, session: Session, qtbot: QtBot) -> None:
    set_range(session, 10, 16)
    session.set_frame(13)
    press(transport, "transportPlayBackward")
    qtbot.waitUntil(lambda: transport.speed == 0)
    assert session.frame == 10


def test_loop_comes_back_to_in(transport: Transport, session: Session, qtbot: QtBot) -> None:
    set_range(session, 40, 43)
    session.set_frame(42)
    press(transport, "transportLoop")
    seen: list[int] = []
    session.frame_changed.connect(seen.append)
    transport.play_forward()
    qtbot.waitUntil(lambda: any(after < before for before, after in itertools.pairwise(seen)))
    transport.pause()
    assert set(seen) <= {40, 41, 42, 43}


def test_the_shuttle_doubles_turns_and_pauses(transport: Transport) -> None:
    speeds = []
    for act in (transport.play_forward,) * 4 + (transport.play_backward,) * 4 + (transport.play_forward,):
        act()
        speeds.append(transport.speed)
    assert speeds == [1, 2, 4, 4, -1, -2, -4, -4, 1]
    assert find(transport, QLabel, "transportSpeed").text() == ""
    transport.play_forward()
    assert find(transport, QLabel, "transportSpeed").text() == "2×"
    assert find(transport, QToolButton, "transportPlayForward").isChecked()
    transport.toggle()
    assert transport.speed == 0
    assert not find(transport, QToolButton, "transportPlayForward").isChecked()


def test_buttons_step_and_jump(transport: Transport, session: Session) -> None:
    session.set_frame(50)
    press(transport, "transportForward")
    assert session.frame == 51
    press(transport, "transportBack")
    press(transport, "transportBack")
    assert session.frame == 49
    press(transport, "transportLast")
    assert session.frame == 99
    press(transport, "transportForward")
    assert session.frame == 99
    press(transport, "transportFirst")
    assert session.frame == 0
    transport.play_forward()
    transport.step(10)
    assert transport.speed == 0
    assert session.frame == 10


def test_a_scrub_while_playing_goes_on_from_there(transport: Transport, session: Session, qtbot: QtBot) -> None:
    seen: list[int] = []
    transport.play_forward()
    session.set_frame(70)
    session.frame_changed.connect(seen.append)
    qtbot.waitUntil(lambda: len(seen) >= 3)
    transport.pause()
    assert min(seen) == 71
    assert max(seen) < 90


def test_another_clip_pauses(transport: Transport, session: Session, tmp_path: Path) -> None:
    transport.play_forward()
    open_session(tmp_path, clip_info(7, Fraction(30000, 1001)), (), session)
    assert transport.speed == 0
    assert find(transport, QLabel, "transportRate").text() == "29.97 fps"
    assert find(transport, QSpinBox, "transportFrame").maximum() == 6


def test_numbers_follow_and_can_be_typed(transport: Transport, session: Session) -> None:
    timecode = find(transport, QLineEdit, "transportTimecode")
    frame = find(transport, QSpinBox, "transportFrame")
    session.set_frame(51)
    assert timecode.text() == "00:00:02:01"
    assert frame.value() == 51
    timecode.selectAll()
    QTest.keyClicks(timecode, "3:05")
    QTest.keyClick(timecode, Qt.Key.Key_Return)
    assert session.frame == 80
    assert timecode.text() == "00:00:03:05"
    timecode.selectAll()
    QTest.keyClicks(timecode, "nonsense")
    QTest.keyClick(timecode, Qt.Key.Key_Return)
    assert session.frame == 80
    assert timecode.text() == "00:00:03:05"
    frame.selectAll()
    QTest.keyClicks(frame, "12")
    assert session.frame == 80  # not before it is finished
    QTest.keyClick(frame, Qt.Key.Key_Return)
    assert session.frame == 12


def test_nothing_open_means_nothing_to_press(qtbot: QtBot) -> None:
    transport = Transport(Session())
    qtbot.addWidget(transport)
    assert not transport.isEnabled()
    for act in (transport.play_forward, transport.play_backward, transport.pause, transport.toggle):
        act()
    transport.step(3)
    transport.go_to_last()
    assert transport.speed == 0
    assert find(transport, QLineEdit, "transportTimecode").text() == "--:--:--:--"
