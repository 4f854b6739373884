"""Mattes made at a small size, brought to the size of the source by what its colours show.

Bilinear enlarging blurs every hair that the network saw. Here each 3×3 patch of the small picture says how alpha goes
with colour, as a linear model, and the model is applied to the large picture.

Sources:
    He, Sun, Tang, "Guided Image Filtering" (TPAMI 2013), equations 19 to 21; He, Sun, "Fast Guided Filter"
    (arXiv:1505.00996). The models are fitted to the matte that is to be enlarged, at its own size.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray

EPSILON = 1e-4
"""Keeps the slopes low where a patch has hardly any colour of its own: variances of colours in [0, 1]."""
_SURE = 0.004
_PATCH = np.ones((3, 3), np.uint8)


def enlarged(alphas: FloatArray, small: NDArray[np.uint8], large: NDArray[np.uint8]) -> FloatArray:
    """Mattes at the size of a larger picture. Safe to call from several threads at once.

    Args:
        alphas: ``[N, h, w]`` in [0, 1].
        small: ``[h, w, 3]`` uint8, what they were made from.
        large: ``[H, W, 3]`` uint8, of the same scene.

    Returns:
        ``[N, H, W]`` float32 in [0, 1]. Where a matte is 0 or 1 all around, it stays so.
    """
    alphas = np.ascontiguousarray(alphas)
    small, large = (np.ascontiguousarray(picture) for picture in (small, large))
    result = np.zeros((len(alphas), *large.shape[:2]), np.float32)
    for alpha, whole in zip(alphas, result, strict=True):
        near = cv2.dilate(((alpha > _SURE) & (alpha < 1 - _SURE)).astype(np.uint8), _PATCH)
        wanted = cv2.dilate(near, _PATCH)
        box = cv2.boundingRect(wanted | (alpha > 0))
        _enlarge(alpha, small, near, wanted, box, large, whole)
    return result


@numba.njit("void(f4[:, ::1], u1[:, :, ::1], u1[:, ::1], i8, f4[:, ::1])", error_model="numpy")  # type: ignore[untyped-decorator]
def _fit(alpha: FloatArray, picture: NDArray[np.uint8], wanted: NDArray[np.uint8], y: int, fits: FloatArray) -> None:
    """How alpha goes with colour in the patches round row y: slopes for colours in 0…255, and level, ``[w, 4]``.

    Beyond the picture its outermost pixels are repeated.
    """
    height, width = alpha.shape
    least = 9 * 255**2 * EPSILON
    for x in range(width):
        if not wanted[y, x]:
            continue
        # Sums of whole numbers are exact, so that spreads are what is left of them.
        m0 = m1 = m2 = a00 = a10 = a20 = a11 = a21 = a22 = np.int64(0)
        level = b0 = b1 = b2 = 0.0
        for k in range(9):
            yk, xk = min(max(y + k // 3 - 1, 0), height - 1), min(max(x + k % 3 - 1, 0), width - 1)
            c0, c1, c2 = np.int64(picture[yk, xk, 0]), np.int64(picture[yk, xk, 1]), np.int64(picture[yk, xk, 2])
            value = alpha[yk, xk]
            m0 += c0
            m1 += c1
            m2 += c2
            a00 += c0 * c0
            a10 += c0 * c1
            a20 += c0 * c2
            a11 += c1 * c1
            a21 += c1 * c2
            a22 += c2 * c2
            level += value
            b0 += c0 * value
            b1 += c1 * value
            b2 += c2 * value
        # Gauss: one colour after the other is taken out of those after it, and back.
        level /= 9
        b0, b1, b2 = b0 - m0 * level, b1 - m1 * level, b2 - m2 * level
        d00, s10, s20 = a00 - m0 * m0 / 9 + least, a10 - m0 * m1 / 9, a20 - m0 * m2 / 9
        l10, l20 = s10 / d00, s20 / d00
        d11, s21 = a11 - m1 * m1 / 9 + least - l10 * s10, a21 - m1 * m2 / 9 - l10 * s20
        l21 = s21 / d11
        b1 -= l10 * b0
        b2 -= l20 * b0 + l21 * b1
        s2 = b2 / (a22 - m2 * m2 / 9 + least - l20 * s20 - l21 * s21)
        s1 = b1 / d11 - l21 * s2
        s0 = b0 / d00 - l10 * s1 - l20 * s2
        fits[x, 0], fits[x, 1], fits[x, 2], fits[x, 3] = s0, s1, s2, level - (s0 * m0 + s1 * m1 + s2 * m2) / 9


@numba.njit("f8(i8, i8, i8)", error_model="numpy")  # type: ignore[untyped-decorator]
def _on_small(at: int, large: int, small: int) -> float:
    """Where the middle of a pixel of a large side lies on the small side, in pixels, between its outermost middles."""
    return min(max((at + 0.5) * small / large - 0.5, 0.0), small - 1.0)


@numba.njit(  # type: ignore[untyped-decorator]
    "void(f4[:, ::1], u1[:, :, ::1], u1[:, ::1], u1[:, ::1], UniTuple(i8, 4), u1[:, :, ::1], f4[:, ::1])",
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _enlarge(
    alpha: FloatArray,
    small: NDArray[np.uint8],
    near: NDArray[np.uint8],
    wanted: NDArray[np.uint8],
    box: Sequence[int],
    large: NDArray[np.uint8],
    whole: FloatArray,
) -> None:
    """Write ``whole``, which is 0, row by row; only the rows of models that a row needs are kept.

    Outside ``box``, x and y and width and height, everything is 0. A pixel's model is the mean of those of all patches
    that hold it; just alpha, where it is not near.
    """
    height, width = alpha.shape
    rows, columns = whole.shape
    # The large columns from start[x] on lie between the middles of the small columns x and x + 1.
    start, share = np.zeros(width + 1, np.int64), np.empty(columns, np.float32)
    for x in range(columns):
        at = _on_small(x, columns, width)
        share[x] = at - int(at)
        start[int(at) + 1] += 1
    start = np.cumsum(start)
    fits = np.zeros((3, width, 4), np.float32)
    models = np.zeros((2, width, 4), np.float32)
    row, bare = np.zeros((width + 1, 4), np.float32), np.ones(width + 1, np.bool_)
    first, top = box[0], box[1]
    last, bottom = first + box[2], top + box[3]
    _fit(alpha, small, wanted, top, fits[top % 3])
    y = 0
    while y < rows and int(_on_small(y, rows, height)) < top - 1:
        y += 1
    for below in range(top, bottom + 1):
        if below < height:
            if below + 1 < height:
                _fit(alpha, small, wanted, below + 1, fits[(below + 1) % 3])
            for x in range(first, last):
                model = models[below % 2, x]
                model[:] = 0
                if not near[below, x]:
                    model[3] = alpha[below, x]
                    continue
                for k in range(9):
                    fit = fits[min(max(below + k // 3 - 1, 0), height - 1) % 3, min(max(x + k % 3 - 1, 0), width - 1)]
                    for channel in range(4):
                        model[channel] += fit[channel] * np.float32(1 / 9)
        upper, lower = models[(below - 1) % 2], models[min(below, height - 1) % 2]
        while y < rows:
            at = _on_small(y, rows, height)
            if int(at) >= below:
                break
            part = np.float32(at - int(at))
            for x in range(first, last):
                for channel in range(4):
                    row[x, channel] = upper[x, channel] + part * (lower[x, channel] - upper[x, channel])
                bare[x] = row[x, 0] == 0 and row[x, 1] == 0 and row[x, 2] == 0
            for left in range(max(first - 1, 0), last):
                level, more = row[left, 3], row[left + 1, 3] - row[left, 3]
                if bare[left] and bare[left + 1]:
                    if level != 0 or more != 0:
                        for x in range(start[left], start[left + 1]):
                            whole[y, x] = level + share[x] * more
                    continue
                s0, s1, s2 = row[left, 0], row[left, 1], row[left, 2]
                d0, d1, d2 = row[left + 1, 0] - s0, row[left + 1, 1] - s1, row[left + 1, 2] - s2
                for x in range(start[left], start[left + 1]):
                    c0, c1, c2 = large[y, x, 0], large[y, x, 1], large[y, x, 2]
                    value = level + s0 * c0 + s1 * c1 + s2 * c2 + share[x] * (more + d0 * c0 + d1 * c1 + d2 * c2)
                    whole[y, x] = min(max(value, np.float32(0)), np.float32(1))
            y += 1
