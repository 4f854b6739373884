"""The matte store: masks, alphas and plates of a project, in chunks of frames, keyed by what they came from.

A chunk is a zarr array in a folder ``<kind>/<first frame>/<key>``. It is written beside and renamed, so it is there
whole or not at all; a changed document asks for another key, and going back finds the old one again.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec

from matting.errors import OutputError
from matting.files import PARTIAL, partial_path

CHUNK_FRAMES = 8


def chunks(span: range) -> list[range]:
    """Cut a range of frames at the multiples of :data:`CHUNK_FRAMES`."""
    if not span:
        return []
    first = span.start // CHUNK_FRAMES * CHUNK_FRAMES
    return [
        range(max(start, span.start), min(start + CHUNK_FRAMES, span.stop))
        for start in range(first, span.stop, CHUNK_FRAMES)
    ]


def joined(pieces: Iterable[range]) -> Iterator[range]:
    """Ranges in ascending order, those that touch as one."""
    whole: range | None = None
    for piece in pieces:
        if whole is not None and whole.stop == piece.start:
            whole = range(whole.start, piece.stop)
        else:
            if whole is not None:
                yield whole
            whole = piece
    if whole is not None:
        yield whole


def digest(*parts: object) -> str:
    """A key from anything whose JSON says what it is: 32 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:32]


class MatteStore:
    """Derived pictures of one project on disk; safe to read while another thread writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def folder_of(self, kind: str) -> Path:
        """Where another room keeps something of its own, laid out like the chunks, until :meth:`prune` takes it."""
        return self._folder / kind

    def _chunk(self, kind: str, start: int, key: str) -> Path:
        return self._folder / kind / f"{start:06d}" / key

    def has(self, kind: str, start: int, key: str) -> bool:
        return self._chunk(kind, start, key).is_dir()

    def latest(self, kind: str, frame: int) -> tuple[int, str] | None:
        """First frame and key of the newest result that holds a frame, current or stale; None when there never was one.

        A chunk may have begun elsewhere, when the range or the cuts were others.
        """
        grid = frame // CHUNK_FRAMES * CHUNK_FRAMES
        found = [
            (path.stat().st_mtime_ns, start, path.name)
            for start in range(grid, frame + 1)
            if (folder := self._folder / kind / f"{start:06d}").is_dir()
            for path in folder.iterdir()
            if PARTIAL not in path.name and self._header(kind, start, path.name)["shape"][0] > frame - start
        ]
        return max(found)[1:] if found else None

    def read(self, kind: str, start: int, key: str) -> NDArray[Any]:
        """The chunk's array; raises KeyError when it is not there."""
        return np.asarray(self._open(kind, start, key)[...])

    def read_frame(self, kind: str, start: int, key: str, place: int) -> NDArray[Any]:
        """One frame of a chunk by its place in it, without reading the others; raises KeyError when not there."""
        return np.asarray(self._open(kind, start, key)[place])

    def _open(self, kind: str, start: int, key: str) -> zarr.Array[Any]:
        path = self._chunk(kind, start, key)
        if not path.is_dir():
            raise KeyError(f"{kind} {start} {key}")
        return zarr.open_array(path, mode="r")

    def facts(self, kind: str, start: int, key: str) -> dict[str, Any]:
        """Only the facts stored with a chunk, which is much quicker; raises KeyError when it is not there."""
        facts: dict[str, Any] = self._header(kind, start, key).get("attributes", {})
        return facts

    def _header(self, kind: str, start: int, key: str) -> dict[str, Any]:
        try:
            header: dict[str, Any] = json.loads((self._chunk(kind, start, key) / "zarr.json").read_text())
        except FileNotFoundError as error:
            raise KeyError(f"{kind} {start} {key}") from error
        return header

    def write(self, kind: str, start: int, key: str, array: NDArray[Any], facts: dict[str, Any] | None = None) -> None:
        """Keep a chunk; ``facts`` are small values of JSON.

        Raises:
            OutputError: the project's folder cannot be written or the disk is full.
        """
        target = self._chunk(kind, start, key)
        partial = partial_path(target)
        try:
            partial.parent.mkdir(parents=True, exist_ok=True)
            stored = zarr.create_array(
                partial,
                shape=array.shape,
                dtype=array.dtype,
                chunks=(1, *array.shape[1:]),
                shards=array.shape,
                compressors=ZstdCodec(level=3),
                attributes=facts or {},
                config={"write_empty_chunks": True},  # looking whether one is takes longer than writing it
            )
            stored[...] = array
            if target.is_dir():  # the same key holds the same content
                shutil.rmtree(partial)
            else:
                partial.rename(target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise OutputError(f"The project's store {self._folder} could not be written: {error.strerror}.") from error

    def copy(self, kind: str, start: int, key: str, other: str) -> None:
        """Keep a chunk under a second key as well, for a document to which the same content is known by that.

        Raises:
            KeyError: it is not there.
            OutputError: the project's folder cannot be written or the disk is full.
        """
        source, target = self._chunk(kind, start, key), self._chunk(kind, start, other)
        if not source.is_dir():
            raise KeyError(f"{kind} {start} {key}")
        if target.is_dir():
            return
        partial = partial_path(target)
        try:
            shutil.copytree(source, partial)
            partial.rename(target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise OutputError(f"The project's store {self._folder} could not be written: {error.strerror}.") from error

    def prune(self, keep: Iterable[tuple[str, int, str]]) -> None:
        """Delete every chunk but these (kind, first frame, key), and what unfinished writes left behind."""
        kept = {self._chunk(*entry) for entry in keep}
        for path in self._folder.glob("*/*/*"):
            if path not in kept:
                shutil.rmtree(path)
