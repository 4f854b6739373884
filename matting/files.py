"""Writing so that a file is either the old one or the whole new one, whatever happens in between."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from matting.errors import OutputError

PARTIAL = ".part-"
"""Marks unfinished files; whatever carries it may be deleted when no job runs."""


def partial_path(target: Path) -> Path:
    """A fresh name beside ``target`` for its unfinished content; keeps the extension, which encoders look at."""
    return target.with_name(f".{target.stem}{PARTIAL}{uuid.uuid4().hex[:8]}{target.suffix}")


def sync(path: Path) -> None:
    """Flush a file or folder to the disk; folders cannot be flushed on Windows and need not be."""
    if os.name == "nt" and path.is_dir():
        return
    descriptor = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a partial path to write to; put it in place of ``target`` if the block ends well, delete it otherwise.

    Folders that are missing are made.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    partial = partial_path(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield partial
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    except OSError as error:
        raise OutputError(f"{target} could not be written: {error.strerror or error}.") from error
    finally:
        if partial.exists():
            partial.unlink()


def write_bytes(target: Path, content: bytes) -> None:
    """Replace ``target`` by ``content`` atomically.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    with replacing(target) as partial:
        partial.write_bytes(content)


@contextmanager
def replacing_pictures(folder: Path, names: Sequence[str], overwrite: bool, key: str = "") -> Iterator[Path]:
    """Give a hidden folder to write the pictures ``names`` to; put them into ``folder`` if the block ends well.

    A new folder appears at once with everything in it. In one that exists each picture replaces its namesake and
    what else lies there stays.

    Args:
        folder: where they belong.
        names: all of them.
        overwrite: whether they may replace others.
        key: says what they are made from. The hidden folder then stays if the block ends badly, or the process does,
            and is given again for the same key, with what was written to it; each picture must appear there whole.

    Raises:
        OutputError: one of the pictures exists and ``overwrite`` is false, or the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder for the pictures.")
    taken = next((name for name in names if (folder / name).exists()), None)
    if taken is not None and not overwrite:
        raise OutputError(f"{folder / taken} exists; add --overwrite or choose another folder.")
    partial = folder.with_name(f".{folder.name}{PARTIAL}{key}") if key else partial_path(folder)
    done = False
    try:
        partial.mkdir(parents=True, exist_ok=bool(key))
        for unfinished in partial.glob(f".*{PARTIAL}*"):
            unfinished.unlink()
        yield partial
        if folder.exists():
            for name in names:
                (partial / name).replace(folder / name)
        else:
            partial.rename(folder)
        done = True
        sync(folder.parent)
    except OSError as error:
        raise OutputError(f"{folder} could not be written: {error.strerror or error}.") from error
    finally:
        if done or not key:
            shutil.rmtree(partial, ignore_errors=True)
