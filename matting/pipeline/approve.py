"""Approving a span of an instance: what is shown there now is kept for good, and nothing else changes by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from matting.arrays import StoredAlpha
from matting.errors import ProjectError
from matting.job import JobContext
from matting.pipeline.approved import alpha_kind, mask_kind
from matting.pipeline.workspace import MASKS, State, Workspace
from matting.project.document import Lock
from matting.project.store import chunks, digest


def approve(work: Workspace, instance_id: int, frames: range, ctx: JobContext) -> Lock:
    """Keep the masks of an instance as they are shown in some frames, and the alphas if all are there.

    Approved spans that it touches become part of it. What is current in the store stays current under the document
    with the lock, so that approving changes nothing; from then on the frames beside follow from the span's ends.

    Args:
        work: what is open.
        instance_id: whose masks.
        frames: of the document's range.
        ctx: told the progress.

    Returns:
        The lock, to be put into the document.

    Raises:
        ProjectError: a frame is not tracked yet, or lies outside the range.
        OutputError: the project's folder cannot be written.
        Cancelled: somebody asked to stop; nothing is approved.
    """
    instance, inside = work.document.instance(instance_id), work.document.frames
    if frames.start < inside.start or frames.stop > inside.stop:
        raise ProjectError(
            f"The frames {frames.start}-{frames.stop - 1} reach outside the project's range"
            f" {inside.start}-{inside.stop - 1}."
        )
    for lock in instance.locks:
        if lock.first < frames.stop and lock.last >= frames.start:
            frames = range(min(frames.start, lock.first), max(frames.stop, lock.last + 1))
    has_alphas = work.document.methods.matter is not None and _alphas_are_there(work, instance_id, frames)
    key = _key(work, instance_id, frames)
    with ctx.stage(0, 0.5 if has_alphas else 1):
        _keep(work, mask_kind(instance_id), key, frames, lambda t: _mask(work, instance_id, t), ctx)
    if has_alphas:
        with ctx.stage(0.5, 1):
            _keep(work, alpha_kind(instance_id), key, frames, lambda t: work.alpha(t, instance_id), ctx)
    lock = Lock(first=frames[0], last=frames[-1], masks=key, alphas=key if has_alphas else None)
    _carry_over(work, work.with_document(work.document.with_instance(instance.with_lock(lock))))
    return lock


def _alphas_are_there(work: Workspace, instance_id: int, frames: range) -> bool:
    return all(
        work.approved.alpha(t, instance_id) is not None
        or work.alpha_state(work.chunk_of(t), instance_id) is State.CURRENT
        for t in frames
    )


def _key(work: Workspace, instance_id: int, frames: range) -> str:
    """A name for what is shown: where each chunk's masks, seeds and alphas lie now, and which locks are in them."""
    shown: list[object] = []
    for whole in work.chunks:
        part = range(max(whole.start, frames.start), min(whole.stop, frames.stop))
        if not part:
            continue
        if work.mask_state(whole) is State.CURRENT:
            shown.append(work.mask_key(whole))
        else:
            shown += [*(work.store.latest(MASKS, t) for t in part), *map(work.seed_key, part)]
        try:
            shown.append(work.alpha_key(whole, instance_id) if work.document.methods.matter is not None else None)
        except KeyError:  # not matted
            shown.append(None)
    locks = [lock.model_dump() for lock in work.document.instance(instance_id).locks]
    return digest("approved/1", instance_id, frames.start, frames.stop, shown, locks)


def _keep(
    work: Workspace, kind: str, key: str, frames: range, picture: Callable[[int], StoredAlpha], ctx: JobContext
) -> None:
    for done, chunk in enumerate(pieces := chunks(frames)):
        ctx.report(done / len(pieces), "Locking")
        work.approved.store.write(kind, chunk.start, key, np.stack([picture(t) for t in chunk]))


def _mask(work: Workspace, instance_id: int, frame: int) -> StoredAlpha:
    picture = work.index_picture(frame)
    if picture is None:
        name = work.document.instance(instance_id).name
        raise ProjectError(f"Frame {frame} of {name} is not tracked yet; track it, then lock it.")
    return np.where(picture == instance_id, np.uint8(255), np.uint8(0))


def _carry_over(before: Workspace, after: Workspace) -> None:
    """What is current stays so, under the names that follow from the lock.

    Beside the approved span that is the track that went through it: nothing speaks against it before something changes.
    """
    current = [chunk for chunk in before.chunks if before.mask_state(chunk) is State.CURRENT]
    for chunk in current:
        old, new = before.mask_key(chunk), after.mask_key(chunk)
        if old != new:
            before.store.copy(MASKS, chunk.start, old, new)
    if before.document.methods.matter is None:
        return
    for chunk in current:  # after all masks: the window of a matter may reach into the next chunk
        for other in before.presences(chunk) or {}:
            if before.alpha_state(chunk, other) is State.CURRENT:
                _carry_alpha(before, after, chunk, other)


def _carry_alpha(before: Workspace, after: Workspace, chunk: range, instance_id: int) -> None:
    old, new = before.alpha_key(chunk, instance_id), after.alpha_key(chunk, instance_id)
    if old != new and before.store.has(alpha_kind(instance_id), chunk.start, old):
        before.store.copy(alpha_kind(instance_id), chunk.start, old, new)
