"""``matteo benchmark matting``: every matter of this machine on the same clips with true alphas."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer
from rich.table import Table

from matting.arrays import FloatArray, Mask
from matting.cli.progress import progress, say
from matting.cli.sizes import size_named
from matting.cli.tables import print_table
from matting.evaluation.metrics import Definition, PairSums, Quality, Tally, mean_quality
from matting.evaluation.opacity import as_float
from matting.evaluation.streaming import ClipTallies
from matting.files import write_bytes

if TYPE_CHECKING:
    from matting.inference.matter import Matter
    from matting.synthesis.trials import Trial

COLUMNS = {
    "mad": "MAD", "mse": "MSE", "grad": "Grad", "conn": "Conn", "dtssd": "dtSSD", "messddt": "MESSDdt", "mad_u": "MAD_u"
}  # fmt: skip
"""By name in :mod:`matting.evaluation.streaming`, the heading."""
ALL = "all"


@dataclass
class Score:
    """What a matter did on one clip.

    Attributes:
        groups: for each instance, what it is reported under.
        tallies: by metric, for each instance.
        quality: VIMQ.
        wall_s, cpu_s: time on the clock and of the processor.
        frames: how many.
    """

    groups: tuple[str, ...]
    tallies: dict[str, Tally]
    quality: Quality
    wall_s: float
    cpu_s: float
    frames: int


def matting(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR…", help="People with alphas (fg or image, alpha), or clips with alphas."),
    ] = None,
    drawn: Annotated[int, typer.Option(min=0, help="Also so many drawn clips, which need no data.")] = 0,
    backgrounds: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures and videos for people to stand before.")
    ] = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE|ID", help="Weights of a learned matter, besides the installed ones; may be repeated."
        ),
    ] = None,
    methods: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Only these; names as in the table, lite for all of lite.")
    ] = None,
    frames: Annotated[int, typer.Option(min=1, help="Most frames of a clip.")] = 8,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of composed clips.")] = "640x360",
    short_side: Annotated[
        int | None, typer.Option(min=64, help="At which learned matters work; what suits each by default.")
    ] = None,
    noise: Annotated[
        float | None, typer.Option(min=0, max=1, help="Also with so much salt and pepper on the masks, say 0.25.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")] = "auto",
    sheets: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a picture of each clip with its masks and all mattes.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers as JSON.")
    ] = None,
) -> None:
    """Compare the mask itself, classical methods and learned matters on clips with true alphas.

    People are composed by ones and twos before the backgrounds; masks are the true alphas cut at one half, grown or
    shrunk, and drawn at 1/8 of the size. MAD, MSE and MAD_u (in the band round the outline) count in thousandths.
    """
    from matting.pipeline import trials

    if not folders and not drawn:
        raise typer.BadParameter("Name a folder, or how many clips are to be drawn, --drawn.")
    size_hw = size_named(size)
    clips = [*trials.trials(folders or [], backgrounds, frames, size_hw), *trials.drawn(drawn, frames, size_hw)]
    matters = _matters(weights or [], short_side, device, methods)
    for matter in matters.values():
        _warm_up(matter)
    scores: dict[str, list[Score]] = {name: [] for name in matters}
    noisy: dict[str, list[Score]] = {name: [] for name in matters}
    with progress() as ctx:
        for place, make in enumerate(clips):
            ctx.report(place / len(clips), "Composing")
            clip = make()
            mattes = {}
            for name, matter in matters.items():
                ctx.report(place / len(clips), f"{clip.name}: {name}")
                score, mattes[name] = _measured(matter, clip, clip.masks)
                scores[name].append(score)
            shown = {"masks": clip.masks}
            if noise is not None:
                shown["masks, noise"] = struck = _struck(clip, noise)
                for name, matter in matters.items():
                    ctx.report(place / len(clips), f"{clip.name}: {name}, noise")
                    score, mattes[f"{name}, noise"] = _measured(matter, clip, struck)
                    noisy[name].append(score)
            if sheets is not None:
                _write_sheet(sheets / f"{place:02d} {clip.name}.png", clip, shown, mattes)
    rows = {name: _rows(found) for name, found in scores.items()}
    show(rows)
    drops = {name: _drop(scores[name], found) for name, found in noisy.items() if found}
    if noise is not None:
        _show_drops(drops, noise)
    if json_file is not None:
        content: dict[str, object] = {"definition": Definition.PLAIN.value, "methods": rows}
        content["clips"] = {name: [_row([score]) for score in found] for name, found in scores.items()}
        if noise is not None:
            content["noise"] = {"share": noise, "vimq_mse": drops}
        write_bytes(json_file, json.dumps(content, indent=1).encode())
        say(str(json_file))


def _matters(weights: Sequence[Path], short_side: int | None, device: str, wanted: str | None) -> dict[str, Matter]:
    """By name: the baselines, the product's own, and those that weights were given or are installed for."""
    from matting.inference.baselines import baselines
    from matting.inference.classical import ClassicalMatter
    from matting.inference.loading import SCOPES, load
    from matting.pipeline.methods import weights_in
    from matting.weights import file_of, installed, models

    found: dict[str, Matter] = {matter.name: matter for matter in baselines()}
    found["classical"] = ClassicalMatter()
    files = [file_of(given) for given in weights]
    here = (installed(known.id) for known in models() if known.id in SCOPES)
    files += [file for file in here if file is not None and file not in files]
    kinds = [weights_in(file, short_side) for file in files]
    for chosen in kinds:
        several = sum(other.kind == chosen.kind for other in kinds) > 1
        name = f"{chosen.kind} {Path(chosen.path).parent.name}/{Path(chosen.path).stem}" if several else chosen.kind
        found[name] = load(chosen.path, device, chosen.short_side, say)
    if wanted is None:
        return found
    names = [name.strip() for name in wanted.split(",")]
    unknown = [name for name in names if not any(name in (own, own.split(" ")[0]) for own in found)]
    if unknown:
        raise typer.BadParameter(f"There is no method {', '.join(unknown)} here; there are {', '.join(found)}.")
    return {own: matter for own, matter in found.items() if own in names or own.split(" ")[0] in names}


def _measured(matter: Matter, clip: Trial, masks: Mask) -> tuple[Score, FloatArray]:
    from matting.inference.matter import Guided

    wall, cpu = time.perf_counter(), time.process_time()
    steps = map(Guided, clip.frames, masks)
    mattes = np.stack([matted.alphas for matted in matter.stream(steps)])
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    tallies, pairs = ClipTallies(len(mattes), mattes.shape[1], Definition.PLAIN, COLUMNS), PairSums()
    for alphas, truth in zip(mattes, clip.alphas, strict=True):
        tallies.add(alphas, as_float(truth))
        pairs.add(alphas, as_float(truth))
    return Score(clip.groups, tallies.tallies, pairs.quality(), wall, cpu, len(mattes)), mattes


def _struck(clip: Trial, share: float) -> Mask:
    from matting.synthesis.guidance import salt_and_pepper
    from matting.synthesis.trials import dice

    return salt_and_pepper(clip.masks, share, dice("noise " + clip.name))


def _warm_up(matter: Matter) -> None:
    """Let it compile and choose its kernels before the clock runs."""
    from matting.inference.matter import Guided

    frame, mask = np.zeros((96, 160, 3), np.uint8), np.zeros((1, 96, 160), np.bool_)
    frame[30:70, 50:110] = mask[:, 30:70, 50:110] = 1
    for _ in matter.stream([Guided(frame, mask)]):
        pass


def _rows(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """For each group, and all together, the values of :data:`COLUMNS`, how many people, and time for a frame."""
    groups = dict.fromkeys(group for score in scores for group in score.groups)
    return {ALL: _row(scores)} | ({group: _row(scores, group) for group in groups} if len(groups) > 1 else {})


def _row(scores: Sequence[Score], group: str | None = None) -> dict[str, float]:
    chosen = [(score, [n for n, own in enumerate(score.groups) if group in (None, own)]) for score in scores]
    chosen = [(score, places) for score, places in chosen if places]
    row: dict[str, float] = {"people": sum(len(places) for _, places in chosen)}
    for name in COLUMNS:
        total = float(sum(score.tallies[name].score[places].sum() for score, places in chosen))
        count = float(sum(score.tallies[name].count[places].sum() for score, places in chosen))
        row[name] = total / count if count else 0.0
    frames = sum(score.frames for score, _ in chosen)
    if group is None:
        row["vimq_mse"] = mean_quality([score.quality for score, _ in chosen]).vimq("mse")
    row["wall_s"] = sum(score.wall_s for score, _ in chosen) / frames
    row["cpu_s"] = sum(score.cpu_s for score, _ in chosen) / frames
    return row


def show(rows: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print a table with a section for all clips and one for each group of people."""
    table = Table(title="Mattes by the true ones (plain definition; 0 is best) and seconds for a frame")
    for name in ("people", "method"):
        table.add_column(name, no_wrap=True)
    for name in (*COLUMNS.values(), "s", "s of processor"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in next(iter(rows.values())):
        for place, (name, own) in enumerate(rows.items()):
            row = own[group]
            table.add_row(
                f"{group} ({row['people']:.0f})" if place == 0 else "", name,
                *(f"{row[column]:.2f}" for column in COLUMNS), f"{row['wall_s']:.3f}", f"{row['cpu_s']:.3f}",
                end_section=place == len(rows) - 1,
            )  # fmt: skip
    print_table(table)


def _drop(clean: Sequence[Score], noisy: Sequence[Score]) -> dict[str, float]:
    before, after = (100 * mean_quality([score.quality for score in scores]).vimq("mse") for scores in (clean, noisy))
    return {"clean": before, "noisy": after, "drop": before - after}


def _show_drops(drops: dict[str, dict[str, float]], noise: float) -> None:
    table = Table(title=f"VIMQ_mse in percent, with {noise:.0%} of the masks' pixels struck by salt and pepper")
    for name in ("method", "clean", "noisy", "points lost"):
        table.add_column(name, justify="left" if name == "method" else "right")
    for name, drop in drops.items():
        table.add_row(name, *(f"{value:.2f}" for value in drop.values()))
    print_table(table)


def _write_sheet(path: Path, clip: Trial, masks: dict[str, Mask], mattes: dict[str, FloatArray]) -> None:
    """First and last frame in columns, and below each its masks, the true mattes and those of every matter."""
    import cv2

    from matting.cli.contact import contact_sheet, overlay, tinted_mattes
    from matting.inference.matter import to_stored
    from matting.project.masks import to_index_picture

    ids = tuple(range(1, clip.alphas.shape[1] + 1))
    shown = sorted({0, len(clip.frames) - 1})
    columns = [
        [
            clip.frames[t],
            *(overlay(clip.frames[t], to_index_picture(given[t], ids)) for given in masks.values()),
            tinted_mattes(list(clip.alphas[t]), ids),
            *(tinted_mattes(list(to_stored(alphas[t])), ids) for alphas in mattes.values()),
        ]
        for t in shown
    ]
    sheet = contact_sheet(columns, ["frame", *masks, "truth", *mattes], shown)
    write_bytes(path, cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())
