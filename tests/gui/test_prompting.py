from __future__ import annotations

import pytest

from app import prompting
from matting.project.document import Document, Media

MEDIA = Media(path="clip.mp4", fingerprint="f", width=100, height=80, frame_count=10)


@pytest.fixture
def document() -> Document:
    return prompting.with_person(Document(media=MEDIA, in_frame=0, out_frame=9))[0]


def test_points_gather_on_a_frame_and_a_box_is_replaced(document: Document) -> None:
    document = prompting.with_point(document, 1, 3, (10.0, 20.0, 1))
    document = prompting.with_box(document, 1, 3, (0.0, 0.0, 50.0, 60.0))
    document = prompting.with_point(document, 1, 3, (11.0, 21.0, 0))
    document = prompting.with_box(document, 1, 3, (5.0, 5.0, 50.0, 60.0))
    prompt = document.instance(1).prompt_at(3)
    assert prompt is not None
    assert prompt.points == ((10.0, 20.0, 1), (11.0, 21.0, 0))
    assert prompt.box == (5.0, 5.0, 50.0, 60.0)


def test_a_box_starts_anew_where_there_was_a_mask(document: Document) -> None:
    document = prompting.from_mask(document, 1, 3, "0123456789abcdef.png")
    document = prompting.with_point(document, 1, 3, (10.0, 20.0, 1))
    document = prompting.with_box(document, 1, 3, (0.0, 0.0, 50.0, 60.0))
    prompt = document.instance(1).prompt_at(3)
    assert prompt is not None
    assert (prompt.mask, prompt.box) == (None, (0.0, 0.0, 50.0, 60.0))


def test_not_here_takes_the_place_of_what_was_given_and_a_point_the_place_of_not_here(document: Document) -> None:
    document = prompting.absent(prompting.with_point(document, 1, 3, (10.0, 20.0, 1)), 1, 3)
    prompt = document.instance(1).prompt_at(3)
    assert prompt is not None
    assert prompt.absent
    document = prompting.with_point(document, 1, 3, (10.0, 20.0, 1))
    prompt = document.instance(1).prompt_at(3)
    assert prompt is not None
    assert not prompt.absent


def test_clearing_leaves_other_frames_alone(document: Document) -> None:
    document = prompting.with_point(prompting.with_point(document, 1, 3, (1.0, 1.0, 1)), 1, 5, (2.0, 2.0, 1))
    assert [p.frame for p in prompting.without_prompt(document, 1, 3).instance(1).prompts] == [5]


@pytest.mark.parametrize(
    ("corner", "other", "box"),
    [
        ((10, 20), (30, 50), (10, 20, 30, 50)),
        ((30, 50), (10, 20), (10, 20, 30, 50)),
        ((-5, -5), (200, 200), (0, 0, 100, 80)),
        ((120, 10), (150, 40), None),
        ((10, 10), (10, 40), None),
    ],
)
def test_a_box_is_clipped_to_the_picture(
    corner: tuple[float, float], other: tuple[float, float], box: tuple[float, ...] | None
) -> None:
    assert prompting.clipped_box(corner, other, (80, 100)) == box
