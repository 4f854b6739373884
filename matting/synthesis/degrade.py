"""What cameras and codecs do to a picture: exposure that drifts, grain, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray


@dataclass(frozen=True)
class Film:
    """How a clip is recorded.

    Attributes:
        gamma: of the whole clip.
        tint: ``[3]``, factors of R, G, B.
        drift: by which factor exposure changes per frame.
        grain: standard deviation of the noise, of 255.
        grain_px: size of its grains.
        quality: of JPEG compression, 0 to 100; None for none.
    """

    gamma: float
    tint: NDArray[np.float32]
    drift: float
    grain: float
    grain_px: float
    quality: int | None

    def expose(self, picture: NDArray[np.uint8], frame: int, rng: Generator) -> NDArray[np.uint8]:
        """Record a picture ``[H, W, 3]`` uint8 RGB as frame ``frame``; the noise comes from ``rng``."""
        table = np.clip(np.arange(256) / 255, 0, 1) ** self.gamma * 255 * self.drift**frame
        exposed = table.astype(np.float32)[picture] * self.tint
        if self.grain:
            noise = rng.standard_normal((*picture.shape[:2], 1), np.float32) + 0.4 * rng.standard_normal(
                picture.shape, np.float32
            )
            if self.grain_px:
                noise = cv2.GaussianBlur(noise, (0, 0), self.grain_px) * (1 + 2.5 * self.grain_px)
            exposed += self.grain * noise
        recorded = np.asarray(np.rint(np.clip(exposed, 0, 255)), np.uint8)
        if self.quality is None:
            return recorded
        coded = cv2.imencode(".jpg", recorded[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, self.quality))[1]
        return np.ascontiguousarray(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def random_film(rng: Generator) -> Film:
    """Good cameras more often than bad ones."""
    return Film(
        gamma=float(np.clip(rng.normal(1, 0.15), 0.6, 1.5)),
        tint=rng.uniform(0.93, 1.07, 3).astype(np.float32),
        drift=float(rng.choice((1.0, rng.uniform(0.985, 1.015)))),
        grain=float(rng.choice((0.0, rng.uniform(0.5, 6.0)))),
        grain_px=float(rng.choice((0.0, rng.uniform(0.4, 0.8)))),
        quality=None if rng.random() < 0.4 else int(rng.integers(35, 96)),
    )
