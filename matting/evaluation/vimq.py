"""VIMQ = RQ × TQ × MQ: are the instances found, kept apart over time, and well matted.

Source:
    Li et al., "Video Instance Matting" (WACV 2024). *Published* is the authors' code; *plain* is the paper's text,
    which differs in two places: masks are alpha > 0 (code: > 0.5), and only true positives compete for an instance in
    a frame (code: all predictions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, check_shape
from matting.evaluation.tally import Definition

WEIGHTS: Mapping[str, float] = MappingProxyType({"mse": 50.0, "mad": 50.0, "dtssd": 10.0})
"""How strictly MQ judges by each error."""
_FOUND_ABOVE = 0.5
_MASK_ABOVE = {Definition.PUBLISHED: np.float32(0.5), Definition.PLAIN: np.float32(0)}
_COST, _IOU, _MSE, _DTSSD = range(4)


@dataclass(frozen=True)
class Quality:
    """Fractions in [0, 1]: of one clip, or the mean over clips."""

    rq: float
    """Recognition: TP / (TP + FP/2 + FN/2) × mean IoU of the true positives."""
    tq: float
    """Tracking: share of frames in which a true positive is still the best match."""
    mq: Mapping[str, float]
    """Matting: mean of 1 − min(1, weight × error), by the name of the error."""
    pairs: tuple[tuple[int, int], ...] = ()
    """The true positives of a clip: (ground truth, prediction)."""

    def vimq(self, error: str) -> float:
        """The product of the three."""
        return self.rq * self.tq * self.mq[error]

    def values(self) -> dict[str, float]:
        """By name: ``rq``, ``tq``, and ``mq_`` and ``vimq_`` followed by each error."""
        shares = {f"mq_{error}": share for error, share in self.mq.items()}
        products = {f"vimq_{error}": self.vimq(error) for error in self.mq}
        return {"rq": self.rq, "tq": self.tq, **shares, **products}


def mean_quality(clips: Sequence[Quality]) -> Quality:
    """Of a data set: the plain means over its clips. Its VIMQ is the product of means, not the mean of products."""
    return Quality(
        rq=float(np.mean([clip.rq for clip in clips])),
        tq=float(np.mean([clip.tq for clip in clips])),
        mq={name: float(np.mean([clip.mq[name] for clip in clips])) for name in clips[0].mq},
    )


def vimq(
    pred: FloatArray,
    truth: FloatArray,
    definition: Definition = Definition.PUBLISHED,
    weights: Mapping[str, float] = WEIGHTS,
) -> Quality:
    """The quality of one clip; see :class:`PairSums` for one that comes frame by frame.

    Args:
        pred: ``[T, M, H, W]`` float32 opacities in [0, 1], in any order of instances, M may be 0.
        truth: ``[T, N, H, W]``.
        definition: the authors' code or the paper.
        weights: by the name of the error: ``mse``, ``mad``, ``dtssd``.
    """
    sums = PairSums(definition)
    for p, g in zip(pred, truth, strict=True):
        sums.add(p, g)
    return sums.quality(weights)


@dataclass
class PairSums:
    """What VIMQ needs to know of a clip: four numbers for each frame and pair, never the pictures.

    Which pairs count is known only at the end, therefore each frame is compared for all of them.
    """

    definition: Definition = Definition.PUBLISHED
    _frames: list[NDArray[np.float64]] = field(default_factory=list)
    _pixels: int = 0
    _before: tuple[FloatArray, FloatArray] | None = None

    def add(self, pred: FloatArray, truth: FloatArray) -> None:
        """Compare the next frame, every prediction with every ground truth.

        Args:
            pred: ``[M, H, W]`` float32 opacities in [0, 1]; M may be 0.
            truth: ``[N, H, W]``, N at least 1.
        """
        check_shape("truth", truth, (None, None, None))
        check_shape("pred", pred, (None, *truth.shape[1:]))
        self._pixels = truth[0].size
        pairs = np.zeros((4, len(truth), len(pred)))
        above = _MASK_ABOVE[self.definition]
        truth_masks, pred_masks = truth > above, pred > above
        truth_steps, pred_steps = self._steps(pred, truth)
        for i, j in np.ndindex(len(truth), len(pred)):
            union = np.count_nonzero(truth_masks[i] | pred_masks[j])
            shared = np.count_nonzero(truth_masks[i] & pred_masks[j])
            pairs[_COST, i, j] = cv2.norm(truth[i], pred[j], cv2.NORM_L1)
            pairs[_IOU, i, j] = shared / union if union else 0.0  # an empty frame is no success
            pairs[_MSE, i, j] = cv2.norm(truth[i], pred[j], cv2.NORM_L2SQR) / self._pixels
            pairs[_DTSSD, i, j] = cv2.norm(truth_steps[i], pred_steps[j], cv2.NORM_L2) / np.sqrt(self._pixels)
        self._frames.append(pairs)

    def quality(self, weights: Mapping[str, float] = WEIGHTS) -> Quality:
        """Match over the whole clip, then judge the pairs; all 0 where there is no true positive."""
        frames = np.stack(self._frames)
        instances, predictions = frames.shape[2:]
        matched = _assign(frames[:, _COST].sum(axis=0))
        iou = frames[:, _IOU].mean(axis=0)
        found = tuple((i, j) for i, j in matched if iou[i, j] > _FOUND_ABOVE)
        if not found:
            return Quality(0.0, 0.0, dict.fromkeys(weights, 0.0))
        rows, columns = (np.array(side) for side in zip(*found, strict=True))
        # FP/2 + FN/2: whatever stands on either side and is no true positive.
        missed = (instances - len(found) + predictions - len(found)) / 2
        recognition = len(found) / (len(found) + missed) * float(iou[rows, columns].mean())
        errors = {"mse": frames[:, _MSE], "mad": frames[:, _COST] / self._pixels, "dtssd": frames[:, _DTSSD]}
        likeness = {
            name: float(1 - np.minimum(1, weight * errors[name][:, rows, columns]).mean())
            for name, weight in weights.items()
        }
        return Quality(recognition, self._tracking(frames[:, _COST], found), likeness, found)

    def _tracking(self, costs: NDArray[np.float64], found: tuple[tuple[int, int], ...]) -> float:
        """The share of frames in which the true positives ``found`` are matched again; ``costs`` is ``[T, N, M]``."""
        rivals = [j for _, j in found] if self.definition is Definition.PLAIN else list(range(costs.shape[2]))
        rivals.sort()
        again = 0
        for cost in costs:
            matched = {(i, rivals[place]) for i, place in _assign(cost[:, rivals])}
            again += sum(pair in matched for pair in found)
        return again / (len(costs) * len(found))

    def _steps(self, pred: FloatArray, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
        """What changed since the frame before, of truth and prediction; nothing at the first frame."""
        before = self._before or (truth, pred)
        self._before = (truth, pred)
        return truth - before[0], pred - before[1]


def _assign(cost: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The pairs (row, column) of least total cost, as many as the shorter side has."""
    from scipy.optimize import linear_sum_assignment

    rows, columns = linear_sum_assignment(cost)
    return list(zip(rows.tolist(), columns.tolist(), strict=True))
