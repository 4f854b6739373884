"""Finding people without weights: outlines of upright people, faces, and what moves, weighed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from matting.finding.faces import find_faces
from matting.finding.hog import find_upright
from matting.finding.moving import Movement, find_moving
from matting.finding.proposal import SAME, Box, Proposal, distinct, inside

_SUPPORT = 0.15
"""Share of a box that moves from which the movement speaks for it."""
_ALONE, _ALONE_AMONG_MOVING = 0.5, 0.6
"""Score from which an outline is believed without movement; more is asked where movement could be seen and was not."""
_WEIGHT_OF_MOVEMENT = 0.25
_PAIR = 0.7
"""Width over height from which a moving figure may be two people."""
_LIMB = 0.5
"""Height over that of a moving figure below which an outline inside it is a leg, or a sleeve."""


def find_unlearned(frame: NDArray[np.uint8], moving: Movement | None, taken: Sequence[Box] = ()) -> list[Proposal]:
    """Propose people.

    Args:
        frame: ``[H, W, 3]`` uint8 RGB.
        moving: what moves on it, where that is known.
        taken: boxes of the people who are selected already.

    Returns:
        Proposals without masks, best first, each about another person.
    """
    figures = find_moving(moving, (frame.shape[0], frame.shape[1])) if moving is not None else []
    upright = [
        Proposal(outline.box, weighed, None, outline.source)
        for outline in find_upright(frame)
        if (weighed := _weighed(outline, moving, figures)) is not None
    ]
    seen = distinct([*upright, *find_faces(frame)])
    return distinct([*(_grown(person, seen, figures) for person in seen), *figures], taken)


def _grown(person: Proposal, everybody: Sequence[Proposal], figures: Sequence[Proposal]) -> Proposal:
    """Somebody seen by outline or face, as large as the moving figure that shows nobody else."""
    for figure in figures:
        x0, y0, x1, y1 = figure.box
        shown = [other for other in everybody if inside(other.box, figure.box) > SAME]
        if shown == [person] and (x1 - x0) < _PAIR * (y1 - y0):
            a0, b0, a1, b1 = person.box
            return replace(person, box=(min(x0, a0), min(y0, b0), max(x1, a1), max(y1, b1)))
    return person


def _weighed(outline: Proposal, moving: Movement | None, figures: Sequence[Proposal]) -> float | None:
    """The score of an outline in the light of the movement; None where it is not believed."""
    if moving is None:
        return outline.score if outline.score >= _ALONE else None
    moves = moving.share(outline.box) >= _SUPPORT
    height = outline.box[3] - outline.box[1]
    is_limb = any(
        inside(outline.box, figure.box) > 0.9 and height < _LIMB * (figure.box[3] - figure.box[1]) for figure in figures
    )
    if is_limb or (not moves and outline.score < _ALONE_AMONG_MOVING):
        return None
    return outline.score * (1 - _WEIGHT_OF_MOVEMENT) + _WEIGHT_OF_MOVEMENT * moves
