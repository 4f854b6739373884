"""Render the built-in sample clip with its truth: ``python -m resources.sample.render [FOLDER]``.

Frames are averages of sub-frames over a 180-degree shutter, drawn at twice the size, so alphas are exact:
frame = sum of alpha * foreground + (1 - sum of alpha) * plate. Film grain comes on top. Same seeds, same clip.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from matting.synthesis.puppet.canvas import SUPER, Canvas, Placement
from matting.synthesis.puppet.gait import Pose, Walk
from resources.sample import figures, prompting, sound, street

Floats = NDArray[np.float32]
Matrix = NDArray[np.float64]

WIDTH, HEIGHT, RATE, FRAMES = 640, 360, 25, 125
SUBFRAMES, SHUTTER = 8, 0.5
FOCAL, MIDDLE = 760.0, (500.0, 180.0)


@dataclass(frozen=True)
class Person:
    """One of the cast, nearest first; ``ground`` is where the soles stand, in street pixels."""

    draw: Callable[[Canvas, Pose, float], None]
    walk: Walk
    ground: float


# The eyes of the camera are at street.HORIZON; who stands lower is nearer, hence larger.
CAST = (
    Person(
        figures.draw_ann,
        Walk(614, [(0, -7.2), (18, -7.2), (30, -0.06), (75, -0.06), (89, -4.5), (125, -4.5)], 268, -1, 0.1, 0.70),
        321,
    ),
    Person(figures.draw_ben, Walk(128, [(0, 5.4), (125, 5.4)], 224, 1, 0.35, 0.74), 277),
    Person(
        figures.draw_cleo,
        Walk(267, [(0, 4.6), (32, 4.6), (42, 0), (80, 0), (93, 4.4), (125, 4.4)], 166, 1, 0.6, 0.72),
        237,
    ),
)


@dataclass(frozen=True)
class Shot:
    """One finished frame, still without grain."""

    frame: Floats
    plate: Floats
    alphas: NDArray[np.uint8]


def camera(time: float) -> Matrix:
    """Homography from street pixels to picture pixels: a pan by a hand-held, slowly zooming camera."""
    share = np.clip(time / (FRAMES - 1), -0.05, 1.05)
    aim = 398 + 166 * (0.35 * share + 0.65 * share * share * (3 - 2 * share))
    yaw = (aim - MIDDLE[0]) / FOCAL + 0.0011 * np.sin(time * 0.53) + 0.0006 * np.sin(time * 1.31 + 1)
    pitch = 0.0014 * np.sin(time * 0.37 + 2) + 0.0007 * np.sin(time * 1.13) - 0.004 * share
    roll = 0.0030 * np.sin(time * 0.19 + 0.5) + 0.0012 * np.sin(time * 0.71)
    zoom = FOCAL * (1.0 + 0.05 * share)
    cy, sy, cp, sp, cr, sr = (f(a) for a in (yaw, pitch, roll) for f in (np.cos, np.sin))
    turn_y = np.array(((cy, 0, -sy), (0, 1, 0), (sy, 0, cy)))
    turn_x = np.array(((1, 0, 0), (0, cp, -sp), (0, sp, cp)))
    turn_z = np.array(((cr, -sr, 0), (sr, cr, 0), (0, 0, 1)))
    place = np.array(((1, 0, -MIDDLE[0]), (0, 1, -MIDDLE[1]), (0, 0, FOCAL)))
    lens = np.array(((zoom, 0, WIDTH / 2), (0, zoom, HEIGHT / 2), (0, 0, 1)))
    return np.asarray(lens @ turn_z @ turn_x @ turn_y @ place, float)


def project(matrix: Matrix, x: float, y: float) -> NDArray[np.float64]:
    u, v, w = matrix @ (x, y, 1.0)
    return np.array((u / w, v / w))


def stand(matrix: Matrix, person: Person, time: float, scale: float) -> Placement:
    """How a person's figure units land on a picture that is ``scale`` times the output's size."""
    x, height = person.walk.place(time), person.walk.height
    foot, side, up = (project(matrix, x + dx, person.ground - dy) for dx, dy in ((0, 0), (1, 0), (0, 1)))
    axes = np.stack([side - foot, foot - up], 1) * height * scale
    return Placement(axes, foot * scale - axes @ (0, 1))


@cache
def painted_street() -> Floats:
    return street.paint()


def shoot(index: int) -> Shot:
    """Render one frame."""
    size = HEIGHT * SUPER, WIDTH * SUPER
    people = np.zeros((*size, 3), np.float32)
    alphas = np.zeros((len(CAST), *size), np.float32)
    plate = np.zeros((*size, 3), np.float32)
    for sub in range(SUBFRAMES):
        time = index + SHUTTER * ((sub + 0.5) / SUBFRAMES - 0.5)
        matrix = camera(time)
        plate += _background(matrix)
        free = np.ones(size, np.float32)
        for k, person in enumerate(CAST):
            canvas = Canvas(stand(matrix, person, time, SUPER), size)
            person.draw(canvas, person.walk.pose(time), time)
            window = slice(canvas.top, canvas.bottom), slice(canvas.left, canvas.right)
            people[window] += canvas.rgb * free[window][..., None]
            alphas[k][window] += canvas.alpha * free[window]
            free[window] *= 1 - np.minimum(canvas.alpha, 1)
    seen, behind = _shrink(people), _shrink(plate)
    soft = np.stack([_shrink(alpha) for alpha in alphas])
    cover = np.minimum(soft.sum(0), 1)[..., None]
    return Shot(seen + (1 - cover) * behind * _contact(index), behind, _quantised(soft))


def _background(matrix: Matrix) -> Floats:
    to_street = np.array(((1 / street.QUALITY, 0, street.LEFT), (0, 1 / street.QUALITY, street.TOP), (0, 0, 1)))
    enlarge = np.diag((SUPER, SUPER, 1.0))
    warped = cv2.warpPerspective(painted_street(), enlarge @ matrix @ to_street, (WIDTH * SUPER, HEIGHT * SUPER))
    return np.asarray(warped, np.float32)


def _shrink(picture: Floats) -> Floats:
    """Average over sub-frames and sub-pixels, through a lens that is not quite sharp."""
    small = cv2.resize(picture / np.float32(SUBFRAMES), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.45), np.float32)


def _contact(index: int) -> Floats:
    """The breath of darkness under a sole, too faint to count as the person's or as the plate's."""
    shade = np.ones((HEIGHT, WIDTH, 1), np.float32)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    for person in CAST:
        place, pose = stand(camera(index), person, index, 1.0), person.walk.pose(index)
        for leg in pose.legs:
            foot = place.px((leg.ankle[0] + 0.02 * pose.facing, 1.0))
            lift = max(0.0, 0.952 - leg.ankle[1])
            wide, flat = 0.045 * place.scale, 0.009 * place.scale
            spot = np.exp(-0.5 * (((x - foot[0]) / wide) ** 2 + ((y - foot[1]) / flat) ** 2))
            shade[..., 0] *= 1 - 0.22 * spot * max(0.0, 1 - lift * 25)
    return shade


def _quantised(alphas: Floats) -> NDArray[np.uint8]:
    """8-bit alphas whose sum stays within 255."""
    stored = np.round(alphas * 255).astype(np.int32)
    excess = np.maximum(stored.sum(0) - 255, 0)
    largest = stored.argmax(0)[None]
    np.put_along_axis(stored, largest, np.take_along_axis(stored, largest, 0) - excess[None], 0)
    return stored.astype(np.uint8)


def grain(frame: Floats, index: int) -> Floats:
    """Film grain: new on every frame, strongest in the middle tones, a little in the colours."""
    rng = np.random.default_rng((77, index))
    noise = rng.standard_normal((HEIGHT, WIDTH, 4)).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), 0.55) * np.float32(1.75)
    luma = frame @ np.array((0.2126, 0.7152, 0.0722), np.float32)
    strength = (1.5 + 5.0 * luma * (1 - luma)) / 255
    return np.asarray(frame + strength[..., None] * (noise[..., :1] + 0.35 * noise[..., 1:]), np.float32)


def video_frame(rgb: Floats) -> av.VideoFrame:
    """RGB in [0, 1] as limited-range BT.709 yuv420p (ITU-R BT.709-6), chroma sited left as H.264 expects."""
    r, g, b = np.moveaxis(rgb.astype(np.float64), -1, 0)
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    planes = [16 + 219 * luma]
    for colour, span in ((b, 1.8556), (r, 1.5748)):
        wide = cv2.filter2D((colour - luma) / span, -1, np.array([[0.25, 0.5, 0.25]]), borderType=cv2.BORDER_REPLICATE)
        planes.append(128 + 224 * (wide[0::2, ::2] + wide[1::2, ::2]) / 2)
    packed = np.concatenate([np.clip(np.round(plane), 0, 255).astype(np.uint8).ravel() for plane in planes])
    frame = av.VideoFrame.from_ndarray(packed.reshape(HEIGHT * 3 // 2, WIDTH), format="yuv420p")
    frame.colorspace, frame.color_range = 1, 1
    return frame


def write_video(target: Path, frames: Iterator[Floats], crf: int, track: Floats | None = None) -> None:
    with av.open(str(target), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt, video.time_base = WIDTH, HEIGHT, "yuv420p", Fraction(1, RATE)
        video.options = {"crf": str(crf), "preset": "slow", "g": "25", "threads": "1"}
        context = video.codec_context
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = 1, 1, 1, 1
        audio = None
        if track is not None:
            audio = container.add_stream("aac", rate=sound.RATE, layout="stereo")
            audio.bit_rate = 128_000
        for index, rgb in enumerate(frames):
            frame = video_frame(rgb)
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            container.mux(video.encode(frame))
        container.mux(video.encode())
        if audio is not None and track is not None:
            for start in range(0, track.shape[1], 1024):
                block = av.AudioFrame.from_ndarray(
                    np.ascontiguousarray(track[:, start : start + 1024]), "fltp", "stereo"
                )
                block.sample_rate, block.pts, block.time_base = sound.RATE, start, Fraction(1, sound.RATE)
                container.mux(audio.encode(block))
            container.mux(audio.encode())


def footsteps() -> Iterator[tuple[float, float, float]]:
    """When and where heels strike: (seconds, pan, loudness)."""
    times = np.arange(0, FRAMES, 0.1)
    for person in CAST:
        strikes = np.floor([2 * person.walk.pose(t).cycle for t in times])
        for k in np.flatnonzero(np.diff(strikes) > 0):
            pose, place = (
                person.walk.pose(times[k]),
                project(camera(times[k]), person.walk.place(times[k]), person.ground),
            )
            yield times[k] / RATE, place[0] / WIDTH * 2 - 1, pose.pace * person.walk.height / 268


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    (folder / "alpha").mkdir(parents=True, exist_ok=True)
    shots = []
    with ProcessPoolExecutor(os.cpu_count(), initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        for index, shot in enumerate(pool.map(shoot, range(FRAMES))):
            shots.append(shot)
            print(f"\rframe {index + 1} of {FRAMES}", end="", flush=True)
    print()
    for person in range(len(CAST)):
        shutil.rmtree(folder / "alpha" / str(person + 1), ignore_errors=True)
        (folder / "alpha" / str(person + 1)).mkdir()
        for index, shot in enumerate(shots):
            picture = folder / "alpha" / str(person + 1) / f"{index:05d}.png"
            cv2.imwrite(str(picture), shot.alphas[person], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    track = sound.compose(footsteps(), FRAMES / RATE)
    write_video(folder / "clip.mp4", (grain(shot.frame, index) for index, shot in enumerate(shots)), 15, track)
    write_video(folder / "plate.mp4", (shot.plate for shot in shots), 12)
    content = prompting.prompts(np.stack([shot.alphas for shot in shots]))
    (folder / "prompts.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
