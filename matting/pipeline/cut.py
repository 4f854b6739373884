"""The stages from prompts to alphas and plate. Each does only what the store does not hold yet, chunk by chunk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask
from matting.compositing.plate import build_plate
from matting.errors import PromptError
from matting.frames import to_8_bit
from matting.inference.matter import reach_px, to_stored
from matting.job import JobContext
from matting.pipeline.methods import matter_named, seeder_named, tracker_named
from matting.pipeline.patch import grown, to_patch
from matting.pipeline.workspace import MASKS, PLATE, SEEDS, Presence, Workspace, alpha_kind
from matting.project.document import Prompt
from matting.project.masks import read_picture, to_index_picture
from matting.seeding.seeder import FramePrompt, seed_frame
from matting.tracking.tracker import FrameMasks

NOTICED_UNSEEN = 0.02
MOST_THREADS = 4


def cut(work: Workspace, ctx: JobContext) -> None:
    """Seed, track and matte the document's range; what the store already holds is not done again.

    Raises:
        PromptError: no instance has a prompt in the range.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    matting_share = 0.0 if work.document.methods.matter is None else 0.85
    with ctx.stage(0, 1 - matting_share):
        track(work, ctx)
    with ctx.stage(1 - matting_share, 1):
        matte(work, ctx)


def seed(work: Workspace, frame: int) -> NDArray[np.uint8]:
    """The masks that the prompts on a frame give, as an index picture ``[H, W]``, from the store if they are there."""
    key = work.seed_key(frame)
    if work.store.has(SEEDS, frame, key):
        return work.store.read_frame(SEEDS, frame, key, 0)
    prompts = {
        instance.id: _frame_prompt(work, prompt)
        for instance in work.prompted
        if (prompt := instance.prompt_at(frame)) is not None
    }
    masks = seed_frame(seeder_named(work.document.methods.seeder), to_8_bit(work.clip.frame(frame)), prompts)
    picture = to_index_picture(np.stack(list(masks.values())), tuple(masks))
    work.store.write(SEEDS, frame, key, picture[None])
    return picture


def _frame_prompt(work: Workspace, prompt: Prompt) -> FramePrompt:
    mask = None
    if prompt.mask is not None:
        mask = read_picture(work.folder / "prompts" / prompt.mask) > 0
    return FramePrompt(
        include=tuple((x, y) for x, y, label in prompt.points if label == 1),
        exclude=tuple((x, y) for x, y, label in prompt.points if label == 0),
        box=prompt.box,
        mask=mask,
    )


def track(work: Workspace, ctx: JobContext) -> None:
    """Carry the seeded masks to all frames of the range.

    Raises:
        PromptError: no instance has a prompt in the range.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    if not work.prompted:
        raise PromptError("Nobody is selected in this range: give at least one instance a point or a box first.")
    missing = [chunk for chunk in work.chunks if not work.store.has(MASKS, chunk.start, work.mask_key(chunk))]
    if not missing:
        return
    seeds = _seeds(work, ctx)
    tracker = tracker_named(work.document.methods.tracker)
    total, done = sum(map(len, missing)), 0
    for span in _joined(missing):
        waiting: dict[range, dict[int, FrameMasks]] = {}
        for step in tracker.track(work.clip, span, seeds, _Quiet(ctx)):
            chunk = work.chunk_of(step.index)
            frames = waiting.setdefault(chunk, {})
            frames[step.index] = step
            done += 1
            ctx.report(done / total, "Tracking")
            if len(frames) == len(chunk):
                _keep_masks(work, chunk, [frames[t] for t in chunk])
                del waiting[chunk]


class _Quiet(JobContext):
    """Lets the tracker be stopped but not report: the frames that come out are what counts here."""

    def __init__(self, outer: JobContext) -> None:
        super().__init__()
        self._stop = outer._stop


def _seeds(work: Workspace, ctx: JobContext) -> dict[int, dict[int, Mask]]:
    given: dict[int, list[int]] = {}
    for instance in work.prompted:
        for prompt in instance.prompts:
            if prompt.frame in work.document.frames:
                given.setdefault(prompt.frame, []).append(instance.id)
    seeds = {}
    for done, frame in enumerate(sorted(given)):
        ctx.report(0, f"Selecting ({done + 1} of {len(given)})")
        picture = seed(work, frame)
        seeds[frame] = {instance_id: picture == instance_id for instance_id in given[frame]}
    return seeds


def _joined(pieces: list[range]) -> Iterator[range]:
    """Neighbouring ranges as one."""
    start = 0
    for place in range(1, len(pieces) + 1):
        if place == len(pieces) or pieces[place].start != pieces[place - 1].stop:
            yield range(pieces[start].start, pieces[place - 1].stop)
            start = place


def _keep_masks(work: Workspace, chunk: range, steps: list[FrameMasks]) -> None:
    pictures = np.stack([to_index_picture(step.masks, step.ids) for step in steps])
    instances = {}
    for instance_id in work.ids:
        presence = _presence(pictures == instance_id)
        if presence is not None:
            instances[str(instance_id)] = (presence.box, presence.digest)
    work.store.write(MASKS, chunk.start, work.mask_key(chunk), pictures, {"instances": instances})


def _presence(masks: Mask) -> Presence | None:
    """The box and content of one instance in a chunk ``[T, H, W]``; None when it is nowhere."""
    if not masks.any():
        return None
    rows, columns = np.flatnonzero(masks.any(axis=(0, 2))), np.flatnonzero(masks.any(axis=(0, 1)))
    content = hashlib.sha256(np.packbits(masks).tobytes()).hexdigest()[:32]
    return Presence((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1), content)


def matte(work: Workspace, ctx: JobContext) -> None:
    """Turn the masks of the range into alphas.

    Raises:
        KeyError: the range is not tracked yet.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    if work.document.methods.matter is None:
        return
    matter = matter_named(work.document.methods.matter)
    jobs = list(_unmatted(work))
    total, done = sum(len(chunk) * len(group) for chunk, group in jobs), 0
    ctx.report(0, "Matting")
    for chunk, group in jobs:
        frames = np.stack([to_8_bit(picture) for _, picture in work.clip.frames(chunk.start, chunk.stop)])
        pictures = work.store.read(MASKS, chunk.start, work.mask_key(chunk))
        stored = np.empty((len(chunk), len(group), *work.document.size_hw), np.uint8)
        for t in range(len(chunk)):
            masks = np.stack([pictures[t] == instance_id for instance_id in group])
            stored[t] = to_stored(matter.matte(frames[t : t + 1], masks[None])[0])
            done += len(group)
            ctx.report(done / total, "Matting")
        presences = work.presences(chunk) or {}
        for place, instance_id in enumerate(group):
            key = work.alpha_key(chunk, instance_id, presences)
            work.store.write(alpha_kind(instance_id), chunk.start, key, stored[:, place])


def _unmatted(work: Workspace) -> Iterator[tuple[range, tuple[int, ...]]]:
    """The chunks, and in each the groups of neighbouring instances, of which an alpha is not there yet."""
    for chunk in work.chunks:
        presences = work.presences(chunk)
        if presences is None:
            raise KeyError(f"frames {chunk.start}-{chunk.stop - 1} are not tracked yet")
        for group in sorted({work.neighbours(presences, i) for i in presences}):
            keys = {i: work.alpha_key(chunk, i, presences) for i in group}
            if not all(work.store.has(alpha_kind(i), chunk.start, key) for i, key in keys.items()):
                yield chunk, group


def make_plate(work: Workspace, ctx: JobContext) -> None:
    """Find the background behind all instances of the range, as far as it is needed and not there yet.

    Raises:
        KeyError: the range is not tracked yet.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    key = work.plate_key()
    if key is None:
        raise KeyError("the range is not tracked yet")
    missing = [chunk for chunk in work.chunks if not work.store.has(PLATE, chunk.start, key)]
    if not missing:
        return
    hidden = partial(hidden_at, work)
    with ctx.stage(0, 0.4):
        plate = build_plate(work.clip, hidden, work.document.frames, ctx)
    total, done = sum(map(len, missing)), 0
    unseen = 0.0
    # A frame's plate is mostly OpenCV, which lets other threads work.
    with ctx.stage(0.4, 1), ThreadPoolExecutor(min(os.cpu_count() or 1, MOST_THREADS)) as threads:
        for chunk in missing:
            frames = [frame for _, frame in work.clip.frames(chunk.start, chunk.stop)]
            patches = []
            for made in threads.map(plate.frame, chunk, frames, map(hidden, chunk)):
                patches.append(to_patch(made))
                unseen += made.unseen
                done += 1
                ctx.report(done / total, "Building the plate")
            work.store.write(PLATE, chunk.start, key, np.stack(patches))
    if unseen / total > NOTICED_UNSEEN:
        ctx.notice(
            f"{unseen / total:.0%} of what lies behind the instances is never seen in this range and was made up."
        )


def hidden_at(work: Workspace, frame: int) -> Mask:
    """``[H, W]`` bool: everybody on a frame, as far as their alphas reach."""
    return grown(np.asarray(work.masks(frame).any(axis=0)), reach_px(work.document.size_hw))
