"""The state of a tracker in a file: plain values and arrays, nothing that could run when it is read."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matting.files import replacing
from matting.tracking.stack import Summed, checksum_of

State: TypeAlias = dict[str, Any]
"""Names → numbers, strings, None, arrays, and lists and dictionaries of such; the names are strings."""
_CHECKSUM = struct.Struct("<I")
_ARRAY = "array"
"""Names the place of an array among the arrays, so it cannot be the only name in a dictionary."""


def write_state(path: Path, state: State) -> None:
    """Replace a file by a state.

    Raises:
        OutputError: the folder cannot be written or the disk is full.
    """
    arrays: list[NDArray[Any]] = []
    outline = json.dumps(_outlined(state, arrays)).encode()
    with replacing(path) as partial, partial.open("wb") as file:
        out = Summed(file)
        for array in (np.frombuffer(outline, np.uint8), *arrays):
            np.save(out, array, allow_pickle=False)
        file.write(_CHECKSUM.pack(out.checksum))


def read_state(path: Path) -> State | None:
    """The state in a file; None if there is no file, or it is damaged."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size - _CHECKSUM.size
            if size < 0 or _CHECKSUM.pack(checksum_of(file, size) or 0) != file.read(_CHECKSUM.size):
                return None
            file.seek(0)
            outline = json.loads(np.load(file).tobytes())
            arrays = []
            while file.tell() < size:
                arrays.append(np.load(file))
    except (OSError, ValueError):
        return None
    state: State = _filled(outline, arrays)
    return state


def _outlined(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {_ARRAY: len(arrays) - 1}
    if isinstance(value, dict):
        return {name: _outlined(inner, arrays) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_outlined(inner, arrays) for inner in value]
    return value


def _filled(outline: Any, arrays: list[NDArray[Any]]) -> Any:
    if isinstance(outline, dict):
        if list(outline) == [_ARRAY]:
            return arrays[outline[_ARRAY]]
        return {name: _filled(inner, arrays) for name, inner in outline.items()}
    if isinstance(outline, list):
        return [_filled(inner, arrays) for inner in outline]
    return outline
