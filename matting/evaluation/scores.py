"""Folders of mattes against folders of ground truth: every metric, for each clip, each instance and all together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matting.errors import MediaError
from matting.evaluation.folders import ClipFiles, find_pairs, read_alpha
from matting.evaluation.metrics import WEIGHTS, Definition, PairSums, Quality, Tally, mean_quality
from matting.evaluation.opacity import Opacity, as_float, stack
from matting.evaluation.streaming import MOVING, STILL, ClipTallies
from matting.job import JobContext

PAIRWISE = ("mad", "mse", "sad", "grad", "conn", "dtssd", "messddt", "mad_f", "mad_u")
VIMQ = ("rq", "tq", *(f"mq_{error}" for error in WEIGHTS), *(f"vimq_{error}" for error in WEIGHTS))
NAMES = (*PAIRWISE, *VIMQ)
"""Every value of a report, in this order."""
Values = dict[str, float]


@dataclass(frozen=True)
class ClipScores:
    """What was found in one clip."""

    name: str
    instances: tuple[str, ...]
    tallies: Mapping[str, Tally]
    quality: Quality | None = None
    """None where VIMQ was not wanted."""


@dataclass(frozen=True)
class Report:
    """What was found in all clips; values are in the metrics' units, those of VIMQ fractions in [0, 1]."""

    definition: Definition
    wanted: tuple[str, ...]
    clips: tuple[ClipScores, ...]
    missing: tuple[str, ...] = ()
    """Predictions that were not there and count as zeros."""
    ignored: tuple[str, ...] = ()
    """Predictions that nothing in the ground truth is named like."""

    def all(self) -> Values:
        """Over the whole set: metrics by the sum of their tallies, VIMQ by the means of its factors."""
        totals = [{name: tally.total() for name, tally in clip.tallies.items()} for clip in self.clips]
        summed = {name: sum_tallies(clip[name] for clip in totals) for name in totals[0]}
        qualities = [clip.quality for clip in self.clips if clip.quality is not None]
        return self._values(summed, mean_quality(qualities) if qualities else None)

    def by_clip(self) -> dict[str, Values]:
        """The same for each clip by itself."""
        return {clip.name: self._values(clip.tallies, clip.quality) for clip in self.clips}

    def by_instance(self) -> dict[str, dict[str, Values]]:
        """What can be said of each instance of each clip."""
        return {
            clip.name: {
                instance: self._values({name: _of(tally, n) for name, tally in clip.tallies.items()}, None)
                for n, instance in enumerate(clip.instances)
            }
            for clip in self.clips
        }

    def _values(self, tallies: Mapping[str, Tally], quality: Quality | None) -> Values:
        values = {name: tally.average(self.definition) for name, tally in tallies.items()}
        if quality is not None:
            values |= quality.values()
        return {name: values[name] for name in self.wanted if name in values}


def sum_tallies(tallies: Iterable[Tally]) -> Tally:
    """The sum of tallies of the same instances, at least one."""
    first, *rest = tallies
    for tally in rest:
        first += tally
    return first


def evaluate(
    pred: Path,
    truth: Path,
    definition: Definition = Definition.PUBLISHED,
    wanted: Sequence[str] = NAMES,
    ctx: JobContext | None = None,
) -> Report:
    """Measure the mattes below ``pred`` by those below ``truth``; memory does not grow with the clips' length.

    VIMQ finds out which instances belong together; the other metrics go by their names. A prediction that is missing,
    a whole clip, an instance or a frame, counts as zeros.

    Args:
        pred: ``[<clip>/]<instance>/<frame>.png``, 8 or 16 bits.
        truth: the same, or ``<clip>/pha/<instance>/<frame>``.
        definition: which definition of the metrics.
        wanted: some of NAMES.
        ctx: told about progress.

    Raises:
        MediaError: folders or pictures that are missing, unreadable, or do not belong together.
    """
    clips, extra = find_pairs(pred, truth)
    ctx = ctx or JobContext()
    total = sum(len(clip.frames) for clip in clips)
    done = 0
    scores = []
    for clip in clips:
        with ctx.stage(done / total, (done := done + len(clip.frames)) / total):
            scores.append(_measure(clip, definition, wanted, ctx))
    ignored = [f"{clip.name}/{name}" for clip in clips for name in clip.pred if name not in clip.truth]
    return Report(
        definition=definition,
        wanted=tuple(name for name in NAMES if name in wanted),
        clips=tuple(scores),
        missing=tuple(name for clip in clips for name in _missing(clip)),
        ignored=(*extra, *ignored),
    )


def _measure(clip: ClipFiles, definition: Definition, wanted: Collection[str], ctx: JobContext) -> ClipScores:
    pairs = PairSums(definition) if not set(VIMQ).isdisjoint(wanted) else None
    still_or_moving = [name for name in wanted if name in (*STILL, *MOVING)]
    tallies = ClipTallies(len(clip.frames), len(clip.truth), definition, still_or_moving)
    read = list(clip.pred) if pairs is not None else [name for name in clip.pred if name in clip.truth]
    size: tuple[int, ...] | None = None
    for t, frame in enumerate(clip.frames):
        ctx.report(t / len(clip.frames), f"Measuring {clip.name} {frame}")
        truths = {name: _read(files[t], size) for name, files in clip.truth.items()}
        size = size or next(iter(truths.values())).shape
        truth = stack(list(truths.values()))
        preds = {name: _read(clip.pred[name][t], size) for name in read}
        nothing = np.zeros(size, np.uint8)
        tallies.add(stack([preds.get(name, nothing) for name in clip.truth]), truth)
        if pairs is not None:
            pairs.add(as_float(stack([*preds.values(), nothing]))[:-1], as_float(truth))
    return ClipScores(clip.name, tuple(clip.truth), tallies.tallies, None if pairs is None else pairs.quality())


def _read(file: Path | None, size: tuple[int, ...] | None) -> Opacity:
    """A matte of the wanted size; zeros for none."""
    if file is None:
        return np.zeros(size or (), np.uint8)
    alpha = read_alpha(file)
    if size is not None and alpha.shape != size:
        raise MediaError(
            f"{file} is {alpha.shape[1]}×{alpha.shape[0]} where the ground truth begins with {size[1]}×{size[0]}; "
            "only pictures of one size can be compared."
        )
    return alpha


def _of(tally: Tally, n: int) -> Tally:
    return Tally(tally.score[n : n + 1], tally.count[n : n + 1])


def _missing(clip: ClipFiles) -> list[str]:
    if not clip.pred:
        return [clip.name]
    missing = []
    for name in clip.truth:
        absent = clip.pred.get(name, (None,) * len(clip.frames)).count(None)
        if absent == len(clip.frames):
            missing.append(f"{clip.name}/{name}")
        elif absent:
            missing.append(f"{clip.name}/{name} ({absent} frames)")
    return missing
