"""A project from prompts: made, or continued where an earlier run was stopped."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from matting.errors import ProjectError
from matting.job import JobContext
from matting.media import Clip
from matting.media.cuts import find_cuts
from matting.pipeline.cut import cut
from matting.pipeline.damage import tell_damage
from matting.pipeline.review import review
from matting.pipeline.workspace import Workspace
from matting.project.document import Document, Methods
from matting.project.project import DOCUMENT, Project
from matting.project.prompts import PromptImport, read_prompts


def cut_prompted(
    clip: Clip,
    prompts: Path,
    folder: Path,
    frames: range | None,
    methods: Methods,
    ctx: JobContext,
    device: str = "auto",
    cuts: tuple[int, ...] | Literal["auto"] | None = None,
) -> Document:
    """Make or continue a project with the prompts of a file, and cut it.

    Everything is checked before anything is written, so bad input leaves no half-made project.

    Args:
        frames: the range to work on; None keeps that of an existing project, or takes the whole clip.
        cuts: the first frame of each shot but the first one; ``auto`` looks for them, which reads the whole clip; None
            keeps those of an existing project and looks for them in a new one.

    Raises:
        PromptError: the prompts do not fit the clip or the range.
        ProjectError: the folder holds a project of another clip, or something else.
        OutputError: the folder cannot be written.
        Cancelled: somebody asked to stop; finished chunks stay.
    """
    given = read_prompts(prompts)
    project = _project(clip, folder)
    if methods.weights is not None:
        path = project.relative(Path(methods.weights.path))
        methods = methods.model_copy(update={"weights": methods.weights.model_copy(update={"path": path})})
    document = project.document.model_copy(update={"methods": methods})
    if frames is not None:
        document = document.model_copy(update={"in_frame": frames.start, "out_frame": frames.stop - 1})
    checked = PromptImport(given, prompts, document)
    for notice in checked.notices:
        ctx.notice(notice)
    document, looking_share = checked.document, 0.0
    if cuts is None:
        cuts = "auto" if document.cuts is None else document.cuts
    if cuts == "auto":
        looking_share = 0.05
        with ctx.stage(0, looking_share):
            cuts = find_cuts(clip, ctx)
    checked.keep(project.prompts_folder)
    project.document = document.model_copy(update={"cuts": cuts})
    project.save()
    work = Workspace.of(project, clip)
    with ctx.stage(looking_share, 0.95):
        cut(work, ctx, device)
    with ctx.stage(0.95, 1):
        review(work, ctx, device)
    work.store.prune(work.referenced())
    tell_damage(clip, ctx)
    return project.document


def _project(clip: Clip, folder: Path) -> Project:
    if (folder / DOCUMENT).exists():
        project = Project.load(folder)
        project.document = project.relinked(clip.info)
        return project
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder} exists and is not a Matteo project; choose another name for the project.")
    return Project.create(folder, clip.info)
