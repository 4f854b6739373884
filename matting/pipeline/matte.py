"""The stage from masks to alphas: streams through what is missing and keeps each chunk as soon as it is whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from matting.arrays import FloatArray, StoredAlpha
from matting.frames import to_8_bit
from matting.inference.matter import Guided, Matted, Matter, to_stored
from matting.job import JobContext
from matting.pipeline.approved import alpha_kind
from matting.pipeline.methods import open_matter
from matting.pipeline.parties import cropped, uncropped
from matting.pipeline.workspace import CARRIED, MASKS, State, Workspace
from matting.project.store import chunks, joined


@dataclass(frozen=True)
class _Run:
    """Frames of one shot, chunks without a gap, in which parties of instances are to be matted side by side."""

    frames: range
    groups: tuple[tuple[int, ...], ...]

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(instance_id for group in self.groups for instance_id in group)


def matte(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Turn the masks of the range into alphas.

    Args:
        work: what is to be matted.
        ctx: told of every frame.
        device: auto, cpu or cuda[:k]; for learned matters.

    Raises:
        KeyError: the range is not tracked yet.
        CheckpointError, DeviceError: the document's matter cannot be had.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    methods = work.document.methods
    runs = [] if methods.matter is None else list(_unmatted(work))
    if not runs:
        return
    ctx.report(0, "Matting")
    weights = None if methods.weights is None else work.resolve(methods.weights.path)
    matter = open_matter(methods, weights, device, ctx.notice)
    total, done = sum(len(run.frames) * len(run.ids) for run in runs), 0
    for run in runs:
        for _ in _matte_run(work, matter, run, ctx):
            done += len(run.ids)
            ctx.report(done / total, "Matting")


def _unmatted(work: Workspace) -> list[_Run]:
    """Where an alpha is not there yet, from left to right; raises KeyError where the range is not tracked."""
    return [run for shot in work.shots for run in _unmatted_in(work, shot)]


def _unmatted_in(work: Workspace, shot: range) -> list[_Run]:
    missing: dict[tuple[tuple[int, ...], ...], list[range]] = {}
    for chunk in chunks(shot):
        presences = work.presences(chunk)
        if presences is None:
            raise KeyError(f"frames {chunk.start}-{chunk.stop - 1} are not tracked yet")
        lacking = [i for i in presences if work.alpha_state(chunk, i) is not State.CURRENT]
        for groups in sorted({work.parties(chunk, i) for i in lacking}):
            missing.setdefault(groups, []).append(chunk)
    runs = [_Run(frames, groups) for groups, of_groups in missing.items() for frames in joined(of_groups)]
    return sorted(runs, key=lambda run: run.frames.start)


def _matte_run(work: Workspace, matter: Matter, run: _Run, ctx: JobContext) -> Iterator[int]:
    """Matte and keep; yields each frame of the run when its alphas are there."""
    shot, scope = work.shot_of(run.frames.start), matter.scope
    start = scope.window(run.frames.start, shot).start
    carried: list[FloatArray | None] = [None for _ in run.groups]
    if scope.carries:
        start, carried = _entry(work, run, start)
    span = range(start, scope.window(run.frames.stop - 1, shot).stop)
    streams = [
        _stream(work, matter, span, group, before, ctx) for group, before in zip(run.groups, carried, strict=True)
    ]
    stored = np.empty((0, len(run.ids), *work.document.size_hw), np.uint8)
    for frame, *parts in zip(range(start, run.frames.stop), *streams, strict=False):
        if frame not in run.frames:
            continue
        chunk = work.chunk_of(frame)
        if frame == chunk.start:
            stored = np.empty((len(chunk), *stored.shape[1:]), np.uint8)
        alphas = np.concatenate([part.alphas for part in parts])
        if len(parts) > 1:  # each party for itself keeps the promise that they add up to one at most
            alphas /= np.maximum(alphas.sum(axis=0), 1)
        stored[frame - chunk.start] = to_stored(alphas)
        _give_way(work, frame, run.ids, stored[frame - chunk.start])
        if frame == chunk[-1]:
            _keep(work, chunk, run, stored, [part.carried for part in parts])
        yield frame


def _give_way(work: Workspace, frame: int, ids: tuple[int, ...], stored: StoredAlpha) -> None:
    """Beside approved alphas the others of a frame, ``[N, H, W]``, take no more than is left, in proportion."""
    fixed = {i: alpha for i in ids if (alpha := work.approved.alpha(frame, i)) is not None}
    if not fixed:
        return
    free = [place for place, instance_id in enumerate(ids) if instance_id not in fixed]
    room = 255 - np.minimum(np.sum([alpha.astype(np.int32) for alpha in fixed.values()], axis=0), 255)
    taken = stored[free].sum(axis=0, dtype=np.int32)
    over = taken > room
    for place in free:
        stored[place][over] = stored[place][over] * room[over] // taken[over]


def _entry(work: Workspace, run: _Run, window_start: int) -> tuple[int, list[FloatArray | None]]:
    """Where to enter the shot for a run, and what to bring along: as late as something was kept to go on from."""
    shot = work.shot_of(run.frames.start)
    for chunk in reversed(chunks(shot)):
        if chunk[-1] <= window_start:
            keys = [work.carried_key(chunk, run.groups, place) for place in range(len(run.groups))]
            if all(work.store.has(CARRIED, chunk.start, key) for key in keys):
                return chunk[-1], [work.store.read_frame(CARRIED, chunk.start, key, 0) for key in keys]
    return shot.start, [None for _ in run.groups]


def _stream(
    work: Workspace,
    matter: Matter,
    span: range,
    group: tuple[int, ...],
    carried: FloatArray | None,
    ctx: JobContext,
) -> Iterator[Matted]:
    """One party's mattes, in the picture's size."""
    region = work.region(work.shot_of(span.start), group)
    steps = (cropped(step, region) for step in _steps(work, span, group, ctx))
    for matted in matter.stream(steps, carried):
        yield matted._replace(alphas=uncropped(matted.alphas, region, work.document.size_hw))


def _steps(work: Workspace, frames: range, group: tuple[int, ...], ctx: JobContext) -> Iterator[Guided]:
    chunk, pictures = range(0), np.empty(0, np.uint8)
    with work.clip.duplicate() as clip:
        for frame, picture in clip.frames(frames.start, frames.stop):
            ctx.raise_if_cancelled()
            if frame not in chunk:
                chunk = work.chunk_of(frame)
                pictures = work.store.read(MASKS, chunk.start, work.mask_key(chunk))
            of_frame = pictures[frame - chunk.start]
            yield Guided(to_8_bit(picture), np.stack([of_frame == instance_id for instance_id in group]))


def _keep(
    work: Workspace,
    chunk: range,
    run: _Run,
    stored: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    carried: list[FloatArray | None],
) -> None:
    for place, handed_on in enumerate(carried):
        if handed_on is not None:  # first, so that whoever finds the alphas can go on from them
            work.store.write(CARRIED, chunk.start, work.carried_key(chunk, run.groups, place), handed_on[None])
    for place, instance_id in enumerate(run.ids):
        if instance_id in (work.presences(chunk) or {}):
            key = work.alpha_key(chunk, instance_id)
            work.store.write(alpha_kind(instance_id), chunk.start, key, stored[:, place])
