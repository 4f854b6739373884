"""Cuts of made clips: hard ones are found to the frame, everything else that changes pictures gives none."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from made_clips import write_frames
from numpy.typing import NDArray

from matting.errors import Cancelled
from matting.job import JobContext
from matting.media import open_clip
from matting.media.cuts import find_cuts

SIZE_HW = 90, 160
Frames = list[NDArray[np.uint8]]


def shot(number: int, count: int, speed_px: float = 1.0) -> Frames:
    """A place of its own with things in it, over which the camera pans; with grain."""
    height, width = SIZE_HW
    rng = np.random.default_rng(number)
    wide = cv2.resize(
        rng.integers(20, 235, (6, 24, 3)).astype(np.uint8), (width * 4, height), interpolation=cv2.INTER_CUBIC
    )
    for _ in range(30):
        x, y = int(rng.integers(0, width * 4)), int(rng.integers(0, height))
        cv2.circle(wide, (x, y), int(rng.integers(4, 20)), rng.integers(0, 255, 3).tolist(), -1)
    frames = []
    for t in range(count):
        x = round(t * speed_px)
        grain = rng.integers(-6, 7, (height, width, 3))
        frames.append(np.clip(wide[:, x : x + width].astype(int) + grain, 0, 255).astype(np.uint8))
    return frames


def dimmed(frames: Frames, light: NDArray[np.float64]) -> Frames:
    return [(frame * share).astype(np.uint8) for frame, share in zip(frames, light, strict=True)]


def written(tmp_path: Path, frames: Frames, name: str = "clip.mp4", pts: list[int] | None = None) -> Path:
    codec = {"mp4": "libx264", "mkv": "ffv1"}[name[-3:]]
    pix_fmt = {"mp4": "yuv420p", "mkv": "bgr0"}[name[-3:]]
    pictures = (av.VideoFrame.from_ndarray(frame, "rgb24").reformat(format=pix_fmt) for frame in frames)
    options = {"preset": "veryfast"} if codec == "libx264" else {}
    time_base = Fraction(1, 1000) if pts else None
    return write_frames(tmp_path / name, pictures, codec, options, pts=pts, time_base=time_base)


def cuts_of(path: Path) -> tuple[int, ...]:
    with open_clip(path) as clip:
        return find_cuts(clip, JobContext())


def test_hard_cuts_are_found_to_the_frame(tmp_path: Path) -> None:
    frames = [*shot(1, 20), *shot(2, 9), *shot(3, 41, speed_px=4), *shot(1, 12)]
    assert cuts_of(written(tmp_path, frames)) == (20, 29, 70)


def test_cuts_of_a_clip_whose_frames_come_at_no_steady_rate(tmp_path: Path) -> None:
    frames = [*shot(4, 15), *shot(5, 15)]
    pts = np.cumsum(np.random.default_rng(1).choice([20, 40, 90], len(frames))).tolist()
    path = written(tmp_path, frames, "clip.mkv", pts)
    assert cuts_of(path) == (15,)


def test_cuts_of_an_image_sequence_that_starts_anywhere_and_is_deep(tmp_path: Path) -> None:
    for t, frame in enumerate([*shot(6, 8), *shot(7, 10)]):
        cv2.imwrite(str(tmp_path / f"{t + 86:04d}.png"), frame[..., ::-1].astype(np.uint16) * 257)
    assert cuts_of(tmp_path) == (8,)


@pytest.mark.parametrize("speed_px", [0, 3, 9])
def test_a_pan_is_no_cut(tmp_path: Path, speed_px: float) -> None:
    assert cuts_of(written(tmp_path, shot(8, 40, speed_px))) == ()


@pytest.mark.parametrize("light", [[3.0], [3.0, 0.0, 3.0], [4.0, 2.5, 1.7, 1.3], [0.0, 0.0]], ids=str)
def test_a_flash_is_no_cut(tmp_path: Path, light: list[float]) -> None:
    frames = shot(9, 40)
    for t, share in enumerate(light, 18):
        frames[t] = np.clip(frames[t] * share + 30 * (share > 1), 0, 255).astype(np.uint8)
    assert cuts_of(written(tmp_path, frames)) == ()


def test_a_cut_with_a_flash_on_it_is_one_cut(tmp_path: Path) -> None:
    frames = [*shot(10, 20), np.full((*SIZE_HW, 3), 255, np.uint8), *shot(11, 20)]
    assert cuts_of(written(tmp_path, frames)) in ((20,), (21,))


def test_a_fade_through_black_and_a_dissolve_are_no_cuts(tmp_path: Path) -> None:
    down = np.linspace(1, 0, 12)
    fade = [*shot(12, 10), *dimmed(shot(12, 22)[10:], down), *dimmed(shot(13, 12), down[::-1]), *shot(13, 22)[12:]]
    assert cuts_of(written(tmp_path, fade, "fade.mp4")) == ()
    one, other = shot(14, 26), shot(15, 26)
    shares = np.linspace(0, 1, 16)
    mixed = [(a * (1 - s) + b * s).astype(np.uint8) for a, b, s in zip(one[10:], other[:16], shares, strict=True)]
    assert cuts_of(written(tmp_path, [*one[:10], *mixed, *other[16:]], "dissolve.mp4")) == ()


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_clip_of_hardly_any_frames_has_none(tmp_path: Path, count: int) -> None:
    assert cuts_of(written(tmp_path, shot(16, count))) == ()


def test_looking_tells_its_progress_and_stops_when_asked(tmp_path: Path) -> None:
    class StopsHalfway(JobContext):
        def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
            assert message == "Looking for cuts"
            if fraction >= 0.5:
                self.cancel()

    with open_clip(written(tmp_path, shot(17, 20))) as clip, pytest.raises(Cancelled):
        find_cuts(clip, StopsHalfway())
