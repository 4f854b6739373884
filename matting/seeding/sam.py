"""Selecting one instance with Segment Anything.

Source:
    Kirillov et al., "Segment Anything" (ICCV 2023). The authors' interface answers one prompt; what becomes of other
    people's points and of drawn masks is ours.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask, Picture
from matting.networks.sam import Candidates, Predictor, full_size, low_size
from matting.seeding.embeddings import Embeddings
from matting.seeding.seeder import FramePrompt, Neighbour, checked_size
from matting.seeding.view import clip_box, pixels

_MOST_ANSWERS = 32
_DRAWN_LOGIT = 8.0
"""Of a drawn mask that the network starts from; its own answers mostly lie within ±20."""


@dataclass(frozen=True)
class _Question:
    """What the network is asked about a frame."""

    include: tuple[tuple[float, float], ...]
    exclude: tuple[tuple[float, float], ...]
    box: tuple[float, float, float, float] | None
    previous: bytes = b""


class SamSeeder:
    """A :class:`~matting.seeding.seeder.Seeder` that asks a network, which looks at each frame only once.

    Args:
        predictor: the network.
        name: of network and weights.
        embeddings: where what the network saw in a frame is kept.
    """

    def __init__(self, predictor: Predictor, name: str, embeddings: Embeddings) -> None:
        self.name = name
        self.predictor, self._embeddings = predictor, embeddings
        # A click is about one person; what the network said about the others on the frame is still true.
        self._answers: OrderedDict[tuple[str, _Question], Candidates] = OrderedDict()
        self._named: tuple[NDArray[np.uint8], str] | None = None

    @property
    def looks_at(self) -> tuple[int, ...]:
        return ()

    def seed(
        self,
        frame: Picture,
        prompt: FramePrompt,
        others: Sequence[FramePrompt],
        neighbours: Sequence[Neighbour] = (),
    ) -> Mask:
        """Select the prompted instance; see :meth:`matting.seeding.seeder.Seeder.seed`.

        Of the network's three masks the one whose predicted quality is the best is taken, or as far down from that as
        ``prompt.candidate`` says. The include points of the others count as exclude points where the mask would hold
        them. A drawn mask comes back as it is, but for the parts with a point that contradicts it; there the network
        decides, starting from the drawing.

        Raises:
            ShapeError: the frame is not uint8 RGB, or a drawn mask has another size.
        """
        size_hw = checked_size(frame, (prompt, *others))
        if prompt.absent:
            return np.zeros(size_hw, np.bool_)
        picture = np.asarray(frame, np.uint8)
        mask = self._find(picture, prompt, others) if prompt.mask is None else self._mend(picture, prompt.mask, prompt)
        for other in others:
            if other.mask is not None:
                mask &= ~other.mask
        taken = [point for other in others for point in other.include]
        for points, inside in ((taken, False), (prompt.exclude, False), (prompt.include, True)):
            for x, y in pixels(points, size_hw):
                mask[y, x] = inside
        return mask if mask.any() else _stand_in(prompt, size_hw)

    def _find(self, frame: NDArray[np.uint8], prompt: FramePrompt, others: Sequence[FramePrompt]) -> Mask:
        """From a box, points or both."""
        size_hw = frame.shape[0], frame.shape[1]
        question = _Question(prompt.include, prompt.exclude, clip_box(prompt.box, size_hw))
        mask = self._ask(frame, question, prompt.candidate)
        theirs = [point for other in others for point in other.include]
        held = [point for point, (x, y) in zip(theirs, pixels(theirs, size_hw), strict=True) if mask[y, x]]
        if held:
            mask = self._ask(frame, replace(question, exclude=(*question.exclude, *held)), prompt.candidate)
        return mask

    def _mend(self, frame: NDArray[np.uint8], drawn: Mask, prompt: FramePrompt) -> Mask:
        """From a drawn mask: changed only in the parts where the network agrees with a point that contradicts it."""
        size_hw = frame.shape[0], frame.shape[1]
        wrong = [(x, y) for x, y in pixels(prompt.include, size_hw) if not drawn[y, x]]
        wrong += [(x, y) for x, y in pixels(prompt.exclude, size_hw) if drawn[y, x]]
        if not wrong:
            return drawn.astype(np.bool_)
        start = low_size(drawn, _DRAWN_LOGIT).tobytes()
        box = clip_box(prompt.box, size_hw)
        found = self._ask(frame, _Question(prompt.include, prompt.exclude, box, start), prompt.candidate)
        parts = cv2.connectedComponents((found != drawn).astype(np.uint8), connectivity=4)[1]
        numbers = {int(parts[y, x]) for x, y in wrong} - {0}
        mended: Mask = drawn ^ np.isin(parts, list(numbers))
        return mended

    def _ask(self, frame: NDArray[np.uint8], question: _Question, rank: int) -> Mask:
        """The network's mask ``[H, W]`` of that rank, the best first."""
        size_hw = frame.shape[0], frame.shape[1]
        offered = self._offered(frame, question)
        place = np.argsort(-offered.quality, kind="stable")[min(rank, len(offered.quality) - 1)]
        inside: Mask = full_size(offered.logits[place], size_hw) > 0
        return inside

    def _offered(self, frame: NDArray[np.uint8], question: _Question) -> Candidates:
        key = self._key(frame)
        if (key, question) not in self._answers:
            embedding = self._embeddings.of(key, lambda: self.predictor.embed(frame))
            self._answers[key, question] = self._answer(embedding, (frame.shape[0], frame.shape[1]), question)
        self._answers.move_to_end((key, question))
        while len(self._answers) > _MOST_ANSWERS:
            self._answers.popitem(last=False)
        return self._answers[key, question]

    def _key(self, frame: NDArray[np.uint8]) -> str:
        """Names a frame by its pixels: that is all the network sees of it, whatever clip it is in."""
        # Most clicks are on the very array of the one before, and hashing takes 5 ms at 1080p.
        if self._named is None or self._named[0] is not frame:
            seen = hashlib.blake2b(f"{self.name} {frame.shape}".encode(), digest_size=16)
            seen.update(frame.data if frame.flags.c_contiguous else frame.tobytes())
            self._named = frame, seen.hexdigest()
        return self._named[1]

    def _answer(self, embedding: NDArray[np.float16], size_hw: tuple[int, int], question: _Question) -> Candidates:
        points = np.array([*question.include, *question.exclude], np.float64).reshape(-1, 2)
        labels = np.array([1] * len(question.include) + [0] * len(question.exclude), np.int64)
        box = None if question.box is None else np.array(question.box, np.float64)
        previous = None
        if question.previous:
            previous = np.frombuffer(question.previous, np.float32).reshape(-1, embedding.shape[-1] * 4).copy()
        return self.predictor.candidates(embedding, size_hw, points, labels, box, previous)


def _stand_in(prompt: FramePrompt, size_hw: tuple[int, int]) -> Mask:
    """What the prompt itself covers, for when the network sees nothing; empty where only an empty mask was drawn."""
    mask = np.zeros(size_hw, np.bool_)
    box = clip_box(prompt.box, size_hw)
    if box:
        mask[box[1] : box[3], box[0] : box[2]] = True
    for x, y in pixels(prompt.exclude, size_hw):
        mask[y, x] = False
    return mask
