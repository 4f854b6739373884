"""dtSSD and MESSDdt: do mattes move as the truth moves.

Source:
    Erofeev et al., "Perceptually Motivated Benchmark for Video Matting" (BMVC 2015), as MaGGIe's evaluation code
    (CVPR 2024) has them under *published*.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.evaluation.tally import Definition, Tally, check_pair

Flow = NDArray[np.int16]
"""``[N, T-1, H, W, 2]`` whole pixels (dx, dy) from frame t to t + 1."""


def dtssd(pred: FloatArray, truth: FloatArray, definition: Definition = Definition.PUBLISHED) -> Tally:
    """Difference of the temporal differences d = (p[t+1] − p[t]) − (g[t+1] − g[t]).

    *Published*: 0.1 √(Σ d²) over all transitions and pixels of the array under ONE root, so it grows with the size of
    the picture and with √(T − 1). *Plain*: 100 √(mean d²) for each transition.

    Args:
        pred: ``[T, N, H, W]`` float32 opacities p in [0, 1] of consecutive frames.
        truth: the same, ground truth g.
        definition: which of the two.

    Returns:
        *Published* counts 1 for each instance, also for a single frame, whose score is 0; *plain* T − 1.
    """
    frames, instances, height, width = check_pair(pred, truth)
    sums = np.zeros((max(frames - 1, 0), instances))
    for t, n in np.ndindex(*sums.shape):
        sums[t, n] = cv2.norm(pred[t + 1, n] - pred[t, n], truth[t + 1, n] - truth[t, n], cv2.NORM_L2SQR)
    if definition is Definition.PUBLISHED:
        return Tally(0.1 * np.sqrt(sums.sum(axis=0)), np.ones(instances))
    return Tally(100 * np.sqrt(sums / (height * width)).sum(axis=0), np.full(instances, float(len(sums))))


def messddt(
    pred: FloatArray, truth: FloatArray, definition: Definition = Definition.PUBLISHED, flow: Flow | None = None
) -> Tally:
    """Difference of the squared errors e[t] = (p[t] − g[t])² along the truth's motion (fx, fy).

    1e4 Σ|e[t](r, c) − e[t'](r', c')| / (HW + 1), averaged over the transitions. *Plain*: t' = t + 1 and
    (r', c') = (r + fy, c + fx), kept inside the picture. *Published* swaps rows and columns, and t' = 1 for every t: it
    reads entry clip(c + fx, 0, H−1) · W + clip(r + fy, 0, W−1) of the array's second frame.

    Args:
        pred: ``[T, N, H, W]`` float32 opacities p in [0, 1] of consecutive frames.
        truth: the same, ground truth g.
        definition: which of the two.
        flow: the motion of each instance; :func:`matte_flow` of the truth if not given.

    Returns:
        *Published* counts 1 for each instance, *plain* T − 1; a single frame counts nothing.
    """
    frames, instances, height, width = check_pair(pred, truth)
    if frames < 2:
        return Tally(np.zeros(instances), np.zeros(instances))
    rows, columns = np.mgrid[:height, :width]
    score = np.zeros(instances)
    for n in range(instances):
        errors = np.square(pred[:, n] - truth[:, n])
        for t in range(frames - 1):
            later = errors[1] if definition is Definition.PUBLISHED else errors[t + 1]
            if not errors[t].any() and not later.any():
                continue  # nothing differs wherever it moves, and the flow is what takes long
            moved = matte_flow(truth[t, n], truth[t + 1, n]) if flow is None else flow[n, t]
            x, y = columns + moved[..., 0], rows + moved[..., 1]
            if definition is Definition.PUBLISHED:
                entry = np.clip(x, 0, height - 1) * width + np.clip(y, 0, width - 1)
            else:
                entry = np.clip(y, 0, height - 1) * width + np.clip(x, 0, width - 1)
            score[n] += 1e4 * cv2.norm(errors[t], later.ravel()[entry], cv2.NORM_L1) / (height * width + 1)
    if definition is Definition.PUBLISHED:
        return Tally(score / (frames - 1), np.ones(instances))
    return Tally(score, np.full(instances, frames - 1.0))


def matte_flow(before: FloatArray, after: FloatArray) -> NDArray[np.int16]:
    """How one matte moves to the next: Farnebäck's optical flow between their 8-bit values, rounded to whole pixels.

    Args:
        before, after: ``[H, W]`` float32 opacities in [0, 1].

    Returns:
        ``[H, W, 2]`` int16 (dx, dy) in pixels.
    """
    # Cut off, not rounded: k / 255 may become k - 1, as in the authors' code.
    grey = [(alpha * np.float32(255)).astype(np.uint8) for alpha in (before, after)]
    start = np.zeros((*before.shape, 2), np.float32)
    flow = cv2.calcOpticalFlowFarneback(
        grey[0],
        grey[1],
        start,
        pyr_scale=0.5,
        levels=5,
        winsize=10,
        iterations=2,
        poly_n=7,
        poly_sigma=1.5,
        flags=cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
    )
    return np.rint(flow).astype(np.int16)
