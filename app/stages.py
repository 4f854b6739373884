"""What the worker process does for the editor; nothing here, or imported from here, knows Qt."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from matting.job import JobContext
from matting.project.document import Methods, Weights

if TYPE_CHECKING:  # brings zarr
    from matting.pipeline.workspace import Workspace

What = Literal["composite", "matte", "cutout", "mask"]

Stage = Callable[["Workspace", JobContext], None]
"""What is done to a workspace, whose clip it opens and closes; it must go by pickle."""


@dataclass(frozen=True)
class ExportOrder:
    """What the artist ordered; ``preset`` as on the command line."""

    path: Path
    preset: str
    what: What
    merge: bool
    overwrite: bool

    def __call__(self, work: Workspace, ctx: JobContext, device: str = "auto") -> None:
        """Write it; what it needs of learned mattes is made on ``device``."""
        from matting.media.presets import Preset
        from matting.pipeline.export import Target, export

        target = Target(self.path, Preset(self.preset), what=self.what, merge=self.merge, overwrite=self.overwrite)
        with work.clip:
            export(work, target, ctx, device)


@dataclass(frozen=True)
class MattingChoice:
    """How the artist wants masks to become mattes.

    Attributes:
        weights: file of a network's weights; None for closed-form matting, which needs none.
        short_side: at which a network works; None for the source's own size.
        device: auto, cpu or cuda, for a network.
        crop: let a network see only the part of the picture that the people go through.
    """

    weights: Path | None = None
    short_side: int | None = None
    device: str = "auto"
    crop: bool = False

    def __call__(self, ctx: JobContext) -> tuple[str, Weights | None]:
        """The matter and its weights, which are read for it; raises CheckpointError."""
        if self.weights is None:
            return "classical", None
        ctx.report(0, f"Reading {self.weights.name}")
        from matting.pipeline.methods import matter_of, weights_in

        found = weights_in(self.weights)
        ctx.raise_if_cancelled()
        return matter_of(found.kind), found.model_copy(update={"short_side": self.short_side, "crop": self.crop})


def get_model(model_id: str, ctx: JobContext) -> Path:
    """Fetch a model of the catalogue; returns its file."""
    from matting.pipeline import models

    return models.get_model(model_id, ctx)


def import_model(model_id: str, file: Path, ctx: JobContext) -> Path:
    """Copy a model's file that the artist has, if it is what it should be; returns the copy."""
    from matting.pipeline import models

    return models.import_model(model_id, file, ctx)


def prepare() -> None:
    """Import what the stages need, so that the first of them does not wait for it."""
    import matting.pipeline.cut
    import matting.pipeline.export  # noqa: F401  (imported for the next call)


def tidy() -> None:
    """Give back the memory of what the last stage worked with."""
    from matting.inference.loading import release
    from matting.pipeline.seeders import close_seeders

    close_seeders()
    release()


def prepare_selecting() -> None:
    """Import what selecting needs whatever the seeder is."""
    import matting.pipeline.cut  # noqa: F401  (imported for the next call)


def load_seeder(methods: Methods, device: str, ctx: JobContext) -> None:
    """Open the seeder of a document, so that the first click does not wait for it."""
    from matting.pipeline.seeders import open_seeder

    open_seeder(methods, device, tell=ctx.notice)


@dataclass(frozen=True)
class Answer:
    """What is told of a selection, whose masks are in the store.

    Attributes:
        seconds: it took in the worker.
        embedded: how many frames a network had to look at for it: none where what it saw had been kept.
    """

    seconds: float
    embedded: int


def select(work: Workspace, frame: int, device: str, ctx: JobContext) -> Answer:
    """Turn the prompts on a frame into masks."""
    from matting.pipeline.cut import seed
    from matting.pipeline.seeders import embeddings

    started, made = time.perf_counter(), embeddings().made
    with work.clip:
        seed(work, frame, device, ctx.notice)
    return Answer(time.perf_counter() - started, embeddings().made - made)


def track(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Carry the selections through the range; what is not selected yet is, by a network on ``device``.

    Then look for places where it went wrong.
    """
    from matting.pipeline import cut
    from matting.pipeline.review import review

    with work.clip:
        with ctx.stage(0, 0.9):
            cut.track(work, ctx, device)
        with ctx.stage(0.9, 1):
            review(work, ctx)


def review(work: Workspace, ctx: JobContext) -> None:
    """Look for places where tracking went wrong."""
    from matting.pipeline import review

    with work.clip:
        review.review(work, ctx)


def matte(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Track where that is needed, then matte, if by a network then on ``device``."""
    from matting.pipeline import cut

    with work.clip:
        cut.cut(work, ctx, device)


def plate(work: Workspace, ctx: JobContext, device: str = "auto") -> None:
    """Find the background behind the people, tracking first where that is needed."""
    from matting.pipeline import cut

    with work.clip:
        with ctx.stage(0, 0.3):
            cut.track(work, ctx, device)
        with ctx.stage(0.3, 1):
            cut.make_plate(work, ctx)
