"""Seeds are read when they are needed, and only a few are kept."""

from __future__ import annotations

import numpy as np
import pytest

from matting.arrays import Mask
from matting.tracking.plan import plan
from matting.tracking.seeds import lazy_seeds


def test_planning_reads_nothing_and_looking_twice_reads_once() -> None:
    read: list[int] = []

    def masks(frame: int) -> dict[int, Mask]:
        read.append(frame)
        return {i: np.full((2, 3), i == 1) for i in (1, 2)}

    seeds = lazy_seeds({frame: [1, 2] if frame % 2 else [1] for frame in range(0, 300, 3)}, masks)
    planned = plan(range(300), seeds)
    assert planned.ids == (1, 2)
    assert read == []
    assert planned.seeds[3][1].all()
    assert not planned.seeds[3][2].any()
    assert read == [3]
    with pytest.raises(KeyError):
        planned.seeds[6][2]
    for frame in planned.seeds:
        assert 1 in planned.seeds[frame]
        assert planned.seeds[frame][1].all()
    assert planned.seeds[3][1].all()
    assert read.count(3) == 2  # it was let go meanwhile
