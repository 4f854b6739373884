"""The dialog that asks how masks become mattes, and what the inspector says of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from editor_content import clip_info, find, open_session
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app import saving
from app.inspector import how_it_is_made
from app.job import Jobs
from app.matting_dialog import MattingDialog
from app.models import Models
from app.session import Session
from app.stages import MattingChoice
from matting.compositing.backdrops import Image
from matting.project.document import Document, Weights
from matting.weights import installed

LEFT, DOWN = Qt.MouseButton.LeftButton, Qt.Key.Key_Down


class Asked:
    """The dialog and what was chosen in it."""

    def __init__(self, session: Session, device: str, qtbot: QtBot) -> None:
        self.choices: list[MattingChoice] = []
        self.jobs = Jobs()
        self.models = Models(self.jobs)
        self.models.look_up()
        qtbot.waitUntil(lambda: self.jobs.idle)
        self.dialog = MattingDialog(session, self.models, device, self.choices.append)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.method = find(self.dialog, QComboBox, "mattingMethod")
        self.path = find(self.dialog, QLineEdit, "mattingWeights")
        self.size = find(self.dialog, QComboBox, "mattingSize")
        self.device = find(self.dialog, QComboBox, "mattingDevice")
        self.missing = find(self.dialog, QLabel, "mattingMissing")
        self.ok = find(self.dialog, QPushButton, "mattingOk")


@pytest.fixture
def session(tmp_path: Path, qtbot: QtBot) -> Session:
    return open_session(tmp_path / "shot.matteo", clip_info(50))


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "nets" / "maggie.pth"
    path.parent.mkdir()
    path.write_bytes(b"whatever")
    return path


def made_with(document: Document, weights: Weights, matter: str = "maggie") -> Document:
    methods = document.methods.model_copy(update={"matter": matter, "weights": weights})
    return document.model_copy(update={"methods": methods})


def known(path: str = "../nets/maggie.pth", short_side: int | None = 576) -> Weights:
    return Weights(path=path, kind="maggie-video", fingerprint="0" * 16, short_side=short_side)


def test_closed_form_needs_nothing_else(session: Session, qtbot: QtBot) -> None:
    asked = Asked(session, "auto", qtbot)
    assert not any(widget.isEnabled() for widget in (asked.path, asked.size, asked.device))
    QTest.mouseClick(asked.ok, LEFT)
    assert asked.choices == [MattingChoice()]
    assert not asked.dialog.isVisible()


def test_a_network_needs_a_file_that_is_there(session: Session, weights: Path, qtbot: QtBot) -> None:
    asked = Asked(session, "auto", qtbot)
    QTest.keyClick(asked.method, Qt.Key.Key_End)
    assert not asked.ok.isEnabled()
    assert not asked.missing.isVisible()
    QTest.keyClicks(asked.path, str(weights)[:-1])
    assert not asked.ok.isEnabled()
    assert asked.missing.isVisible()
    assert asked.missing.text() == "maggie.pt is not there."
    QTest.keyClicks(asked.path, "h")
    assert not asked.missing.isVisible()
    assert asked.size.currentText() == "576 px short side (default)"
    QTest.keyClick(asked.size, Qt.Key.Key_End)
    QTest.keyClick(asked.device, DOWN)
    QTest.keyClick(find(asked.dialog, QCheckBox, "mattingCrop"), Qt.Key.Key_Space)
    QTest.mouseClick(asked.ok, LEFT)
    assert asked.choices == [MattingChoice(weights, None, "cpu", crop=True)]


def test_the_file_can_be_browsed_for(session: Session, weights: Path, qtbot: QtBot) -> None:
    asked = Asked(session, "auto", qtbot)
    QTest.keyClick(asked.method, Qt.Key.Key_End)
    QTest.mouseClick(find(asked.dialog, QPushButton, "mattingBrowse"), LEFT)
    files = find(asked.dialog, QFileDialog, "weightsFileDialog")
    assert "*.safetensors" in files.nameFilters()[0]
    name = find(files, QLineEdit, "fileNameEdit")
    name.setText(str(weights))
    QTest.keyClick(name, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: asked.path.text() == str(weights))
    assert asked.ok.isEnabled()


def test_it_shows_what_is_chosen_now(session: Session, weights: Path, qtbot: QtBot) -> None:
    session.edit("", made_with(session.document, known(short_side=500)))
    asked = Asked(session, "cuda", qtbot)
    assert asked.path.text() == str(weights)
    assert asked.size.currentText() == "500 px short side"
    assert asked.device.currentText() == "CUDA"
    QTest.mouseClick(asked.ok, LEFT)
    assert asked.choices == [MattingChoice(weights, 500, "cuda")]


def test_cancel_chooses_nothing(session: Session, qtbot: QtBot) -> None:
    asked = Asked(session, "auto", qtbot)
    QTest.mouseClick(find(asked.dialog, QPushButton, "mattingCancel"), LEFT)
    assert not asked.choices


def test_everything_that_can_be_used_says_what_it_is(session: Session, qtbot: QtBot) -> None:
    asked = Asked(session, "auto", qtbot)
    for widget in (asked.method, asked.path, asked.size, asked.device):
        assert widget.accessibleName()
        assert widget.toolTip()
    for name in ("mattingBrowse", "mattingOk", "mattingCancel"):
        assert find(asked.dialog, QWidget, name).toolTip()


def test_the_inspector_says_at_what_size_the_network_works(session: Session) -> None:
    assert how_it_is_made(session.document) == (
        "Made with grabcut · flow · classical; processed at source resolution, 1280×720."
    )
    assert how_it_is_made(made_with(session.document, known())) == (
        "Made with grabcut · flow · maggie (weights maggie.pth); the network works at 576 px short side, mattes are "
        "delivered at source resolution, 1280×720."
    )
    for short_side in (None, 720, 1080):  # nothing is scaled up
        assert how_it_is_made(made_with(session.document, known(short_side=short_side))).endswith(
            "; the network works at source resolution, 1280×720."
        )


def test_a_long_file_name_does_not_widen_the_inspector(session: Session) -> None:
    said = how_it_is_made(made_with(session.document, known(path="../a_very_long_name_of_a_file_of_weights.pth")))
    assert "(weights a_very_lon…ights.pth)" in said


def test_a_project_that_moves_still_finds_its_weights(session: Session, tmp_path: Path) -> None:
    document = made_with(session.document, known()).model_copy(update={"backdrop": Image(path="../wall.png")})
    old, new = tmp_path / "shot.matteo", tmp_path / "named" / "deep" / "shot.matteo"
    moved = saving.rebased(document, old, new)
    assert moved.methods.weights == known(path="../../../nets/maggie.pth")
    assert moved.backdrop == Image(path="../../../wall.png")
    assert moved.media.path == "../../../dance_4p.mp4"
    assert saving.rebased(moved, new, old) == document


def test_the_network_that_comes_with_matteo_is_offered_at_the_size_that_suits_it(
    session: Session, qtbot: QtBot
) -> None:
    asked = Asked(session, "auto", qtbot)
    assert asked.method.itemText(1).startswith("Matteo lite")
    QTest.keyClick(asked.method, DOWN)
    assert asked.size.currentText() == "288 px short side (default)"
    QTest.keyClick(asked.method, Qt.Key.Key_End)
    assert asked.size.currentText() == "576 px short side (default)"
    QTest.keyClick(asked.method, Qt.Key.Key_Up)
    QTest.mouseClick(asked.ok, LEFT)
    assert asked.choices == [MattingChoice(installed("lite"), 288, "auto")]
