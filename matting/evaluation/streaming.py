"""The metrics of one clip that comes frame by frame, cut into the calls that each definition makes.

*Published* measures the last three frames in one call and the last three transitions in one block, as MaGGIe's video
evaluation does: for V frames V − 3 temporal blocks, the last one longer. Clips of fewer than five frames, at which that
code fails, are measured in blocks of what is there. *Plain* measures each frame and each transition by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection

import numpy as np

from matting.evaluation import metrics
from matting.evaluation.metrics import Definition, Tally
from matting.evaluation.opacity import Opacity, as_float, stack

STILL = ("mad", "mse", "sad", "grad", "conn", "mad_f", "mad_u")
MOVING = ("dtssd", "messddt")
_TAIL = 3


class ClipTallies:
    """Adds up the wanted metrics of a clip; holds at most the last four frames."""

    def __init__(
        self, length: int, instances: int, definition: Definition, wanted: Collection[str] = (*STILL, *MOVING)
    ) -> None:
        """Expect ``length`` frames of ``instances`` instances; ``wanted`` are names of STILL and MOVING."""
        self.tallies = {
            name: Tally(np.zeros(instances), np.zeros(instances)) for name in (*STILL, *MOVING) if name in wanted
        }
        self._length, self._definition = length, definition
        self._at = -1
        self._recent: deque[tuple[Opacity, Opacity]] = deque(maxlen=_TAIL + 1)

    def add(self, pred: Opacity, truth: Opacity) -> None:
        """Take the next frame, ``[N, H, W]`` each, instances in the same order."""
        self._at += 1
        self._recent.append((pred, truth))
        if frames := self._still_block():
            self._measure_still(frames)
        if frames := self._moving_block():
            self._measure_moving(frames)

    def _still_block(self) -> int:
        """How many of the recent frames are to be measured now; 0 for none yet."""
        if self._definition is Definition.PLAIN or self._at < self._length - _TAIL:
            return 1
        return min(_TAIL, self._length) if self._at == self._length - 1 else 0

    def _moving_block(self) -> int:
        if self._at == 0:
            return 0
        if self._definition is Definition.PLAIN or self._at < self._length - _TAIL:
            return 2
        return min(_TAIL + 1, self._length) if self._at == self._length - 1 else 0

    def _block(self, frames: int) -> tuple[Opacity, Opacity]:
        preds, truths = zip(*list(self._recent)[-frames:], strict=True)
        return stack(preds), stack(truths)

    def _measure_still(self, frames: int) -> None:
        stored_pred, stored_truth = self._block(frames)
        pred, truth, definition = as_float(stored_pred), as_float(stored_truth), self._definition
        regions = metrics.trimap(stored_truth) if {"mad_f", "mad_u"} & self.tallies.keys() else None

        def mad_in(region: int) -> Tally:
            return metrics.mad(pred, truth, definition, None if regions is None else regions == region)

        measures: dict[str, Callable[[], Tally]] = {
            "mad": lambda: metrics.mad(pred, truth, definition),
            "mse": lambda: metrics.mse(pred, truth, definition),
            "sad": lambda: metrics.sad(pred, truth),
            "grad": lambda: metrics.grad(pred, truth, definition),
            "conn": lambda: metrics.conn(pred, truth),
            "mad_f": lambda: mad_in(metrics.FOREGROUND),
            "mad_u": lambda: mad_in(metrics.UNKNOWN),
        }
        for name in measures.keys() & self.tallies.keys():
            self.tallies[name] += measures[name]()

    def _measure_moving(self, frames: int) -> None:
        measures = {"dtssd": metrics.dtssd, "messddt": metrics.messddt}
        names = measures.keys() & self.tallies.keys()
        if not names:
            return
        stored_pred, stored_truth = self._block(frames)
        for n in range(stored_truth.shape[1]):  # one by one: as floats, the block of all takes four times the room
            pred, truth = as_float(stored_pred[:, n : n + 1]), as_float(stored_truth[:, n : n + 1])
            for name in names:
                tally = measures[name](pred, truth, self._definition)
                self.tallies[name].score[n] += tally.score[0]
                self.tallies[name].count[n] += tally.count[0]
