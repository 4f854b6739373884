"""Steps on disk."""

from __future__ import annotations

import errno

import numpy as np
import pytest

from matting.errors import OutputError
from matting.tracking.motion import Look, Measure
from matting.tracking.spill import Spill, Step
from matting.tracking.stack import Stack
from matting.tracking.sweep import Sightings


def step(index: int) -> Step:
    random = np.random.default_rng(index)
    smooth = np.repeat(np.repeat(random.integers(0, 255, (5, 8, 3), np.uint8), 8, axis=0), 8, axis=1)
    look = Look(smooth)
    seen = Sightings(random.integers(0, 255, (2, 40, 64), np.uint8), random.integers(0, 255, (2, 20, 32), np.uint8))
    return Step(index, look, None if index == 0 else Measure().between(look, look), seen)


def test_the_last_step_is_taken_up_first() -> None:
    steps = [step(index) for index in range(4)]
    with Stack() as stack:
        spill = Spill(stack)
        for one in steps[:3]:
            spill.lay_down(one)
        _same(spill.take_up(), steps[2])
        spill.lay_down(steps[3])
        for index in (3, 1, 0):
            _same(spill.take_up(), steps[index])


def test_no_room_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with Stack() as stack, pytest.raises(OutputError, match="No space left on device; make room"):
        Spill(stack).lay_down(step(0))


def _same(back: Step, one: Step) -> None:
    assert back.index == one.index
    assert np.array_equal(back.forward.states, one.forward.states)
    assert np.array_equal(back.forward.trusts, one.forward.trusts)
    assert np.abs(back.look.rgb.astype(int) - one.look.rgb).mean() < 3
    assert (back.motion is None) == (one.motion is None)
    if back.motion is not None and one.motion is not None:
        assert np.array_equal(back.motion.there, one.motion.there)
        assert np.array_equal(back.motion.back, one.motion.back)
