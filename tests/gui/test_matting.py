"""Mattes by a network in the whole window: chosen, read, made, stopped, undone; its weights are filled by formula."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from editor_content import find
from formula_weights import formula_weights, read_layout
from networks_held import networks_held
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QLabel, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, click, name_it, opened, press, settle, text_of

from app.job import Job
from app.message_bar import Severity
from app.stages import MattingChoice
from app.window import MainWindow
from matting.arrays import StoredAlpha
from matting.job import JobContext
from matting.pipeline.methods import matter_name
from matting.pipeline.workspace import State

LAYOUT = Path(__file__).parents[1] / "networks" / "golden" / "msg_vim" / "layout.json"
LEFT, Alt = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.AltModifier
FRAMES = 24


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "msgvim.pth"
    torch.save(formula_weights(read_layout(LAYOUT)), path)
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """24 small pictures of an orange disc that walks over a wall of noise."""
    folder = tmp_path / "walk"
    folder.mkdir()
    wall = np.random.default_rng(0).integers(60, 120, (64, 96, 3), np.uint8)
    for t in range(FRAMES):
        picture = wall.copy()
        cv2.circle(picture, (30 + t, 32), 14, (40, 140, 235), -1, cv2.LINE_AA)
        cv2.imwrite(str(folder / f"walk_{t:03d}.png"), picture)
    return folder


@pytest.fixture
def selected(window: MainWindow, clip: Path, qtbot: QtBot) -> MainWindow:
    """The window with somebody selected."""
    opened(window, clip, qtbot)
    click(window, 30, 32)
    settle(window, qtbot)
    return window


def choose(window: MainWindow, weights: Path | None, qtbot: QtBot) -> None:
    """Answer the dialog; returns when what was chosen has been read or refused."""
    press(window, Qt.Key.Key_M, Alt)
    dialog = find(window, QDialog, "mattingDialog")
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)  # until then the keys belong to the viewer
    QTest.keyClick(find(dialog, QComboBox, "mattingMethod"), Qt.Key.Key_Home if weights is None else Qt.Key.Key_End)
    if weights is not None:
        path = find(dialog, QLineEdit, "mattingWeights")
        path.selectAll()
        QTest.keyClicks(path, str(weights))
        QTest.keyClick(find(dialog, QComboBox, "mattingSize"), Qt.Key.Key_Home)
        QTest.keyClicks(find(dialog, QComboBox, "mattingDevice"), "CPU")
    QTest.mouseClick(find(dialog, QPushButton, "mattingOk"), LEFT)
    settle(window, qtbot)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)


def states(window: MainWindow) -> list[State]:
    work = window.session.workspace
    return [work.alpha_state(chunk, 1) for chunk in work.chunks]


def alphas(window: MainWindow) -> StoredAlpha:
    work = window.session.workspace
    return np.stack([work.alpha(t, 1) for t in range(FRAMES)])


def weights_are_released(window: MainWindow) -> bool:
    """Whether the process that worked holds no network any more; it did hold one."""
    worked, modules = window.work._worker.run(networks_held, ctx=JobContext())
    assert worked
    return bool(modules == 0)


def test_a_network_mattes_and_undo_brings_lite_back(selected: MainWindow, weights: Path, qtbot: QtBot) -> None:
    window = selected
    press(window, Qt.Key.Key_M, Ctrl)
    settle(window, qtbot)
    assert states(window) == [State.CURRENT] * 3
    lite, by_lite = window.session.document.methods, alphas(window)
    assert lite.matter == "lite"
    choose(window, weights, qtbot)
    methods = window.session.document.methods
    assert methods.matter == "msg-vim"
    assert methods.weights is not None
    assert window.session.workspace.resolve(methods.weights.path) == weights
    assert (methods.weights.kind, methods.weights.short_side) == ("msg-vim", 288)
    assert window.work.device == "cpu"
    assert "msg-vim (weights msgvim.pth)" in find(window, QLabel, "inspectorMethod").text()
    assert State.CURRENT not in states(window)

    seen: list[tuple[float, str]] = []

    def listen(job: Job) -> None:
        job.signals.progressed.connect(lambda share, message, _: seen.append((share, message)))

    window.jobs.started.connect(listen)
    QTest.mouseClick(find(window, QPushButton, "inspectorMatte"), LEFT)
    settle(window, qtbot)
    assert weights_are_released(window)
    assert any(0.2 < share < 1 and message == "Matting" for share, message in seen)
    assert [share for share, _ in seen] == sorted(share for share, _ in seen)
    assert "msg-vim works on the CPU" in text_of(window)
    assert matter_name(window.session.document.methods).startswith("msg-vim/")
    assert states(window) == [State.CURRENT] * 3
    learned = alphas(window)
    assert np.abs(learned.astype(int) - by_lite).mean() > 1

    press(window, Qt.Key.Key_Z, Ctrl)
    settle(window, qtbot)
    assert window.session.document.methods == lite
    assert states(window) == [State.CURRENT] * 3
    assert np.array_equal(alphas(window), by_lite)
    press(window, Qt.Key.Key_Z, Ctrl | Qt.KeyboardModifier.ShiftModifier)
    settle(window, qtbot)
    assert np.array_equal(alphas(window), learned)
    choose(window, None, qtbot)
    assert window.session.document.methods.matter == "classical"
    assert window.session.document.methods.weights is None


def test_it_stops_within_a_window_and_goes_on_where_it_was(selected: MainWindow, weights: Path, qtbot: QtBot) -> None:
    window = selected
    choose(window, weights, qtbot)

    def stop(share: float) -> None:
        if share > 0.2:
            window.jobs.cancel_heavy()

    def stop_early(job: Job) -> None:
        job.signals.progressed.connect(stop)

    window.jobs.started.connect(stop_early)
    press(window, Qt.Key.Key_M, Ctrl)
    settle(window, qtbot)
    assert states(window)[0] is State.CURRENT
    assert states(window)[-1] is not State.CURRENT
    assert weights_are_released(window)
    window.jobs.started.disconnect(stop_early)
    press(window, Qt.Key.Key_M, Ctrl)
    settle(window, qtbot)
    assert states(window) == [State.CURRENT] * 3


def test_what_is_asked_for_while_the_weights_are_read_uses_them(
    selected: MainWindow, weights: Path, qtbot: QtBot
) -> None:
    window = selected
    window.session.edit("", window.session.document.model_copy(update={"out_frame": 7}))
    window.work.choose_matting(MattingChoice(weights, 288, "cpu"))
    press(window, Qt.Key.Key_M, Ctrl)
    settle(window, qtbot)
    assert window.session.document.methods.matter == "msg-vim"
    assert states(window) == [State.CURRENT]


@pytest.mark.parametrize("wrong", ["another network's", "cut short"])
def test_a_wrong_file_is_told_in_a_sentence_and_changes_nothing(
    selected: MainWindow, weights: Path, tmp_path: Path, qtbot: QtBot, wrong: str
) -> None:
    window, path = selected, tmp_path / "wrong.pth"
    if wrong == "cut short":
        path.write_bytes(weights.read_bytes()[: 1 << 20])
    else:
        torch.save({"conv.weight": torch.zeros(2, 2)}, path)
    before = window.session.document
    choose(window, path, qtbot)
    assert window.messages.shown is not None
    assert window.messages.shown.severity is Severity.ERROR
    assert "wrong.pth" in text_of(window)
    assert "\n" not in text_of(window)
    assert window.session.document == before
    assert window.session.undo_stack.undoText() != "Change matting"


def test_the_weights_stay_known_when_the_project_gets_its_name(
    selected: MainWindow, weights: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    window = selected
    choose(window, weights, qtbot)
    press(window, Qt.Key.Key_S, Ctrl)
    name_it(window, tmp_path / "deep.matteo", qtbot)

    def path() -> Path:
        chosen = window.session.document.methods.weights
        assert chosen is not None
        assert not Path(chosen.path).is_absolute()
        return window.session.workspace.resolve(chosen.path)

    assert path() == weights
    for key in (Qt.Key.Key_Z, Qt.Key.Key_Y):
        press(window, key, Ctrl)
    assert path() == weights
    settle(window, qtbot)
