"""What the tests of the writers share: clips that exist only as facts, pictures, and a look at what was written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from matting.media.clip import ClipInfo, ColorTags
from matting.media.writer import Preset, open_writer

LIMITED_709 = ColorTags(1, 1, 1, full_range=False, guessed=False)


def clip_info(
    count: int = 8,
    size_hw: tuple[int, int] = (48, 64),
    *,
    time_base: Fraction = Fraction(1, 12800),
    pts: Iterable[int] | None = None,
    duration: int = 512,
    color: ColorTags = LIMITED_709,
    bit_depth: int = 8,
    pixel_aspect: Fraction = Fraction(1),
    path: Path = Path("nowhere.mp4"),
    audio: str | None = None,
) -> ClipInfo:
    ticks = np.array(list(pts) if pts is not None else [512 * i for i in range(count)], np.int64)
    seconds = (int(ticks[-1] - ticks[0]) + duration) * time_base
    return ClipInfo(
        path=path,
        size_hw=size_hw,
        bit_depth=bit_depth,
        time_base=time_base,
        pts=ticks,
        duration=duration,
        rate=len(ticks) / seconds,
        rotation=0,
        pixel_aspect=pixel_aspect,
        color=color,
        audio=audio,
        fingerprint="-",
    )


def noise(index: int, size_hw: tuple[int, int], dtype: type = np.uint8, channels: int = 3) -> NDArray[Any]:
    """Nothing an encoder could guess; a different picture for each index."""
    shape = (*size_hw, channels) if channels > 1 else size_hw
    return np.random.default_rng(index).integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)


def smooth(index: int, size_hw: tuple[int, int], dtype: type = np.uint8, channels: int = 3) -> NDArray[Any]:
    """Slow gradients of all colours (and opacities), moving with the index."""
    rows, columns = np.mgrid[: size_hw[0], : size_hw[1]]
    waves = [np.sin(rows / (20 + 7 * c) + columns / (31 - 5 * c) + c + index / 9) for c in range(channels)]
    return ((np.stack(waves, -1) * 0.42 + 0.5) * np.iinfo(dtype).max).astype(dtype)


def export(
    target: Path,
    preset: Preset,
    info: ClipInfo,
    pictures: Iterable[NDArray[Any]],
    span: range | None = None,
    **how: Any,
) -> list[str]:
    with open_writer(target, preset, info, span or range(len(info)), **how) as writer:
        for picture in pictures:
            writer.write(picture)
    return writer.notices


@dataclass(frozen=True)
class Written:
    """A video as plain PyAV sees it."""

    times_s: list[Fraction]
    durations_s: list[Fraction]
    frames: list[av.VideoFrame]
    pixel_aspect: Fraction | None
    tags: tuple[int, int, int, int]
    seconds: Fraction

    def rgb(self, index: int, format: str = "rgb24") -> NDArray[Any]:  # noqa: A002
        return self.frames[index].to_ndarray(format=format)


def read(path: Path) -> Written:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        tick = stream.time_base or Fraction(0)
        packets = sorted((p.pts, p.duration or 0) for p in container.demux(stream) if p.pts is not None)
        container.seek(0)
        frames = list(container.decode(stream))
        context = stream.codec_context
        return Written(
            times_s=[(frame.pts or 0) * tick for frame in frames],
            durations_s=[duration * tick for _, duration in packets],
            frames=frames,
            pixel_aspect=stream.sample_aspect_ratio,
            tags=(context.colorspace, context.color_primaries, context.color_trc, context.color_range),
            seconds=Fraction(container.duration or 0, 1_000_000),
        )


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))
