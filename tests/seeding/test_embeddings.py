"""What was seen in a frame is kept: in memory, on the disk, never more than allowed."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from matting.arrays import FloatArray
from matting.seeding.embeddings import Embeddings

BYTES = 4 * 8 * 8 * 2
"""Of one embedding in half precision."""


def embedding(value: float) -> FloatArray:
    return np.full((4, 8, 8), value, np.float32)


def never() -> FloatArray:
    raise AssertionError("it was there")


def test_it_is_made_once_and_found_by_the_next_process(tmp_path: Path) -> None:
    first = Embeddings(tmp_path)
    made = first.of("a", lambda: embedding(0.1))
    assert made.dtype == np.float16
    assert np.array_equal(first.of("a", never), made)
    second = Embeddings(tmp_path)
    assert np.array_equal(second.of("a", never), made)
    assert np.abs(made - 0.1).max() < 1e-4
    assert (first.made, second.made) == (1, 0)


def test_memory_and_disk_forget_what_was_not_used_for_longest(tmp_path: Path) -> None:
    kept = Embeddings(tmp_path, memory_bytes=2 * BYTES, disk_bytes=3 * (BYTES + 128))
    for place, key in enumerate("abc"):
        kept.of(key, lambda: embedding(1))
        os.utime(tmp_path / f"{key}.npy", (place, place))
    kept.of("a", never)  # from the disk, which makes it the newest there
    kept.of("d", lambda: embedding(1))
    assert sorted(path.stem for path in tmp_path.glob("*.npy")) == ["a", "c", "d"]
    for path in tmp_path.glob("*.npy"):
        path.unlink()
    kept.of("a", never)
    kept.of("d", never)
    with pytest.raises(AssertionError, match="it was there"):
        kept.of("c", never)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes) -> None:
    Embeddings(tmp_path).of("a", lambda: embedding(2))
    (tmp_path / "a.npy").write_bytes(content)
    assert (Embeddings(tmp_path).of("a", lambda: embedding(3)) == 3).all()
    assert (Embeddings(tmp_path).of("a", never) == 3).all()


def test_no_place_on_the_disk_costs_only_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    kept = Embeddings(tmp_path / "file")
    assert (kept.of("a", lambda: embedding(2)) == 2).all()
    assert (kept.of("a", never) == 2).all()
