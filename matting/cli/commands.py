"""The commands of design section 5; each reads its arguments, calls the pipeline and says what came out."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from matting.cli.benchmark import benchmark
from matting.cli.cuts import CutsOption, cuts_named, found_cuts, in_words
from matting.cli.demo import demo
from matting.cli.doctor import doctor
from matting.cli.evaluate import evaluate
from matting.cli.find import find
from matting.cli.models import models
from matting.cli.progress import progress, say, warn
from matting.cli.review import review
from matting.cli.synthesize import synthesize
from matting.cli.train import train
from matting.compositing import backdrops, looks
from matting.errors import MediaError, ProjectError
from matting.inference.loading import PRECISIONS
from matting.media import Clip, open_clip
from matting.media.presets import Preset
from matting.pipeline import methods
from matting.pipeline.seeders import SEEDERS
from matting.pipeline.trackers import TRACKERS, choose_tracker, open_tracker
from matting.project.document import Document, Instance, Methods, Weights
from matting.project.project import Project

app = typer.Typer(
    name="matteo",
    help="A video editor in which each person is a layer. Without a command the editor opens.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

ClipArgument: TypeAlias = Annotated[
    Path, typer.Argument(metavar="CLIP", help="A video file, or a folder, %05d pattern or glob of pictures.")
]
ProjectArgument: TypeAlias = Annotated[Path, typer.Argument(metavar="DIR.matteo", help="The project's folder.")]
MasksOption: TypeAlias = Annotated[Path, typer.Option(help="Folder of index pictures, one a frame.")]
OutFolder: TypeAlias = Annotated[Path, typer.Option(help="Folder for what is written.")]
OverwriteOption: TypeAlias = Annotated[bool, typer.Option("--overwrite", help="Replace what exists.")]
FramesOption: TypeAlias = Annotated[
    str | None, typer.Option("--frames", metavar="A-B", help="First and last frame, counted from 0, both included.")
]
SeederOption: TypeAlias = Annotated[str, typer.Option(help="|".join(SEEDERS))]
TrackerOption: TypeAlias = Annotated[str, typer.Option(help="|".join(TRACKERS))]
MatterOption: TypeAlias = Annotated[str, typer.Option(help="|".join(methods.MATTERS))]
WeightsOption: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE|ID", help="Weights of a learned matter: a file, or an installed model.")
]
ShortSideOption: TypeAlias = Annotated[
    int | None,
    typer.Option(min=64, metavar="PX", help="Height or width, whichever is less, at which a learned matter works."),
]
CropOption: TypeAlias = Annotated[
    bool, typer.Option("--crop", help="Let a learned matter see only the part of the picture the instances go through.")
]
PrecisionOption: TypeAlias = Annotated[
    str, typer.Option(help="|".join(("auto", *PRECISIONS)) + ": of a learned matter; auto is fp32.")
]
DeviceOption: TypeAlias = Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")]


class What(StrEnum):
    """What ``export`` writes."""

    COMPOSITE = "composite"
    MATTE = "matte"
    CUTOUT = "cutout"
    MASK = "mask"


def frame_range(text: str | None, frame_count: int) -> range | None:
    """``A-B`` as a range; wrong usage when it is no range of the clip."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if not match:
        raise typer.BadParameter(f"--frames takes A-B, for example 0-99; {text} is something else.")
    first, last = int(match[1]), int(match[2] or match[1])
    if not first <= last < frame_count:
        raise MediaError(f"The frames {text} are not in the clip, which has the frames 0-{frame_count - 1}.")
    return range(first, last + 1)


def open_told(path: Path) -> Clip:
    """Open a clip and pass on what the artist should know about it."""
    clip = open_clip(path)
    for notice in clip.info.notices:
        warn(notice)
    return clip


def _checked_weights(weights: Path | None, matter: str) -> None:
    if weights is not None and matter in ("classical", "none"):
        raise typer.BadParameter("--weights belongs to a learned matter: lite, msg-vim or maggie.")


def _tell_terms(*names: str, weights: Weights | None = None) -> None:
    """Say under which terms the models stand that are in use."""
    for known in methods.models_of(*names, weights=weights):
        say(known.in_short)


@app.command("open")
def open_command(context: typer.Context, file: Annotated[Path, typer.Argument(help="A clip or a project.")]) -> int:
    """Open a clip or a project in the editor."""
    open_editor: Callable[[Path | None], int] = context.obj
    if not file.exists() and not any(mark in file.name for mark in "%*?["):
        raise MediaError(f"{file} is not there.")
    raise typer.Exit(open_editor(file))


@app.command()
def cut(
    clip: ClipArgument,
    prompts: Annotated[Path, typer.Option(metavar="P.json", help="Points and boxes for each instance.")],
    project: Annotated[Path, typer.Option(metavar="DIR.matteo", help="The project to make or continue.")],
    frames: FramesOption = None,
    seeder: SeederOption = "auto",
    tracker: TrackerOption = "auto",
    matter: MatterOption = "auto",
    weights: WeightsOption = None,
    short_side: ShortSideOption = None,
    crop: CropOption = False,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    cuts: CutsOption = None,
) -> None:
    """Select, track and matte the prompted instances; an existing project of the same clip is continued."""
    from matting.pipeline.prompted import cut_prompted
    from matting.pipeline.review import queue, summary
    from matting.pipeline.workspace import Workspace

    _checked_weights(weights, matter)
    chosen = methods.choose_methods(seeder, tracker, matter, weights, short_side, crop, device, precision)
    methods.check_device(device)
    with open_told(clip) as footage:
        span = frame_range(frames, len(footage))
        known = cuts_named(cuts, len(footage))
        say(f"seeder {chosen.seeder}, tracker {chosen.tracker}, matter {chosen.matter or 'none'}")
        _tell_terms(chosen.seeder, chosen.tracker, weights=chosen.weights)
        with progress() as ctx:
            document = cut_prompted(footage, prompts, project, span, chosen, ctx, device, known)
        say(in_words(document.cuts or ()))
        names = ", ".join(f"{i.id} {i.name}" for i in document.instances)
        say(f"{project}: frames {document.in_frame}-{document.out_frame}, instances {names}")
        say(f"review: {summary(queue(Workspace.of(Project.load(project), footage)), document)}")


def _instance(document: Document, wanted: str) -> Instance:
    for instance in document.instances:
        if instance.name == wanted:
            return instance
    for instance in document.instances:
        if str(instance.id) == wanted:
            return instance
    known = ", ".join(f"{i.id} {i.name}" for i in document.instances) or "none"
    raise ProjectError(f"There is no instance {wanted} in the project; it has: {known}.")


def _one_of(given: dict[str, object]) -> str:
    chosen = [name for name, value in given.items() if value not in (None, False)]
    if len(chosen) != 1:
        raise typer.BadParameter(f"Give exactly one of {', '.join(given)}.")
    return chosen[0]


def _color(text: str) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", text):
        raise typer.BadParameter(f"A colour is written #RRGGBB; {text} is something else.")
    return text


@app.command()
def look(
    project: ProjectArgument,
    instance: Annotated[str, typer.Option(metavar="ID|NAME", help="Whose look.")],
    keep: Annotated[bool, typer.Option("--keep", help="Leave as it is.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Take out.")] = False,
    recolor: Annotated[
        str | None, typer.Option(metavar="#RRGGBB[@STRENGTH]", help="Another colour; strength 0 to 1.")
    ] = None,
    blur: Annotated[float | None, typer.Option(metavar="RADIUS", min=0.1, max=500, help="Blur, in pixels.")] = None,
) -> None:
    """Say what is done to one instance."""
    chosen = _one_of({"--keep": keep, "--remove": remove, "--recolor": recolor, "--blur": blur})
    new: looks.Look = looks.Keep()
    if chosen == "--remove":
        new = looks.Remove()
    elif recolor is not None:
        color, _, strength = recolor.partition("@")
        if strength and not re.fullmatch(r"0?\.\d+|[01](\.0*)?", strength):
            raise typer.BadParameter(f"The strength of --recolor goes from 0 to 1; {strength} is something else.")
        new = looks.Recolor(color=_color(color), strength=float(strength) if strength else looks.DEFAULT_STRENGTH)
    elif blur is not None:
        new = looks.Blur(radius=blur)
    opened = Project.load(project)
    whose = _instance(opened.document, instance)
    opened.document = opened.document.with_instance(whose.model_copy(update={"look": new}))
    opened.save()
    say(f"{whose.name}: {new.kind}")


@app.command()
def backdrop(
    project: ProjectArgument,
    original: Annotated[bool, typer.Option("--original", help="The footage itself.")] = False,
    plate: Annotated[bool, typer.Option("--plate", help="The footage with everybody taken out.")] = False,
    color: Annotated[str | None, typer.Option(metavar="#RRGGBB", help="One colour.")] = None,
    image: Annotated[Path | None, typer.Option(metavar="FILE", help="A still picture.")] = None,
    video: Annotated[Path | None, typer.Option(metavar="FILE", help="Another video, looped.")] = None,
    blur: Annotated[float | None, typer.Option(metavar="R", min=0.1, max=500, help="The footage, blurred.")] = None,
    transparent: Annotated[bool, typer.Option("--transparent", help="Nothing.")] = False,
) -> None:
    """Say what stands behind the instances."""
    from matting.pipeline.picture import read_image

    chosen = _one_of({
        "--original": original, "--plate": plate, "--color": color, "--image": image,
        "--video": video, "--blur": blur, "--transparent": transparent,
    })  # fmt: skip
    opened = Project.load(project)
    new: backdrops.Backdrop = backdrops.Original()
    if chosen == "--plate":
        new = backdrops.Plate()
    elif chosen == "--transparent":
        new = backdrops.Transparent()
    elif color is not None:
        new = backdrops.Color(color=_color(color))
    elif image is not None:
        read_image(image)
        new = backdrops.Image(path=opened.relative(image))
    elif video is not None:
        open_clip(video).close()
        new = backdrops.Video(path=opened.relative(video))
    elif blur is not None:
        new = backdrops.Blurred(radius=blur)
    opened.document = opened.document.model_copy(update={"backdrop": new})
    opened.save()
    say(f"backdrop: {new.kind}")


@app.command()
def lock(
    project: ProjectArgument,
    instance: Annotated[str, typer.Option(metavar="ID|NAME", help="Whose frames.")],
    frames: Annotated[str, typer.Option(metavar="A-B", help="First and last frame, counted from 0, both included.")],
    undo: Annotated[bool, typer.Option("--undo", help="Unlock what is locked in these frames.")] = False,
) -> None:
    """Keep an instance as it is in some frames, whatever is changed elsewhere; the frames beside follow from them."""
    from matting.pipeline.approve import approve
    from matting.pipeline.workspace import Workspace

    opened = Project.load(project)
    whose = _instance(opened.document, instance)
    span = frame_range(frames, opened.document.media.frame_count)
    assert span is not None
    if undo:
        locks = [known for known in whose.locks if known.last < span.start or known.first >= span.stop]
        changed = whose.model_copy(update={"locks": tuple(locks)})
    else:
        with opened.open_clip() as clip, progress() as ctx:
            changed = whose.with_lock(approve(Workspace.of(opened, clip), whose.id, span, ctx))
    opened.document = opened.document.with_instance(changed)
    opened.save()
    say(f"{whose.name}: locked " + (", ".join(f"{k.first}-{k.last}" for k in changed.locks) or "nowhere"))


@app.command()
def export(
    project: ProjectArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The file or folder to write.")],
    preset: Annotated[Preset | None, typer.Option(help="How it is encoded; by OUT's extension if not given.")] = None,
    what: Annotated[What, typer.Option(help="What is written.")] = What.COMPOSITE,
    instance: Annotated[str, typer.Option(metavar="ID|NAME|all", help="Whose matte or cut-out.")] = "all",
    merge: Annotated[bool, typer.Option("--merge", help="One matte or cut-out of all instances.")] = False,
    frames: FramesOption = None,
    start_number: Annotated[int | None, typer.Option(min=0, help="Number of the first picture.")] = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Write the composite, mattes, cut-outs or masks of a project; mattes it still needs are made first."""
    from matting.pipeline.export import Target
    from matting.pipeline.export import export as write
    from matting.pipeline.workspace import Workspace

    methods.check_device(device)
    opened = Project.load(project)
    chosen = None if instance == "all" else (_instance(opened.document, instance).id,)
    with opened.open_clip() as clip:
        for notice in clip.info.notices:
            warn(notice)
        target = Target(out, preset, what.value, chosen, merge, frame_range(frames, len(clip)), overwrite, start_number)
        with progress() as ctx:
            write(Workspace.of(opened, clip), target, ctx, device)
    say(str(out))


@app.command()
def track(
    clip: ClipArgument,
    masks: MasksOption,
    out: OutFolder,
    tracker: TrackerOption = "auto",
    device: DeviceOption = "auto",
    cuts: CutsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Masks on some frames in, masks on all frames out; nothing is carried across a cut."""
    from matting.pipeline.folders import track_folder

    chosen, weights = choose_tracker(tracker)
    follower = open_tracker(Methods(tracker=chosen, tracker_weights=weights), device)
    with open_told(clip) as footage, progress() as ctx:
        with ctx.stage(0, 0.05):
            known = found_cuts(cuts, footage, ctx)
        with ctx.stage(0.05, 1):
            track_folder(footage, masks, out, follower, overwrite, ctx, known)
    say(f"{out}: masks by {chosen}")
    _tell_terms(chosen)


@app.command("matte")
def matte_command(
    clip: ClipArgument,
    masks: MasksOption,
    out: OutFolder,
    matter: MatterOption = "auto",
    weights: WeightsOption = None,
    short_side: ShortSideOption = None,
    crop: CropOption = False,
    precision: PrecisionOption = "auto",
    device: DeviceOption = "auto",
    cuts: CutsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Masks in, alphas out, without a project; each shot for itself."""
    from matting.pipeline.folders import matte_folder

    _checked_weights(weights, matter)
    if matter == "none":
        raise typer.BadParameter("--matter none makes no alphas; choose another one.")
    chosen = methods.choose_methods(matter=matter, weights=weights, short_side=short_side, precision=precision)
    methods.check_device(device)
    with open_told(clip) as footage, progress() as ctx:
        with ctx.stage(0, 0.05):
            known = found_cuts(cuts, footage, ctx)
        file = None if chosen.weights is None else Path(chosen.weights.path)
        opened = methods.open_matter(chosen, file, device, ctx.notice)
        with ctx.stage(0.05, 1):
            matte_folder(footage, masks, out, opened, overwrite, ctx, crop, known)
    say(f"{out}: alphas by {chosen.matter}")
    _tell_terms(weights=chosen.weights)


@app.command("plate")
def plate_command(
    clip: ClipArgument,
    masks: MasksOption,
    out: Annotated[Path, typer.Option(metavar="DIR|FILE", help="A folder of pictures or a video.")],
    overwrite: OverwriteOption = False,
) -> None:
    """Remove what the masks cover."""
    from matting.pipeline.folders import plate_folder

    with open_told(clip) as footage, progress() as ctx:
        plate_folder(footage, masks, out, overwrite, ctx)
    say(str(out))


@app.command()
def relink(project: ProjectArgument, clip: ClipArgument) -> None:
    """Tell a project where its clip is now."""
    opened = Project.load(project)
    with open_clip(clip) as footage:
        opened.document = opened.relinked(footage.info)
    opened.save()
    say(f"{project}: {opened.document.media.path}")


app.command()(demo)
app.command()(doctor)
app.command()(evaluate)
app.command()(review)
app.command()(find)
app.command()(synthesize)
app.add_typer(benchmark, name="benchmark")
app.add_typer(train, name="train")
app.add_typer(models, name="models")
