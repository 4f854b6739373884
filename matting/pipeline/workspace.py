"""What is known of a document at this moment: which results exist, and what each must be called.

A key says everything that a result was made from. A changed document therefore asks for other keys, what nobody asks
for any more is stale, and going back finds the old results again.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from pathlib import Path

import numpy as np

from matting.arrays import Mask, StoredAlpha
from matting.inference.matter import Scope, reach_px
from matting.media import Clip
from matting.pipeline.anchors import Anchor, anchors
from matting.pipeline.approved import Approved, alpha_kind
from matting.pipeline.methods import matter_name, scope_of
from matting.pipeline.parties import Box, neighbours, parties, region
from matting.pipeline.seeders import looks_at, seeder_name
from matting.pipeline.trackers import is_joint, tracker_name
from matting.project.document import Document, Instance
from matting.project.project import Project
from matting.project.store import CHUNK_FRAMES, MatteStore, chunks, digest
from matting.review.evidence import HALO

MASKS, SEEDS, PLATE, CARRIED, REVIEW = "masks", "seeds", "plate", "carried", "review"
TRAILS = "trails"
"""What unfinished tracks go on from; a kind of its own, no results."""


class State(Enum):
    """How far a result is."""

    MISSING = "missing"
    STALE = "stale"
    CURRENT = "current"


@dataclass(frozen=True)
class Presence:
    """What is remembered of one instance in a chunk of masks.

    Attributes:
        box: round its masks in all frames of the chunk.
        digest: of the masks' content.
    """

    box: Box
    digest: str


def _is_given(instance: Instance, frames: range) -> bool:
    """Whether an instance has a prompt or an approved span in some frames."""
    return any(p.frame in frames for p in instance.prompts) or any(
        lock.first < frames.stop and lock.last >= frames.start for lock in instance.locks
    )


@dataclass(frozen=True)
class Workspace:
    """A clip, a document about it, and the store with what was derived: the input of every job.

    All of it are values, so a job goes on undisturbed while the artist edits the next document.
    """

    clip: Clip
    document: Document
    store: MatteStore
    folder: Path
    # What was looked up once stays true: keys follow from the document, and what lies under a key never changes.
    _presences: dict[str, dict[int, Presence]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _anchors: dict[tuple[int, range], dict[int, Anchor]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _contents: dict[tuple[int, int, tuple[int, ...]], str] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @staticmethod
    def of(project: Project, clip: Clip) -> Workspace:
        return Workspace(clip, project.document, project.open_store(), project.folder)

    def with_document(self, document: Document) -> Workspace:
        return replace(self, document=document)

    def for_thread(self) -> Workspace:
        """The same with a reader of its own; readers are not shared between threads."""
        return replace(self, clip=self.clip.duplicate())

    def resolve(self, path: str) -> Path:
        """Where a path of the document is on this machine."""
        return Project(self.folder, self.document).resolve(path)

    @cached_property
    def approved(self) -> Approved:
        """What locks keep."""
        return Approved(self.document, self.folder)

    @property
    def prompted(self) -> tuple[Instance, ...]:
        """The instances that have a prompt or an approved span in the range."""
        return tuple(i for i in self.document.instances if _is_given(i, self.document.frames))

    @property
    def ids(self) -> tuple[int, ...]:
        """Their ids, ascending."""
        return tuple(sorted(instance.id for instance in self.prompted))

    @cached_property
    def shots(self) -> tuple[range, ...]:
        """What lies in the range of each shot; nothing is carried from one to the next."""
        frames = self.document.frames
        inside = (range(max(s.start, frames.start), min(s.stop, frames.stop)) for s in self.document.shots)
        return tuple(shot for shot in inside if shot)

    def shot_of(self, frame: int) -> range:
        """The shot that a frame of the range lies in."""
        return self.shots[bisect_right(self.shots, frame, key=lambda shot: shot.start) - 1]

    def ids_in(self, shot: range) -> tuple[int, ...]:
        """The instances that have a prompt or an approved span in a shot, ascending; the others are not there."""
        return tuple(sorted(i.id for i in self.document.instances if _is_given(i, shot)))

    @property
    def chunks(self) -> list[range]:
        """The units of work; none reaches across a cut."""
        return [chunk for shot in self.shots for chunk in chunks(shot)]

    def chunk_of(self, frame: int) -> range:
        """The chunk that a frame of the range lies in."""
        start = frame // CHUNK_FRAMES * CHUNK_FRAMES
        shot = self.shot_of(frame)
        return range(max(start, shot.start), min(start + CHUNK_FRAMES, shot.stop))

    # -- masks -------------------------------------------------------------------------------------------------------

    def seed_key(self, frame: int) -> str:
        """Key of the masks that the prompts on a frame give."""
        near = self.neighbours(frame)
        return digest(
            "seed/1", self.document.media.fingerprint, seeder_name(self.document.methods), frame,
            self._prompts_on(frame), *([near] if near else []),
        )  # fmt: skip

    def neighbours(self, frame: int) -> tuple[int, ...]:
        """The frames of its shot, in the range or not, that the seeder looks at beside a frame."""
        shots = self.document.shots
        shot = shots[bisect_right(shots, frame, key=lambda s: s.start) - 1]
        return tuple(frame + away for away in looks_at(self.document.methods) if frame + away in shot)

    def _prompts_on(self, frame: int) -> list[object]:
        given = [(i.id, i.prompt_at(frame)) for i in sorted(self.prompted, key=lambda i: i.id)]
        # Prompts without anything painted are called what they were called before there were brushes.
        return [
            (instance_id, json.loads(prompt.model_dump_json(exclude=None if prompt.drawn else {"drawn"})))
            for instance_id, prompt in given
            if prompt
        ]

    def mask_key(self, chunk: range) -> str:
        """Key of a chunk of masks: what is given inside, and what in its shot bounds it for each instance."""
        return self._mask_keys[chunk]

    @cached_property
    def _mask_keys(self) -> dict[range, str]:
        return {chunk: self._mask_key(chunk) for chunk in self.chunks}

    def _mask_key(self, chunk: range) -> str:
        shot = self.shot_of(chunk.start)
        given = sorted(i.id for i in self.prompted if _is_given(i, shot))
        # Of those who are approved throughout nothing is tracked.
        tracked = [i for i in given if not self.approved.covers(chunk, i)]
        # Whoever is known on a frame that bounds somebody's track is a rival there.
        frames = {frame for i in tracked for frame in self._tracked_from(chunk, i)}
        bounds = [
            (i, [anchor.key for f, anchor in self.anchors(i, shot).items() if f in frames] if i in tracked else [])
            for i in given
        ]
        tracker = tracker_name(self.document.methods)
        locked = [(i, lock.masks, span.start, span.stop) for i, lock, span in self.approved.within(chunk)]
        return digest(
            "masks/1", self.document.media.fingerprint, tracker, chunk.start, chunk.stop, bounds,
            *([locked] if locked else []),
        )  # fmt: skip

    def anchors(self, instance_id: int, shot: range) -> dict[int, Anchor]:
        """What bounds an instance's track in a shot, by frame."""
        if (instance_id, shot) not in self._anchors:
            found = anchors(self.document.instance(instance_id), shot, self.seed_key)
            self._anchors[instance_id, shot] = found
        return self._anchors[instance_id, shot]

    def _tracked_from(self, chunk: range, instance_id: int) -> dict[int, Anchor]:
        """The anchors of an instance that the tracks in a chunk follow from."""
        if not is_joint(self.document.methods):
            return self._bounding(chunk, instance_id)
        shot = self.shot_of(chunk.start)
        together = [i for i in self.ids_in(shot) if not self.approved.covers(chunk, i)]
        common = set.intersection(*(set(self.anchors(i, shot)) for i in together))
        start = max((f for f in common if f <= chunk.start), default=shot.start)
        stop = min((f for f in common if f >= chunk.stop), default=shot.stop)
        return {f: anchor for f, anchor in self.anchors(instance_id, shot).items() if start <= f <= stop}

    def _bounding(self, chunk: range, instance_id: int) -> dict[int, Anchor]:
        """The anchors in a chunk and the nearest on either side in its shot."""
        known = self.anchors(instance_id, self.shot_of(chunk.start))
        before = [f for f in known if f < chunk.start][-1:]
        inside = [f for f in known if f in chunk]
        after = [f for f in known if f >= chunk.stop][:1]
        return {f: known[f] for f in (*before, *inside, *after)}

    def presences(self, chunk: range) -> dict[int, Presence] | None:
        """Which instances the chunk's current masks hold; None while the masks are not there."""
        key = self.mask_key(chunk)
        if key not in self._presences:
            try:
                facts = self.store.facts(MASKS, chunk.start, key)
            except KeyError:
                return None
            known = {int(i): Presence(tuple(box), content) for i, (box, content) in facts["instances"].items()}
            self._presences[key] = known
        return self._presences[key]

    def mask_state(self, chunk: range) -> State:
        if self.prompted and self.store.has(MASKS, chunk.start, self.mask_key(chunk)):
            return State.CURRENT
        return self._outdated(MASKS, chunk)

    def index_picture(self, frame: int) -> StoredAlpha | None:
        """The masks of a frame, pixel value = instance id: current ones, else the nearest to them; None without any.

        That is what the prompts of the frame give, over the stale masks of those who have none there. Approved masks
        are there in any case.
        """
        chunk = self.chunk_of(frame)
        key = self.mask_key(chunk)
        if self.store.has(MASKS, chunk.start, key):
            return self.store.read_frame(MASKS, chunk.start, key, frame - chunk.start)
        picture: StoredAlpha | None = None
        if (latest := self.store.latest(MASKS, frame)) is not None:
            start, newest = latest
            picture = self.store.read_frame(MASKS, start, newest, frame - start)
        if self.store.has(SEEDS, frame, self.seed_key(frame)):
            seeded = self.store.read_frame(SEEDS, frame, self.seed_key(frame), 0)
            picture = seeded if picture is None else np.where(seeded > 0, seeded, self._unprompted(picture, frame))
        if any(instance.lock_at(frame) for instance in self.prompted):
            picture = np.zeros(self.document.size_hw, np.uint8) if picture is None else picture.copy()
            self.approved.put_into(picture, frame)
        return picture

    def _unprompted(self, picture: StoredAlpha, frame: int) -> StoredAlpha:
        """An index picture with those only who are in the document and were given nothing on the frame."""
        kept = np.zeros(256, np.uint8)
        for instance in self.prompted:
            if instance.prompt_at(frame) is None:
                kept[instance.id] = instance.id
        return kept[picture]

    def masks(self, frame: int) -> Mask:
        """``[N, H, W]`` bool in the order of :attr:`ids`; raises KeyError unless the chunk is current."""
        chunk = self.chunk_of(frame)
        picture = self.store.read_frame(MASKS, chunk.start, self.mask_key(chunk), frame - chunk.start)
        return np.stack([picture == i for i in self.ids]) if self.ids else np.zeros((0, *picture.shape), np.bool_)

    # -- review ------------------------------------------------------------------------------------------------------

    def review_key(self, chunk: range) -> str:
        """Key of what is measured of a chunk's masks: they, those beside it, and the given masks it compares with.

        Raises:
            KeyError: some of them are not there yet.
        """
        shot = self.shot_of(chunk.start)
        beside = tuple(c for c in chunks(shot) if c.stop > chunk.start - HALO and c.start < chunk.stop + HALO)
        given = [(i, [anchor.key for anchor in self._compared(chunk, i).values()]) for i in self.ids]
        return digest(
            "review/2", self.document.media.fingerprint, chunk.start, chunk.stop, self.content(beside, self.ids), given
        )

    def _compared(self, chunk: range, instance_id: int) -> dict[int, Anchor]:
        """The anchors in a chunk, and on either side those up to the nearest prompt that shows the instance."""
        known = self.anchors(instance_id, self.shot_of(chunk.start))
        seen = [p.frame for p in self.document.instance(instance_id).prompts if p.frame in known and not p.absent]
        first = max((t for t in seen if t < chunk.start), default=0)
        last = min((t for t in seen if t >= chunk.stop), default=len(self.clip))
        return {t: anchor for t, anchor in known.items() if first <= t <= last}

    # -- alphas ------------------------------------------------------------------------------------------------------

    @property
    def scope(self) -> Scope:
        """What the alphas of the document's matter depend on."""
        return scope_of(self.document.methods)

    def parties(self, chunk: range, instance_id: int) -> tuple[tuple[int, ...], ...]:
        """Who is matted together, in one party or, where the matter takes no more at once, in several side by side.

        Returns:
            Everybody whose masks matter to this instance's alphas in the chunk; within a party ids ascend.

        Raises:
            KeyError: not everything that it follows from is tracked.
        """
        most = self.scope.most_instances
        if most is None:
            return (neighbours(self._boxes(chunk), instance_id, reach_px(self.document.size_hw)),)
        shot = self.shot_of(chunk.start)
        if len(self.ids_in(shot)) <= most:
            return (self.ids_in(shot),)
        return tuple(parties(self.ids_in(shot), map(self._boxes, chunks(shot)), most))

    def _boxes(self, chunk: range) -> dict[int, Box]:
        presences = self.presences(chunk)
        if presences is None:
            raise KeyError(f"frames {chunk.start}-{chunk.stop - 1} are not tracked yet")
        return {instance_id: presence.box for instance_id, presence in presences.items()}

    def region(self, shot: range, group: tuple[int, ...]) -> Box:
        """The part of the picture that the matter sees of a group in a shot.

        Raises:
            KeyError: it follows from all masks of the shot, and some are not there yet.
        """
        weights, (height, width) = self.document.methods.weights, self.document.size_hw
        if weights is None or not weights.crop:
            return 0, 0, width, height
        boxes = (box for chunk in chunks(shot) for i, box in self._boxes(chunk).items() if i in group)
        return region(boxes, self.document.size_hw)

    def matting_key(self, chunk: range, groups: tuple[tuple[int, ...], ...]) -> str:
        """Key of what the matting of some parties leaves in a chunk: the content of all masks that it depends on.

        Raises:
            KeyError: some of them are not there yet.
        """
        shot, scope = self.shot_of(chunk.start), self.scope
        first, last = scope.window(chunk.start, shot), scope.window(chunk.stop - 1, shot)
        start = shot.start if scope.carries else first.start
        supporting = [c for c in chunks(shot) if c.stop > start and c.start < last.stop]
        return digest(
            "matting/1", self.document.media.fingerprint, matter_name(self.document.methods), chunk.start, chunk.stop,
            start, last.stop, groups, [self.region(shot, group) for group in groups],
            self.content(tuple(supporting), tuple(i for group in groups for i in group)),
        )  # fmt: skip

    def content(self, chunks: tuple[range, ...], group: tuple[int, ...]) -> str:
        """Digest of a group's masks in some chunks, made link by link, so that long runs share the work.

        Raises:
            KeyError: some of them are not there yet.
        """
        content = ""
        for place, chunk in enumerate(chunks):
            key = chunks[0].start, chunk.start, group
            if (known := self._contents.get(key)) is None:
                presences = self.presences(chunk)
                if presences is None:
                    raise KeyError(f"frames {chunk.start}-{chunk.stop - 1} are not tracked yet")
                there = [presences[i].digest if i in presences else None for i in group]
                known = self._contents[key] = digest(content, place, there)
            content = known
        return content

    def alpha_key(self, chunk: range, instance_id: int) -> str:
        """Key of an instance's alphas in a chunk; raises KeyError while masks are missing."""
        groups = self.parties(chunk, instance_id)
        # Approved alphas stay as they are, and the others beside them give way.
        together = {i for group in groups for i in group} - {instance_id}
        fixed = [
            (i, lock.alphas, part.start, part.stop)
            for i, lock, part in self.approved.within(chunk)
            if i in together and lock.alphas is not None
        ]
        return digest("alpha/1", self.matting_key(chunk, groups), instance_id, *([fixed] if fixed else []))

    def carried_key(self, chunk: range, groups: tuple[tuple[int, ...], ...], place: int) -> str:
        """Key of what one of the parties hands on after the last frame of a chunk; raises as :meth:`matting_key`."""
        return digest("carried/1", self.matting_key(chunk, groups), place)

    def alpha_state(self, chunk: range, instance_id: int) -> State:
        presences = self.presences(chunk)
        if presences is not None:
            if self.document.methods.matter is None or instance_id not in presences:
                return State.CURRENT
            lock = self.document.instance(instance_id).lock_at(chunk.start)
            if lock is not None and lock.alphas is not None and chunk[-1] in lock.frames:
                return State.CURRENT
            if self._has_alpha(chunk, instance_id):
                return State.CURRENT
        return self._outdated(alpha_kind(instance_id), chunk)

    def _outdated(self, kind: str, chunk: range) -> State:
        return State.STALE if self.store.latest(kind, chunk.start) else State.MISSING

    def _has_alpha(self, chunk: range, instance_id: int) -> bool:
        try:
            key = self.alpha_key(chunk, instance_id)
        except KeyError:  # masks of other chunks matter, too
            return False
        return self.store.has(alpha_kind(instance_id), chunk.start, key)

    def alpha(self, frame: int, instance_id: int) -> StoredAlpha:
        """``[H, W]`` uint8; the mask itself where the document stops at masks.

        Raises:
            KeyError: it is not there, or stale.
        """
        if self.document.methods.matter is not None and (known := self.approved.alpha(frame, instance_id)) is not None:
            return known
        chunk = self.chunk_of(frame)
        presences = self.presences(chunk)
        if presences is None:
            raise KeyError(f"no masks for frame {frame}")
        if instance_id not in presences:
            return np.zeros(self.document.size_hw, np.uint8)
        if self.document.methods.matter is None:
            mask_key = self.mask_key(chunk)
            picture = self.store.read_frame(MASKS, chunk.start, mask_key, frame - chunk.start)
            return np.where(picture == instance_id, np.uint8(255), np.uint8(0))
        key = self.alpha_key(chunk, instance_id)
        return self.store.read_frame(alpha_kind(instance_id), chunk.start, key, frame - chunk.start)

    # -- plate -------------------------------------------------------------------------------------------------------

    def plate_key(self, shot: range) -> str | None:
        """Key of a shot's plate, which is made from all of its frames at once; None while masks are missing."""
        contents = []
        for chunk in chunks(shot):
            presences = self.presences(chunk)
            if presences is None:
                return None
            contents.append(sorted((i, presence.digest) for i, presence in presences.items()))
        return digest("plate/1", self.document.media.fingerprint, shot.start, shot.stop, contents)

    def referenced(self) -> list[tuple[str, int, str]]:
        """Every result in the store that the document asks for."""
        entries = [(SEEDS, p.frame, self.seed_key(p.frame)) for i in self.prompted for p in i.prompts]
        for shot in self.shots:
            plate = self.plate_key(shot)
            for chunk in chunks(shot):
                entries.append((MASKS, chunk.start, self.mask_key(chunk)))
                presences = self.presences(chunk) or {}
                if self.document.methods.matter:
                    entries += self._referenced_alphas(chunk, tuple(presences))
                entries += self._referenced_review(chunk)
                if plate:
                    entries.append((PLATE, chunk.start, plate))
        return entries

    def _referenced_review(self, chunk: range) -> list[tuple[str, int, str]]:
        try:
            return [(REVIEW, chunk.start, self.review_key(chunk))]
        except KeyError:  # not everything that it follows from is tracked
            return []

    def _referenced_alphas(self, chunk: range, ids: tuple[int, ...]) -> list[tuple[str, int, str]]:
        try:
            entries = [(alpha_kind(i), chunk.start, self.alpha_key(chunk, i)) for i in ids]
            if self.scope.carries and (of_shot := self.ids_in(self.shot_of(chunk.start))):
                groups = self.parties(chunk, of_shot[0])
                entries += [(CARRIED, chunk.start, self.carried_key(chunk, groups, n)) for n in range(len(groups))]
        except KeyError:  # not everything that they depend on is tracked
            return []
        return entries
