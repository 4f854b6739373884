"""Whatever happens while writing, the final name holds a whole result or what was there before."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from exports import clip_info, export, hidden, noise, read
from numpy.typing import NDArray

from matting.errors import Cancelled, OutputError
from matting.media import open_clip
from matting.media.presets import Preset, default_preset
from matting.media.writer import open_writer

TARGETS = ["out.mp4", "out.mov", "out.webm", "out.mkv", "pictures", "shot_%04d.png"]
SIZE = (48, 64)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let every write beyond ``size`` bytes fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("failure", [Cancelled, KeyboardInterrupt, OSError])
def test_nothing_stays_when_the_block_fails(tmp_path: Path, name: str, failure: type[BaseException]) -> None:
    target = tmp_path / "new" / "deep" / name

    def stopped() -> Iterator[NDArray[Any]]:
        for index in range(10):
            yield noise(index, SIZE)
        raise failure

    with pytest.raises(failure):
        export(target, default_preset(target), clip_info(20, SIZE), stopped())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TARGETS)
def test_missing_folders_are_made(tmp_path: Path, name: str) -> None:
    target = tmp_path / "new" / "deep" / name
    export(target, default_preset(target), clip_info(2, SIZE), [noise(i, SIZE) for i in range(2)])
    assert hidden(target.parent) == []
    assert len(list(target.parent.iterdir())) == (2 if "%" in name else 1)


@pytest.mark.parametrize("name", TARGETS)
def test_what_exists_is_refused_or_replaced(tmp_path: Path, name: str) -> None:
    target = tmp_path / name
    preset, info = default_preset(target), clip_info(3, SIZE)
    export(target, preset, info, [noise(i, SIZE) for i in range(3)])
    before = contents(tmp_path)
    with pytest.raises(OutputError, match="exists; add --overwrite or choose another name"):
        export(target, preset, info, [noise(i, SIZE) for i in range(3)])
    with pytest.raises(ValueError, match="1 of 3"):
        export(target, preset, info, [noise(7, SIZE)], overwrite=True)
    assert contents(tmp_path) == before
    export(target, preset, info, [noise(i + 5, SIZE) for i in range(3)], overwrite=True)
    if name in ("pictures", "out.mkv"):
        np.testing.assert_array_equal(open_clip(target).frame(0), noise(5, SIZE))


def test_footage_is_never_replaced(tmp_path: Path) -> None:
    clip, folder = tmp_path / "clip.mkv", tmp_path / "shot"
    export(clip, Preset.FFV1, clip_info(2, SIZE), [noise(i, SIZE) for i in range(2)])
    export(folder, Preset.PNG, clip_info(2, SIZE), [noise(i, SIZE) for i in range(2)])
    before = contents(tmp_path)
    (tmp_path / "link.mkv").symlink_to(clip)
    for target, source in ((clip, clip), (tmp_path / "link.mkv", clip), (folder, folder)):
        with pytest.raises(OutputError, match="is footage of the clip itself; choose another name"):
            export(target, default_preset(target), open_clip(source).info, [], overwrite=True)
    (tmp_path / "link.mkv").unlink()
    assert contents(tmp_path) == before


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    for target in (tmp_path / "taken" / "out.mkv", tmp_path / "taken" / "pictures", tmp_path / "taken"):
        with pytest.raises(OutputError, match="taken"):
            export(target, default_preset(target), clip_info(1, SIZE), [noise(0, SIZE)], overwrite=True)
    assert (tmp_path / "taken").read_text() == "mine"


@pytest.mark.parametrize("name", TARGETS)
def test_a_folder_that_cannot_be_written(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "touch", refuse)  # the tests may run as root, whom no folder refuses
    monkeypatch.setattr(Path, "mkdir", refuse)
    target = tmp_path / name
    with pytest.raises(OutputError, match=r"could not be written: Permission denied\."):
        export(target, default_preset(target), clip_info(1, SIZE), [noise(0, SIZE)])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("room", [0, 1000, 9000])
def test_a_full_disk(tmp_path: Path, name: str, room: int) -> None:
    target = tmp_path / "new" / name
    with pytest.raises(OutputError, match=r"could not be written: File too large\."), largest_file(room):
        export(target, default_preset(target), clip_info(12, SIZE), (noise(i, SIZE) for i in range(12)))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_at_the_very_end(tmp_path: Path) -> None:
    info, pictures = clip_info(12, SIZE), [noise(i, SIZE) for i in range(12)]
    export(tmp_path / "a.mkv", Preset.FFV1, info, pictures)
    size = (tmp_path / "a.mkv").stat().st_size
    with pytest.raises(OutputError, match="could not be written"), largest_file(size - 1):
        export(tmp_path / "b.mkv", Preset.FFV1, info, pictures)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mkv"]


WRITES_FOREVER = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from exports import clip_info, noise
from matting.media.presets import default_preset
from matting.media.writer import open_writer
target = Path(sys.argv[1])
with open_writer(target, default_preset(target), clip_info(100000, (48, 64)), range(100000), overwrite=True) as writer:
    for index in range(100000):
        writer.write(noise(index, (48, 64)))
        if index == 40:
            print("going", flush=True)
"""


@pytest.mark.parametrize("name", ["out.mp4", "pictures"])
@pytest.mark.parametrize("there", [False, True])
def test_a_killed_run_leaves_only_what_the_next_one_removes(tmp_path: Path, name: str, there: bool) -> None:
    target = tmp_path / name
    info, pictures = clip_info(2, SIZE), [noise(i, SIZE) for i in range(2)]
    if there:
        export(target, default_preset(target), info, pictures)
    before = sorted(path for path in tmp_path.rglob("*") if not any(part.startswith(".") for part in path.parts))
    command = [sys.executable, "-c", WRITES_FOREVER, str(target), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ | {"PYTHONPATH": str(Path.cwd())}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"going\n"
        process.send_signal(signal.SIGKILL)
    left = [path for path in tmp_path.rglob("*") if path not in before]
    assert left
    assert all(any(part.startswith(".") and ".part-" in part for part in path.parts) for path in left)
    export(target, default_preset(target), info, pictures, overwrite=True)
    assert not [path for path in tmp_path.rglob("*") if ".part-" in path.name]


def test_hidden_files_of_others_stay(tmp_path: Path) -> None:
    mine = [
        ".out.part-12345678.mp4",
        ".out.part-1234567z.mkv",
        ".other.part-12345678.mkv",
        ".out.mkv",
        "out.part-12345678.mkv",
    ]
    for name in (*mine, ".out.part-12345678.mkv"):
        (tmp_path / name).write_text("x")
    export(tmp_path / "out.mkv", Preset.FFV1, clip_info(1, SIZE), [noise(0, SIZE)])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*mine, "out.mkv"])


def test_two_writers_side_by_side(tmp_path: Path) -> None:
    info = clip_info(3, SIZE)
    with (
        open_writer(tmp_path / "1.mkv", Preset.FFV1, info, range(3)) as one,
        open_writer(tmp_path / "m" / "1", Preset.PNG, info, range(3), gray=True) as two,
        open_writer(tmp_path / "m" / "2", Preset.PNG, info, range(3), gray=True) as three,
    ):
        for index in range(3):
            one.write(noise(index, SIZE))
            two.write(noise(index, SIZE, channels=1))
            three.write(noise(index + 9, SIZE, channels=1))
    assert len(read(tmp_path / "1.mkv").frames) == 3
    assert sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "m").rglob("*.png")) == [
        f"m/{instance}/0000{number}.png" for instance in (1, 2) for number in range(3)
    ]
