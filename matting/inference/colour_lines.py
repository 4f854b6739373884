"""Closed-form matting of a few pixels: what is unknown follows the picture's local colour lines.

Sources:
    Levin, Lischinski, Weiss, "A Closed-Form Solution to Natural Image Matting" (PAMI 2008), windows of 3×3.
    Eisenstat, "Efficient Implementation of a Class of Preconditioned Conjugate Gradient Methods" (SIAM J. Sci. Stat.
    Comput. 1981), with symmetric successive over-relaxation.
"""

from __future__ import annotations

from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask

MOST_STEPS = 100
"""More than it takes in most bands."""
_EPSILON = 1e-6 * 255**2
_RELAXATION = 4 / 3
_TOLERANCE = 3e-5
_BORDER_PX = 2
"""So that the 5×5 neighbourhood of each pixel, all that share a window with it, is there."""
_EARLIER = 12
"""As many of the neighbourhood come before the pixel, in reading order: two rows of 5, and 2 of its own row."""


def along_colours(
    picture: NDArray[np.uint8],
    unknown: Mask,
    opaque: Mask,
    guess: FloatArray,
    trust: FloatArray,
    most_steps: int = MOST_STEPS,
) -> FloatArray:
    """What fits the picture's local colour lines and a guess best, where something is unknown.

    Safe to call from several threads at once.

    Args:
        picture: ``[h, w, 3]`` uint8.
        unknown: ``[h, w]``, where to look for it; not empty.
        opaque: ``[h, w]``, where it is 1; 0 everywhere else.
        guess: ``[h, w]`` float32.
        trust: ``[h, w]`` float32 > 0, the weight of the guess against the matting Laplacian.
        most_steps: after so many from the guess towards the solution it ends; the fewer, the more is left of the guess.

    Returns:
        ``[n]`` float32 over the n unknown pixels in reading order; may leave [0, 1] a little.
    """
    start = np.where(unknown, guess, opaque).astype(np.float32)
    system = _system(_bordered(picture), _bordered(unknown.astype(np.uint8)), _bordered(start))
    width = unknown.shape[1] + 2 * _BORDER_PX
    return np.asarray(guess[unknown] + _solution(*system, trust[unknown], width, most_steps), np.float32)


def _bordered(values: NDArray[Any]) -> NDArray[Any]:
    around = _BORDER_PX
    return np.asarray(cv2.copyMakeBorder(values, around, around, around, around, cv2.BORDER_CONSTANT, value=0))


@numba.njit(  # type: ignore[untyped-decorator]
    "Tuple((i4[::1], i8[::1], f4[:, ::1], f4[::1], f4[::1]))(u1[:, :, ::1], u1[:, ::1], f4[:, ::1])",
    cache=True,
    nogil=True,
    error_model="numpy",
)
def _system(picture: NDArray[np.uint8], unknown: NDArray[np.uint8], alpha: FloatArray) -> tuple[NDArray[Any], ...]:
    """The matting Laplacian between unknown pixels, and what it leaves of alpha.

    Args:
        picture: ``[H, W, 3]``, all of them with a border.
        unknown: ``[H, W]``.
        alpha: ``[H, W]``.

    Returns:
        ``[H * W]``: the number, in reading order, of each unknown pixel, -1 for others. ``[n]``: where each of these
        pixels is. ``[n, _EARLIER]``: weights of those before it in its neighbourhood, without meaning where they are
        known. ``[n]``: its own weight. ``[n]``: minus the Laplacian of alpha.
    """
    height, width = unknown.shape
    step = np.empty(9, np.int64)
    for k in range(9):
        step[k] = (k // 3 - 1) * width + k % 3 - 1
    number = np.full(height * width, -1, np.int32)
    touching = np.zeros(height * width, np.uint8)
    places = np.flatnonzero(unknown)
    for n in range(len(places)):
        number[places[n]] = n
        for k in range(9):
            touching[places[n] + step[k]] = 1
    colours, values = picture.reshape(-1, 3), alpha.reshape(-1)
    earlier = np.zeros((len(places), _EARLIER), np.float32)
    own = np.zeros(len(places), np.float32)
    left = np.zeros(len(places), np.float32)
    c = np.empty((9, 3))
    ninth = 1 / 9
    for y in range(_BORDER_PX + 1, height - _BORDER_PX - 1):
        for x in range(_BORDER_PX + 1, width - _BORDER_PX - 1):
            middle = y * width + x
            if not touching[middle]:
                continue
            m0 = m1 = m2 = mean = 0.0
            for k in range(9):
                at = middle + step[k]
                m0 += colours[at, 0]
                m1 += colours[at, 1]
                m2 += colours[at, 2]
                mean += values[at]
            m0, m1, m2, mean = m0 * ninth, m1 * ninth, m2 * ninth, mean * ninth
            a00 = a11 = a22 = _EPSILON
            a10 = a20 = a21 = 0.0
            for k in range(9):
                at = middle + step[k]
                c0, c1, c2 = colours[at, 0] - m0, colours[at, 1] - m1, colours[at, 2] - m2
                c[k, 0], c[k, 1], c[k, 2] = c0, c1, c2
                a00 += c0 * c0
                a10 += c0 * c1
                a20 += c0 * c2
                a11 += c1 * c1
                a21 += c1 * c2
                a22 += c2 * c2
            # The spread of the colours is L Lᵀ; of colours c, L⁻¹ c is kept, since weights are products of two.
            l00 = 1 / np.sqrt(a00)
            l10, l20 = a10 * l00, a20 * l00
            l11 = 1 / np.sqrt(a11 - l10 * l10)
            l21 = (a21 - l20 * l10) * l11
            l22 = 1 / np.sqrt(a22 - l20 * l20 - l21 * l21)
            s0 = s1 = s2 = 0.0
            for k in range(9):
                c0 = c[k, 0] * l00
                c1 = (c[k, 1] - l10 * c0) * l11
                c2 = (c[k, 2] - l20 * c0 - l21 * c1) * l22
                c[k, 0], c[k, 1], c[k, 2] = c0, c1, c2
                value = values[middle + step[k]]
                s0 += c0 * value
                s1 += c1 * value
                s2 += c2 * value
            for i in range(9):
                n = number[middle + step[i]]
                if n < 0:
                    continue
                c0, c1, c2 = c[i, 0], c[i, 1], c[i, 2]
                own[n] += 1 - ninth - c0 * c0 - c1 * c1 - c2 * c2
                left[n] -= values[middle + step[i]] - mean - c0 * s0 - c1 * s1 - c2 * s2
                for j in range(i):
                    k = (2 - i // 3 + j // 3) * 5 + 2 - i % 3 + j % 3
                    earlier[n, k] -= ninth + c0 * c[j, 0] + c1 * c[j, 1] + c2 * c[j, 2]
    return number, places, earlier, own, left


@numba.njit("void(f4[:, ::1], i8[::1], i8, f4[::1], f4[::1], f4[::1])", error_model="numpy")  # type: ignore[untyped-decorator]
def _substitute(
    earlier: FloatArray,
    places: NDArray[np.int64],
    width: int,
    given: FloatArray,
    values: FloatArray,
    found: FloatArray,
) -> None:
    """Solve a lower triangular system, whose diagonal is 1, into ``found``; ``values`` are 0 but at the places."""
    for n in range(len(places)):
        at = places[n]
        above, near = at - 2 * width - 2, at - width - 2
        rest = given[n]
        for k in range(5):
            rest -= earlier[n, k] * values[above + k]
        for k in range(5):
            rest -= earlier[n, 5 + k] * values[near + k]
        rest -= earlier[n, 10] * values[at - 2] + earlier[n, 11] * values[at - 1]
        values[at] = found[n] = rest


@numba.njit(  # type: ignore[untyped-decorator]
    "f4[::1](i4[::1], i8[::1], f4[:, ::1], f4[::1], f4[::1], f4[::1], i8, i8)",
    cache=True,
    nogil=True,
    error_model="numpy",
    fastmath={"reassoc"},  # sums take several at once
)
def _solution(
    number: NDArray[np.int32],
    places: NDArray[np.int64],
    earlier: FloatArray,
    own: FloatArray,
    left: FloatArray,
    trust: FloatArray,
    width: int,
    most_steps: int,
) -> FloatArray:
    """What is to be added to alpha; ``earlier`` and ``left`` of :func:`_system` are overwritten."""
    count, size = len(places), len(number)
    scale = np.sqrt(np.float32(_RELAXATION) / (own + trust))
    # The upper triangular system is the lower one of the picture read backwards.
    later = np.zeros((count, _EARLIER), np.float32)
    backwards = np.empty(count, np.int64)
    for n in range(count):
        backwards[count - 1 - n] = size - 1 - places[n]
        for k in range(_EARLIER):
            other = number[places[n] + (k // 5 - 2) * width + k % 5 - 2]
            if other < 0:
                earlier[n, k] = 0
            else:
                earlier[n, k] *= scale[n] * scale[other]
                later[count - 1 - other, k] = earlier[n, k]
        left[n] *= scale[n]
    ahead, behind = np.zeros(size, np.float32), np.zeros(size, np.float32)
    _substitute(earlier, places, width, left, ahead, left)
    way, back, given, product = left[::-1].copy(), np.empty_like(left), np.empty_like(left), np.empty_like(left)
    found = np.zeros(count, np.float32)
    now = 0.0
    for n in range(count):
        now += left[n] * left[n]
    enough = _TOLERANCE * _TOLERANCE * count
    beyond = np.float32(_RELAXATION - 2)
    for _ in range(most_steps):
        if now <= enough:
            break
        _substitute(later, backwards, width, way, behind, back)
        for n in range(count):
            given[n] = way[count - 1 - n] + beyond * back[count - 1 - n]
        _substitute(earlier, places, width, given, ahead, product)
        bend = 0.0
        for n in range(count):
            product[n] += back[count - 1 - n]
            bend += way[count - 1 - n] * product[n]
        step = np.float32(now / bend)
        before, now = now, 0.0
        for n in range(count):
            found[n] += step * way[n]
            left[n] -= step * product[n]
            now += left[n] * left[n]
        ratio = np.float32(now / before)
        for n in range(count):
            way[n] = left[count - 1 - n] + ratio * way[n]
    _substitute(later, backwards, width, found, behind, found)
    added: FloatArray = scale * found[::-1]
    return added
