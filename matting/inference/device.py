"""Which device a network runs on, what fits on it, and what happens when it does not."""

from __future__ import annotations

from collections.abc import Callable

import psutil
import torch

from matting.errors import DeviceError
from matting.inference.allocator import keep_freed
from matting.networks.on_device import CPU, Network, OnDevice, Result

MIB = 1 << 20
_SHARE = 0.6
"""Of the memory that is free, so much is planned with: the rest is for decoding, other programs and bad guesses."""


def choose(device: str) -> torch.device:
    """The device that ``auto`` (the first CUDA device where there is one), ``cpu``, ``cuda`` or ``cuda:k`` means here.

    What is computed in float32 there is not rounded further from now on; see :func:`keep_to`.

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
    keep_to(torch.float32)
    return torch.device("cuda", int(number or 0))


def precision_named(name: str) -> torch.dtype:
    """The type of number that fp32, bf16 or fp16 means."""
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def keep_to(precision: torch.dtype) -> None:
    """Let CUDA round what it multiplies no further than ``precision``, in this whole process.

    As PyTorch comes, cuDNN rounds what convolutions multiply to TF32, whose ten bits are no more than float16's. With
    formula weights that moved single pixels of mattes by up to 1. Where the products are asked for in half precision
    anyway, what stays in float32 may be rounded so.
    """
    torch.backends.cudnn.allow_tf32 = precision != torch.float32


def autocast(device: torch.device, precision: torch.dtype) -> torch.autocast:
    """Compute products in ``precision``; sums and what needs a wide range stay in float32."""
    return torch.autocast(device.type, precision, enabled=precision != torch.float32)


def budget_bytes(device: torch.device) -> int:
    """How much memory a job that starts now may plan with; what PyTorch keeps of earlier jobs is free for it."""
    if device.type == "cuda":
        kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        free = torch.cuda.mem_get_info(device)[0] + kept
    else:
        free = psutil.virtual_memory().available
    return int(free * _SHARE)


class Placed(OnDevice[Network]):
    """A network that makes mattes, on a device; it gives up size before the device.

    Args:
        network: in evaluation mode.
        device: where it should run.
        tell: gets a sentence when something had to be changed.
        precision: of its matrix products; float32, or what the device multiplies faster.
    """

    advice = "close other programs, or let it work at a smaller size (--short-side)"

    def __init__(
        self,
        network: Network,
        device: torch.device = CPU,
        tell: Callable[[str], None] = lambda text: None,
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.precision = precision
        super().__init__(network, device, tell)
        if self.device.type == "cpu":
            keep_freed()

    def run(self, work: Callable[[], Result], smaller: Callable[[], bool] = lambda: False) -> Result:
        """See :meth:`OnDevice.run`."""

        def precise() -> Result:
            with autocast(self.device, self.precision):
                return work()

        return super().run(precise, smaller)

    def to_cpu(self) -> None:
        """Give the device up; whoever holds tensors on it has to make them anew. The CPU computes in float32."""
        super().to_cpu()
        keep_freed()
        if self.precision != torch.float32:
            self.precision = torch.float32
            self.tell("It goes on in float32: in half precision the CPU is slower still.")
