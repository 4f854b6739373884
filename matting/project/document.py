"""The document: everything the artist decided, frozen and validated. Pictures and mattes are elsewhere (the store)."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from matting.compositing.backdrops import Backdrop, Original
from matting.compositing.looks import Keep, Look
from matting.frames import shots_between
from matting.seeding.drawing import Drawing

SCHEMA_VERSION: Literal[1] = 1
MAX_INSTANCES = 254
"""Ids must fit an 8-bit index picture in which 0 is nobody and 255 is kept free."""

CANDIDATES = 3
"""Of how many masks a prompt may choose one."""

Point = tuple[float, float, Literal[0, 1]]
"""x, y in pixels of the displayed frame; 1 includes, 0 excludes."""
Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels of the displayed frame, half-open."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True, allow_inf_nan=False)


class Media(_Value):
    """Which clip the project is about.

    Attributes:
        path: relative to the project's folder with forward slashes; absolute only where no relative one exists
            (another drive on Windows).
        fingerprint: identity of the clip's content; a moved clip is recognised by it.
    """

    path: str
    fingerprint: str
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    frame_count: Annotated[int, Field(ge=1)]


class Prompt(_Value):
    """What one instance was given on one frame; "not here" where nothing of it includes anything.

    Attributes:
        frame: absolute index of the frame in the clip.
        points: see :data:`Point`.
        box: see :data:`Box`.
        mask: name of a PNG in the project's ``prompts`` folder, white where the instance is.
        drawn: strokes and polygons, which lie over what the rest selects.
        candidate: which mask is meant where the seeder offers several; 0 is the one it thinks best.
    """

    frame: Annotated[int, Field(ge=0)]
    points: tuple[Point, ...] = ()
    box: Box | None = None
    mask: str | None = None
    drawn: tuple[Drawing, ...] = ()
    # Left out while it says nothing, so that the seeds that older versions made keep their names.
    candidate: Annotated[int, Field(ge=0, lt=CANDIDATES, exclude_if=lambda rank: rank == 0)] = 0

    @property
    def seeds(self) -> bool:
        """Whether it includes something even without what is drawn."""
        return self.box is not None or self.mask is not None or any(label for *_, label in self.points)

    @property
    def absent(self) -> bool:
        """Whether it says that the instance is not to be seen on the frame."""
        return not self.seeds and not any(drawing.label for drawing in self.drawn)

    @model_validator(mode="after")
    def _box_is_ordered(self) -> Self:
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError("a box needs x0 < x1 and y0 < y1")
        return self


class Lock(_Value):
    """An approved span of one instance. What was found there stays, whatever is changed elsewhere.

    Attributes:
        first, last: its frames, both included.
        masks: key of the approved masks in the project's store.
        alphas: key of the approved alphas there; None where only masks had been made.
    """

    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    masks: str
    alphas: str | None = None

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.first > self.last:
            raise ValueError("a lock needs first <= last")
        return self

    @property
    def frames(self) -> range:
        """The frames from first to last."""
        return range(self.first, self.last + 1)


class Dismissal(_Value):
    """A span that the artist has looked at and found right; it holds while the masks there are what they were.

    Attributes:
        first, last: its frames, both included.
        masks: says what the masks were.
    """

    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    masks: str


class Instance(_Value):
    """One person (or thing) that the artist selected.

    Attributes:
        prompts: one per frame, in the order of frames.
        locks: apart from one another, in the order of frames.
        dismissals: what is not to be reviewed again, in the order it was said.
    """

    id: Annotated[int, Field(ge=1, le=MAX_INSTANCES)]
    name: Annotated[str, Field(min_length=1, max_length=80)]
    prompts: tuple[Prompt, ...] = ()
    locks: tuple[Lock, ...] = ()
    dismissals: tuple[Dismissal, ...] = ()
    look: Look = Keep()

    @model_validator(mode="after")
    def _one_prompt_per_frame(self) -> Self:
        frames = [prompt.frame for prompt in self.prompts]
        if frames != sorted(set(frames)):
            raise ValueError(f"the prompts of {self.name} must be one per frame, in the order of frames")
        return self

    @model_validator(mode="after")
    def _locks_are_apart(self) -> Self:
        if any(before.last >= after.first for before, after in pairwise(self.locks)):
            raise ValueError(f"the locks of {self.name} must not overlap and be in the order of frames")
        return self

    def lock_at(self, frame: int) -> Lock | None:
        """The approved span that a frame lies in."""
        return next((lock for lock in self.locks if frame in lock.frames), None)

    def with_lock(self, lock: Lock) -> Instance:
        """The instance with a span approved; it takes the place of those that it touches."""
        others = [known for known in self.locks if known.last < lock.first or known.first > lock.last]
        return self.model_copy(update={"locks": tuple(sorted([*others, lock], key=lambda known: known.first))})

    def without_lock(self, frame: int) -> Instance:
        """The instance without the approved span that a frame lies in."""
        return self.model_copy(update={"locks": tuple(lock for lock in self.locks if frame not in lock.frames)})

    def with_dismissal(self, dismissal: Dismissal) -> Instance:
        """The instance with a span found right; it takes the place of those that it touches."""
        others = [d for d in self.dismissals if d.last < dismissal.first or d.first > dismissal.last]
        return self.model_copy(update={"dismissals": (*others, dismissal)})

    def prompt_at(self, frame: int) -> Prompt | None:
        return next((prompt for prompt in self.prompts if prompt.frame == frame), None)

    def with_prompt(self, prompt: Prompt) -> Instance:
        """The instance with ``prompt`` in place of what it was given on that frame."""
        others = [p for p in self.prompts if p.frame != prompt.frame]
        return self.model_copy(update={"prompts": tuple(sorted([*others, prompt], key=lambda p: p.frame))})

    def without_prompt(self, frame: int) -> Instance:
        return self.model_copy(update={"prompts": tuple(p for p in self.prompts if p.frame != frame)})


class Weights(_Value):
    """The file that a learned matter reads.

    Attributes:
        path: relative to the project's folder with forward slashes; absolute only where no relative one exists.
        kind: the network that the weights are for.
        fingerprint: of the file's content.
        short_side: height or width, whichever is less, at which the network works; None for the source's own.
        crop: whether the network sees only the part of the picture that the instances go through in the range. It
            then works at finer detail, or faster, but knows less of the surroundings: the mattes differ.
        precision: of the network's products; less than fp32 is faster on a GPU, and the mattes differ.
    """

    path: str
    kind: str
    fingerprint: str
    short_side: Annotated[int, Field(ge=64)] | None = None
    crop: bool = False
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"


class Methods(_Value):
    """Which seeder, tracker and matter the project's results are made with; None: stop at masks.

    Attributes:
        seeder_weights, tracker_weights: fingerprints of the installed models that they ask; "" where they ask none.
    """

    seeder: str = "grabcut"
    seeder_weights: str = ""
    tracker: str = "flow"
    tracker_weights: str = ""
    matter: str | None = "classical"
    weights: Weights | None = None


class Document(_Value):
    """A project's whole content. Every edit makes a new one; equality is by value.

    Attributes:
        in_frame, out_frame: first and last frame of the range that is worked on and exported, both included.
        next_id: the id that the next new instance gets; ids are never given twice.
        cuts: the first frame of each shot but the clip's first, ascending; None: nobody has looked for them yet.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    media: Media
    in_frame: Annotated[int, Field(ge=0)]
    out_frame: Annotated[int, Field(ge=0)]
    instances: tuple[Instance, ...] = ()
    next_id: Annotated[int, Field(ge=1)] = 1
    backdrop: Backdrop = Original()
    methods: Methods = Methods()
    cuts: tuple[int, ...] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.in_frame <= self.out_frame < self.media.frame_count:
            raise ValueError(
                f"the range {self.in_frame}-{self.out_frame} does not lie in the clip's frames"
                f" 0-{self.media.frame_count - 1}"
            )
        cuts = list(self.cuts or ())
        if cuts != sorted(set(cuts)) or not all(0 < cut < self.media.frame_count for cut in cuts):
            raise ValueError(
                f"cuts must be in the order of frames and lie in the clip's frames 1-{self.media.frame_count - 1}"
            )
        ids = [instance.id for instance in self.instances]
        if len(set(ids)) != len(ids):
            raise ValueError("two instances have the same id")
        if ids and self.next_id <= max(ids):
            raise ValueError("next_id must be above all ids in use")
        return self

    @property
    def frames(self) -> range:
        """The frames from in to out."""
        return range(self.in_frame, self.out_frame + 1)

    @property
    def shots(self) -> tuple[range, ...]:
        """The whole clip from cut to cut; one shot while no cuts are known."""
        return shots_between(self.cuts or (), self.media.frame_count)

    def with_cut(self, frame: int) -> Document:
        """The document with a shot beginning at ``frame``; as it is where one begins anyway, as at frame 0."""
        if not 0 < frame < self.media.frame_count:
            return self
        return self.model_copy(update={"cuts": tuple(sorted({*(self.cuts or ()), frame}))})

    def without_cut(self, frame: int) -> Document:
        """The document with the shot that begins at ``frame`` a part of the one before."""
        return self.model_copy(update={"cuts": tuple(cut for cut in self.cuts or () if cut != frame)})

    @property
    def size_hw(self) -> tuple[int, int]:
        return self.media.height, self.media.width

    def instance(self, instance_id: int) -> Instance:
        """The instance with this id; raises KeyError."""
        for instance in self.instances:
            if instance.id == instance_id:
                return instance
        raise KeyError(instance_id)

    def with_instance(self, instance: Instance) -> Document:
        """The document with ``instance`` in place of the one with the same id, or added at the end."""
        if any(i.id == instance.id for i in self.instances):
            instances = tuple(instance if i.id == instance.id else i for i in self.instances)
        else:
            instances = (*self.instances, instance)
        return self.model_copy(
            update={"instances": instances, "next_id": max(self.next_id, instance.id + 1)},
        )

    def without_instance(self, instance_id: int) -> Document:
        return self.model_copy(update={"instances": tuple(i for i in self.instances if i.id != instance_id)})

    def new_instance(self, name: str | None = None) -> Instance:
        """An instance that is not in the document yet, with the next id."""
        return Instance(id=self.next_id, name=name or f"Person {self.next_id}")
