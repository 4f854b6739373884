"""What Segment Anything is asked, and what becomes of its answers; a made-up network answers."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.errors import ShapeError
from matting.networks.sam import Candidates, Predictor, low_size
from matting.seeding.embeddings import Embeddings
from matting.seeding.sam import SamSeeder
from matting.seeding.seeder import FramePrompt, seed_frame

HEIGHT, WIDTH = 90, 160
FRAME = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
HEAD, BODY, PAIR = (30, 20, 60, 50), (20, 10, 70, 80), (20, 10, 140, 80)
"""What the made-up network offers: a part, the whole, and the whole together with somebody else."""


def box_mask(box: tuple[int, int, int, int]) -> Mask:
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def close(one: Mask, other: Mask) -> bool:
    return bool((one & other).sum() > 0.9 * (one | other).sum())


class MadeUp:
    """Offers part, whole and pair; the pair only while no exclude point lies in it."""

    def __init__(self) -> None:
        self.looked = 0
        self.asked: list[tuple[list[tuple[float, ...]], list[int], list[float] | None, FloatArray | None]] = []

    def embed(self, frame: NDArray[np.uint8]) -> FloatArray:
        self.looked += 1
        return np.full((256, 64, 64), float(frame.mean()), np.float32)

    def candidates(
        self,
        embedding: FloatArray,
        size_hw: tuple[int, int],
        points: NDArray[np.float64],
        labels: NDArray[np.int64],
        box: NDArray[np.float64] | None,
        previous: FloatArray | None,
    ) -> Candidates:
        spots = [tuple(point) for point in points.tolist()]
        self.asked.append((spots, labels.tolist(), None if box is None else box.tolist(), previous))
        pushed = any(label == 0 and x > 70 for (x, _), label in zip(spots, labels, strict=True))
        quality = np.array([0.6, 0.8, 0.3 if pushed else 0.9], np.float32)
        return Candidates(np.stack([low_size(box_mask(shape), 8) for shape in (HEAD, BODY, PAIR)]), quality)


@pytest.fixture
def network() -> MadeUp:
    return MadeUp()


@pytest.fixture
def seeder(network: MadeUp, tmp_path: Path) -> SamSeeder:
    return SamSeeder(cast(Predictor, network), "made-up/1:0", Embeddings(tmp_path))


def test_the_best_of_three_is_taken_or_the_one_that_was_chosen(seeder: SamSeeder, network: MadeUp) -> None:
    found = [seeder.seed(FRAME, FramePrompt(include=((40, 30),), candidate=rank), []) for rank in range(3)]
    assert [close(mask, box_mask(shape)) for mask, shape in zip(found, (PAIR, BODY, HEAD), strict=True)] == [True] * 3
    assert network.looked == 1
    assert len(network.asked) == 1


def test_points_and_box_are_asked_as_they_were_given(seeder: SamSeeder, network: MadeUp) -> None:
    prompt = FramePrompt(include=((40.5, 30), (35, 60)), exclude=((10, 10),), box=(-5, 12.4, 90, 999))
    mask = seeder.seed(FRAME, prompt, [])
    assert network.asked == [([(40.5, 30), (35, 60), (10, 10)], [1, 1, 0], [0, 12, 90, HEIGHT], None)]
    assert mask[30, 40]
    assert mask[60, 35]
    assert not mask[10, 10]


def test_the_points_of_others_matter_only_where_the_mask_would_hold_them(seeder: SamSeeder, network: MadeUp) -> None:
    far, held = FramePrompt(include=((155, 85),)), FramePrompt(include=((120, 40),))
    assert close(seeder.seed(FRAME, FramePrompt(include=((40, 30),)), [far]), box_mask(PAIR))
    assert len(network.asked) == 1
    assert close(seeder.seed(FRAME, FramePrompt(include=((40, 30),)), [far, held]), box_mask(BODY))
    assert network.asked[-1][:2] == ([(40, 30), (120, 40)], [1, 0])


def test_a_click_asks_only_about_whom_it_changes(seeder: SamSeeder, network: MadeUp) -> None:
    prompts = {1: FramePrompt(include=((40, 30),)), 2: FramePrompt(include=((155, 85),))}
    seed_frame(seeder, FRAME, prompts)
    asked = len(network.asked)
    masks = seed_frame(seeder, FRAME, prompts | {2: FramePrompt(include=((155, 85), (150, 80)))})
    assert all((150, 80) in spots for spots, *_ in network.asked[asked:])
    assert network.looked == 1
    assert not (masks[1] & masks[2]).any()
    seed_frame(seeder, FRAME[::-1], prompts)
    assert network.looked == 2


def test_a_drawn_mask_changes_only_where_a_point_contradicts_it(seeder: SamSeeder, network: MadeUp) -> None:
    drawn = box_mask((20, 10, 70, 50)) | box_mask((150, 0, 160, 20))
    assert np.array_equal(seeder.seed(FRAME, FramePrompt(mask=drawn), []), drawn)
    assert not network.asked
    mended = seeder.seed(FRAME, FramePrompt(mask=drawn, include=((40, 70),), exclude=((90, 30),), candidate=0), [])
    previous = network.asked[0][3]
    assert previous is not None
    assert previous.shape == (256, 256)
    assert previous[:144].max() == 8
    assert previous[:144].min() == -8
    assert close(mended, box_mask(BODY) | box_mask((150, 0, 160, 20)))
    assert mended[:20, 150:].all()


def test_a_drawing_of_somebody_else_is_left_to_them(seeder: SamSeeder) -> None:
    theirs = box_mask((60, 0, 160, 90))
    mask = seeder.seed(FRAME, FramePrompt(include=((40, 30),)), [FramePrompt(mask=theirs)])
    assert not (mask & theirs).any()
    assert close(mask, box_mask((20, 10, 60, 80)))


@pytest.mark.parametrize("prompt", [FramePrompt(), FramePrompt(exclude=((3, 3),))])
def test_absent_is_empty_and_asks_nothing(seeder: SamSeeder, network: MadeUp, prompt: FramePrompt) -> None:
    assert not seeder.seed(FRAME, prompt, []).any()
    assert not network.looked


def test_there_is_a_mask_even_where_the_network_sees_nothing(
    seeder: SamSeeder, network: MadeUp, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = Candidates(np.full((3, 256, 256), -1, np.float32), np.zeros(3, np.float32))
    monkeypatch.setattr(network, "candidates", lambda *_: nothing)
    assert np.array_equal(seeder.seed(FRAME, FramePrompt(box=(20, 10, 70, 80)), []), box_mask(BODY))
    assert seeder.seed(FRAME, FramePrompt(include=((5, 6),)), []).sum() == 1


def test_other_shapes_are_refused(seeder: SamSeeder) -> None:
    for wrong in (FRAME[..., 0], FRAME.astype(np.float32)):
        with pytest.raises(ShapeError):
            seeder.seed(wrong, FramePrompt(include=((1, 1),)), [])  # type: ignore[arg-type]
    with pytest.raises(ShapeError):
        seeder.seed(FRAME, FramePrompt(mask=np.zeros((3, 3), np.bool_)), [])
