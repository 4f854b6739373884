"""Freed blocks stay with the process while a network works, and go back to the system when they are given back."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from matting.inference.allocator import give_back, keep_freed
from matting.job import JobContext
from matting.worker import Worker

MIB = 1 << 20
BLOCK_MIB = 200


def resident_mib() -> float:
    return float(psutil.Process().memory_info().rss / MIB)


def rises_mib(ctx: JobContext) -> tuple[bool, list[float]]:
    """How far memory is above where it was: after a block was used and freed, and after it was given back."""
    told = keep_freed()
    before = resident_mib()
    block = np.ones(BLOCK_MIB * MIB, np.uint8)
    del block
    rises = [resident_mib() - before]
    give_back()
    return told, [*rises, resident_mib() - before]


def test_freed_memory_is_kept_until_it_is_given_back() -> None:
    worker = Worker()  # what is told to the C library holds for a whole process
    try:
        told, (kept, given_back) = worker.run(rises_mib, ctx=JobContext())
    finally:
        worker.close()
    if not told:
        pytest.skip("this C library keeps to its own ways")
    assert kept > 0.9 * BLOCK_MIB
    assert given_back < 0.1 * BLOCK_MIB
