"""Models in the window: got from a server on this computer, stopped, gone on with, brought by hand, then offered."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from editor_content import find
from formula_weights import formula_weights, read_layout
from model_server import Behaviour, model_server
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QComboBox, QDialog, QFileDialog, QFrame, QLabel, QLineEdit, QListWidget, QPushButton
from pytestqt.qtbot import QtBot
from window_driver import opened, settle, text_of

from app.models_dialog import ModelsDialog
from app.window import MainWindow
from matting.weights import installed, model
from matting.weights.incoming import MIRROR, part_bytes

LEFT = Qt.MouseButton.LeftButton
LAYOUT = Path(__file__).parents[1] / "networks" / "golden" / "msg_vim" / "layout.json"
PATIENCE_MS = 60_000


def pickled(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.fixture
def does(monkeypatch: pytest.MonkeyPatch) -> Iterator[Behaviour]:
    """A server that has MobileSAM, as far as the catalogue looks at it."""
    content = pickled({key: torch.zeros(shape) for key, shape in model("mobile-sam").layout.items()})
    with model_server(content) as (address, behaviour):
        monkeypatch.setenv(MIRROR, address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield behaviour


class Shown:
    """The dialog that is open."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.dialog = next(d for d in window.findChildren(ModelsDialog) if d.isVisible())
        self.window, self.qtbot = window, qtbot
        self.list = find(self.dialog, QListWidget, "modelsList")
        self.get = find(self.dialog, QPushButton, "modelGet")
        self.bring = find(self.dialog, QPushButton, "modelImport")
        self.cancel = find(self.dialog, QPushButton, "modelCancel")
        qtbot.waitUntil(lambda: window.models.state("cutie") is not None, timeout=PATIENCE_MS)

    def choose(self, title: str) -> None:
        """With the keys, from the top."""
        self.list.setFocus()
        for _ in range(self.list.count()):
            QTest.keyClick(self.list, Qt.Key.Key_Up)
        for _ in range(self.list.count()):
            if self.text("modelTitle") == title:
                return
            QTest.keyClick(self.list, Qt.Key.Key_Down)
        raise AssertionError(f"{title} is not in the list")

    def text(self, name: str) -> str:
        return find(self.dialog, QLabel, name).text()

    def settled(self) -> None:
        settle(self.window, self.qtbot)

    def import_file(self, file: Path) -> None:
        QTest.mouseClick(self.bring, LEFT)
        files = find(self.dialog, QFileDialog, "weightsFileDialog")
        name = find(files, QLineEdit, "fileNameEdit")
        name.setText(str(file))
        QTest.keyClick(name, Qt.Key.Key_Return)
        self.settled()


def from_the_menu(window: MainWindow, qtbot: QtBot) -> Shown:
    window.actions_by_id["models"].trigger()
    return Shown(window, qtbot)


def test_every_model_shows_its_terms_beside_the_button(window: MainWindow, does: Behaviour, qtbot: QtBot) -> None:
    shown = from_the_menu(window, qtbot)
    shown.choose("MaGGIe, video")
    assert shown.text("licenceName") == "CC BY-NC 4.0"
    assert shown.text("commercialMark") == "Commercial use: no"
    assert "not for work that earns money" in shown.text("licenceTerms")
    assert "commercial use: no" in find(shown.dialog, QFrame, "licenceBox").accessibleName()
    shown.choose("Segment Anything, ViT-H")
    assert shown.text("commercialMark") == "Commercial use: yes"
    assert shown.text("modelState") == "no"
    assert shown.get.isVisible()
    assert not shown.cancel.isVisible()
    assert "could not be tried" in shown.text("modelsNote")


def test_a_model_that_is_only_had_by_hand_has_nothing_to_get(window: MainWindow, qtbot: QtBot) -> None:
    shown = from_the_menu(window, qtbot)
    shown.choose("MSG-VIM")
    assert not shown.get.isVisible()
    assert shown.bring.isVisible()


def test_a_download_is_stopped_and_gone_on_with(window: MainWindow, does: Behaviour, qtbot: QtBot) -> None:
    shown = from_the_menu(window, qtbot)
    does.block_wait_s = 0.05
    shown.choose("MobileSAM")
    QTest.mouseClick(shown.get, LEFT)
    assert shown.cancel.isVisible()
    assert not shown.get.isVisible()
    qtbot.waitUntil(lambda: "Getting MobileSAM" in shown.text("modelProgressText"), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: part_bytes(model("mobile-sam")) > 100_000, timeout=PATIENCE_MS)
    assert shown.text("state_mobile-sam").endswith("%")
    QTest.mouseClick(shown.cancel, LEFT)
    assert not shown.cancel.isEnabled()
    shown.settled()
    came = part_bytes(model("mobile-sam"))
    assert 100_000 < came < len(does.content)
    assert shown.text("state_mobile-sam") == "begun"
    assert "of it have come, getting it goes on from there" in shown.text("modelState")
    does.block_wait_s = 0
    QTest.mouseClick(shown.get, LEFT)
    shown.settled()
    assert does.asked_ranges == ["", f"bytes={came}-"]
    assert installed("mobile-sam") is not None
    assert shown.text("state_mobile-sam") == "installed"
    assert shown.text("modelState") == "yes, 1.6 MB"
    assert not shown.get.isVisible()
    assert text_of(window) == "MobileSAM is installed."


def test_what_went_wrong_is_said_there_and_a_download_outlives_the_dialog(
    window: MainWindow, does: Behaviour, qtbot: QtBot
) -> None:
    shown = from_the_menu(window, qtbot)
    does.statuses = [404]
    shown.choose("MobileSAM")
    QTest.mouseClick(shown.get, LEFT)
    shown.settled()
    assert "mobile_sam.pt is not there any more" in shown.text("modelProgressText")
    assert shown.text("state_mobile-sam") == "failed"
    QTest.mouseClick(shown.get, LEFT)
    assert "not there any more" not in shown.text("modelProgressText")
    QTest.mouseClick(find(shown.dialog, QPushButton, "modelsClose"), LEFT)
    assert not shown.dialog.isVisible()
    shown.settled()
    assert installed("mobile-sam") is not None
    assert text_of(window) == "MobileSAM is installed."


def test_a_file_that_is_brought_is_offered_for_matting(
    window: MainWindow, clip: Path, does: Behaviour, tmp_path: Path, qtbot: QtBot
) -> None:
    opened(window, clip, qtbot)
    brought = tmp_path / "msgvim.pth"
    torch.save(formula_weights(read_layout(LAYOUT)), brought)
    window.actions_by_id["matting"].trigger()
    matting = find(window, QDialog, "mattingDialog")
    method = find(matting, QComboBox, "mattingMethod")
    assert [method.itemText(place) for place in range(method.count())] == [
        "Closed form (no weights needed)",
        "Matteo lite   (commercial use: yes)",
        "A network, from a file of weights",
    ]
    assert method.currentIndex() == 1  # what a new project begins with
    QTest.mouseClick(find(matting, QPushButton, "mattingModels"), LEFT)
    shown = Shown(window, qtbot)
    shown.choose("MSG-VIM")
    shown.import_file(clip / "walk_000.png")
    assert "walk_000.png is not MSG-VIM" in shown.text("modelProgressText")
    shown.import_file(brought)
    assert shown.text("state_msg-vim") == "installed"
    QTest.mouseClick(find(shown.dialog, QPushButton, "modelsClose"), LEFT)
    assert method.itemText(1) == "MSG-VIM   (commercial use: unstated)"
    QTest.keyClick(method, Qt.Key.Key_Up)
    assert find(matting, QLabel, "commercialMark").isVisible()
    assert not find(matting, QLineEdit, "mattingWeights").isVisible()
    QTest.mouseClick(find(matting, QPushButton, "mattingOk"), LEFT)
    settle(window, qtbot)
    methods = window.session.document.methods
    assert methods.weights is not None
    assert window.session.workspace.resolve(methods.weights.path) == installed("msg-vim")
    window.actions_by_id["matting"].trigger()
    again = [found for found in window.findChildren(QComboBox, "mattingMethod") if found.isVisible()]
    assert [found.currentText() for found in again] == ["MSG-VIM   (commercial use: unstated)"]


def test_closing_the_window_stops_a_download_and_keeps_what_came(
    window: MainWindow, does: Behaviour, qtbot: QtBot
) -> None:
    shown = from_the_menu(window, qtbot)
    does.block_wait_s = 0.05
    shown.choose("MobileSAM")
    QTest.mouseClick(shown.get, LEFT)
    qtbot.waitUntil(lambda: part_bytes(model("mobile-sam")) > 50_000, timeout=PATIENCE_MS)
    window.interrupt()
    assert window.jobs.idle or not window.isVisible()
    assert 50_000 < part_bytes(model("mobile-sam")) < len(does.content)
