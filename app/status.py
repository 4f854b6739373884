"""What the timeline's lanes say: which frames of whom are tracked, matted or stale. Computed in a worker."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.timeline.lanes import LaneSpan
from matting.job import JobContext

if TYPE_CHECKING:  # brings zarr
    from matting.pipeline.review import Queue
    from matting.pipeline.workspace import Workspace


@dataclass(frozen=True)
class Status:
    """How far a document is.

    Attributes:
        lanes: by instance id, see :func:`lane_states`.
        words: the same in a few words for the list of people, and how often each should be looked at.
        plate_missing: keys of the plates that the composite needs and that only have to be built, else "".
        queue: where masks are likely wrong.
        unreviewed: whether all is tracked and some of it not looked over for that.
    """

    lanes: dict[int, list[LaneSpan]]
    words: dict[int, str]
    plate_missing: str
    queue: Queue
    unreviewed: bool


def look_up(work: Workspace, ctx: JobContext) -> Status:
    """Ask the store for everything the document needs."""
    from matting.pipeline.review import needs_review, queue

    lanes = lane_states(work, ctx)
    total, found = len(work.document.frames), queue(work)
    counts = Counter([f.instance_id for f in found.flags] + [r.instance_id for r in found.returns])
    counts.update(i for s in found.swaps for i in (s.one, s.other))
    words = {i: in_words(spans, total, counts[i]) for i, spans in lanes.items()}
    return Status(lanes, words, _missing_plates(work), found, needs_review(work))


def in_words(spans: list[LaneSpan], total: int, to_review: int = 0) -> str:
    """Such as "matted 24/24": how much is there of the furthest kind, how much is stale and what to look at."""
    counts = {
        state: sum(s.stop - s.start for s in spans if s.state == state) for state in ("matted", "tracked", "stale")
    }
    done = counts["matted"] or counts["matted"] + counts["tracked"]
    words = [f"{'matted' if counts['matted'] else 'tracked'} {done}/{total}"] if done else []
    words += [f"stale {counts['stale']}"] if counts["stale"] else []
    words += [f"{to_review} to review"] if to_review else []
    return ", ".join(words) or "not tracked"


def _missing_plates(work: Workspace) -> str:
    from matting.pipeline.picture import Compositor
    from matting.pipeline.workspace import PLATE
    from matting.project.store import chunks

    if not Compositor(work).needs_plate:
        return ""
    missing = []
    for shot in work.shots:
        key = work.plate_key(shot)
        if key is None:
            return ""
        if not all(work.store.has(PLATE, chunk.start, key) for chunk in chunks(shot)):
            missing.append(key)
    return " ".join(missing)


def lane_states(work: Workspace, ctx: JobContext) -> dict[int, list[LaneSpan]]:
    """The spans of every person, neighbouring ones of one state joined."""
    spans: dict[int, list[LaneSpan]] = {instance.id: [] for instance in work.document.instances}
    for chunk in work.chunks:
        ctx.raise_if_cancelled()
        for instance_id, known in spans.items():
            state = _state(work, chunk, instance_id)
            if state is None:
                continue
            if known and known[-1].state == state and known[-1].stop == chunk.start:
                known[-1] = LaneSpan(known[-1].start, chunk.stop, state)
            else:
                known.append(LaneSpan(chunk.start, chunk.stop, state))
    return spans


def _state(work: Workspace, chunk: range, instance_id: int) -> str | None:
    from matting.pipeline.approved import alpha_kind
    from matting.pipeline.workspace import MASKS, State

    if work.approved.covers(chunk, instance_id):
        lock = work.document.instance(instance_id).lock_at(chunk.start)
        return "matted" if lock is not None and lock.alphas is not None else "tracked"
    if work.mask_state(chunk) is State.CURRENT:
        if instance_id not in work.ids_in(work.shot_of(chunk.start)):
            return None
        if work.document.methods.matter is None:
            return "tracked"
        # Who is not there has no alpha to wait for; the others say whether this part was matted.
        presences = work.presences(chunk) or {}
        asked = [instance_id] if instance_id in presences else list(presences)
        return "matted" if all(work.alpha_state(chunk, i) is State.CURRENT for i in asked) else "tracked"
    latest = work.store.latest(MASKS, chunk.start)
    if latest is None:
        return None
    was_there = str(instance_id) in work.store.facts(MASKS, *latest).get("instances", {})
    return "stale" if was_there or work.store.latest(alpha_kind(instance_id), chunk.start) is not None else None
