"""``matteo benchmark seeding``: how well prompts become masks on frames with true masks, and how fast."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated

import numpy as np
import typer
from rich.table import Table

from matting.arrays import Mask
from matting.cli.progress import progress, say
from matting.cli.tables import print_table
from matting.evaluation import placing, sequences
from matting.evaluation.placing import Placed
from matting.files import write_bytes
from matting.job import JobContext
from matting.media import Clip, open_clip
from matting.pipeline.methods import choose_methods
from matting.pipeline.seeders import SEEDERS, open_seeder
from matting.pipeline.sight import Sight, read_sight
from matting.project.masks import MaskFolder
from matting.seeding.seeder import FramePrompt, Seeder, seed_frame

CORRECTED = "corrected"
KINDS: dict[str, Callable[[Mask, np.random.Generator], Placed]] = {
    "point": placing.one_point,
    "points": placing.points,
    "box": placing.box,
    "box + points": placing.box_and_points,
    CORRECTED: placing.box_and_points,
}
"""What the artist gives; ``corrected`` is a second round after ``box + points``."""


@dataclass(frozen=True)
class Timing:
    """Seconds of one click."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True)
class FrameScores:
    """One frame with true masks.

    Attributes:
        name: of clip and frame.
        ious: kind of prompt → one value per instance and placing.
        first: the first click: reading the frame and its neighbours, and one instance's mask.
        later: each click after it on the same frame.
    """

    name: str
    ious: dict[str, list[float]]
    first: Timing
    later: list[Timing]


def seeding(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A clip's frames and masks, a folder of such, or DAVIS.")
    ],
    seeder: Annotated[str, typer.Option(help="|".join(SEEDERS))] = "grabcut",
    placings: Annotated[
        int, typer.Option(min=1, help="How many times the prompts are placed, each time elsewhere.")
    ] = 1,
    alone: Annotated[bool, typer.Option("--alone", help="Each instance without prompts for the others.")] = False,
    still: Annotated[bool, typer.Option("--still", help="Without the frames before and after.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers.")] = None,
) -> None:
    """Place prompts on the true masks by a rule, select by them, and measure the overlap (IoU) with the true masks.

    A point lies well inside; points do so in the upper, middle and lower third; a box is off by up to 2 % a side;
    ``corrected`` adds to box and points one click into the largest missed and one into the largest false part.
    """
    methods = choose_methods(seeder=seeder)
    opened = open_seeder(methods)
    scores: list[FrameScores] = []
    found = sequences.sequences(folder)
    with progress() as ctx:
        for place, sequence in enumerate(found):
            with ctx.stage(place / len(found), (place + 1) / len(found)), open_clip(sequence.clip) as clip:
                truth = MaskFolder(sequence.masks, clip.info)
                scores += _measured(sequence.name, clip, truth, opened, placings, alone, still, ctx)
    _show(scores, f"Selecting by {opened.name}, IoU in percent, mean (worst)")
    if json_file is not None:
        write_bytes(json_file, json.dumps([_as_json(score) for score in scores], indent=1).encode())
        say(str(json_file))


def _measured(
    name: str,
    clip: Clip,
    truth: MaskFolder,
    seeder: Seeder,
    placings: int,
    alone: bool,
    still: bool,
    ctx: JobContext,
) -> Iterator[FrameScores]:
    for done, frame in enumerate(sorted(truth.paths)):
        ctx.report(done / len(truth.paths), f"Selecting in {name}")
        true = {i: mask for i, mask in zip(truth.ids, truth.masks(frame), strict=True) if mask.any()}
        if not true:
            continue
        near = () if still else tuple(frame + away for away in seeder.looks_at if 0 <= frame + away < len(clip))
        clock = _Clock(seeder)
        sight = clock.read(clip, frame, near)
        ious: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for turn in range(placings):
            masks: dict[int, Mask] = {}
            placed: dict[int, Placed] = {}
            for kind, place in KINDS.items():
                if kind == CORRECTED:
                    placed = {i: placing.corrected(placed[i], mask, masks[i]) for i, mask in true.items()}
                else:
                    placed = {i: place(mask, np.random.default_rng([turn, i])) for i, mask in true.items()}
                masks = _select(clock, sight, placed, alone)
                ious[kind] += [_iou(masks[i], mask) for i, mask in true.items()]
        yield FrameScores(f"{name}/{frame}", ious, clock.clicks[0], clock.clicks[1:])


class _Clock:
    """A seeder with a stopwatch; the first click bears the reading, too."""

    def __init__(self, seeder: Seeder) -> None:
        self._seeder = seeder
        self._reading = Timing(0, 0)
        self.name, self.looks_at = seeder.name, seeder.looks_at
        self.clicks: list[Timing] = []

    def read(self, clip: Clip, frame: int, near: tuple[int, ...]) -> Sight:
        begun = _now()
        sight = read_sight(clip, frame, near)
        self._reading = _since(begun)
        return sight

    def seed(self, *given: object) -> Mask:
        begun = _now()
        mask = self._seeder.seed(*given)  # type: ignore[arg-type]
        click = _since(begun)
        if not self.clicks:
            click = Timing(click.wall_s + self._reading.wall_s, click.cpu_s + self._reading.cpu_s)
        self.clicks.append(click)
        return mask


def _now() -> Timing:
    return Timing(time.perf_counter(), time.process_time())


def _since(begun: Timing) -> Timing:
    now = _now()
    return Timing(now.wall_s - begun.wall_s, now.cpu_s - begun.cpu_s)


def _select(seeder: Seeder, sight: Sight, placed: dict[int, Placed], alone: bool) -> dict[int, Mask]:
    prompts = {i: FramePrompt(p.include, p.exclude, p.box) for i, p in placed.items()}
    if alone:
        return {i: seeder.seed(sight.picture, prompt, [], sight.neighbours) for i, prompt in prompts.items()}
    return seed_frame(seeder, sight.picture, prompts, sight.neighbours)


def _iou(one: Mask, other: Mask) -> float:
    return float((one & other).sum() / (one | other).sum())


def _show(scores: list[FrameScores], title: str) -> None:
    table = Table(title=title)
    for column in ("", *KINDS, "first click s (CPU)", "next click s (CPU)"):
        table.add_column(column, justify="right" if column else "left", no_wrap=True)
    for score in scores:
        table.add_row(score.name, *(f"{fmean(v):.1%} ({min(v):.0%})" for v in score.ious.values()), *_times([score]))
    means = [fmean(fmean(score.ious[kind]) for score in scores) for kind in KINDS]
    table.add_section()
    table.add_row("all frames", *(f"{mean:.1%}" for mean in means), *_times(scores))
    print_table(table)


def _times(scores: list[FrameScores]) -> list[str]:
    later = [click for score in scores for click in score.later]
    return [
        f"{fmean(c.wall_s for c in clicks):.2f} ({fmean(c.cpu_s for c in clicks):.2f})"
        for clicks in ([score.first for score in scores], later)
    ]


def _as_json(score: FrameScores) -> dict[str, object]:
    return {
        "frame": score.name,
        "iou": score.ious,
        "first_click": vars(score.first),
        "next_click": {
            "wall_s": fmean(click.wall_s for click in score.later),
            "cpu_s": fmean(click.cpu_s for click in score.later),
        },
    }
