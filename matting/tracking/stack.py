"""Arrays on disk that are taken up in the opposite order, for what a forward pass leaves to a backward one."""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.errors import OutputError

_JPEG = (cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444)
"""Close enough for the backward pass, in a third of the size and a tenth of the time of a lossless code."""
_TRAILER = struct.Struct("<QII")
"""Behind each record: the mark before it, and of how many arrays it is."""
_BLOCK_BYTES = 1 << 20


class Mark(NamedTuple):
    """A height of a stack.

    Attributes:
        end: bytes of the file that count.
        checksum: of these bytes.
    """

    end: int
    checksum: int


GROUND = Mark(0, 0)
"""That of an empty stack."""


class _Writable(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Summed:
    """Writes to a file and keeps the checksum of all that went through (CRC-32)."""

    def __init__(self, file: _Writable, checksum: int = 0) -> None:
        self._file, self.checksum = file, checksum

    def write(self, data: bytes) -> None:
        """Write some bytes."""
        self.checksum = zlib.crc32(data, self.checksum)
        self._file.write(data)


class Stack:
    """Records in a file, the last one laid down the first to be taken up; to be used in a ``with``.

    What was taken up stays in the file until something else is laid down in its place, so that one can go back to a
    mark of before.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open a file and go to its ground.

        Args:
            path: where it is, or is made; its folder exists. None for a file without a name, where the system allows
                that, so that nothing of it stays behind even if the process is killed.

        Raises:
            OutputError: it cannot be opened.
        """
        self._folder = path.parent if path is not None else Path(tempfile.gettempdir())
        self.mark = GROUND
        try:
            if path is None:
                self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed by __exit__)
            else:
                path.touch()
                self._file = path.open("r+b")
        except OSError as error:
            raise no_room(self._folder, error) from error

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back."""
        with suppress(OSError):  # what does not reach a full disk any more is what no mark that was kept speaks of
            self._file.close()

    def return_to(self, mark: Mark) -> bool:
        """Go to a mark of before, if all up to it is still what it was; whether it is."""
        if checksum_of(self._file, mark.end) != mark.checksum:
            return False
        self.mark = mark
        return True

    def lay_down(self, *arrays: NDArray[Any]) -> None:
        """Write a record.

        Raises:
            OutputError: there is no room.
        """
        try:
            self._file.seek(self.mark.end)
            out = Summed(self._file, self.mark.checksum)
            for array in arrays:
                np.save(out, array)
            out.write(_TRAILER.pack(*self.mark, len(arrays)))
            self.mark = Mark(self._file.tell(), out.checksum)
        except OSError as error:
            raise no_room(self._folder, error) from error

    def take_up(self) -> list[NDArray[Any]]:
        """Read the last record and drop it."""
        arrays, self.mark = self._record(self.mark)
        return arrays

    def __iter__(self) -> Iterator[list[NDArray[Any]]]:
        """All records, the last one first, without dropping them."""
        mark = self.mark
        while mark.end:
            arrays, mark = self._record(mark)
            yield arrays

    def flush(self) -> None:
        """Hand what was laid down to the system, so that it outlives the process; raises OutputError without room."""
        try:
            self._file.flush()
        except OSError as error:
            raise no_room(self._folder, error) from error

    def _record(self, mark: Mark) -> tuple[list[NDArray[Any]], Mark]:
        self._file.seek(mark.end - _TRAILER.size)
        start, checksum, count = _TRAILER.unpack(self._file.read(_TRAILER.size))
        self._file.seek(start)
        return [np.load(self._file) for _ in range(count)], Mark(start, checksum)


def no_room(folder: Path, error: OSError) -> OutputError:
    """The sentence for what could not be written to a folder."""
    return OutputError(f"Tracking could not write to {folder}: {error.strerror or error}; make room there.")


def checksum_of(file: Any, size: int) -> int | None:
    """The checksum of a binary file's first bytes; None if it is shorter. The file is read on from there."""
    file.seek(0)
    checksum, left = 0, size
    while left:
        block = file.read(min(left, _BLOCK_BYTES))
        if not block:
            return None
        checksum = zlib.crc32(block, checksum)
        left -= len(block)
    return checksum


def packed_picture(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture ``[h, w, 3]`` nearly as it is, small."""
    return np.asarray(cv2.imencode(".jpg", rgb, _JPEG)[1], np.uint8)


def unpacked_picture(code: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The picture back."""
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


def packed(states: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Anything in 8 bits, exactly; and its shape."""
    return np.frombuffer(zlib.compress(states.tobytes(), 1), np.uint8), np.asarray(states.shape)


def unpacked(code: NDArray[np.uint8], shape: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The same back."""
    return np.frombuffer(zlib.decompress(code.tobytes()), np.uint8).reshape(shape)
