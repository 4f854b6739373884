"""Curves and pictures of a run for TensorBoard, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FOLDER = "board"


def installed() -> bool:
    """Whether TensorBoard is there: the extra ``tensorboard``."""
    return find_spec("tensorboard") is not None


class Board:
    """Writes for TensorBoard into a folder of the run.

    Args:
        folder: of the run.
        done: steps that were done before; what an interrupted run wrote beyond them is hidden.
    """

    def __init__(self, folder: Path, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow, and not always there

        self._writer = SummaryWriter(folder / FOLDER, purge_step=done + 1)

    def step(self, number: int, loss: float, rate: float) -> None:
        """What came of one step, and the learning rate it was done with."""
        self._writer.add_scalar("train/loss", loss, number)
        self._writer.add_scalar("train/rate", rate, number)

    def measured(self, number: int, errors: Mapping[str, float], sheet: NDArray[np.uint8]) -> None:
        """Errors on held-out clips after a step, and a picture ``[h, w, 3]`` of some of them."""
        for name, value in errors.items():
            self._writer.add_scalar(f"held out/{name}", value, number)
        self._writer.add_image("held out", sheet, number, dataformats="HWC")
        self._writer.flush()

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()
