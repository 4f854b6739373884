"""``matteo benchmark endurance``: whether the networks' memory grows with the number of windows they have seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from matting.cli.progress import progress
from matting.cli.speed import KINDS, apart, chosen
from matting.cli.tables import print_table
from matting.files import write_bytes
from matting.job import JobContext


def endurance(
    network: Annotated[str, typer.Option(metavar="KIND,…", help="Of " + ", ".join(KINDS) + ".")] = ",".join(KINDS),
    windows: Annotated[int, typer.Option(min=10, help="How many each network sees.")] = 1000,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers.")] = None,
) -> None:
    """Memory of each network's process over many windows of tiny pictures, read ten times.

    The ratio is that of the last reading to the first, which comes after a tenth of the windows; allocators keep what
    they once had, so some rise between the first readings is no leak, a steady one is.
    """
    rows = []
    kinds = chosen("--network", network, KINDS)
    with progress() as ctx:
        for place, kind in enumerate(kinds):
            ctx.report(place / len(kinds), f"{windows} windows of {kind}")
            rows.append((kind, apart(_readings, kind, windows)))
    table = Table(title=f"Memory over {windows} windows, in MiB")
    table.add_column("network")
    for done, _ in rows[0][1]:
        table.add_column(str(done), justify="right")
    table.add_column("last / first", justify="right")
    for kind, readings in rows:
        held = [mib for _, mib in readings]
        table.add_row(kind, *(f"{mib:.1f}" for mib in held), f"{held[-1] / held[0]:.3f}")
    print_table(table)
    if json_file is not None:
        content = [{"network": kind, "mib": dict(readings)} for kind, readings in rows]
        write_bytes(json_file, json.dumps(content, indent=1).encode())


def _readings(kind: str, windows: int, ctx: JobContext) -> list[tuple[int, float]]:
    from matting.inference.endurance import memory_over_windows

    return memory_over_windows(kind, windows)
