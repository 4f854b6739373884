"""The built-in sample keeps its promises: who is seen when, how soft edges are, that no colour gives anybody away."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.synthesis.puppet.canvas import SUPER
from resources.sample import render

SAMPLE = Path(__file__).parents[2] / "resources" / "sample"
FRAMES, HEIGHT, WIDTH = 125, 360, 640
PEOPLE = (1, 2, 3)

Bytes = NDArray[np.uint8]


@pytest.fixture(scope="module")
def clip() -> Bytes:
    return _decode("clip.mp4")


@pytest.fixture(scope="module")
def plate() -> Bytes:
    return _decode("plate.mp4")


@pytest.fixture(scope="module")
def alphas() -> Bytes:
    """``[T, N, H, W]``"""
    frames = [
        [
            cv2.imread(str(SAMPLE / "alpha" / str(person) / f"{index:05d}.png"), cv2.IMREAD_UNCHANGED)
            for person in PEOPLE
        ]
        for index in range(FRAMES)
    ]
    return np.array(frames, np.uint8)


def _decode(name: str) -> Bytes:
    with av.open(str(SAMPLE / name)) as container:
        frames = [
            frame.to_ndarray(
                format="rgb24", src_colorspace="ITU709", dst_colorspace="ITU709", width=WIDTH, height=HEIGHT
            )
            for frame in container.decode(video=0)
        ]
    return np.stack(frames)


@pytest.mark.parametrize("name", ["clip.mp4", "plate.mp4"])
def test_video_is_tagged_and_timed(name: str) -> None:
    with av.open(str(SAMPLE / name)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, context.width, context.height) == ("h264", "yuv420p", WIDTH, HEIGHT)
        assert (context.color_range, context.colorspace, context.color_primaries, context.color_trc) == (1, 1, 1, 1)
        assert stream.average_rate == 25
        times = [frame.time for frame in container.decode(stream)]
    assert times == pytest.approx([index / 25 for index in range(FRAMES)], abs=1e-6)


def test_sound_lasts_as_long_and_knocks_on_the_second() -> None:
    with av.open(str(SAMPLE / "clip.mp4")) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("aac", 48000, 2)
        track = np.zeros(48000 * 6)
        end = 0
        for block in container.decode(stream):
            start = round(float(block.time or 0) * 48000)
            loud = np.abs(block.to_ndarray()).max(0)
            begin = max(start, 0)
            track[begin : start + loud.size] = loud[begin - start :]
            end = start + loud.size
    assert end / 48000 == pytest.approx(5.0, abs=0.03)
    for second in (1, 2, 3, 4):
        around = track[int((second - 0.1) * 48000) : int((second + 0.1) * 48000)]
        onset = np.flatnonzero(around > 0.6 * around.max())[0] / 48000 - 0.1
        assert abs(onset) < 0.005


def test_every_frame_has_every_alpha_and_their_sum_is_bounded(alphas: Bytes) -> None:
    assert alphas.shape == (FRAMES, 3, HEIGHT, WIDTH)
    assert alphas.sum(1, dtype=np.int32).max() == 255


def test_scripts_know_nothing_but_the_figures() -> None:
    for script in SAMPLE.glob("*.py"):
        tree = ast.parse(script.read_text("utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = {name for name in names if name.split(".")[0] in ("matting", "app")}
            assert all(name.startswith("matting.synthesis.puppet.") for name in ours), script


def test_committed_truth_is_what_the_script_renders(alphas: Bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = np.zeros((HEIGHT * SUPER, WIDTH * SUPER, 3), np.float32)
    monkeypatch.setattr(render, "_background", lambda matrix: nothing)
    rendered = render.shoot(FRAMES - 1).alphas
    assert np.abs(rendered.astype(int) - alphas[-1]).mean() < 0.05  # other versions of OpenCV may round differently


def test_folder_stays_small() -> None:
    committed = (path for path in SAMPLE.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    assert sum(path.stat().st_size for path in committed) < 8 * 2**20


def test_farthest_person_is_hidden_for_a_second_and_seen_before_and_after(alphas: Bytes) -> None:
    hidden = np.flatnonzero(alphas[:, 2].reshape(FRAMES, -1).max(1) == 0)
    assert len(hidden) >= 25
    assert hidden[-1] - hidden[0] == len(hidden) - 1
    area = (alphas[:, 2] > 127).sum((1, 2))
    assert area[: hidden[0] - 15].min() > 1500
    assert area[hidden[-1] + 15 :].min() > 1500


def test_people_change_sides(alphas: Bytes) -> None:
    def middle(frame: int, person: int) -> float:
        return float(np.nonzero(alphas[frame, person] > 127)[1].mean())

    first, last = ([middle(frame, person) for person in range(3)] for frame in (0, 110))
    assert first[0] > first[2] > first[1]
    assert last[0] < last[2] < last[1]


def test_plate_shows_the_same_camera(clip: Bytes, plate: Bytes, alphas: Bytes) -> None:
    worst = 99.0
    for index in range(0, FRAMES, 4):
        free = alphas[index].sum(0, dtype=np.int32) == 0
        error = np.mean((clip[index][free].astype(float) - plate[index][free]) ** 2)
        worst = min(worst, float(10 * np.log10(255**2 / error)))
    assert worst > 35.0  # what is left is the grain


def test_camera_moves(plate: Bytes) -> None:
    first, last = (cv2.cvtColor(plate[k], cv2.COLOR_RGB2GRAY) for k in (0, FRAMES - 1))
    patch = first[100:220, 400:560]
    found = cv2.minMaxLoc(cv2.matchTemplate(last, patch, cv2.TM_CCOEFF_NORMED))
    assert found[1] > 0.5
    assert found[3][0] < 400 - 80


# Edges


def wide_edge_share(alpha: Bytes) -> float:
    """Share of the silhouette's contour where partial alpha is more than 3 px wide.

    The contour is the pixels with alpha of at least one half beside one below. From each, alpha is sampled along the
    normal (gradient of the alpha blurred by 1.5 px) every quarter pixel; the width is the unbroken run round the
    contour in which 0.05 < alpha < 0.95.
    """
    soft = alpha.astype(np.float32) / 255
    inside = soft >= 0.5
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    edge = inside & (cv2.erode(inside.astype(np.uint8), cross) == 0)
    rows, columns = np.nonzero(edge)
    away = (rows > 4) & (rows < HEIGHT - 5) & (columns > 4) & (columns < WIDTH - 5)
    rows, columns = rows[away], columns[away]
    blurred = cv2.GaussianBlur(soft, (0, 0), 1.5)
    slope = np.stack(
        [cv2.Sobel(blurred, cv2.CV_32F, 1, 0)[rows, columns], cv2.Sobel(blurred, cv2.CV_32F, 0, 1)[rows, columns]]
    )
    normal = slope / np.maximum(np.hypot(*slope), 1e-6)
    steps = np.arange(-8, 8.01, 0.25, dtype=np.float32)
    x = columns[:, None] + normal[0][:, None] * steps
    y = rows[:, None] + normal[1][:, None] * steps
    line = cv2.remap(soft, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    partial = (line > 0.05) & (line < 0.95)
    half = len(steps) // 2
    partial[:, half] |= partial[:, half - 2 : half + 3].any(1)
    inward = np.cumprod(partial[:, half:], 1).sum(1)
    outward = np.cumprod(partial[:, : half + 1][:, ::-1], 1).sum(1)
    width = (inward + outward - 1) * 0.25
    return float((width > 3).mean())


def wide_band_share(alpha: Bytes) -> float:
    """Share of the partly transparent pixels that lie in places more than 3 px wide (left by an opening of 4 px)."""
    partial = ((alpha > 12) & (alpha < 243)).astype(np.uint8)
    return float(cv2.morphologyEx(partial, cv2.MORPH_OPEN, np.ones((4, 4), np.uint8)).sum() / partial.sum())


@pytest.mark.parametrize("person", PEOPLE)
def test_a_tenth_of_each_silhouette_is_soft(alphas: Bytes, person: int) -> None:
    seen = [alpha for alpha in alphas[::3, person - 1] if (alpha > 127).sum() > 800]
    edges, bands = [wide_edge_share(alpha) for alpha in seen], [wide_band_share(alpha) for alpha in seen]
    assert np.mean(edges) > 0.15
    assert min(edges) > 0.10
    assert np.mean(bands) > 0.10


# Colour


def best_iou(codes: NDArray[np.intp], truth: NDArray[np.bool_]) -> float:
    """The best IoU that any choice of colour cells reaches; the choice knows the truth.

    Cells are added in the order of their share of truth, which is optimal for IoU.
    """
    every = np.bincount(codes)
    own = np.bincount(codes[truth], minlength=every.size)
    order = np.argsort(-own / np.maximum(every, 1), kind="stable")
    hits, taken = np.cumsum(own[order]), np.cumsum(every[order])
    return float((hits / (taken + truth.sum() - hits)).max())


def best_interval_iou(values: Bytes, truth: NDArray[np.bool_]) -> float:
    """The best IoU of low <= value <= high over all intervals of one channel."""
    every = np.concatenate([[0], np.cumsum(np.bincount(values, minlength=256))])
    own = np.concatenate([[0], np.cumsum(np.bincount(values[truth], minlength=256))])
    taken, hits = every[None, :] - every[:, None], own[None, :] - own[:, None]
    return float((hits / np.maximum(taken + truth.sum() - hits, 1)).max())


def colour_codes(frames: Bytes, conversion: int | None, bins: int) -> NDArray[np.intp]:
    """Every pixel's cell in a grid of bins³ laid over the middle 99.8 % of each channel."""
    flat = frames.reshape(-1, WIDTH, 3)
    picture = (flat if conversion is None else cv2.cvtColor(flat, conversion)).reshape(-1, 3).astype(np.float32)
    low, high = np.percentile(picture[::37], (0.1, 99.9), axis=0)
    cell = np.clip((picture - low) / (high - low + 1) * bins, 0, bins - 1).astype(np.intp)
    return np.asarray((cell[:, 0] * bins + cell[:, 1]) * bins + cell[:, 2], np.intp)


SPACES = [("rgb", None), ("hsv", cv2.COLOR_RGB2HSV), ("lab", cv2.COLOR_RGB2LAB)]


@pytest.mark.parametrize(("space", "conversion"), SPACES)
def test_no_colour_of_the_clip_separates_anybody(
    clip: Bytes, alphas: Bytes, space: str, conversion: int | None
) -> None:
    some = slice(0, FRAMES, 8)
    codes = colour_codes(clip[some], conversion, 16)
    for person in range(3):
        truth = (alphas[some, person] > 127).ravel()
        assert best_iou(codes, truth) < 0.6, (space, person + 1)


def test_no_colour_of_one_frame_separates_anybody(clip: Bytes, alphas: Bytes) -> None:
    for index in range(4, FRAMES, 12):
        codes = colour_codes(clip[index : index + 1], cv2.COLOR_RGB2LAB, 16)
        for person in range(3):
            truth = (alphas[index, person] > 127).ravel()
            if truth.sum() > 800:
                assert best_iou(codes, truth) < 0.6, (index, person + 1)


def test_no_channel_interval_separates_anybody(clip: Bytes, alphas: Bytes) -> None:
    some = slice(0, FRAMES, 8)
    for _, conversion in SPACES:
        flat = clip[some].reshape(-1, WIDTH, 3)
        picture = (flat if conversion is None else np.asarray(cv2.cvtColor(flat, conversion), np.uint8)).reshape(-1, 3)
        for person in range(3):
            truth = (alphas[some, person] > 127).ravel()
            assert max(best_interval_iou(picture[:, channel], truth) for channel in range(3)) < 0.4


# Prompts


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    instances: list[dict[str, Any]] = json.loads((SAMPLE / "prompts.json").read_text("utf-8"))["instances"]
    return instances


def test_prompts_are_few_and_spread(people: list[dict[str, Any]]) -> None:
    assert [person["name"] for person in people] == ["ann", "ben", "cleo"]
    for person in people:
        frames = [prompt["frame"] for prompt in person["prompts"]]
        assert 4 <= len(frames) <= 6
        assert frames == sorted(set(frames))
        assert frames[0] == 0
        assert frames[-1] > 100


def test_prompts_agree_with_the_truth(people: list[dict[str, Any]], alphas: Bytes) -> None:
    for person, given in enumerate(people):
        for prompt in given["prompts"]:
            alpha = alphas[prompt["frame"], person]
            if set(prompt) == {"frame"}:
                assert alpha.max() == 0
                continue
            labels = [label for _, _, label in prompt["points"]]
            assert labels.count(1) >= 1
            assert labels.count(0) >= 1
            for x, y, label in prompt["points"]:
                assert 0 <= x < WIDTH
                assert 0 <= y < HEIGHT
                assert alpha[y, x] > 0.8 * 255 if label else alpha[y, x] < 0.2 * 255
            x0, y0, x1, y1 = prompt["box"]
            assert 0 <= x0 < x1 <= WIDTH
            assert 0 <= y0 < y1 <= HEIGHT
            outside = alpha.copy()
            outside[y0:y1, x0:x1] = 0
            assert outside.sum(dtype=np.int64) < 0.01 * alpha.sum(dtype=np.int64)


def test_hidden_person_is_said_to_be_hidden(people: list[dict[str, Any]], alphas: Bytes) -> None:
    hidden = np.flatnonzero(alphas[:, 2].reshape(FRAMES, -1).max(1) == 0)
    absent = [prompt["frame"] for prompt in people[2]["prompts"] if set(prompt) == {"frame"}]
    assert absent == [hidden[0], hidden[-1]]
