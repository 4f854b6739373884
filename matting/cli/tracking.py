"""``matteo benchmark tracking``: how well masks are followed through clips with true masks, and how fast."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Annotated, TypeVar

import numpy as np
import typer
from rich.table import Table

from matting.cli.progress import progress, say
from matting.cli.tables import print_table
from matting.errors import MatteoError
from matting.evaluation import sequences
from matting.evaluation.identity import switches
from matting.evaluation.ranking import Ranking, rank
from matting.evaluation.regions import VOID, Ids, Values, contour_accuracy, decay, overlaps, recall
from matting.files import write_bytes
from matting.frames import to_8_bit
from matting.job import JobContext
from matting.media import Clip, open_clip
from matting.pipeline.trackers import TRACKERS, choose_tracker, open_tracker
from matting.project.document import Methods
from matting.project.masks import MaskFolder, to_index_picture
from matting.review import evidence
from matting.review.confidence import confidences
from matting.review.references import References
from matting.review.sight import look_over, shrunk
from matting.tracking.seeds import Seeds, lazy_seeds
from matting.tracking.tracker import Tracker

_T = TypeVar("_T")


@dataclass(frozen=True)
class InstanceScores:
    """One instance on the frames it is measured on.

    Attributes:
        frames: their indices, ascending.
        regions: J of each.
        contours: F of each.
        confidences: what the review queue would make of each, without knowing the truth.
    """

    id: int
    frames: tuple[int, ...]
    regions: Values
    contours: Values
    confidences: Values

    def values(self) -> dict[str, float]:
        """Means, and recall and decay of both, in [0, 1]; NaN where nothing was measured."""
        j, f = (float(v.mean()) if len(v) else math.nan for v in (self.regions, self.contours))
        return {
            "j": j, "f": f, "jf": (j + f) / 2,
            "j_recall": recall(self.regions), "j_decay": decay(self.regions),
            "f_recall": recall(self.contours), "f_decay": decay(self.contours),
        }  # fmt: skip


@dataclass(frozen=True)
class ClipScores:
    """One clip; seconds are those of the tracker alone, reading the clip included."""

    name: str
    frames: int
    instances: tuple[InstanceScores, ...]
    switches: int
    wall_s: float
    cpu_s: float

    def values(self) -> dict[str, float]:
        """Means over the instances that were measured; NaN without any."""
        return _means([instance.values() for instance in self.instances])


def tracking(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="DAVIS, or folders with frames (or a video) and masks.")
    ],
    tracker: Annotated[str, typer.Option(help="|".join(TRACKERS))] = "auto",
    device: Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")] = "auto",
    given: Annotated[str, typer.Option(help="Which true masks the tracker gets: first or every:K.")] = "first",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers, frame by frame.")
    ] = None,
) -> None:
    """Follow the true masks of a clip and measure: J (region), F (contour), their mean, and identity switches.

    With ``first`` each instance is given on the first frame that shows it, with ``every:K`` all are given on the frames
    0, K, 2K … Means leave out the frames that were given, what comes before an instance's first one, and the first and
    last frame of the clip, as DAVIS does. The second table says how well the confidence behind the review queue, which
    knows no truth, finds the masks that are wrong. Where some frames have no true masks, the others speak only for the
    instances that they show.
    """
    every = _every(given)
    chosen, weights = choose_tracker(tracker)
    follower = open_tracker(Methods(tracker=chosen, tracker_weights=weights), device)
    found = [sequence for folder in folders for sequence in sequences.sequences(folder)]
    scores = []
    with progress() as ctx:
        for place, sequence in enumerate(found):
            with ctx.stage(place / len(found), (place + 1) / len(found)):
                scores.append(measure(sequence, follower, every, ctx))
    show(scores, f"Tracking by {chosen}, masks given: {given}")
    if json_file is not None:
        write_bytes(json_file, json.dumps(as_json(scores), indent=1).encode())
        say(str(json_file))


def measure(sequence: sequences.Sequence, tracker: Tracker, every: int | None, ctx: JobContext) -> ClipScores:
    """Track one clip and compare each frame with its true masks as it comes.

    Args:
        sequence: the clip.
        tracker: what follows the masks.
        every: give all instances on the frames 0, ``every``, …; None for each on the first frame that shows it.
        ctx: told the progress.

    Raises:
        MediaError, PromptError: the clip or its masks cannot be read.
        MatteoError: no mask that could be given is there.
    """
    with open_clip(sequence.clip) as clip:
        truth = MaskFolder(sequence.masks, clip.info)
        for notice in truth.notices:
            ctx.notice(f"{sequence.name}: {notice}")
        shown = {t: _shown(truth, t) for t in sorted(truth.paths)}
        whole = len(shown) == len(clip)
        given = _given(shown, truth.ids, every, whole)
        if not given:
            raise MatteoError(f"{sequence.masks} holds no mask to begin with.")
        seeds = lazy_seeds(given, lambda t: dict(zip(truth.ids, truth.masks(t), strict=True)))
        followed = _follow(clip, truth, tracker, seeds, ctx)
        trusted = _confidences(clip, truth.ids, seeds, followed)
        instances = []
        for place, i in enumerate(truth.ids):
            first = min(t for t in given if i in given[t])
            frames = tuple(
                t for t in shown if first < t < len(clip) - 1 and i not in given.get(t, ()) and (whole or i in shown[t])
            )
            j = np.array([followed.regions[t][place, place] for t in frames])
            f = np.array([followed.contours[t][place] for t in frames])
            instances.append(InstanceScores(i, frames, j, f, np.array([trusted[t][place] for t in frames])))
        changes = switches(followed.regions[t] for t in sorted(followed.regions))
        return ClipScores(
            sequence.name, len(clip), tuple(instances), changes, followed.clock.wall_s, followed.clock.cpu_s
        )


class _Clock:
    """Wall and processor time spent in an iterator itself, not in what is done with its values."""

    def __init__(self) -> None:
        self.wall_s, self.cpu_s = 0.0, 0.0

    def timed(self, values: Iterator[_T]) -> Iterator[_T]:
        end = object()
        while True:
            wall, cpu = time.perf_counter(), time.process_time()
            value = next(values, end)
            self.wall_s += time.perf_counter() - wall
            self.cpu_s += time.process_time() - cpu
            if value is end:
                return
            yield value  # type: ignore[misc]


@dataclass(frozen=True)
class _Followed:
    """What came of tracking, by frame: overlaps ``[N, N]`` and contour accuracies ``[N]`` where there are true masks;
    small index pictures and certainties everywhere.
    """

    clock: _Clock
    regions: dict[int, Values]
    contours: dict[int, Values]
    pictures: dict[int, Ids]
    certainties: dict[int, dict[int, float]]


def _follow(clip: Clip, truth: MaskFolder, tracker: Tracker, seeds: Seeds, ctx: JobContext) -> _Followed:
    done = _Followed(_Clock(), {}, {}, {}, {})
    for step in done.clock.timed(tracker.track(clip, range(len(clip)), seeds, ctx)):
        pred, sure = to_index_picture(step.masks, step.ids), step.certainty
        done.pictures[step.index] = shrunk(pred)
        done.certainties[step.index] = {} if sure is None else dict(zip(step.ids, sure.tolist(), strict=True))
        if step.index in truth.paths:
            true = truth.picture(step.index)
            done.regions[step.index] = overlaps(pred, true, truth.ids)
            done.contours[step.index] = np.array(
                [contour_accuracy(pred == i, true == i, true == VOID) for i in truth.ids]
            )
    return done


def _confidences(clip: Clip, ids: tuple[int, ...], seeds: Seeds, followed: _Followed) -> list[list[float]]:
    """Of each frame and instance what the review queue would make of it."""
    sights = (
        look_over(t, to_8_bit(frame), followed.pictures[t], followed.certainties[t])
        for t, frame in clip.frames(0, len(clip))
    )
    given = {i: [t for t in seeds if i in seeds[t]] for i in ids}
    with clip.duplicate() as prompted:
        references = References(given, lambda t, i: seeds[t][i], prompted.frame)
        return [[of.value for of in confidences(m)] for m in evidence.measure(sights, ids, references)]


def show(scores: Sequence[ClipScores], title: str) -> None:
    """Print each instance, each clip, and the means over all instances and over all clips, in percent."""
    table = Table(title=title)
    for name in ("", "frames", "J", "F", "J&F", "J recall", "J decay", "F recall", "F decay", "switches", "s/frame",
                 "CPU s/frame"):  # fmt: skip
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for clip in scores:
        for instance in clip.instances:
            table.add_row(f"{clip.name}/{instance.id}", str(len(instance.frames)), *_percent(instance.values()))
        times = [f"{seconds / clip.frames:.2f}" for seconds in (clip.wall_s, clip.cpu_s)]
        table.add_row(
            clip.name, str(clip.frames), *_percent(clip.values()), str(clip.switches), *times, end_section=True
        )
    if len(scores) > 1:
        total, frames = str(sum(clip.switches for clip in scores)), sum(clip.frames for clip in scores)
        times = [f"{sum(s) / frames:.2f}" for s in ([c.wall_s for c in scores], [c.cpu_s for c in scores])]
        every, clips = _over_all(scores)
        table.add_row("all instances", "", *_percent(every))
        table.add_row("all clips", str(frames), *_percent(clips), total, *times)
    print_table(table)
    print_table(_rankings(scores))


def _rankings(scores: Sequence[ClipScores]) -> Table:
    table = Table(title="Confidence: does it find the masks with J < 0.5?")
    for name in ("", "masks", "wrong", "found in the lowest 20 %", "most possible", "AUC", "average precision"):
        table.add_column(name, justify="right" if name else "left")
    for name, found in _ranked(scores).items():
        values = (found.wrong, found.found, found.possible)
        areas = ["–" if math.isnan(v) else f"{v:.3f}" for v in (found.auc, found.average_precision)]
        table.add_row(name, str(found.count), *("–" if math.isnan(v) else f"{v:.0%}" for v in values), *areas)
    return table


def _ranked(scores: Sequence[ClipScores]) -> dict[str, Ranking]:
    """Of each clip in which anything was measured, and of all together."""
    ranked = {}
    for name, of in [*((clip.name, [clip]) for clip in scores), ("all", scores)]:
        instances = [instance for clip in of for instance in clip.instances if instance.frames]
        if instances:
            trusted = np.concatenate([instance.confidences for instance in instances])
            ranked[name] = rank(trusted.tolist(), np.concatenate([i.regions for i in instances]).tolist())
    return ranked


def as_json(scores: Sequence[ClipScores]) -> dict[str, object]:
    """What :func:`show` prints as fractions (null where nothing was measured), with J and F of every frame."""
    instances, clips = _over_all(scores)
    return {
        "clips": {
            clip.name: {
                **_finite(clip.values()),
                "switches": clip.switches,
                "s_per_frame": clip.wall_s / clip.frames,
                "cpu_s_per_frame": clip.cpu_s / clip.frames,
                "instances": {
                    str(instance.id): {
                        **_finite(instance.values()),
                        "frames": list(instance.frames),
                        "j_by_frame": instance.regions.tolist(),
                        "f_by_frame": instance.contours.tolist(),
                        "confidence_by_frame": instance.confidences.tolist(),
                    }
                    for instance in clip.instances
                },
            }
            for clip in scores
        },
        "all_instances": _finite(instances),
        "all_clips": _finite(clips),
        "confidence": {name: _finite(asdict(found)) for name, found in _ranked(scores).items()},
    }


def _every(given: str) -> int | None:
    if given == "first":
        return None
    match = re.fullmatch(r"every:([1-9]\d*)", given)
    if not match:
        raise typer.BadParameter(f"--given takes first or every:K, for example every:15; {given} is something else.")
    return int(match[1])


def _shown(truth: MaskFolder, frame: int) -> tuple[int, ...]:
    values = set(np.unique(truth.picture(frame)).tolist())
    return tuple(i for i in truth.ids if i in values)


def _given(
    shown: dict[int, tuple[int, ...]], ids: tuple[int, ...], every: int | None, whole: bool
) -> dict[int, tuple[int, ...]]:
    """Frame → the instances whose true masks the tracker gets there; on their first frames all get one."""
    given: dict[int, set[int]] = {}
    for instance in ids:
        given.setdefault(next(t for t in shown if instance in shown[t]), set()).add(instance)
    if every is not None:
        for t in shown:
            if t % every == 0:
                given.setdefault(t, set()).update(ids if whole else shown[t])
    return {t: tuple(sorted(given[t])) for t in sorted(given)}


def _over_all(scores: Sequence[ClipScores]) -> tuple[dict[str, float], dict[str, float]]:
    instances = chain.from_iterable(clip.instances for clip in scores)
    return _means([instance.values() for instance in instances]), _means([clip.values() for clip in scores])


def _means(values: Sequence[dict[str, float]]) -> dict[str, float]:
    measured = [row for row in values if not math.isnan(row["j"])]
    return {name: fmean(row[name] for row in measured) if measured else math.nan for name in values[0]}


def _percent(values: dict[str, float]) -> list[str]:
    return ["–" if math.isnan(value) else f"{100 * value:.1f}" for value in values.values()]


def _finite(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}
