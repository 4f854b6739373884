"""Which device a network runs on, what fits on it, and what happens when it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import psutil
import torch
from torch import nn

from matting.errors import DeviceError
from matting.inference.allocator import keep_freed

Result = TypeVar("Result")
Network = TypeVar("Network", bound=nn.Module)
CPU = torch.device("cpu")
MIB = 1 << 20
_SHARE = 0.6
"""Of the memory that is free, so much is planned with: the rest is for decoding, other programs and bad guesses."""


def choose(device: str) -> torch.device:
    """The device that ``auto`` (the first CUDA device where there is one), ``cpu``, ``cuda`` or ``cuda:k`` means here.

    Raises:
        DeviceError: there is no such device.
    """
    kind, _, number = device.partition(":")
    if kind not in ("auto", "cpu", "cuda") or (number and (kind != "cuda" or not number.isdecimal())):
        raise DeviceError(f"There is no device called {device}; choose auto, cpu, cuda or cuda:0.")
    count = torch.cuda.device_count() if kind != "cpu" and torch.cuda.is_available() else 0
    if kind == "cpu" or (kind == "auto" and not count):
        return torch.device("cpu")
    if int(number or 0) >= count:
        raise DeviceError(f"The device {device} is not there; this machine has {count} CUDA devices.")
    return torch.device("cuda", int(number or 0))


def described(device: torch.device) -> str:
    """Such as "the CPU" or "NVIDIA RTX A6000 (cuda:0)"."""
    return "the CPU" if device.type == "cpu" else f"{torch.cuda.get_device_name(device)} ({device})"


def precision_named(name: str) -> torch.dtype:
    """The type of number that fp32, bf16 or fp16 means."""
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Compute products in ``precision``; sums and what needs a wide range stay in float32."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def budget_bytes(device: torch.device) -> int:
    """How much memory a job that starts now may plan with."""
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else psutil.virtual_memory().available
    return int(free * _SHARE)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether PyTorch raised this because memory ran out; on the CPU it has no class for that."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


class Placed(Generic[Network]):
    """A network on a device, which gives up size and at last the device rather than the job.

    Args:
        network: in evaluation mode.
        device: where it should run.
        tell: gets a sentence when something had to be changed.
        precision: of its matrix products; float32, or what the device multiplies faster.
    """

    def __init__(
        self,
        network: Network,
        device: torch.device = CPU,
        tell: Callable[[str], None] = lambda text: None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.network = network.to(device)
        self.device = device
        if device.type == "cpu":
            keep_freed()
        self.precision = precision
        self.tell = tell

    def run(self, work: Callable[[], Result], smaller: Callable[[], bool]) -> Result:
        """Do ``work``, again and again with less when memory runs out.

        Args:
            work: reads :attr:`device` anew each time; leaves nothing behind when it fails.
            smaller: makes ``work`` need about half the memory, if it still can.

        Raises:
            DeviceError: not even the least fits into the computer's memory.
        """
        while True:
            try:
                with torch.inference_mode(), autocast(self.device, self.precision):
                    return work()
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                failure = str(error).partition("\n")[0] or type(error).__name__
            # Outside the handler, whose traceback keeps the tensors alive.
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            if smaller():
                self.tell(f"{described(self.device)} ran out of memory; going on in smaller pieces.")
            elif self.device.type == "cuda":
                self.tell(f"{described(self.device)} ran out of memory; going on on the CPU, which is slower.")
                self.to_cpu()
            else:
                raise DeviceError(
                    f"There is too little memory for this network ({failure}); close other programs, or let it work at "
                    "a smaller size (--short-side)."
                )

    def to_cpu(self) -> None:
        """Give the device up; whoever holds tensors on it has to make them anew."""
        self.device = CPU
        self.network.to(self.device)
        keep_freed()
