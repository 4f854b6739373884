"""Several processes that learn together, one for each GPU: torchrun starts them, accelerate lets them average."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from matting.errors import DeviceError, UnavailableError

if TYPE_CHECKING:
    from accelerate import Accelerator


@contextmanager
def processes(device: str) -> Iterator[Accelerator | None]:
    """The other processes of this run, None where torchrun has not started several.

    Args:
        device: auto, cuda (each process has its own) or cpu.

    Raises:
        UnavailableError: there are several, and accelerate is not installed.
        DeviceError: a single GPU was named for all of them, or a GPU where there is none.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield None
        return
    if find_spec("accelerate") is None:
        raise UnavailableError("Several processes learn together with accelerate only: pip install 'matteo[gpus]'.")
    if device not in ("auto", "cuda", "cpu"):
        raise DeviceError(f"Several processes cannot share {device}; choose auto, cuda or cpu.")
    from accelerate import Accelerator, DistributedDataParallelKwargs

    # Parts of MaGGIe have no say in some steps, and some in none.
    unused = DistributedDataParallelKwargs(find_unused_parameters=True)
    # Lessons choose their precision themselves.
    together = Accelerator(cpu=device == "cpu", mixed_precision="no", kwargs_handlers=[unused])
    try:
        if device == "cuda" and together.device.type != "cuda":
            raise DeviceError("There is no CUDA device on this machine; choose cpu.")
        yield together
        # The first one still measures and writes; who leaves before takes the connections along.
        together.wait_for_everyone()
    finally:
        together.end_training()
