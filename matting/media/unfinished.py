"""Files that are still being written: the folders for them, what killed runs left, what is said when it fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree

from av import FFmpegError

from matting.errors import OutputError
from matting.files import PARTIAL


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Turn failures of the disk or the encoder into one sentence about ``target``."""
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise OutputError(f"{target} could not be written: {error.strerror or error}.") from error


@contextmanager
def folders(folder: Path) -> Iterator[None]:
    """Make ``folder`` and those above it; the new ones that hold nothing afterwards go again."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for path in missing:
            if path.is_dir() and not any(path.iterdir()):
                path.rmdir()


def remove_stale(target: Path) -> None:
    """Delete what killed runs left beside ``target``; see :func:`matting.files.partial_path`."""
    if not target.parent.is_dir():
        return
    unfinished = re.compile(re.escape(f".{target.stem}{PARTIAL}") + "[0-9a-f]{8}" + re.escape(target.suffix))
    with writing(target):
        for path in target.parent.iterdir():
            if unfinished.fullmatch(path.name):
                remove(path)


def remove(path: Path) -> None:
    """Delete a file, or a folder with all it holds; nothing there is fine."""
    if path.is_dir():
        rmtree(path)
    else:
        path.unlink(missing_ok=True)
