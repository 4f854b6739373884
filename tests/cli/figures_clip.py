"""A small clip of two textured figures that cross before a still background, and prompts for them."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

FRAMES, HEIGHT, WIDTH = 20, 72, 128
Run = Callable[..., int]


def picture(index: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(7)
    background = cv2.resize(rng.integers(60, 190, (9, 16, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    frame = np.asarray(background, np.uint8).copy()
    for color, (x, y) in zip(((210, 40, 40), (40, 60, 220)), centres(index), strict=True):
        texture = np.clip(np.array(color) + rng.integers(-25, 25, (40, 24, 3)), 0, 255).astype(np.uint8)
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.ellipse(mask, (x, y), (10, 18), 0, 0, 360, 255, -1, cv2.LINE_AA)
        layer = np.zeros_like(frame)
        layer[y - 20 : y + 20, x - 12 : x + 12] = texture
        alpha = mask[..., None] / 255
        frame = np.rint(layer * alpha + frame * (1 - alpha)).astype(np.uint8)
    return frame


def centres(index: int) -> list[tuple[int, int]]:
    return [(20 + 2 * index, 34), (108 - 3 * index, 38)]


def write_clip(path: Path, frames: int = FRAMES, codec: str = "ffv1", pix_fmt: str = "bgr0") -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pix_fmt
        stream.time_base = Fraction(1, 25)
        for index in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(index), format="rgb24")
            frame.pts = index
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def prompts_for(frames: tuple[int, ...]) -> dict[str, object]:
    instances = []
    for place, name in enumerate(("ann", "ben")):
        prompts = []
        for index in frames:
            x, y = centres(index)[place]
            prompts.append({"frame": index, "points": [[x, y, 1]], "box": [x - 12, y - 20, x + 12, y + 20]})
        instances.append({"name": name, "prompts": prompts})
    return {"instances": instances}
