"""The stages from prompts to alphas and plate. Each does only what the store does not hold yet, chunk by chunk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import groupby, product
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask
from matting.compositing.plate import Plate, build_plate
from matting.errors import PromptError
from matting.inference.matter import reach_px
from matting.job import JobContext
from matting.pipeline.matte import matte
from matting.pipeline.parties import box_of
from matting.pipeline.patch import grown, to_patch
from matting.pipeline.seeders import open_seeder
from matting.pipeline.sight import sight_of
from matting.pipeline.trackers import open_tracker
from matting.pipeline.trails import Trails
from matting.pipeline.workspace import MASKS, PLATE, SEEDS, TRAILS, Presence, Workspace
from matting.project.document import Document, Prompt
from matting.project.masks import read_picture, to_index_picture
from matting.project.store import chunks, digest, joined
from matting.seeding.drawing import Drawing, draw_over, in_order
from matting.seeding.seeder import FramePrompt, seed_frame
from matting.tracking.seeds import Seeds, Some, lazy_seeds
from matting.tracking.tracker import FrameMasks, Tracker, nobody
from matting.tracking.trail import Trail

Drawn: TypeAlias = Mapping[int, tuple[Drawing, ...]]
"""Instance id → what is painted for it on a frame."""
NOTICED_UNSEEN = 0.02
MOST_THREADS = 4


def cut(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Seed, track and matte the document's range; what the store already holds is not done again.

    Raises:
        PromptError: no instance has a prompt in the range.
        UnavailableError, CheckpointError, DeviceError: the document's seeder or matter cannot be had.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    matting_share = 0.0 if work.document.methods.matter is None else 0.85
    with ctx.stage(0, 1 - matting_share):
        track(work, ctx, device)
    with ctx.stage(1 - matting_share, 1):
        matte(work, ctx, device)


def seed(
    work: Workspace, frame: int, device: str = "auto", tell: Callable[[str], None] = lambda text: None
) -> NDArray[np.uint8]:
    """The masks that the prompts on a frame give, as an index picture ``[H, W]``, from the store if they are there.

    ``tell`` gets a sentence when a network had to leave its device.

    Raises:
        UnavailableError, CheckpointError, DeviceError: the document's seeder cannot be had.
    """
    key = work.seed_key(frame)
    if work.store.has(SEEDS, frame, key):
        return work.store.read_frame(SEEDS, frame, key, 0)
    drawn = {i.id: prompt.drawn for i in work.prompted if (prompt := i.prompt_at(frame)) is not None and prompt.drawn}
    picture = _painted(work, frame, drawn, device, tell) if drawn else _found(work, frame, device, tell)
    work.store.write(SEEDS, frame, key, picture[None])
    return picture


def _painted(work: Workspace, frame: int, drawn: Drawn, device: str, tell: Callable[[str], None]) -> NDArray[np.uint8]:
    """What was painted over what the seeder finds. It changes nothing of that, so a stroke need not wait for it."""
    # Mostly all but the newest stroke is there already, and an artist paints many.
    who, place = in_order(drawn)[-1]
    rest = drawn[who][:place] + drawn[who][place + 1 :]
    before = work.with_document(_with_drawn(work.document, frame, {who: rest}))
    key = before.seed_key(frame)
    if work.store.has(SEEDS, frame, key):
        return draw_over(work.store.read_frame(SEEDS, frame, key, 0), {who: drawn[who][place : place + 1]})
    bare = work.with_document(_with_drawn(work.document, frame, dict.fromkeys(drawn, ())))
    return draw_over(seed(bare, frame, device, tell), drawn)


def _with_drawn(document: Document, frame: int, drawn: Drawn) -> Document:
    """The document with other drawings on a frame; who has nothing there then has no prompt."""
    for instance_id, drawings in drawn.items():
        instance = document.instance(instance_id)
        prompt = instance.prompt_at(frame)
        assert prompt is not None
        changed = prompt.model_copy(update={"drawn": drawings})
        left = changed.seeds or drawings
        document = document.with_instance(instance.with_prompt(changed) if left else instance.without_prompt(frame))
    return document


def _found(work: Workspace, frame: int, device: str, tell: Callable[[str], None]) -> NDArray[np.uint8]:
    """What the seeder makes of the prompts on a frame."""
    prompts = {
        instance.id: _frame_prompt(work, prompt)
        for instance in work.prompted
        if (prompt := instance.prompt_at(frame)) is not None
    }
    if not prompts:
        return np.zeros(work.document.size_hw, np.uint8)
    masks = _as_given(prompts)
    if masks is None:
        sight = sight_of(work, frame)
        seeder = open_seeder(work.document.methods, device, tell=tell)
        masks = seed_frame(seeder, sight.picture, prompts, sight.neighbours)
    return to_index_picture(np.stack(list(masks.values())), tuple(masks))


def _as_given(prompts: Mapping[int, FramePrompt]) -> dict[int, Mask] | None:
    """Masks that nothing corrects and that keep apart: for them no frame needs to be decoded and no seeder opened."""
    masks = {i: prompt.mask for i, prompt in prompts.items() if prompt.mask is not None}
    corrected = any(prompt.include or prompt.exclude for prompt in prompts.values())
    if corrected or len(masks) < len(prompts) or np.sum(list(masks.values()), axis=0).max() > 1:
        return None
    return masks


def _frame_prompt(work: Workspace, prompt: Prompt) -> FramePrompt:
    mask = None
    if prompt.mask is not None:
        mask = read_picture(work.folder / "prompts" / prompt.mask) > 0
    return FramePrompt(
        include=tuple((x, y) for x, y, label in prompt.points if label == 1),
        exclude=tuple((x, y) for x, y, label in prompt.points if label == 0),
        box=prompt.box,
        mask=mask,
        candidate=prompt.candidate,
    )


def track(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Carry the seeded masks to all frames of the range, within each shot.

    Raises:
        PromptError: no instance has a prompt in the range.
        UnavailableError, CheckpointError, DeviceError: the document's tracker cannot be had.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    if not work.prompted:
        raise PromptError("Nobody is selected in this range: give at least one instance a point or a box first.")
    missing = [chunk for chunk in work.chunks if not work.store.has(MASKS, chunk.start, work.mask_key(chunk))]
    if not missing:
        return
    seeds = given_masks(work, dict.fromkeys(work.shot_of(chunk.start) for chunk in missing), ctx, device)
    tracker = open_tracker(work.document.methods, device)
    total, done = sum(map(len, missing)), 0
    trails = Trails(work.store.folder_of(TRAILS), partial(_trail_key, work))
    spans = {trails.span_of(span): ids for span, ids in _spans(work, missing)}
    trails.drop_all_but(spans)
    wanted = set(missing)
    for span, ids in spans.items():
        waiting: dict[range, dict[int, FrameMasks]] = {}
        with trails.open(span) as trail:
            for step in _tracked(tracker, work, span, ids, seeds, ctx, trail):
                chunk = work.chunk_of(step.index)
                if chunk not in wanted:  # it was finished before the track was stopped
                    continue
                frames = waiting.setdefault(chunk, {})
                frames[step.index] = step
                done += 1
                ctx.report(done / total, "Tracking")
                if len(frames) == len(chunk):
                    _keep_masks(work, chunk, [frames[t] for t in chunk])
                    del waiting[chunk]


def _trail_key(work: Workspace, span: range) -> str | None:
    """What the track of a span is called; None if it is not made of chunks of one shot as they are now."""
    chunks = [chunk for chunk in work.chunks if chunk.start in span]
    if list(joined(chunks)) != [span] or span[-1] not in work.shot_of(span.start):
        return None
    return digest("trail/1", [(work.mask_key(chunk), _unlocked(work, chunk)) for chunk in chunks])


def _unlocked(work: Workspace, chunk: range) -> tuple[int, ...]:
    """The instances that are tracked in a chunk."""
    return tuple(i for i in work.ids_in(work.shot_of(chunk.start)) if not work.approved.covers(chunk, i))


def _spans(work: Workspace, missing: list[range]) -> Iterator[tuple[range, tuple[int, ...]]]:
    """Chunks of a shot without a gap in which the same instances are to be tracked: those not approved throughout."""

    def shot_and_unlocked(chunk: range) -> tuple[range, tuple[int, ...]]:
        return work.shot_of(chunk.start), _unlocked(work, chunk)

    for (_, ids), alike in groupby(missing, shot_and_unlocked):
        for span in joined(alike):
            yield span, ids


def _tracked(
    tracker: Tracker,
    work: Workspace,
    span: range,
    ids: tuple[int, ...],
    seeds: Seeds,
    ctx: JobContext,
    trail: Trail,
) -> Iterator[FrameMasks]:
    if not ids:
        return nobody(span, work.document.size_hw)
    of_shot = {t: given for t, given in seeds.items() if t in work.shot_of(span.start)}
    of_these = {t: Some([i for i in ids if i in given], lambda t=t: seeds[t]) for t, given in of_shot.items()}  # type: ignore[misc]
    return tracker.track(work.clip, span, {t: given for t, given in of_these.items() if given}, _Quiet(ctx), trail)


class _Quiet(JobContext):
    """Lets the tracker be stopped but not report: the frames that come out are what counts here."""

    def __init__(self, outer: JobContext) -> None:
        super().__init__()
        self._stop = outer._stop


def given_masks(work: Workspace, shots: Iterable[range], ctx: JobContext, device: str = "auto") -> Seeds:
    """The masks that bound the tracks in some shots: what prompts select, found first, and the ends of locks."""
    given: dict[int, list[int]] = {}
    prompted: dict[int, list[int]] = {}
    for instance_id, shot in product(work.ids, shots):
        for frame, anchor in work.anchors(instance_id, shot).items():
            given.setdefault(frame, []).append(instance_id)
            if anchor.lock is None:
                prompted.setdefault(frame, []).append(instance_id)

    def read(frame: int) -> dict[int, Mask]:
        by_prompts = prompted.get(frame, [])
        picture = seed(work, frame, device, ctx.notice) if by_prompts else None
        masks: dict[int, Mask] = {}
        for instance_id in given[frame]:
            found = picture == instance_id if instance_id in by_prompts else work.approved.mask(frame, instance_id)
            assert found is not None
            masks[instance_id] = np.asarray(found)
        return masks

    for done, frame in enumerate(sorted(prompted)):
        ctx.report(0, f"Selecting ({done + 1} of {len(prompted)})")
        seed(work, frame, device, ctx.notice)
    return lazy_seeds(given, read)


def _keep_masks(work: Workspace, chunk: range, steps: list[FrameMasks]) -> None:
    pictures = np.stack([to_index_picture(step.masks, step.ids) for step in steps])
    for frame, picture in zip(chunk, pictures, strict=True):
        work.approved.put_into(picture, frame)
    instances = {}
    for instance_id in work.ids:
        presence = _presence(pictures == instance_id)
        if presence is not None:
            instances[str(instance_id)] = (presence.box, presence.digest)
    facts = {"instances": instances, "certainty": _certainties(steps)}
    work.store.write(MASKS, chunk.start, work.mask_key(chunk), pictures, facts)


def _certainties(steps: list[FrameMasks]) -> list[dict[str, float]]:
    """For each frame what the tracker says of itself, by instance id."""
    return [
        {}
        if step.certainty is None
        else {str(i): round(float(sure), 3) for i, sure in zip(step.ids, step.certainty, strict=True)}
        for step in steps
    ]


def _presence(masks: Mask) -> Presence | None:
    """The box and content of one instance in a chunk ``[T, H, W]``; None when it is nowhere."""
    if not masks.any():
        return None
    content = hashlib.sha256(np.packbits(masks).tobytes()).hexdigest()[:32]
    return Presence(box_of(np.asarray(masks.any(axis=0))), content)


def make_plate(work: Workspace, ctx: JobContext) -> None:
    """Find the background behind all instances of the range, as far as it is needed and not there yet.

    Raises:
        KeyError: the range is not tracked yet.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    missing: dict[range, list[range]] = {}
    for shot in work.shots:
        key = work.plate_key(shot)
        if key is None:
            raise KeyError("the range is not tracked yet")
        lacking = [chunk for chunk in chunks(shot) if not work.store.has(PLATE, chunk.start, key)]
        if lacking:
            missing[shot] = lacking
    total, begun, unseen = sum(map(len, missing)), 0, 0.0
    for shot, lacking in missing.items():
        with ctx.stage(begun / total, (begun + len(shot)) / total):
            unseen += _make_plate_of(work, shot, lacking, ctx)
        begun += len(shot)
    made = sum(len(chunk) for lacking in missing.values() for chunk in lacking)
    if made and unseen / made > NOTICED_UNSEEN:
        ctx.notice(f"{unseen / made:.0%} of what lies behind the instances is never seen in its shot and was made up.")


def _make_plate_of(work: Workspace, shot: range, missing: list[range], ctx: JobContext) -> float:
    """Make the missing chunks of a shot's plate; returns the shares of them that had to be made up, added up."""
    key = work.plate_key(shot)
    assert key is not None
    hidden = partial(hidden_at, work)
    plate = Plate(shot, (), (), {})
    if any(work.presences(chunk) for chunk in chunks(shot)):  # otherwise there is nothing to look behind
        with ctx.stage(0, 0.4):
            plate = build_plate(work.clip, hidden, shot, ctx)
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
    return unseen


def hidden_at(work: Workspace, frame: int) -> Mask:
    """``[H, W]`` bool: everybody on a frame, as far as their alphas reach."""
    return grown(np.asarray(work.masks(frame).any(axis=0)), reach_px(work.document.size_hw))
