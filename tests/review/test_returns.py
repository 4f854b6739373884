"""Who is lost and comes back is noticed, at the right place; who stays away is not, whoever else walks about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from people_walking import ANN, BEHIND_WALL, BEN, BLUE, FRAMES, HEIGHT, RED, ROUND, WIDTH, Ids, Scene

from matting.arrays import Mask
from matting.review.evidence import measure, packed, unpacked
from matting.review.references import References
from matting.review.returns import Box, Return, Watch
from matting.review.sight import look_over

IDS = (ANN, BEN)


def lost_from(frame: int) -> Callable[[int, Ids], Ids]:
    """What a tracker makes of it that has lost Ann by a frame."""
    return lambda t, ids: np.where((ids == ANN) & (t >= frame), 0, ids).astype(np.uint8)


def returns(
    scene: Scene,
    tracked: Callable[[int, Ids], Ids],
    given: dict[int, tuple[int, ...]] | None = None,
    settled: Collection[int] = (),
) -> list[Return]:
    """What is noticed, with Ann's and Ben's true masks given on frame 0 unless something else is said."""
    given = given or dict.fromkeys(IDS, (0,))
    sights = (look_over(t, picture, tracked(t, ids)) for t, (picture, ids) in enumerate(map(scene.draw, range(FRAMES))))

    def mask(t: int, who: int) -> Mask:
        return np.asarray(tracked(t, scene.draw(t)[1]) == who)

    frames = list(measure(sights, IDS, References(given, mask, lambda t: scene.draw(t)[0])))
    watch = Watch(IDS, (HEIGHT, WIDTH))
    for measured in unpacked(packed(frames), 0):
        watch.add(measured, [measured.index in given[who] or (who == ANN and measured.index in settled) for who in IDS])
    return watch.returns()


def overlap(box: Box, mask: Mask) -> float:
    """Intersection over union of a box with that of a mask."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    other = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    width, height = (min(box[k + 2], other[k + 2]) - max(box[k], other[k]) for k in (0, 1))
    common = max(width, 0) * max(height, 0)
    areas = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
    return float(common / (sum(areas) - common))


def placed(scene: Scene, found: Return) -> Iterator[float]:
    """How well each box fits Ann, on the frames on which most of her is seen."""
    for t, box in found.boxes.items():
        truth = np.asarray(scene.draw(t)[1] == ANN)
        if truth.sum() > 0.9 * ROUND.sum():
            yield overlap(box, truth)


def test_who_comes_out_from_behind_a_wall_may_be_back() -> None:
    (found,) = returns(BEHIND_WALL, lost_from(14))
    assert found.instance_id == ANN
    assert 18 <= found.first <= 24
    assert found.last == FRAMES - 1
    fits = list(placed(BEHIND_WALL, found))
    assert len(fits) > 10
    assert min(fits) > 0.6
    assert found.words({ANN: "ann"}) == f"ann may be back at {found.first}"


def test_who_stays_behind_the_wall_is_not_back() -> None:
    stays = Scene(ann=lambda t: (min(30 + 4 * t, 92), 60), wall=range(70, 115))
    assert returns(stays, lost_from(14)) == []


@pytest.mark.parametrize("looks", [BLUE, RED], ids=["told apart", "look-alikes"])
def test_who_comes_out_of_somebody_elses_mask_may_be_back(looks: NDArray[np.uint8]) -> None:
    scene = Scene(ann=lambda t: (30 + 4 * t, 62), ben=lambda t: (100, 60), looks=looks)
    # Ben's mask has taken her; from frame 24 on it is in two parts.
    (found,) = returns(scene, lambda t, ids: np.where((ids == ANN) & (t >= 14), BEN, ids).astype(np.uint8))
    assert found.instance_id == ANN
    assert 22 <= found.first <= 30
    assert min(placed(scene, found)) > 0.6


def test_it_is_asked_from_the_frame_on_which_the_part_is_her_alone() -> None:
    scene = Scene(ann=lambda t: (30 + 4 * t, 62), ben=lambda t: (100, 60))

    def taken(t: int, ids: Ids) -> Ids:
        ids = np.where((ids == ANN) & (t >= 14), BEN, ids).astype(np.uint8)
        x, y = scene.ann(t)
        ids[y - 20 : y + 20, x : x + {24: 45, 25: 25}.get(t, 0)] = BEN
        return ids

    (found,) = returns(scene, taken)
    assert found.first == 26


def test_a_look_alike_with_a_mask_of_his_own_is_not_taken_for_her() -> None:
    scene = Scene(ann=lambda t: (40 - 5 * t, 60), ben=lambda t: (200 - 4 * t, 60), looks=RED)
    assert returns(scene, lost_from(12)) == []


def test_somebody_who_is_cut_in_two_by_a_pole_is_not_half_her() -> None:
    scene = Scene(ann=lambda t: (40 - 5 * t, 60), ben=lambda t: (150, 60), looks=RED, wall=range(148, 153))
    assert returns(scene, lost_from(12)) == []


def test_a_stranger_who_looks_alike_and_was_there_before_is_not_taken_for_her() -> None:
    scene = Scene(ann=lambda t: (40 - 5 * t, 60), stranger=lambda t: (200 - 4 * t, 60), looks=RED)
    assert returns(scene, lost_from(12)) == []


def test_somebody_else_who_comes_in_is_not_taken_for_her() -> None:
    scene = Scene(ann=lambda t: (40 - 5 * t, 60), stranger=lambda t: (360 - 6 * t, 60), looks=BLUE)
    assert returns(scene, lost_from(12)) == []


ROUND_THE_BACK = Scene(ann=lambda t: (40 - 6 * t, 60) if t < 20 else (380 - 6 * t, 60))
"""Ann leaves on the left by frame 11 and comes in again on the right from frame 21."""


def test_who_comes_in_again_on_the_other_side_may_be_back() -> None:
    (found,) = returns(ROUND_THE_BACK, lost_from(9))
    assert 21 <= found.first <= 26
    assert min(placed(ROUND_THE_BACK, found)) > 0.6


def test_what_was_said_of_her_counts() -> None:
    given = {ANN: (0, 12), BEN: (0,)}
    (found,) = returns(ROUND_THE_BACK, lost_from(9), given)
    assert 21 <= found.first <= 26, "she is said not to be here on frame 12, but looks as she did on frame 0"
    assert returns(ROUND_THE_BACK, lost_from(9), {ANN: (0, 30), BEN: (0,)}) == [], "she is not, on a frame of these"
    assert returns(ROUND_THE_BACK, lost_from(9), settled=range(20, FRAMES)) == []


def test_a_glimpse_of_two_frames_is_too_little() -> None:
    scene = Scene(ann=lambda t: (40 - 6 * t, 60) if t not in (30, 31) else (120, 60))
    assert returns(scene, lost_from(9)) == []
    longer = Scene(ann=lambda t: (40 - 6 * t, 60) if t not in (30, 31, 32) else (120, 60))
    assert [(r.first, r.last) for r in returns(longer, lost_from(9))] == [(30, 32)]


def test_time_may_run_backward() -> None:
    lost = returns(BEHIND_WALL, lambda t, ids: np.where((ids == ANN) & (t < 21), 0, ids).astype(np.uint8),
                   dict.fromkeys(IDS, (FRAMES - 1,)))  # fmt: skip
    assert [(r.instance_id, r.first) for r in lost] == [(ANN, 0)]
    assert 9 <= lost[0].last <= 15
    assert min(placed(BEHIND_WALL, lost[0])) > 0.6
