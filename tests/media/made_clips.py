"""Clips of many kinds for the tests of the readers, made with PyAV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

B_FRAMES = {"preset": "veryfast", "g": "12", "x264-params": "bframes=3:b-adapt=0:scenecut=0"}
OPEN_GOP = {"preset": "veryfast", "x264-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0"}
REFRESH = {"preset": "veryfast", "x264-params": "intra-refresh=1:keyint=16"}
CRA = {
    "preset": "ultrafast",
    "x265-params": "open-gop=1:keyint=12:min-keyint=12:bframes=3:b-adapt=0:log-level=none:pools=1",
}
VPX = {"g": "20", "deadline": "realtime", "cpu-used": "8", "lag-in-frames": "12", "auto-alt-ref": "1"}

KINDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "b_frames.mp4": ("libx264", "yuv420p", B_FRAMES),
    "b_frames.avi": ("libx264", "yuv420p", B_FRAMES),  # the demuxer gives wrong presentation times
    "b_frames.h264": ("libx264", "yuv420p", B_FRAMES),  # no times at all
    "ten_bits.mp4": ("libx264", "yuv420p10le", B_FRAMES),
    "open_gop.mp4": ("libx264", "yuv420p", OPEN_GOP),
    "open_gop.ts": ("libx264", "yuv420p", OPEN_GOP),
    "open_gop.mkv": ("libx264", "yuv420p", OPEN_GOP),
    "refresh.mp4": ("libx264", "yuv420p", REFRESH),
    "refresh.ts": ("libx264", "yuv420p", REFRESH),
    "cra.mp4": ("libx265", "yuv420p", CRA),
    "cra.ts": ("libx265", "yuv420p", CRA),
    "mpeg4.avi": ("mpeg4", "yuv420p", {"bf": "2", "g": "12"}),
    "mpeg2.mpg": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "mpeg2.ts": ("mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "vp9.webm": ("libvpx-vp9", "yuv420p", VPX),
    "vp8.webm": ("libvpx", "yuv420p", VPX),
    "wmv2.wmv": ("wmv2", "yuv420p", {"g": "12"}),
    "prores.mov": ("prores_ks", "yuv422p10le", {}),
    "mjpeg.avi": ("mjpeg", "yuvj420p", {}),
    "ffv1.mkv": ("ffv1", "bgr0", {"g": "5"}),
    "qtrle.mov": ("qtrle", "rgb24", {"g": "12"}),
    "still.gif": ("gif", "rgb8", {}),
}
COUNT = 48


def scenery(count: int, size_hw: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Pictures that drift, with grain, so that every frame is different and leans on its neighbours."""
    height, width = size_hw
    rng = np.random.default_rng(count)
    ground = rng.integers(0, 256, (4, 8, 3)).astype(np.uint8)
    wide = cv2.resize(ground, (width + count, height), interpolation=cv2.INTER_CUBIC)
    for t in range(count):
        grain = rng.integers(-9, 10, (height, width, 3))
        yield np.clip(wide[:, t : t + width].astype(int) + grain, 0, 255).astype(np.uint8)


def write_frames(
    path: Path,
    frames: Iterable[av.VideoFrame],
    codec: str,
    options: dict[str, str] | None = None,
    *,
    rate: Fraction = Fraction(25),
    pts: list[int] | None = None,
    time_base: Fraction | None = None,
    prepare: Callable[[VideoStream], object] | None = None,
    movflags: str = "",
) -> Path:
    """Encode frames as they are; ``prepare`` may set up the stream before the first one."""
    stream: Any = None
    with av.open(str(path), "w", options={"movflags": movflags} if movflags else {}) as container:
        for t, frame in enumerate(frames):
            if stream is None:
                stream = container.add_stream(codec, rate=rate)
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, frame.format.name
                stream.options = options or {}
                if time_base:
                    stream.codec_context.time_base = stream.time_base = time_base
                if prepare:
                    prepare(stream)
            frame.pts, frame.time_base = pts[t] if pts else t, time_base or 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def make_clip(path: Path, kind: str, count: int = COUNT, size_hw: tuple[int, int] = (64, 96), **rest: Any) -> Path:
    """One of :data:`KINDS`."""
    codec, pix_fmt, options = KINDS[kind]
    pictures = scenery(count, size_hw)
    frames = (av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format=pix_fmt) for picture in pictures)
    return write_frames(path, frames, codec, options, **rest)


def remux(
    source: Path, target: Path, change: Callable[[int, Packet[VideoStream]], Packet[VideoStream]], **options: str
) -> Path:
    """Copy the packets of a video, each changed on the way."""
    with av.open(str(source)) as reading, av.open(str(target), "w", options=options) as writing:
        stream = reading.streams.video[0]
        copy = writing.add_stream_from_template(stream)
        for number, packet in enumerate(reading.demux(stream)):
            if packet.size:
                changed = change(number, packet)
                changed.stream = copy
                writing.mux(changed)
    return target


def packet_places(path: Path) -> list[tuple[int, int]]:
    """Place in the file and size of every packet."""
    with av.open(str(path)) as container:
        return [(packet.pos or 0, packet.size) for packet in container.demux(video=0) if packet.size]


def spoil(path: Path, number: int) -> Path:
    """Overwrite a packet with noise."""
    place, size = packet_places(path)[number]
    content = bytearray(path.read_bytes())
    content[place + 8 : place + size] = np.random.default_rng(number).bytes(size - 8)
    path.write_bytes(content)
    return path
