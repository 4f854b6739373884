"""Embeddings of frames are kept, for making one takes a hundred times as long as answering a click from it."""

from __future__ import annotations

import io
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.errors import OutputError
from matting.files import write_bytes

log = logging.getLogger(__name__)

MEMORY_BYTES = 256 << 20
DISK_BYTES = 1 << 30
_SUFFIX = ".npy"


class Embeddings:
    """The embeddings that were used last, some in memory and more in a folder, which several processes may share.

    Kept in half precision: 2 MiB each, so by default 128 in memory and 512 on the disk. What was not used for longest
    goes first.

    Args:
        folder: where they lie; it may be emptied at any time.
        memory_bytes: how much may be held in memory; one embedding is held whatever it takes.
        disk_bytes: how much the folder may hold.
    """

    def __init__(self, folder: Path, memory_bytes: int = MEMORY_BYTES, disk_bytes: int = DISK_BYTES) -> None:
        self._folder, self._memory_bytes, self._disk_bytes = folder, memory_bytes, disk_bytes
        self._held: OrderedDict[str, NDArray[np.float16]] = OrderedDict()
        self.made = 0
        """How many had to be made, because nobody had them."""

    def of(self, key: str, make: Callable[[], FloatArray]) -> NDArray[np.float16]:
        """The embedding of that name.

        Args:
            key: says everything that it was made from; letters and digits.
            make: called when it is not there.

        Returns:
            It in half precision, so that an answer does not depend on whether it was kept; not to be changed.
        """
        kept = self._held.pop(key, None)
        if kept is None:
            kept = self._read(key)
        if kept is None:
            kept = make().astype(np.float16)
            self.made += 1
            self._write(key, kept)
        self._held[key] = kept
        while len(self._held) > 1 and sum(held.nbytes for held in self._held.values()) > self._memory_bytes:
            self._held.popitem(last=False)
        return kept

    def _path(self, key: str) -> Path:
        return self._folder / f"{key}{_SUFFIX}"

    def _read(self, key: str) -> NDArray[np.float16] | None:
        path = self._path(key)
        try:
            kept = np.load(path, allow_pickle=False)
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, EOFError) as error:
            log.warning("%s is damaged and is made anew: %s", path, error)
            return None
        return np.asarray(kept, np.float16)

    def _write(self, key: str, embedding: NDArray[np.float16]) -> None:
        content = io.BytesIO()
        np.save(content, embedding, allow_pickle=False)
        try:
            write_bytes(self._path(key), content.getvalue())
            self._make_room()
        except (OutputError, OSError) as error:  # the answer does not need it
            log.warning("An embedding is not kept: %s", error)

    def _make_room(self) -> None:
        files = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # another process made room, too
                continue
            files.append((facts.st_mtime_ns, facts.st_size, path))
        surplus = sum(size for _, size, _ in files) - self._disk_bytes
        for _, size, path in sorted(files):
            if surplus <= 0:
                break
            path.unlink(missing_ok=True)
            surplus -= size
