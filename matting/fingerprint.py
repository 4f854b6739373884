"""Which footage it is, whatever it is called and wherever it lies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_PART_BYTES = 1 << 20


def fingerprint(size: int, parts: Iterable[bytes]) -> str:
    """SHA-256, in hex, over a size or count and parts of the content."""
    digest = hashlib.sha256(f"{size}:".encode())
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def file_fingerprint(path: Path) -> str:
    """Fingerprint of one file: its size and the first, the middle and the last MiB."""
    size = path.stat().st_size
    parts = []
    with path.open("rb") as file:
        for start in (0, size // 2, max(size - _PART_BYTES, 0)):
            file.seek(start)
            parts.append(file.read(_PART_BYTES))
    return fingerprint(size, parts)
