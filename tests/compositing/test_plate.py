"""Removal on generated clips whose true background is known, one per situation."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import Mask, Picture
from matting.compositing.plate import PlateFrame, build_plate, plates
from matting.errors import Cancelled, ShapeError
from matting.job import JobContext

HEIGHT, WIDTH = 120, 200


class Frames:
    """A clip from pictures in memory that counts what is read."""

    def __init__(self, pictures: list[Picture]) -> None:
        self._pictures = pictures
        self.fetched = 0

    @property
    def size_hw(self) -> tuple[int, int]:
        height, width, _ = self._pictures[0].shape
        return height, width

    def __len__(self) -> int:
        return len(self._pictures)

    def frame(self, index: int) -> Picture:
        self.fetched += 1
        return self._pictures[index]

    def frames(self, start: int, stop: int) -> Iterator[tuple[int, Picture]]:
        yield from ((index, self._pictures[index]) for index in range(start, stop))


def landscape(seed: int, size_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Coarse and fine patches of colour with corners to hold on to, in 0…255."""
    rng = np.random.default_rng(seed)
    total = np.full((*size_hw, 3), 110, np.float32)
    for cell, strength in ((64, 60), (24, 40), (9, 30)):
        coarse = rng.uniform(-1, 1, (size_hw[0] // cell + 2, size_hw[1] // cell + 2, 3)).astype(np.float32)
        large = coarse.repeat(cell, axis=0).repeat(cell, axis=1)[: size_hw[0], : size_hw[1]]
        total += strength * cv2.GaussianBlur(large, (0, 0), 1.0)
    return np.clip(total, 0, 255)


World = landscape(1, (400, 700))


def background(
    count: int, camera: Callable[[int], tuple[float, float, float, float]], noise: float = 2
) -> list[Picture]:
    """What a camera sees; ``camera`` gives left, top, zoom and roll of each frame."""
    rng = np.random.default_rng(0)
    pictures: list[Picture] = []
    for index in range(count):
        left, top, zoom, roll = camera(index)
        turn = np.array([[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]) / zoom
        way = np.column_stack([turn, [left, top]])
        seen = cv2.warpAffine(World, way, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        pictures.append(np.rint(np.clip(seen + noise * rng.standard_normal(seen.shape), 0, 255)).astype(np.uint8))
    return pictures


def person_at(x: float) -> Mask:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    body: Mask = ((rows - 65) / 45) ** 2 + ((columns - x) / 14) ** 2 < 1
    return body


def acted(pictures: list[Picture], places: list[float]) -> tuple[list[Picture], list[Mask]]:
    """Put a person before each background; masks are grown as the product's are."""
    person = landscape(7, (HEIGHT, WIDTH))[:, ::-1] * 0.6
    frames, masks = [], []
    for picture, x in zip(pictures, places, strict=True):
        body = person_at(x)
        frames.append(np.where(body[..., None], person.astype(picture.dtype), picture))
        masks.append(cv2.dilate(body.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    return frames, masks


def made(frames: list[Picture], masks: list[Mask]) -> list[PlateFrame]:
    span = range(len(frames))
    steps = list(plates(Frames(frames), masks.__getitem__, span, JobContext()))
    assert [index for index, _ in steps] == list(span)
    return [step for _, step in steps]


def psnr(result: list[PlateFrame], truth: list[Picture], masks: list[Mask]) -> float:
    """Over all that was masked, in dB."""
    peak = float(np.iinfo(truth[0].dtype).max)
    off = [r.picture[m].astype(float) - t[m] for r, t, m in zip(result, truth, masks, strict=True)]
    return float(10 * np.log10(peak**2 / max(float(np.mean(np.concatenate(off) ** 2)), 1e-6)))


def still(_: int) -> tuple[float, float, float, float]:
    return 100, 100, 1, 0


def pan(index: int) -> tuple[float, float, float, float]:
    return 100 + 2.3 * index, 100 + 0.4 * index, 1, 0


def handheld(index: int) -> tuple[float, float, float, float]:
    return 100 + 3 * np.sin(index), 100 + 2 * np.cos(1.7 * index), 1 + 0.003 * index, 0.01 * np.sin(0.9 * index)


@pytest.mark.parametrize(
    ("camera", "least_db"), [(still, 38), (pan, 33), (handheld, 32)], ids=["still", "pan", "hand-held with zoom"]
)
def test_a_walking_person_is_replaced_by_the_true_background(
    camera: Callable[[int], tuple[float, float, float, float]], least_db: float
) -> None:
    truth = background(16, camera)
    frames, masks = acted(truth, [30 + 9 * index for index in range(16)])
    result = made(frames, masks)
    assert psnr(result, truth, masks) > least_db
    assert max(step.unseen for step in result) < 0.02


def test_a_person_who_stands_still_until_the_last_frames() -> None:
    truth = background(40, still)
    frames, masks = acted(truth, [100.0] * 37 + [130.0, 160.0, 190.0])
    result = made(frames, masks)
    assert psnr(result, truth, masks) > 36
    assert max(step.unseen for step in result) < 0.02


def test_a_mask_that_outlives_the_person() -> None:
    truth = background(20, still)
    frames, masks = acted(truth, [40 + 6.0 * index for index in range(20)])
    frames[12:] = truth[12:]
    assert psnr(made(frames, masks), truth, masks) > 37


def test_changing_exposure_leaves_no_patch() -> None:
    truth: list[Picture] = [
        cv2.convertScaleAbs(picture, alpha=0.7 + 0.03 * index).astype(np.uint8)
        for index, picture in enumerate(background(16, still))
    ]
    frames, masks = acted(truth, [30 + 9 * index for index in range(16)])
    assert psnr(made(frames, masks), truth, masks) > 35


def test_somebody_else_passing_is_outvoted() -> None:
    truth = background(24, still)
    frames, masks = acted(truth, [100.0] * 12 + [100.0 + 8 * index for index in range(12)])
    # Another, unmasked, in one of the frames that show what is behind the first.
    frames[21][person_at(100)] = 240
    rest = [index for index in range(24) if index != 21]
    result = made(frames, masks)
    assert psnr([result[i] for i in rest], [truth[i] for i in rest], [masks[i] for i in rest]) > 32


def test_deep_sources_keep_their_depth() -> None:
    truth: list[Picture] = [p.astype(np.uint16) * np.uint16(257) for p in background(12, still)]
    frames, masks = acted(truth, [30 + 12.0 * index for index in range(12)])
    result = made(frames, masks)
    assert result[0].picture.dtype == np.uint16
    assert psnr(result, truth, masks) > 36


def test_outside_the_coverage_the_frame_is_untouched() -> None:
    truth = background(8, handheld)
    frames, masks = acted(truth, [30 + 18.0 * index for index in range(8)])
    masks[3][:] = False
    result = made(frames, masks)
    for step, frame, mask in zip(result, frames, masks, strict=True):
        np.testing.assert_array_equal(step.picture[step.coverage == 0], frame[step.coverage == 0])
        assert (step.coverage[mask] == 255).all()
        near = cv2.dilate(mask.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
        assert not step.coverage[~near].any()
    np.testing.assert_array_equal(result[3].picture, frames[3])


def test_a_cut_is_not_crossed() -> None:
    other: list[Picture] = [
        np.ascontiguousarray(picture[::-1, ::-1]).astype(np.uint8) for picture in background(10, still)
    ]
    truth = background(10, still) + other
    frames, masks = acted(truth, [30 + 14.0 * (index % 10) for index in range(20)])
    assert psnr(made(frames, masks), truth, masks) > 34


def test_a_flat_wall_gives_nothing_to_hold_on_to() -> None:
    truth: list[Picture] = [np.full((HEIGHT, WIDTH, 3), (120, 140, 90), np.uint8)] * 6
    frames, masks = acted(truth, [100.0] * 6)
    result = made(frames, masks)
    assert psnr(result, truth, masks) > 45
    assert result[0].unseen == 1.0


def test_what_is_never_seen_is_made_up_and_stays_in_place() -> None:
    columns = np.mgrid[:HEIGHT, :WIDTH][1]
    stripes = np.where((columns // 10) % 2, 200, 60)[..., None] + np.array([20, 0, -20])
    truth: list[Picture] = [stripes.astype(np.uint8)] * 5
    frames, masks = acted(truth, [100.0] * 5)
    result = made(frames, masks)
    assert psnr(result, truth, masks) > 15
    assert all(step.unseen == 1.0 for step in result)
    for step in result[1:]:
        assert np.abs(step.picture.astype(int) - result[0].picture).max() <= 2


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size_hw", [(1, 1), (1, 7), (5, 3), (40, 41)])
@pytest.mark.parametrize("covered", ["all", "some", "none"])
def test_any_size_and_any_mask(size_hw: tuple[int, int], covered: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    frames: list[Picture] = [rng.integers(0, np.iinfo(dtype).max, (*size_hw, 3)).astype(dtype) for _ in range(2)]
    mask = {"all": np.ones(size_hw, bool), "some": rng.random(size_hw) < 0.3, "none": np.zeros(size_hw, bool)}[covered]
    for frame, step in zip(frames, made(frames, [mask, mask]), strict=True):
        assert step.picture.shape == frame.shape
        assert step.picture.dtype == dtype
        assert 0 <= step.unseen <= 1


def test_references_are_few_however_long_the_span() -> None:
    truth = background(50, still, noise=0)
    frames, masks = acted(truth, [20 + 3 * index for index in range(50)])
    source = Frames(frames)
    plate = build_plate(source, masks.__getitem__, range(50), JobContext())
    assert source.fetched == len(plate.references) <= 24
    span = range(20, 35)
    part = build_plate(source, masks.__getitem__, span, JobContext())
    assert all(reference.view.index in span for reference in part.references)
    assert part.frame(30, frames[30], masks[30]).unseen < 0.5


def test_can_be_stopped_and_tells_the_progress() -> None:
    class Impatient(JobContext):
        seen: list[float]

        def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
            self.seen.append(fraction)
            if fraction > 0.1:
                self.cancel()

    ctx = Impatient()
    ctx.seen = []
    truth = background(30, still)
    with pytest.raises(Cancelled):
        build_plate(Frames(truth), lambda _: person_at(50), range(30), ctx)
    assert ctx.seen == sorted(ctx.seen)
    assert max(ctx.seen) < 0.2


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(ShapeError, match="mask is 3×3"):
        build_plate(Frames(background(2, still)), lambda _: np.ones((3, 3), bool), range(2), JobContext())
