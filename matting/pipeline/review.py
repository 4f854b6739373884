"""The stage after tracking: what can be measured of each mask, kept chunk by chunk, and the places to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from matting.frames import to_8_bit
from matting.job import JobContext
from matting.pipeline.cut import given_masks
from matting.pipeline.workspace import MASKS, REVIEW, Workspace
from matting.project.document import Document
from matting.project.store import MatteStore, chunks, joined
from matting.review.confidence import Confidence, confidences
from matting.review.evidence import HALO, Measured, measure, packed, unpacked
from matting.review.flags import Flag, Runs
from matting.review.references import References
from matting.review.returns import Return, Watch
from matting.review.sight import Sight, look_over
from matting.review.swaps import Crossings, Swap


def review(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Measure the masks of the range; what the store already holds is not measured again.

    Raises:
        KeyError: the range is not tracked yet.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    missing = [chunk for chunk in work.chunks if not is_reviewed(work, chunk)]
    if not missing:
        return
    total, done = sum(map(len, missing)), 0
    for shot, run in _runs(work, missing):
        collected: list[Measured] = []
        for measured in _measure(work, shot, run, ctx, device):
            done += 1
            ctx.report(done / total, "Reviewing")
            collected.append(measured)
            chunk = work.chunk_of(measured.index)
            if measured.index == chunk[-1]:
                work.store.write(REVIEW, chunk.start, work.review_key(chunk), packed(collected))
                collected = []


def _runs(work: Workspace, missing: list[range]) -> Iterator[tuple[range, range]]:
    """Chunks without a gap, each run with the shot that it lies in."""
    for shot, inside in groupby(missing, lambda chunk: work.shot_of(chunk.start)):
        for run in joined(inside):
            yield shot, run


def is_reviewed(work: Workspace, chunk: range) -> bool:
    """Whether a chunk's masks have been measured; False, too, where they are not there yet."""
    return _key(work, chunk) is not None


def needs_review(work: Workspace) -> bool:
    """Whether the whole range is tracked and part of it not yet measured."""
    if not work.prompted or any(work.presences(chunk) is None for chunk in work.chunks):
        return False
    return not all(is_reviewed(work, chunk) for chunk in work.chunks)


_KEPT_CHUNKS = 512


@dataclass(frozen=True)
class Queue:
    """What should be looked at, in the order of frames."""

    flags: tuple[Flag, ...]
    swaps: tuple[Swap, ...]
    returns: tuple[Return, ...]

    def __len__(self) -> int:
        return len(self.flags) + len(self.swaps) + len(self.returns)


def queue(work: Workspace) -> Queue:
    """What the artist should look at in the chunks that have been measured.

    Frames that were given or approved are beyond doubt, and so are those that were found right while their masks are
    what they were.
    """
    settled = [_Settled(work, instance_id) for instance_id in work.ids]
    flags: list[Flag] = []
    swaps: list[Swap] = []
    returns: list[Return] = []
    for shot in work.shots:
        runs, crossings, watch = Runs(work.ids), Crossings(work.ids), Watch(work.ids, work.document.size_hw)
        for measured, found in _measured(work, shot):
            sure = [measured.index in known for known in settled]
            of_each = zip(sure, found, strict=True)
            runs.add(measured.index, [None if known else confidence for known, confidence in of_each])
            crossings.add(measured)
            watch.add(measured, sure)
        flags += runs.flags()
        swaps += crossings.swaps
        returns += watch.returns()
    by_id = dict(zip(work.ids, settled, strict=True))
    named = tuple(s for s in swaps if s.frame not in by_id[s.one] or s.frame not in by_id[s.other])
    unexplained = tuple(flag for flag in flags if not any(_explains(swap, flag) for swap in named))
    return Queue(unexplained, named, tuple(returns))


def _explains(swap: Swap, flag: Flag) -> bool:
    """Whether a flag says no more than that the two are swapped."""
    return flag.instance_id in (swap.one, swap.other) and swap.frame <= flag.worst <= swap.last


def summary(found: Queue, document: Document, most: int = 5) -> str:
    """Such as "3 places (ann 120-131 area jumps, …)"."""
    if not len(found):
        return "nothing to look at"
    names = {instance.id: instance.name for instance in document.instances}
    said = [f"{names[s.one]} and {names[s.other]} swapped at {s.frame}?" for s in found.swaps]
    said += [r.words(names) for r in found.returns]
    said += [f"{names[f.instance_id]} {f.span} {f.words(names)}" for f in found.flags]
    more = ", …" if len(said) > most else ""
    return f"{len(found)} {'place' if len(found) == 1 else 'places'} ({', '.join(said[:most])}{more})"


def _measure(work: Workspace, shot: range, run: range, ctx: JobContext, device: str) -> Iterator[Measured]:
    seeds = given_masks(work, [shot], ctx, device)
    given = {instance_id: list(work.anchors(instance_id, shot)) for instance_id in work.ids}
    span = range(max(run.start - HALO, shot.start), min(run.stop + HALO, shot.stop))
    with work.clip.duplicate() as prompted:
        references = References(given, lambda t, i: seeds[t][i], prompted.frame)
        for measured in measure(_sights(work, span, ctx), work.ids, references):
            if measured.index in run:
                yield measured


def _key(work: Workspace, chunk: range) -> str | None:
    """Under which what was measured of a chunk is kept, if it is there."""
    try:
        key = work.review_key(chunk)
    except KeyError:
        return None
    return key if work.store.has(REVIEW, chunk.start, key) else None


@lru_cache(_KEPT_CHUNKS)
def _kept(store: MatteStore, start: int, key: str) -> list[tuple[Measured, list[Confidence]]]:
    """What was measured of a chunk's frames, and what follows from it; a key always means the same."""
    return [(measured, confidences(measured)) for measured in unpacked(store.read(REVIEW, start, key), start)]


def _measured(work: Workspace, shot: range) -> Iterator[tuple[Measured, list[Confidence]]]:
    for chunk in chunks(shot):
        key = _key(work, chunk)
        if key is not None:
            yield from _kept(work.store, chunk.start, key)


class _Settled:
    """The frames on which an instance's mask was given, approved, or found right as it is."""

    def __init__(self, work: Workspace, instance_id: int) -> None:
        instance = work.document.instance(instance_id)
        self._prompted = {prompt.frame for prompt in instance.prompts}
        self._spans = [lock.frames for lock in instance.locks]
        for given in instance.dismissals:
            span = range(given.first, given.last + 1)
            if given.masks == content_of(work, instance_id, span):
                self._spans.append(span)

    def __contains__(self, frame: int) -> bool:
        return frame in self._prompted or any(frame in span for span in self._spans)


def content_of(work: Workspace, instance_id: int, frames: range) -> str | None:
    """Says what the masks of an instance are in the chunks of some frames; None where they are not tracked now."""
    touched = tuple(c for c in work.chunks if c.start < frames.stop and c.stop > frames.start)
    try:
        return work.content(touched, (instance_id,))
    except KeyError:  # not tracked now
        return None


def _sights(work: Workspace, span: range, ctx: JobContext) -> Iterator[Sight]:
    chunk, pictures, certainties = range(0), np.empty(0, np.uint8), [dict[str, float]()]
    with work.clip.duplicate() as clip:
        for frame, picture in clip.frames(span.start, span.stop):
            ctx.raise_if_cancelled()
            if frame not in chunk:
                chunk = work.chunk_of(frame)
                key = work.mask_key(chunk)
                pictures = work.store.read(MASKS, chunk.start, key)
                facts = work.store.facts(MASKS, chunk.start, key)
                certainties = facts.get("certainty") or [{} for _ in chunk]
            place = frame - chunk.start
            certainty = {int(i): sure for i, sure in certainties[place].items()}
            yield look_over(frame, to_8_bit(picture), pictures[place], certainty)
