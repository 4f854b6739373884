"""The sample's sound: a plucked tune, footsteps that follow the feet, and four wood-block knocks to check sync by."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Sound = NDArray[np.float64]

RATE = 48000
KNOCKS_S = (1.0, 2.0, 3.0, 4.0)
"""When the wood block is struck: the loudest and sharpest onsets of the track."""

_TUNE = (57, 64, 69, 72, 71, 67, 64, 62, 65, 69, 72, 76, 74, 71, 67, 69, 72, 64, 69, 76)
_BASS = (45, 43, 41, 43, 45)


def compose(steps: Iterable[tuple[float, float, float]], duration_s: float) -> NDArray[np.float32]:
    """The stereo track ``[2, samples]`` in [-1, 1]; ``steps`` are (seconds, pan in [-1, 1], loudness)."""
    samples = round(duration_s * RATE)
    track = np.zeros((2, samples + RATE))
    rng = np.random.default_rng(8)
    for k, note in enumerate(_TUNE):
        _add(track, k * duration_s / len(_TUNE), _pluck(note, 1.1), 0.10, 0.35 * np.sin(k * 1.7))
    for k, note in enumerate(_BASS):
        _add(track, k * duration_s / len(_BASS), _pluck(note, 1.6), 0.16, 0.0)
    for time_s, pan, loudness in steps:
        _add(track, time_s, _footstep(rng), 0.16 * loudness, pan)
    dry = track.copy()
    for delay_s, gain in ((0.031, 0.16), (0.047, 0.12), (0.083, 0.07)):
        track += gain * np.roll(dry, int(RATE * delay_s), axis=1)[::-1]
    for k, time_s in enumerate(KNOCKS_S):
        _add(track, time_s, _knock(), 0.62, 0.3 * (-1) ** k)
    track = track[:, :samples]
    fade = np.minimum(1, np.minimum(np.arange(samples), samples - 1 - np.arange(samples)) / (0.02 * RATE))
    return (np.tanh(track * 1.1) * fade).astype(np.float32)


def _add(track: Sound, time_s: float, sound: Sound, gain: float, pan: float) -> None:
    start = round(time_s * RATE)
    if not 0 <= start < track.shape[1]:
        return
    sound = sound[: track.shape[1] - start]
    angle = (np.clip(pan, -1, 1) + 1) * np.pi / 4
    for channel, weight in enumerate((np.cos(angle), np.sin(angle))):
        track[channel, start : start + len(sound)] += gain * weight * sound


def _pluck(note: int, length_s: float) -> Sound:
    t = np.arange(int(length_s * RATE)) / RATE
    pitch = 440 * 2 ** ((note - 69) / 12)
    tone = sum(np.sin(2 * np.pi * pitch * k * t) * np.exp(-t * (3 + 2.5 * k)) / k**1.4 for k in range(1, 7))
    return np.asarray(tone * np.minimum(1, t / 0.004), float)


def _footstep(rng: np.random.Generator) -> Sound:
    t = np.arange(int(0.12 * RATE)) / RATE
    rough = np.convolve(rng.standard_normal(len(t)), np.hanning(24) / 12, "same")
    return np.asarray(
        (0.7 * rough * np.exp(-t * 60) + np.sin(2 * np.pi * 95 * t) * np.exp(-t * 45)) * np.minimum(1, t / 0.002), float
    )


def _knock() -> Sound:
    t = np.arange(int(0.15 * RATE)) / RATE
    return np.asarray((np.sin(2 * np.pi * 1150 * t) + 0.6 * np.sin(2 * np.pi * 1870 * t)) * np.exp(-t * 70), float)
