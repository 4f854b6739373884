"""The stage after tracking: what can be measured of each mask, kept chunk by chunk, and the places to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np

from matting.arrays import Mask
from matting.errors import ProjectError
from matting.files import write_bytes
from matting.frames import to_8_bit
from matting.job import JobContext
from matting.pipeline.cut import given_masks
from matting.pipeline.workspace import MASKS, REVIEW, State, Workspace
from matting.project.document import Dismissal, Document, Prompt
from matting.project.prompts import encode_mask
from matting.project.store import MatteStore, chunks, joined
from matting.review.confidence import Confidence, confidences
from matting.review.evidence import HALO, Measured, measure, packed, unpacked
from matting.review.flags import Flag, Runs
from matting.review.references import References
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

    def __len__(self) -> int:
        return len(self.flags) + len(self.swaps)


def queue(work: Workspace) -> Queue:
    """What the artist should look at in the chunks that have been measured.

    Frames that were given or approved are beyond doubt, and so are those that were found right while their masks are
    what they were.
    """
    settled = [_Settled(work, instance_id) for instance_id in work.ids]
    flags: list[Flag] = []
    swaps: list[Swap] = []
    for shot in work.shots:
        runs, crossings = Runs(work.ids), Crossings(work.ids)
        for measured, found in _measured(work, shot):
            frame = measured.index
            of_each = zip(settled, found, strict=True)
            runs.add(frame, [None if frame in known else confidence for known, confidence in of_each])
            crossings.add(measured)
        flags += runs.flags()
        swaps += crossings.swaps
    by_id = dict(zip(work.ids, settled, strict=True))
    named = tuple(s for s in swaps if s.frame not in by_id[s.one] or s.frame not in by_id[s.other])
    return Queue(tuple(flag for flag in flags if not any(_explains(swap, flag) for swap in named)), named)


def _explains(swap: Swap, flag: Flag) -> bool:
    """Whether a flag says no more than that the two are swapped."""
    return flag.instance_id in (swap.one, swap.other) and swap.frame <= flag.worst <= swap.last


def dismissal(work: Workspace, instance_id: int, frames: range) -> Dismissal:
    """That an instance is right as it is in some frames, to be put into the document.

    Raises:
        ProjectError: some of them are not tracked.
    """
    masks = _masks_of(work, instance_id, frames)
    if masks is None:
        name = work.document.instance(instance_id).name
        raise ProjectError(f"{name} is not tracked in the frames {frames[0]}-{frames[-1]}; track first.")
    return Dismissal(first=frames[0], last=frames[-1], masks=masks)


def swapped(work: Workspace, one: int, other: int, frame: int) -> tuple[Prompt, Prompt]:
    """Prompts that exchange two instances from a frame on: each gets the mask that the other one has there.

    Each is tracked anew from there, up to its next prompt or approved span; nothing that was given is taken away.

    Returns:
        That of ``one`` and that of ``other``, whose masks are kept in the project's folder.

    Raises:
        ProjectError: the frame is not tracked, or approved for one of them.
        OutputError: the project's folder cannot be written.
    """
    instances = [work.document.instance(instance_id) for instance_id in (one, other)]
    for instance in instances:
        if (lock := instance.lock_at(frame)) is not None:
            raise ProjectError(
                f"{instance.name} is locked on frames {lock.first} to {lock.last}; unlock them, then swap."
            )
    if frame not in work.document.frames or work.mask_state(work.chunk_of(frame)) is not State.CURRENT:
        raise ProjectError(f"Frame {frame} is not tracked yet; track it, then swap.")
    picture = work.index_picture(frame)
    assert picture is not None
    return _as_prompt(work, picture == other, frame), _as_prompt(work, picture == one, frame)


def _as_prompt(work: Workspace, mask: Mask, frame: int) -> Prompt:
    if not mask.any():
        return Prompt(frame=frame)
    name, png = encode_mask(mask)
    write_bytes(work.folder / "prompts" / name, png)
    return Prompt(frame=frame, mask=name)


def summary(found: Queue, document: Document, most: int = 5) -> str:
    """Such as "3 places (ann 120-131 area jumps, …)"."""
    if not len(found):
        return "nothing to look at"
    names = {instance.id: instance.name for instance in document.instances}
    said = [f"{names[s.one]} and {names[s.other]} swapped at {s.frame}?" for s in found.swaps]
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
            if given.masks == _masks_of(work, instance_id, span):
                self._spans.append(span)

    def __contains__(self, frame: int) -> bool:
        return frame in self._prompted or any(frame in span for span in self._spans)


def _masks_of(work: Workspace, instance_id: int, frames: range) -> str | None:
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
