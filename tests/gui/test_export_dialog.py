from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from editor_content import clip_info, find, five_people, open_session
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.export_dialog import ExportDialog
from app.stages import ExportOrder


class Asked:
    """The dialog and what was ordered in it."""

    def __init__(self, folder: Path, qtbot: QtBot) -> None:
        self.orders: list[ExportOrder] = []
        session = open_session(folder / "shot.matteo", clip_info(50, Fraction(25)), five_people(50))
        self.dialog = ExportDialog(session, self.orders.append)
        qtbot.addWidget(self.dialog)
        self.dialog.show()
        self.path = find(self.dialog, QLineEdit, "exportPath")
        self.what = find(self.dialog, QComboBox, "exportWhat")
        self.preset = find(self.dialog, QComboBox, "exportPreset")
        self.start = find(self.dialog, QPushButton, "exportStart")

    def type_path(self, path: Path) -> None:
        self.path.selectAll()
        QTest.keyClicks(self.path, str(path))


@pytest.fixture
def asked(tmp_path: Path, qtbot: QtBot) -> Asked:
    return Asked(tmp_path, qtbot)


def test_it_proposes_a_video_beside_the_project(asked: Asked, tmp_path: Path) -> None:
    assert Path(asked.path.text()) == tmp_path / "dance_4p_composite.mp4"
    QTest.mouseClick(asked.start, Qt.MouseButton.LeftButton)
    assert asked.orders == [ExportOrder(tmp_path / "dance_4p_composite.mp4", "h264", "composite", False, False)]


def test_the_ending_and_the_format_follow_each_other(asked: Asked, tmp_path: Path) -> None:
    asked.type_path(tmp_path / "out.mkv")
    assert asked.preset.currentText().startswith("FFV1")
    asked.preset.setCurrentIndex(1)
    assert asked.path.text().endswith("out.mov")
    asked.preset.setCurrentIndex(3)
    assert asked.path.text().endswith("out")


def test_masks_are_pictures(asked: Asked) -> None:
    asked.what.setCurrentIndex(3)
    assert asked.preset.currentText().startswith("PNG")
    assert not asked.preset.isEnabled()
    assert asked.path.text().endswith("dance_4p_mask")


def test_what_exists_is_replaced_only_when_that_is_said(asked: Asked, tmp_path: Path) -> None:
    taken = tmp_path / "taken.mp4"
    taken.write_bytes(b"precious")
    asked.type_path(taken)
    assert not asked.start.isEnabled()
    replace = find(asked.dialog, QCheckBox, "exportOverwrite")
    assert replace.isVisible()
    replace.setChecked(True)
    QTest.mouseClick(asked.start, Qt.MouseButton.LeftButton)
    assert asked.orders[0].overwrite


def test_consent_to_replace_one_file_does_not_hold_for_another(asked: Asked, tmp_path: Path) -> None:
    for name in ("one.mp4", "two.mp4"):
        (tmp_path / name).write_bytes(b"precious")
    asked.type_path(tmp_path / "one.mp4")
    find(asked.dialog, QCheckBox, "exportOverwrite").setChecked(True)
    asked.type_path(tmp_path / "two.mp4")
    assert not asked.start.isEnabled()
