"""``matteo evaluate``: mattes on disk against ground truth, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from matting.cli.progress import progress, say, warn
from matting.cli.tables import print_table
from matting.evaluation import scores
from matting.evaluation.scores import NAMES, PAIRWISE, VIMQ, Report, Values
from matting.evaluation.tally import Definition
from matting.files import write_bytes

_MOST_NAMED = 5


def evaluate(
    pred: Annotated[Path, typer.Argument(metavar="PRED", help="Mattes: [CLIP/]INSTANCE/FRAME.png.")],
    truth: Annotated[
        Path, typer.Argument(metavar="GT", help="Ground truth: the same, or CLIP/pha/INSTANCE/FRAME.png.")
    ],
    metrics: Annotated[
        str | None, typer.Option(help="Some of them, separated by commas, for example vimq,mad; all if not given.")
    ] = None,
    definition: Annotated[
        Definition, typer.Option(help="As the authors' code computes them, or as they are usually meant.")
    ] = Definition.PUBLISHED,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers as JSON.")
    ] = None,
) -> None:
    """Measure mattes by ground truth: errors (0 is best), and VIMQ with its factors in percent (100 is best)."""
    wanted = _chosen(metrics)
    with progress() as ctx:
        report = scores.evaluate(pred, truth, definition, wanted, ctx)
    _tell_unpaired(report)
    show(report)
    if json_file is not None:
        write_bytes(json_file, json.dumps(as_json(report), indent=1).encode())
        say(str(json_file))


def as_json(report: Report) -> dict[str, object]:
    """The report as it is written: ``all``, ``clips`` and ``instances`` hold values by name, VIMQ's as fractions."""
    return {
        "definition": report.definition.value,
        "all": report.all(),
        "clips": report.by_clip(),
        "instances": report.by_instance(),
        "missing": list(report.missing),
        "ignored": list(report.ignored),
    }


def show(report: Report) -> None:
    """Print one table for the pairwise metrics, clip by clip and instance by instance, and one for VIMQ."""
    clips, instances, everything = report.by_clip(), report.by_instance(), report.all()
    errors = _Sheet(f"Errors, {report.definition.value}", [name for name in report.wanted if name in PAIRWISE], _error)
    quality = _Sheet(
        f"VIMQ in percent, {report.definition.value}", [name for name in report.wanted if name in VIMQ], _percent
    )
    for clip, values in clips.items():
        for instance, own in instances[clip].items():
            errors.add(f"{clip}/{instance}", own)
        errors.add(clip, values, last=True)
        quality.add(clip, values, last=clip == list(clips)[-1])
    for sheet in (errors, quality):
        sheet.add("all", everything)
        sheet.print()


class _Sheet:
    """One table with a column for each metric."""

    def __init__(self, title: str, names: list[str], text: Callable[[float], str]) -> None:
        self._names, self._text = names, text
        self._table = Table(title=title)
        self._table.add_column("", overflow="fold")
        for name in names:
            self._table.add_column(name, justify="right", no_wrap=True)

    def add(self, label: str, values: Values, last: bool = False) -> None:
        self._table.add_row(label, *(self._text(values[name]) for name in self._names), end_section=last)

    def print(self) -> None:
        if self._names:
            print_table(self._table)


def _error(value: float) -> str:
    return f"{value:.1f}" if value >= 1000 else f"{value:.4g}"


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f}"


def _chosen(text: str | None) -> list[str]:
    """The names of the values wanted; wrong usage for one that does not exist."""
    if text is None:
        return list(NAMES)
    given = [name.strip().lower() for name in text.split(",") if name.strip()]
    unknown = [name for name in given if name not in (*NAMES, "vimq")]
    if unknown or not given:
        known = ", ".join(("vimq", *NAMES))
        raise typer.BadParameter(f"There is no metric {', '.join(unknown) or text!r}; there are {known}.")
    return [name for name in NAMES if name in given or ("vimq" in given and name in VIMQ)]


def _tell_unpaired(report: Report) -> None:
    for names, what in ((report.missing, "missing and count as zeros"), (report.ignored, "ignored by all but VIMQ")):
        if names:
            some = ", ".join(names[:_MOST_NAMED]) + (" …" if len(names) > _MOST_NAMED else "")
            warn(f"{len(names)} predictions are {what}: {some}")
