"""A network on the device that was chosen for it, and what happens when there is no room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import torch
from torch import nn

from matting.errors import DeviceError

Result = TypeVar("Result")
Network = TypeVar("Network", bound=nn.Module)
CPU = torch.device("cpu")
_SIGNS = (
    "can't allocate memory",
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
    "DEVICE_ALLOCATION_FAILED",
)
"""In what is said of missing memory by the CPU's allocator, CUDA, cuBLAS and cuDNN, which have no class for it."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this was raised because memory ran out, on whatever device."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)
    )


def described(device: torch.device) -> str:
    """Such as "the CPU" or "NVIDIA RTX A6000 (cuda:0)"."""
    return "the CPU" if device.type == "cpu" else f"{torch.cuda.get_device_name(device)} ({device})"


class OnDevice(Generic[Network]):
    """A network on a device, which gives the device up rather than the job.

    Args:
        network: in evaluation mode.
        device: where it should run; where its weights find no room there, it is the CPU.
        tell: gets a sentence when something had to be changed.
    """

    advice = "close other programs"
    """What to do when not even the CPU has room."""

    def __init__(
        self, network: Network, device: torch.device = CPU, tell: Callable[[str], None] = lambda text: None
    ) -> None:
        self.network, self.device, self.tell = network, device, tell
        self._in_memory(lambda: self.network.to(self.device), lambda: False)

    def run(self, work: Callable[[], Result], smaller: Callable[[], bool] = lambda: False) -> Result:
        """Do ``work`` without gradients, again and again with less when memory runs out.

        Args:
            work: reads :attr:`device` anew each time; leaves nothing behind when it fails.
            smaller: makes ``work`` need about half the memory, if it still can.

        Raises:
            DeviceError: not even the least fits into the computer's memory.
        """

        def inferred() -> Result:
            with torch.inference_mode():
                return work()

        return self._in_memory(inferred, smaller)

    def _in_memory(self, work: Callable[[], Result], smaller: Callable[[], bool]) -> Result:
        while True:
            try:
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
                raise DeviceError(f"There is too little memory for this network ({failure}); {self.advice}.")

    def to_cpu(self) -> None:
        """Give the device up; whoever holds tensors on it has to make them anew."""
        left = self.device
        self.device = CPU
        self.network.to(CPU)
        if left.type == "cuda":
            torch.cuda.empty_cache()
