"""Numbered pictures: names, exactness, and good manners in a folder that holds other things."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from exports import clip_info, export, hidden, noise

from matting.errors import OutputError
from matting.media.presets import Preset


@pytest.mark.parametrize("size_hw", [(1, 1), (7, 5), (48, 64)])
@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_pictures_keep_every_bit(tmp_path: Path, size_hw: tuple[int, int], channels: int, dtype: type) -> None:
    pictures = [noise(i, size_hw, dtype, channels) for i in range(3)]
    target = tmp_path / "out"
    assert export(target, Preset.PNG, clip_info(3, size_hw), pictures, alpha=channels == 4, gray=channels == 1) == []
    assert sorted(path.name for path in target.iterdir()) == ["00000.png", "00001.png", "00002.png"]
    order = {1: None, 3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}[channels]
    for index, picture in enumerate(pictures):
        back = cv2.imread(str(target / f"{index:05d}.png"), cv2.IMREAD_UNCHANGED)
        assert back is not None
        assert back.dtype == dtype
        np.testing.assert_array_equal(back if order is None else cv2.cvtColor(back, order), picture)


def numbers(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.png"))


def test_numbers_are_those_of_the_clip(tmp_path: Path) -> None:
    pictures = [noise(i, (4, 4)) for i in range(3)]
    export(tmp_path / "a", Preset.PNG, clip_info(9, (4, 4)), pictures, range(5, 8))
    assert numbers(tmp_path / "a") == ["00005", "00006", "00007"]
    export(tmp_path / "b", Preset.PNG, clip_info(9, (4, 4)), pictures, range(5, 8), start_number=1001)
    assert numbers(tmp_path / "b") == ["01001", "01002", "01003"]
    export(tmp_path / "c" / "shot_%d.png", Preset.PNG, clip_info(9, (4, 4)), pictures, range(5, 8), start_number=9)
    assert numbers(tmp_path / "c") == ["shot_10", "shot_11", "shot_9"]


def test_one_picture_may_have_a_name(tmp_path: Path) -> None:
    export(tmp_path / "still.png", Preset.PNG, clip_info(9, (4, 4)), [noise(0, (4, 4))], range(5, 6))
    assert [path.name for path in tmp_path.iterdir()] == ["still.png"]
    with pytest.raises(OutputError, match=r"still\.png is the name of one picture, not of 2"):
        export(tmp_path / "still.png", Preset.PNG, clip_info(9, (4, 4)), [], range(5, 7))


def test_pixel_aspect_is_noted(tmp_path: Path) -> None:
    export(tmp_path / "out", Preset.PNG, clip_info(1, (4, 4), pixel_aspect=Fraction(64, 45)), [noise(0, (4, 4))])
    content = (tmp_path / "out" / "00000.png").read_bytes()
    at = content.index(b"pHYs") + 4
    across, down = int.from_bytes(content[at : at + 4], "big"), int.from_bytes(content[at + 4 : at + 8], "big")
    assert Fraction(across, down) == Fraction(64, 45)


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "00009.png").write_text("mine too")
    info = clip_info(20, (4, 4))
    export(tmp_path, Preset.PNG, info, [noise(i, (4, 4)) for i in range(3)], range(3))
    with pytest.raises(OutputError, match=r"00002\.png exists"):
        export(tmp_path, Preset.PNG, info, [noise(i, (4, 4)) for i in range(3)], range(2, 5))
    export(tmp_path, Preset.PNG, info, [noise(i, (4, 4)) for i in range(3)], range(2, 5), overwrite=True)
    assert numbers(tmp_path) == ["00000", "00001", "00002", "00003", "00004", "00009"]
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert (tmp_path / "00009.png").read_text() == "mine too"
    assert hidden(tmp_path) == []


def test_an_empty_folder_is_no_result(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(tmp_path / "out", Preset.PNG, clip_info(1, (4, 4)), [noise(0, (4, 4))])
    assert numbers(tmp_path / "out") == ["00000"]
