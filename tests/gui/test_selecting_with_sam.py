"""Selecting with MobileSAM in the whole window: its weights are filled by formula, so the masks mean nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from editor_content import find
from formula_sam import install_mobile_sam
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QLabel
from pytestqt.qtbot import QtBot
from window_driver import Ctrl, click, opened, press, settle, text_of

from app import selecting
from app.stages import Answer
from app.window import MainWindow
from matting.job import JobContext

PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    install_mobile_sam(folder)
    return folder


@pytest.fixture
def own_models(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(models, folder)
    monkeypatch.setenv("MATTEO_MODELS", str(folder))
    return folder


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """What the worker told of its selections."""
    heard: list[Answer] = []
    original = selecting.Selecting._on_answered

    def listen(self: selecting.Selecting, generation: int, answer: Answer | None) -> None:
        if answer is not None:  # else the store had it, and nobody asked the worker
            heard.append(answer)
        original(self, generation, answer)

    monkeypatch.setattr(selecting.Selecting, "_on_answered", listen)
    return heard


def mask(window: MainWindow) -> NDArray[np.bool_]:
    picture = window.session.workspace.index_picture(window.session.frame)
    assert picture is not None
    return np.asarray(picture == 1)


def holds_points(window: MainWindow, count: int) -> bool:
    """Whether the mask holds the first person's points, of which there must be so many."""
    (prompt,) = window.session.document.instance(1).prompts
    assert len(prompt.points) == count
    return all(mask(window)[int(y), int(x)] for x, y, _ in prompt.points)


def answered(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.wait(20)
    qtbot.waitUntil(lambda: window.jobs.idle, timeout=PATIENCE_MS)


def test_a_frame_is_looked_at_once_and_every_click_on_it_is_answered(
    window: MainWindow, clip: Path, own_models: Path, answers: list[Answer], qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    assert window.session.document.methods.seeder == "mobile-sam"
    assert window.viewer.shown is not None
    bare = window.viewer.shown.image.copy()

    click(window, 50, 60)
    qtbot.waitUntil(lambda: window.viewer.busy.shown, timeout=PATIENCE_MS)
    answered(window, qtbot)
    assert not window.viewer.busy.shown
    first = mask(window)
    assert holds_points(window, 1)
    assert window.viewer.shown.image != bare
    assert [answer.embedded for answer in answers] == [1]
    assert find(window, QLabel, "statusAnswer").text().startswith("MobileSAM: ")

    click(window, 90, 30)
    answered(window, qtbot)
    second = mask(window)
    assert holds_points(window, 2)
    assert [answer.embedded for answer in answers] == [1, 0]

    ranks = [second]
    for rank in (1, 2, 0):
        press(window, Qt.Key.Key_Tab, Ctrl)
        answered(window, qtbot)
        (prompt,) = window.session.document.instance(1).prompts
        assert prompt.candidate == rank
        ranks.append(mask(window))
    assert np.array_equal(ranks[0], ranks[3])
    assert all((ranks[one] != ranks[other]).any() for one, other in ((0, 1), (1, 2), (0, 2)))

    asked = len(answers)
    for expected in (ranks[2], ranks[1], second, first):
        press(window, Qt.Key.Key_Z, Ctrl)
        answered(window, qtbot)
        assert np.array_equal(mask(window), expected)
    assert len(answers) == asked  # what was undone lies in the store
    assert sum(answer.embedded for answer in answers) == 1


def test_of_several_clicks_in_a_row_the_last_is_answered(
    window: MainWindow, clip: Path, own_models: Path, answers: list[Answer], qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    done: list[None] = []
    window._selecting.done.connect(lambda: done.append(None))
    for x in (50, 70, 90):
        click(window, x, 60)
    answered(window, qtbot)
    assert len(done) == 1
    assert holds_points(window, 3)
    assert sum(answer.embedded for answer in answers) == 1


def test_what_the_store_has_is_there_while_the_worker_looks_at_another_frame(
    window: MainWindow, clip: Path, own_models: Path, answers: list[Answer], qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    click(window, 50, 60)
    answered(window, qtbot)
    first = mask(window)
    window.session.set_frame(1)
    settle(window, qtbot)
    click(window, 90, 30)
    with qtbot.waitSignal(window._selecting.done, timeout=PATIENCE_MS):
        window.session.set_frame(0)
    assert window._selecting._asking
    assert len(answers) == 1
    assert np.array_equal(mask(window), first)
    answered(window, qtbot)
    assert len(answers) == 2
    window.session.set_frame(1)
    answered(window, qtbot)
    assert mask(window)[30, 90]
    assert len(answers) == 2


def test_the_seeder_is_chosen_in_the_inspector_and_undone(
    window: MainWindow, clip: Path, own_models: Path, qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    choice = find(window, QComboBox, "seederChoice")
    assert choice.currentText() == "MobileSAM"
    assert [choice.itemText(place) for place in range(3)] == ["GrabCut", "MobileSAM", "SAM ViT-B (not installed)"]
    click(window, 50, 60)
    answered(window, qtbot)
    by_sam = mask(window)
    choice.setFocus()
    QTest.keyClick(choice, Qt.Key.Key_Home)
    answered(window, qtbot)
    assert window.session.document.methods.seeder == "grabcut"
    assert window.session.document.methods.seeder_weights == ""
    assert window.session.undo_stack.undoText() == "Select with GrabCut"
    window.viewer.setFocus()
    assert not window.actions_by_id["nextMask"].isEnabled()
    by_grabcut = mask(window)
    assert (by_grabcut != by_sam).any()
    press(window, Qt.Key.Key_Z, Ctrl)
    answered(window, qtbot)
    assert choice.currentText() == "MobileSAM"
    assert window.actions_by_id["nextMask"].isEnabled()
    assert np.array_equal(mask(window), by_sam)


def test_the_window_closes_at_once_while_a_frame_is_looked_at(
    window: MainWindow, clip: Path, own_models: Path, qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    click(window, 50, 60)
    qtbot.waitUntil(lambda: window.viewer.busy.shown, timeout=PATIENCE_MS)
    window.interrupt()
    assert window._selecting._worker._process is None


def test_a_model_that_is_gone_is_told(window: MainWindow, clip: Path, own_models: Path, qtbot: QtBot) -> None:
    opened(window, clip, qtbot)
    shutil.rmtree(own_models)
    click(window, 50, 60)
    settle(window, qtbot)
    assert window.messages.shown is not None
    assert "matteo models get mobile-sam" in window.messages.shown.text
    assert not window.viewer.busy.shown


def test_what_the_worker_says_of_a_click_is_shown(
    window: MainWindow, clip: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(window, clip, qtbot)

    def run(function: object, *_: object, ctx: JobContext) -> Answer:
        ctx.notice("The GPU ran out of memory; going on on the CPU.")
        return Answer(0.1, 0)

    monkeypatch.setattr(window._selecting._worker, "run", run)
    click(window, 50, 60)
    answered(window, qtbot)
    assert text_of(window) == "The GPU ran out of memory; going on on the CPU."
