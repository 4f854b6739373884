"""``matteo benchmark endurance``: whether the networks' memory grows with the number of windows they have seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from matting.cli.progress import progress
from matting.cli.speed import KINDS, apart, chosen
from matting.cli.tables import print_table
from matting.files import write_bytes
from matting.job import JobContext

if TYPE_CHECKING:  # PyTorch is for the worker to load
    from matting.inference.endurance import Reading


def endurance(
    network: Annotated[str, typer.Option(metavar="KIND,…", help="Of " + ", ".join(KINDS) + ".")] = ",".join(KINDS),
    windows: Annotated[int, typer.Option(min=10, help="How many each network sees.")] = 1000,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers.")] = None,
) -> None:
    """Memory of each network's process over many windows of tiny pictures, read ten times.

    Held is what remains after the C library was told, at each reading, to give back what it keeps for later (glibc
    only); resident is what was there before that. The ratio is that of the last reading to the first, which comes after
    a tenth of the windows. A leak is where what is held rises steadily.
    """
    rows = []
    kinds = chosen("--network", network, KINDS)
    with progress() as ctx:
        for place, kind in enumerate(kinds):
            ctx.report(place / len(kinds), f"{windows} windows of {kind}")
            rows.append((kind, apart(_readings, kind, windows)))
    table = Table(title=f"Memory over {windows} windows, in MiB")
    table.add_column("network")
    table.add_column("")
    for reading in rows[0][1]:
        table.add_column(str(reading.windows), justify="right")
    table.add_column("last / first", justify="right")
    for kind, readings in rows:
        _add_row(table, kind, "held", [reading.held_mib for reading in readings])
        _add_row(table, "", "resident", [reading.resident_mib for reading in readings])
    print_table(table)
    if json_file is not None:
        content = [{"network": kind, "readings": [reading._asdict() for reading in found]} for kind, found in rows]
        write_bytes(json_file, json.dumps(content, indent=1).encode())


def _add_row(table: Table, kind: str, what: str, mib: list[float]) -> None:
    table.add_row(kind, what, *(f"{value:.1f}" for value in mib), f"{mib[-1] / mib[0]:.3f}")


def _readings(kind: str, windows: int, ctx: JobContext) -> list[Reading]:
    from matting.inference.endurance import memory_over_windows

    return memory_over_windows(kind, windows)
