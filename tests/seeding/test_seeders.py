"""What every seeder promises; one class, run over each of them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import Picture
from matting.errors import ShapeError
from matting.seeding.grabcut import GrabCutSeeder
from matting.seeding.seeder import FramePrompt, Seeder, seed_frame

HEIGHT, WIDTH = 120, 160
ANN, BEN = FramePrompt(include=((45, 30), (45, 70))), FramePrompt(include=((115, 30), (115, 70)))


def figure_mask(x: int) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    head = (columns - x) ** 2 + (rows - 28) ** 2 < 11**2
    body = ((columns - x) / 16) ** 2 + ((rows - 72) / 38) ** 2 < 1
    return np.asarray(head | body)


def two_people() -> NDArray[np.uint8]:
    """Two people in red and blue before a green wall, with grain."""
    picture = np.full((HEIGHT, WIDTH, 3), (70, 120, 80), np.float32)
    picture[figure_mask(45)] = (180, 60, 50)
    picture[figure_mask(115)] = (60, 70, 170)
    picture += np.random.default_rng(0).normal(0, 9, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def iou(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.fixture(params=[GrabCutSeeder], ids=["grabcut"])
def seeder(request: pytest.FixtureRequest) -> Seeder:
    made: Seeder = request.param()
    return made


class TestSeeder:
    def test_name_tells_method_and_version(self, seeder: Seeder) -> None:
        method, _, version = seeder.name.partition("/")
        assert method
        assert version

    @pytest.mark.parametrize(
        "prompt",
        [
            ANN,
            FramePrompt(include=((45, 30),)),
            FramePrompt(box=(26, 14, 64, 113)),
            FramePrompt(include=((45, 70),), box=(26, 14, 64, 113)),
            FramePrompt(include=((45, 70),), exclude=((90, 60),), box=(20, 10, 70, 118)),
        ],
        ids=["points", "one point", "box", "point and box", "exclude"],
    )
    def test_finds_a_clear_figure(self, seeder: Seeder, prompt: FramePrompt) -> None:
        mask = seeder.seed(two_people(), prompt, [BEN])
        assert mask.shape == (HEIGHT, WIDTH)
        assert mask.dtype == np.bool_
        assert iou(mask, figure_mask(45)) > 0.9

    @pytest.mark.parametrize("prompt", [FramePrompt(), FramePrompt(exclude=((3, 3),))])
    def test_absent_is_empty(self, seeder: Seeder, prompt: FramePrompt) -> None:
        assert not seeder.seed(two_people(), prompt, [ANN]).any()

    def test_holds_include_and_no_exclude(self, seeder: Seeder) -> None:
        prompt = FramePrompt(include=((45, 30), (5.9, 5.2)), exclude=((45, 72), (60, 110)), box=(30, 10, 62, 112))
        mask = seeder.seed(two_people(), prompt, [])
        assert mask[30, 45]
        assert mask[5, 5]
        assert not mask[72, 45]
        assert not mask[110, 60]

    def test_other_instance_is_background(self, seeder: Seeder) -> None:
        both = FramePrompt(include=((45, 70),), box=(20, 10, 140, 118))
        mask = seeder.seed(two_people(), both, [BEN])
        assert not mask[[30, 70], [115, 115]].any()
        assert iou(mask, figure_mask(45)) > 0.85

    def test_box_is_clipped_to_the_picture(self, seeder: Seeder) -> None:
        beyond = FramePrompt(include=((45, 70),), box=(-40.5, -9, 64, 500))
        assert iou(seeder.seed(two_people(), beyond, []), figure_mask(45)) > 0.8

    def test_nothing_far_outside_the_box(self, seeder: Seeder) -> None:
        mask = seeder.seed(two_people(), FramePrompt(box=(26, 14, 64, 60)), [])
        assert mask.any()
        assert not mask[66:].any()

    def test_drawn_mask_is_kept_where_no_point_corrects_it(self, seeder: Seeder) -> None:
        drawn = figure_mask(45)
        assert np.array_equal(seeder.seed(two_people(), FramePrompt(mask=drawn), [BEN]), drawn)
        damaged = drawn.copy()
        damaged[80:] = False
        mended = seeder.seed(two_people(), FramePrompt(mask=damaged, include=((45, 92),)), [BEN])
        assert np.array_equal(mended[:70], drawn[:70])
        assert iou(mended, drawn) > iou(damaged, drawn) + 0.05

    def test_same_prompts_same_mask(self, seeder: Seeder) -> None:
        prompt = FramePrompt(include=((45, 40),))
        first = seeder.seed(two_people(), prompt, [BEN])
        seeder.seed(two_people()[:, ::-1].copy(), prompt, [])
        assert np.array_equal(seeder.seed(two_people(), prompt, [BEN]), first)

    @pytest.mark.parametrize("size_hw", [(1, 1), (1, 7), (5, 1), (2, 2), (3, 9), (17, 16)])
    def test_tiny_frames(self, seeder: Seeder, size_hw: tuple[int, int]) -> None:
        frame = np.random.default_rng(1).integers(0, 256, (*size_hw, 3), np.uint8)
        y, x = size_hw[0] // 2, size_hw[1] // 2
        for prompt in (
            FramePrompt(include=((x, y),)),
            FramePrompt(box=(0, 0, size_hw[1], size_hw[0])),
            FramePrompt(include=((x, y),), box=(x, y, x + 0.5, y + 0.5)),
        ):
            mask = seeder.seed(frame, prompt, [])
            assert mask.shape == size_hw
            assert mask.any()
            assert mask[y, x] or not prompt.include

    def test_flat_picture(self, seeder: Seeder) -> None:
        flat = np.full((60, 80, 3), 128, np.uint8)
        mask = seeder.seed(flat, FramePrompt(include=((40, 30),), exclude=((5, 5),)), [])
        assert mask[30, 40]
        assert not mask[5, 5]

    def test_refuses_other_shapes(self, seeder: Seeder) -> None:
        frame = two_people()
        for wrong in (frame[..., 0], frame.astype(np.float32), np.dstack([frame, frame[..., :1]])):
            with pytest.raises(ShapeError):
                seeder.seed(wrong, ANN, [])  # type: ignore[arg-type]
        with pytest.raises(ShapeError):
            seeder.seed(frame, FramePrompt(mask=np.ones((3, 3), np.bool_)), [])

    def test_frame_of_two(self, seeder: Seeder) -> None:
        masks = seed_frame(seeder, two_people(), {7: BEN, 2: ANN, 4: FramePrompt()})
        assert list(masks) == [7, 2, 4]
        assert not masks[4].any()
        assert not (masks[7] & masks[2]).any()
        assert iou(masks[2], figure_mask(45)) > 0.9
        assert iou(masks[7], figure_mask(115)) > 0.9


class _TakesTheBox:
    """A seeder that is as greedy as can be."""

    name = "box/1"
    looks_at = ()

    def seed(self, frame: Picture, prompt: FramePrompt, others: object, neighbours: object = ()) -> NDArray[np.bool_]:
        mask = np.zeros(frame.shape[:2], np.bool_)
        x0, y0, x1, y1 = (int(v) for v in prompt.box or (0, 0, 0, 0))
        mask[y0:y1, x0:x1] = True
        return mask


def test_contested_pixels_go_to_the_nearest_prompt() -> None:
    prompts = {1: FramePrompt(include=((10, 10),), box=(0, 0, 40, 20)), 2: FramePrompt(box=(20, 0, 60, 20))}
    masks = seed_frame(_TakesTheBox(), np.zeros((20, 60, 3), np.uint8), prompts)
    assert not (masks[1] & masks[2]).any()
    assert (masks[1] | masks[2]).all()
    assert masks[1][:, :20].all()
    assert masks[1][10, 24]
    assert masks[2][10, 26]
    assert masks[2][:, 40:].all()


def test_contested_drawn_pixels_stay_with_their_drawing() -> None:
    drawn = np.zeros((20, 60), np.bool_)
    drawn[:, 25:30] = True
    prompts = {1: FramePrompt(box=(0, 0, 60, 20)), 2: FramePrompt(mask=drawn, box=(20, 0, 50, 20))}
    masks = seed_frame(_TakesTheBox(), np.zeros((20, 60, 3), np.uint8), prompts)
    assert masks[2][drawn].all()
    assert not (masks[1] & drawn).any()
