"""Image sequences: which files, in which order, and their pictures."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.errors import MediaError
from matting.media import open_clip
from matting.media.image_header import image_size


def picture(seed: int, dtype: type = np.uint8, channels: int = 3, size_hw: tuple[int, int] = (9, 14)) -> NDArray[Any]:
    shape = (*size_hw, channels) if channels > 1 else size_hw
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def save(path: Path, rgb: NDArray[Any], *options: int) -> Path:
    path.parent.mkdir(exist_ok=True)
    order = [2, 1, 0, 3][: rgb.shape[2]] if rgb.ndim == 3 else None
    assert cv2.imwrite(str(path), rgb if order is None else rgb[..., order], options)
    return path


@pytest.fixture
def shot(tmp_path: Path) -> Path:
    for number in (8, 9, 10, 11, 100):
        save(tmp_path / "shot" / f"take 2 [x]_{number}.png", picture(number))
    (tmp_path / "shot" / "notes.txt").write_text("not a picture")
    (tmp_path / "shot" / ".hidden_9.png").write_bytes(b"")
    return tmp_path / "shot"


def test_folder_is_read_in_the_order_of_numbers(shot: Path) -> None:
    with open_clip(shot) as clip:
        assert [file.name for file in clip.info.sequence] == [f"take 2 [x]_{n}.png" for n in (8, 9, 10, 11, 100)]
        assert [np.array_equal(p, picture(n)) for (_, p), n in zip(clip.frames(0, 5), (8, 9, 10, 11, 100), strict=True)]
        assert (clip.info.rate, clip.info.time_base) == (Fraction(25), Fraction(1, 25))
        assert clip.info.pts.tolist() == [0, 1, 2, 3, 4]
        assert clip.info.notices == (
            "88 numbers are missing in shot, first after take 2 [x]_11.png; frames are counted by the files that are "
            "there.",
        )
        assert (clip.info.color.matrix, clip.info.audio, clip.info.rotation) == (0, None, 0)


@pytest.mark.parametrize(("pattern", "count"), [("take 2 [[]x]_1*.png", 3), ("take 2 [x]_%d.png", 5), ("*", 5)])
def test_patterns(pattern: str, count: int, shot: Path) -> None:
    with open_clip(str(shot / pattern), rate=Fraction(24000, 1001)) as clip:
        assert len(clip) == count
        assert clip.info.rate == Fraction(24000, 1001)
        assert clip.info.time_base == Fraction(1001, 24000)


def test_one_image_is_a_clip_of_one_frame(shot: Path) -> None:
    with open_clip(shot / "take 2 [x]_9.png") as clip:
        assert len(clip) == 1
        assert np.array_equal(clip.frame(0), picture(9))


@pytest.mark.parametrize("suffix", [".png", ".tif", ".tiff"])
def test_sixteen_bits_stay(suffix: str, tmp_path: Path) -> None:
    save(tmp_path / "s" / f"0{suffix}", picture(1, np.uint16))
    with open_clip(tmp_path / "s") as clip:
        assert np.array_equal(clip.frame(0), picture(1, np.uint16))
        assert clip.info.bit_depth == 16


@pytest.mark.parametrize("suffix", [".png", ".tif", ".bmp"])
def test_eight_bits_grey_and_palette(suffix: str, tmp_path: Path) -> None:
    save(tmp_path / "rgb" / f"0{suffix}", picture(1))
    save(tmp_path / "grey" / f"0{suffix}", picture(1, channels=1))
    with open_clip(tmp_path / "rgb") as clip, open_clip(tmp_path / "grey") as grey:
        assert np.array_equal(clip.frame(0), picture(1))
        assert np.array_equal(grey.frame(0), np.dstack([picture(1, channels=1)] * 3))


def test_transparency_is_dropped_with_a_notice(tmp_path: Path) -> None:
    save(tmp_path / "cut" / "0.png", picture(1, channels=4))
    with open_clip(tmp_path / "cut") as clip:
        assert np.array_equal(clip.frame(0), picture(1, channels=4)[..., :3])
        assert clip.info.notices == ("cut carries transparency; it is not read.",)


def test_mixed_sizes_are_refused(shot: Path) -> None:
    save(shot / "take 2 [x]_12.png", picture(0, size_hw=(9, 15)))
    with pytest.raises(MediaError, match=r"_12\.png is 15×9 and .*_8\.png 14×9; .* must be of one size\.$"):
        open_clip(shot)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a, perhaps", b"\xff\xd8\xff\xd9"])
def test_files_that_are_no_images_are_refused(content: bytes, shot: Path) -> None:
    (shot / "take 2 [x]_12.png").write_bytes(content)
    with pytest.raises(MediaError, match=r"_12\.png is not an image that can be read; .*\.$"):
        open_clip(shot)


def test_an_image_that_breaks_off_is_refused_when_it_is_read(shot: Path) -> None:
    file = shot / "take 2 [x]_10.png"
    file.write_bytes(file.read_bytes()[:200])
    with open_clip(shot) as clip:
        assert np.array_equal(clip.frame(1), picture(9))
        with pytest.raises(MediaError, match=r"_10\.png cannot be read as a picture; .*\.$"):
            clip.frame(2)


def test_a_change_of_depth_is_refused_when_it_is_read(tmp_path: Path) -> None:
    save(tmp_path / "s" / "0.png", picture(1))
    save(tmp_path / "s" / "1.png", picture(1, np.uint16))
    with open_clip(tmp_path / "s") as clip, pytest.raises(MediaError, match=r"^1\.png is 14×9 with 16 bits"):
        clip.frame(1)


def test_a_file_that_went_away_is_named(shot: Path) -> None:
    with open_clip(shot) as clip:
        (shot / "take 2 [x]_10.png").unlink()
        with pytest.raises(MediaError, match=r"_10\.png is not there any more; .*\.$"):
            clip.frame(2)


def test_empty_folders_and_patterns_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MediaError, match=r"empty has no images in it; .*\.$"):
        open_clip(tmp_path / "empty")
    with pytest.raises(MediaError, match=r"%05d\.png has no images in it; .*\.$"):
        open_clip(tmp_path / "empty" / "%05d.png")


def test_fingerprint_follows_the_content(shot: Path) -> None:
    before = open_clip(shot).info.fingerprint
    moved = shot.rename(shot.with_name("elsewhere"))
    assert open_clip(moved).info.fingerprint == before
    save(moved / "take 2 [x]_100.png", picture(101))
    assert open_clip(moved).info.fingerprint != before
    copy = shutil.copytree(moved, moved.with_name("fewer"))
    (copy / "take 2 [x]_9.png").unlink()
    assert open_clip(copy).info.fingerprint != open_clip(moved).info.fingerprint


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".png", ()),
        (".jpg", ()),
        (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
        (".tif", ()),
        (".bmp", ()),
        (".webp", (cv2.IMWRITE_WEBP_QUALITY, 80)),
        (".webp", (cv2.IMWRITE_WEBP_QUALITY, 101)),
    ],
)
@pytest.mark.parametrize("size_hw", [(1, 1), (9, 14), (300, 7)])
def test_size_from_the_header(suffix: str, options: tuple[int, ...], size_hw: tuple[int, int], tmp_path: Path) -> None:
    file = save(tmp_path / f"a{suffix}", picture(2, size_hw=size_hw), *options)
    assert image_size(file) == size_hw
