"""Clips composed of people in folders."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.errors import MediaError
from matting.synthesis.trials import Foreground, composed, foregrounds, line_up

SIZE = (72, 128)
RED, GREEN, GREY = (220, 40, 30), (30, 200, 60), 90


def unchanged(colour: FloatArray, opacity: FloatArray) -> FloatArray:
    return colour


def write(path: Path, picture: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture[..., ::-1] if picture.ndim == 3 else picture)


def person(folder: Path, name: str, colour: tuple[int, int, int], kind: str = "image", x: int = 40) -> None:
    """A soft disc of one colour, ``[60, 80]``."""
    alpha = np.zeros((60, 80), np.uint8)
    cv2.circle(alpha, (x, 30), 20, 255, -1)
    write(folder / "alpha" / f"{name}.png", cv2.GaussianBlur(alpha, (0, 0), 2).astype(np.uint8))
    write(folder / kind / f"{name}.png", np.full((60, 80, 3), colour, np.uint8))


def grey(frame: int) -> FloatArray:
    return np.full((*SIZE, 3), GREY / 255, np.float32)


def facts(people: list[Foreground]) -> list[tuple[str, str, int]]:
    return [(one.name, one.group, len(one.cutout)) for one in people]


def test_people_are_found_as_stills_shots_and_single_pictures(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        person(tmp_path / "stills", name, RED)
    for number in range(7, 10):
        person(tmp_path / "dancers/first", f"{number:05d}", RED, "fg")
        person(tmp_path / "public/fgr/clip", f"{number:05d}", GREEN)
    (tmp_path / "public/fgr/clip/alpha").rename(tmp_path / "alphas")
    (tmp_path / "public/fgr/clip/image").rename(tmp_path / "colours")
    (tmp_path / "public/fgr/clip").rmdir()
    (tmp_path / "public/pha").mkdir()
    (tmp_path / "alphas").rename(tmp_path / "public/pha/clip")
    (tmp_path / "colours").rename(tmp_path / "public/fgr/clip")
    person(tmp_path, "red", RED)
    (tmp_path / "red").mkdir()
    for kind in ("image", "alpha"):
        (tmp_path / kind / "red.png").rename(tmp_path / "red" / f"{kind}.png")
        (tmp_path / kind).rmdir()
    assert facts(foregrounds(tmp_path, unchanged)) == [
        ("first", "dancers", 3), ("clip", "public", 3), ("red", "red", 1), ("ann", "stills", 1), ("bob", "stills", 1),
    ]  # fmt: skip
    assert facts(foregrounds(tmp_path / "dancers/first", unchanged)) == [("first", "dancers", 3)]
    assert foregrounds(tmp_path / "stills/image", unchanged) == []


def test_a_picture_without_alpha_is_named(tmp_path: Path) -> None:
    person(tmp_path, "ann", RED)
    write(tmp_path / "image/bob.png", np.zeros((60, 80, 3), np.uint8))
    with pytest.raises(MediaError, match=r"bob\.png has no alpha"):
        foregrounds(tmp_path, unchanged)


def test_everybody_is_seen_and_each_group_has_somebody_alone(tmp_path: Path) -> None:
    for name in "abc":
        person(tmp_path / "one", name, RED)
    person(tmp_path / "two", "d", GREEN)
    people = foregrounds(tmp_path, unchanged)
    assert [[one.name for one in clip] for clip in line_up(people)] == [
        ["a"],
        ["a", "b"],
        ["c", "d"],
        ["d"],
        ["d", "a"],
    ]
    assert [[one.name for one in clip] for clip in line_up(people[-1:])] == [["d"]]


def test_the_truth_gives_the_picture(tmp_path: Path) -> None:
    for name, colour in (("ann", RED), ("bob", GREEN)):
        person(tmp_path, name, colour)
    trial = composed(foregrounds(tmp_path, unchanged), grey, 3, SIZE)
    assert trial.name == "ann + bob"
    assert trial.groups == (tmp_path.name,) * 2
    assert trial.frames.shape == (3, *SIZE, 3)
    assert trial.alphas.shape == trial.masks.shape == (3, 2, *SIZE)
    opacity = trial.alphas.astype(np.float64)[..., None] / 255
    assert opacity.sum(axis=1).max() <= 1
    assert (trial.alphas.max(axis=(2, 3)) == 255).all()
    again = (opacity * np.array((RED, GREEN))[:, None, None]).sum(axis=1) + (1 - opacity.sum(axis=1)) * GREY
    np.testing.assert_allclose(trial.frames, again, atol=1.01)
    # The first stands on the left.
    middles = [np.average(np.arange(SIZE[1]), weights=alpha.sum(axis=0)) for alpha in trial.alphas[0]]
    assert middles[0] < SIZE[1] / 2 < middles[1]


def test_the_same_people_give_the_same_clip_and_stills_move(tmp_path: Path) -> None:
    person(tmp_path, "ann", RED)
    first, second = (composed(foregrounds(tmp_path, unchanged), grey, 4, SIZE) for _ in range(2))
    for name in ("frames", "alphas", "masks"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    steps = np.abs(np.diff(first.alphas[:, 0].astype(int), axis=0)).mean(axis=(1, 2))
    assert (steps > 0.1).all(), "the flicker of mattes means nothing where nothing moves"
    assert (steps < 10).all()


def test_photographs_are_straightened_and_straight_colours_are_not(tmp_path: Path) -> None:
    def green(colour: FloatArray, opacity: FloatArray) -> FloatArray:
        return np.broadcast_to(np.array(GREEN, np.float32) / 255, colour.shape).astype(np.float32)

    person(tmp_path / "photographs", "ann", RED, "image")
    person(tmp_path / "straight", "ann", RED, "fg")
    for folder, colour in (("photographs", GREEN), ("straight", RED)):
        trial = composed(foregrounds(tmp_path / folder, green), grey, 1, SIZE)
        inside = trial.frames[0][trial.alphas[0, 0] == 255]
        np.testing.assert_array_equal(inside, np.broadcast_to(colour, inside.shape))


def test_who_is_cut_off_at_one_side_stands_with_it_at_the_edge(tmp_path: Path) -> None:
    person(tmp_path, "ann", RED, x=2)
    person(tmp_path, "bob", GREEN, x=5)
    trial = composed(foregrounds(tmp_path, unchanged), grey, 1, SIZE)
    left, right = trial.alphas[0]
    assert left[:, 0].max() == 255
    assert right[:, -1].max() == 255, "mirrored"


def test_guidance_is_off_at_the_outline_and_nowhere_else(tmp_path: Path) -> None:
    for name, colour in (("ann", RED), ("bob", GREEN)):
        person(tmp_path, name, colour)
    trial = composed(foregrounds(tmp_path, unchanged), grey, 2, SIZE)
    assert trial.masks.sum(axis=1).max() == 1, "a pixel is in one mask at most, as in an index picture"
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17))
    for alpha, mask in zip(trial.alphas.reshape(-1, *SIZE), trial.masks.reshape(-1, *SIZE), strict=True):
        inside, around = cv2.erode(alpha, ellipse) > 127, cv2.dilate(alpha, ellipse) > 127
        assert mask[inside].all()
        assert not mask[~around].any()
        assert 0.001 < np.abs(mask - alpha / 255.0).mean() < 0.08
