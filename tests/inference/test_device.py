"""Where networks run, and that running out of memory costs time, not the job."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from matting.errors import DeviceError
from matting.inference import device as devices
from matting.inference.device import Placed

GPU = torch.device("cuda", 0)


class Movable(nn.Module):
    """Says that it moved, without a device to move to."""

    def __init__(self) -> None:
        super().__init__()
        self.places: list[object] = []

    def to(self, *args: object, **_: object) -> Movable:
        self.places.append(args[0])
        return self


class Memory:
    """Work that fits only when it has been made small enough, or is done on the CPU."""

    def __init__(self, placed: Placed[Movable], need: int, room: int) -> None:
        self.placed, self.need, self.room = placed, need, room
        self.attempts: list[tuple[int, str]] = []

    def work(self) -> str:
        self.attempts.append((self.need, self.placed.device.type))
        if self.need > self.room and self.placed.device.type == "cuda":
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB.")
        return "done"

    def halve(self) -> bool:
        if self.need == 1:
            return False
        self.need //= 2
        return True


@pytest.fixture(autouse=True)
def _a_gpu_to_talk_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Test GPU")
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)


def test_it_halves_until_it_fits_and_stays_on_the_device() -> None:
    told: list[str] = []
    placed = Placed(Movable(), GPU, told.append)
    memory = Memory(placed, need=8, room=2)
    assert placed.run(memory.work, memory.halve) == "done"
    assert memory.attempts == [(8, "cuda"), (4, "cuda"), (2, "cuda")]
    assert told == ["Test GPU (cuda:0) ran out of memory; going on in smaller pieces."] * 2


def test_at_last_it_goes_on_on_the_cpu_and_says_so() -> None:
    told: list[str] = []
    placed = Placed(Movable(), GPU, told.append)
    memory = Memory(placed, need=2, room=0)
    assert placed.run(memory.work, memory.halve) == "done"
    assert memory.attempts[-1] == (1, "cpu")
    assert told[-1] == "Test GPU (cuda:0) ran out of memory; going on on the CPU, which is slower."
    assert placed.network.places == [GPU, devices.CPU]


def test_too_little_memory_at_all_is_one_sentence_and_other_faults_pass() -> None:
    placed = Placed(Movable())

    def never_fits() -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    def broken() -> None:
        raise RuntimeError("shapes cannot be multiplied")

    with pytest.raises(DeviceError, match=r"too little memory.*--short-side"):
        placed.run(never_fits, lambda: False)
    with pytest.raises(RuntimeError, match="shapes"):
        placed.run(broken, lambda: True)


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cpu:0", "cuda:"])
def test_devices_that_are_none_are_named(name: str) -> None:
    if name == "cuda:" and torch.cuda.is_available():
        assert devices.choose(name).type == "cuda"
        return
    with pytest.raises(DeviceError, match=name):
        devices.choose(name)


def test_auto_is_what_there_is() -> None:
    assert devices.choose("cpu") == devices.CPU
    assert devices.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert 0 < devices.budget_bytes(devices.CPU) < 1 << 50
