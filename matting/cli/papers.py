"""``matteo benchmark papers``: a learned matter on the papers' data sets, beside what the papers report."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray
from rich.table import Table

from matting.arrays import FloatArray
from matting.cli.progress import progress, say
from matting.cli.tables import print_table
from matting.errors import MediaError
from matting.evaluation import datasets
from matting.evaluation.datasets import Sample
from matting.evaluation.folders import read_alpha
from matting.evaluation.metrics import Definition, PairSums, Quality, Tally, mean_quality
from matting.evaluation.opacity import as_float, full
from matting.evaluation.published import COLUMNS, ROWS, Row
from matting.evaluation.scores import sum_tallies
from matting.evaluation.streaming import ClipTallies
from matting.files import write_bytes
from matting.frames import to_8_bit
from matting.inference.matter import Guided, Matter
from matting.job import JobContext

# MaGGIe is evaluated on pictures of this short side; MSG-VIM's code runs on the pictures as they are.
_SHORT_SIDES = {"vim50": None, "him2k": 576, "vhim60": 576}


def papers(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The folder that holds the data set.")],
    weights: Annotated[Path, typer.Option(metavar="FILE", help="Weights of MSG-VIM or MaGGIe.")],
    vim50: Annotated[bool, typer.Option("--vim50", help="ROOT/IMAGES/CLIP/com, …/pha; masks in ROOT/TG/CLIP.")] = False,
    him2k: Annotated[
        bool, typer.Option("--him2k", help="ROOT/images/comp, ROOT/alphas/comp, ROOT/masks_matched_*/comp, natural.")
    ] = False,
    vhim60: Annotated[bool, typer.Option("--vhim60", help="ROOT/comp_easy/fgr, …/pha, …/xmem; medium, hard.")] = False,
    device: Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")] = "auto",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers as JSON.")
    ] = None,
) -> None:
    """Matte a public data set and print the paper's rows beside ours, by the authors' definitions of the metrics."""
    from matting.inference.loading import load

    chosen = [name for name, given in (("vim50", vim50), ("him2k", him2k), ("vhim60", vhim60)) if given]
    if len(chosen) != 1:
        raise typer.BadParameter("Give exactly one of --vim50, --him2k, --vhim60.")

    dataset = chosen[0]
    found = datasets.samples(dataset, root)
    matter = load(weights, device, _SHORT_SIDES[dataset], tell=say)
    with progress() as ctx:
        ours = run(matter, dataset, found, ctx)
    show(dataset, ours)
    if json_file is not None:
        write_bytes(json_file, json.dumps(as_json(dataset, ours), indent=1).encode())
        say(str(json_file))


def run(matter: Matter, dataset: str, samples: Sequence[Sample], ctx: JobContext) -> list[Row]:
    """Matte and measure all samples.

    Returns:
        For each group of the data set our rows: one for each mask maker and, where there are several, one of means and
        standard deviations over them.
    """
    vimq = dataset == "vim50"
    results: dict[tuple[str, str], list[Quality | dict[str, Tally]]] = {}
    total, done, skipped = sum(len(sample.frames) for sample in samples), 0, 0
    for sample in samples:
        ctx.report(done / total, f"Matting {sample.group} {sample.source} {sample.name}")
        done += len(sample.frames)
        result = _quality(matter, sample) if vimq else _tallies(matter, sample, COLUMNS[dataset])
        if result is None:
            skipped += 1
        else:
            results.setdefault((sample.group, sample.source), []).append(result)
    if skipped:
        ctx.notice(f"{skipped} samples have nothing in their masks and are left out, as the authors' code does.")
    rows = []
    for group in dict.fromkeys(group for group, _ in results):
        own = [
            Row(group, f"{matter.name}, {source}", _values(found, COLUMNS[dataset]))
            for (of, source), found in results.items()
            if of == group
        ]
        rows += own
        if len(own) > 1 and not vimq:
            rows.append(_over_sources(group, matter.name, own))
    return rows


def show(dataset: str, ours: Sequence[Row]) -> None:
    """Print the paper's rows and ours, group by group."""
    table = Table(title=f"{dataset}: the paper and ours")
    for heading in ("", "method"):
        table.add_column(heading, overflow="fold")
    for name in COLUMNS[dataset]:
        table.add_column(name, justify="right", no_wrap=True)
    for group, whose, row in _beside(dataset, ours):
        cells = [
            f"{value:.2f}" + (f" ({row.deviations[name]:.1f})" if name in row.deviations else "")
            for name, value in row.values.items()
        ]
        table.add_row(f"{group}, {whose}", row.method, *cells)
    print_table(table)


def as_json(dataset: str, ours: Sequence[Row]) -> list[dict[str, object]]:
    """What :func:`show` prints."""
    return [{"dataset": dataset, "whose": whose, **asdict(row)} for _, whose, row in _beside(dataset, ours)]


def _beside(dataset: str, ours: Sequence[Row]) -> Iterator[tuple[str, str, Row]]:

    for group in dict.fromkeys(row.group for row in ours):
        for whose, rows in (("paper", ROWS[dataset]), ("ours", ours)):
            yield from ((group, whose, row) for row in rows if row.group == group)


def _guided(sample: Sample) -> Iterator[Guided]:
    from matting.pipeline.picture import read_image

    for picture, files in zip(sample.frames, sample.masks, strict=True):
        frame = to_8_bit(read_image(picture))
        masks = np.zeros((len(files), *frame.shape[:2]), np.bool_)
        for mask, file in zip(masks, files, strict=True):
            given = read_alpha(file)
            if given.shape != mask.shape:
                raise MediaError(f"{file} is not of the size of its picture {picture}.")
            mask[:] = given > full(given) / 2
        yield Guided(frame, masks)


def _truth(files: Sequence[Path], size_hw: tuple[int, int]) -> FloatArray:
    """The ground truth of a frame, ``[N, H, W]``."""
    truths = [read_alpha(file) for file in files]
    for truth, file in zip(truths, files, strict=True):
        if truth.shape != size_hw:
            raise MediaError(f"{file} is not of the size of its picture.")
    return np.stack([as_float(truth) for truth in truths])


def _matted(matter: Matter, sample: Sample) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Prediction and truth of each frame, ``[M, H, W]`` and ``[N, H, W]``."""
    alphas: Iterable[FloatArray]
    if any(sample.masks):
        alphas = (matted.alphas for matted in matter.stream(_guided(sample)))
    else:
        alphas = (np.zeros(guided.masks.shape, np.float32) for guided in _guided(sample))
    for alpha, files in zip(alphas, sample.truth, strict=True):
        yield alpha, _truth(files, (alpha.shape[1], alpha.shape[2]))


def _quality(matter: Matter, sample: Sample) -> Quality:

    pairs = PairSums()
    for alpha, truth in _matted(matter, sample):
        stored: NDArray[np.uint8] = (alpha * np.float32(255)).astype(np.uint8)  # as the authors save and measure it
        pairs.add(as_float(stored), truth)
    return pairs.quality()


def _tallies(matter: Matter, sample: Sample, wanted: Sequence[str]) -> dict[str, Tally] | None:
    """None where no mask has a pixel, which the authors' evaluation skips."""
    if not any(guided.masks.any() for guided in _guided(sample)):
        return None
    tallies = ClipTallies(len(sample.frames), len(sample.truth[0]), Definition.PUBLISHED, wanted)
    for alpha, truth in _matted(matter, sample):
        snapped = np.where(alpha <= np.float32(1 / 255), np.float32(0), alpha)
        snapped[alpha >= np.float32(254 / 255)] = 1
        tallies.add(snapped, truth)
    return {name: tally.total() for name, tally in tallies.tallies.items()}


def _values(results: Sequence[Quality | dict[str, Tally]], columns: Sequence[str]) -> dict[str, float]:

    qualities = [result for result in results if isinstance(result, Quality)]
    if qualities:
        fractions = mean_quality(qualities).values()
        return {name: 100 * fractions[name] for name in columns}
    tallies = [result for result in results if not isinstance(result, Quality)]
    return {name: sum_tallies(tally[name] for tally in tallies).average() for name in columns}


def _over_sources(group: str, name: str, rows: Sequence[Row]) -> Row:

    table = {column: [row.values[column] for row in rows] for column in rows[0].values}
    means = {column: float(np.mean(values)) for column, values in table.items()}
    deviations = {column: float(np.std(values)) for column, values in table.items()}
    return Row(group, f"{name}, mean of {len(rows)} (deviation)", means, deviations)
