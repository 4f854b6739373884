"""Where networks run, and that running out of memory costs time, not the job."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from matting.errors import DeviceError
from matting.inference import device as devices
from matting.inference.device import Placed
from matting.networks.on_device import CPU, is_out_of_memory

GPU = torch.device("cuda", 0)


class Movable(nn.Module):
    """Says that it moved, without a device to move to."""

    def __init__(self, full: Exception | None = None) -> None:
        """``full`` is raised where it should go to the GPU."""
        super().__init__()
        self.places: list[object] = []
        self._full = full

    def to(self, *args: object, **_: object) -> Movable:
        self.places.append(args[0])
        if self._full is not None and args[0] == GPU:
            raise self._full
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
    assert placed.network.places == [GPU, CPU]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB."),
        torch.AcceleratorError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_weights_that_find_no_room_stay_on_the_cpu_whoever_says_so(error: RuntimeError) -> None:
    told: list[str] = []
    placed = Placed(Movable(error), GPU, told.append)
    assert placed.device == CPU
    assert placed.network.places[0] == GPU
    assert placed.network.places[-1] == CPU
    assert told == ["Test GPU (cuda:0) ran out of memory; going on on the CPU, which is slower."]
    assert placed.run(lambda: "done") == "done"


def test_other_faults_of_a_device_are_not_taken_for_missing_memory() -> None:
    assert not is_out_of_memory(torch.AcceleratorError("CUDA error: device-side assert triggered"))
    assert not is_out_of_memory(ValueError("CUDA out of memory"))


@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_on_the_cpu_it_goes_on_in_float32_and_says_so() -> None:
    told: list[str] = []
    placed = Placed(Movable(), GPU, told.append, torch.bfloat16)

    def work() -> torch.dtype:
        if placed.device == GPU:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype

    assert placed.run(work) == torch.float32
    assert told[1:] == ["It goes on in float32: in half precision the CPU is slower still."]


def test_half_precision_that_was_asked_for_on_the_cpu_is_kept() -> None:
    placed = Placed(Movable(), precision=torch.bfloat16)
    assert placed.run(lambda: torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


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
    assert devices.choose("cpu") == CPU
    assert devices.choose("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert 0 < devices.budget_bytes(CPU) < 1 << 50


def test_what_pytorch_keeps_free_may_be_planned_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (100 << 20, 1000 << 20))
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda _: 200 << 20)
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _: 600 << 20)
    assert devices.budget_bytes(GPU) == int(0.6 * (500 << 20))


def test_float32_is_float32_on_cuda_and_training_in_half_precision_may_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=True):
        assert devices.choose("cuda:1") == torch.device("cuda", 1)
        allowed = [torch.backends.cudnn.allow_tf32]
        for precision in (torch.bfloat16, torch.float32):
            devices.keep_to(precision)
            allowed.append(torch.backends.cudnn.allow_tf32)
    assert allowed == [False, True, False]
