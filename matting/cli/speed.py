"""``matteo benchmark networks``: how fast each network is here, by number of people and picture size."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from matting.cli.progress import progress
from matting.cli.tables import print_table
from matting.files import write_bytes
from matting.inference.loading import PRECISIONS
from matting.job import JobContext
from matting.worker import Worker

if TYPE_CHECKING:  # PyTorch is for the worker to load
    from matting.inference.measuring import Speed

KINDS = ("msg-vim", "maggie-image", "maggie-video")
SIZES = {"288": (288, 512), "576": (576, 1024)}
"""Height and width by short side."""


@dataclass(frozen=True)
class Case:
    """One line of the table: what is measured."""

    network: str
    device: str
    size: str
    instances: int
    precision: str


def networks(
    network: Annotated[str, typer.Option(metavar="KIND,…", help="Of " + ", ".join(KINDS) + ".")] = ",".join(KINDS),
    size: Annotated[str, typer.Option(metavar="PX,…", help="Short sides, of " + ", ".join(SIZES) + ".")] = ",".join(
        SIZES
    ),
    instances: Annotated[str, typer.Option(metavar="N,…", help="How many people, 1 to 10.")] = "1,2,3,5,10",
    repeats: Annotated[int, typer.Option(min=1, help="Runs to take the best of, after one to warm up.")] = 2,
    precision: Annotated[str, typer.Option(metavar="P,…", help="Of " + ", ".join(PRECISIONS) + ".")] = "fp32",
    threads: Annotated[int, typer.Option(min=0, help="On the CPU; 0 for one a core.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers.")] = None,
) -> None:
    """Frames per second and peak memory of each network, on each device of this machine.

    The weights are random, which changes nothing for MSG-VIM; MaGGIe is given coarse mattes that leave about 6 % of the
    picture per person to refine. Every case runs in a process of its own. In bf16 and fp16 the mattes are compared with
    those in fp32.
    """
    cases = [
        Case(kind, device, short_side, int(count), number)
        for device in apart(_devices)
        for kind in chosen("--network", network, KINDS)
        for short_side in chosen("--size", size, tuple(SIZES))
        for count in chosen("--instances", instances, tuple(map(str, range(1, 11))))
        for number in chosen("--precision", precision, PRECISIONS)
    ]
    rows = []
    with progress() as ctx:
        for place, case in enumerate(cases):
            ctx.report(place / len(cases), f"{case.network}, {case.instances} at {case.size} on {case.device}")
            rows.append((case, apart(_measured, case, repeats, threads)))
    print_table(_table(rows))
    if json_file is not None:
        write_bytes(json_file, json.dumps([asdict(case) | asdict(speed) for case, speed in rows], indent=1).encode())


def chosen(option: str, text: str, known: tuple[str, ...]) -> list[str]:
    """The names of a comma-separated option; wrong usage where one is not known."""
    names = text.split(",")
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"{option} takes {', '.join(known)}; {name} is something else.")
    return names


def apart(function: Any, *arguments: object) -> Any:
    """Call a function in a process that does nothing else, before or after."""
    worker = Worker()
    try:
        return worker.run(function, *arguments, ctx=JobContext())
    finally:
        worker.close()


def _devices(ctx: JobContext) -> list[str]:
    import torch

    return ["cpu", *(f"cuda:{k}" for k in range(torch.cuda.device_count() if torch.cuda.is_available() else 0))]


def _measured(case: Case, repeats: int, threads: int, ctx: JobContext) -> Speed:
    from matting.inference.measuring import measure

    return measure(case.network, case.device, SIZES[case.size], case.instances, repeats, threads, case.precision)


def _table(rows: list[tuple[Case, Speed]]) -> Table:
    table = Table(title="Networks: one output frame with all its instances")
    halves = any(case.precision != "fp32" for case, _ in rows)  # else the table stays narrow enough for a terminal
    for name in ("network", "device", "short side", "people", "refined each",
                 *(("precision", "error max", "mean") if halves else ()),
                 "s", "× 1 person", "frames/s", "instance-frames/s", "peak MiB"):  # fmt: skip
        table.add_column(name, justify="left" if name in ("network", "device") else "right")
    alone = {(c.network, c.device, c.size, c.precision): speed.seconds for c, speed in rows if c.instances == 1}
    for case, speed in rows:
        one = alone.get((case.network, case.device, case.size, case.precision))
        table.add_row(
            case.network, case.device, case.size, str(case.instances),
            "all" if speed.refined is None else f"{speed.refined:.1%}", *(_errors(case, speed) if halves else ()),
            f"{speed.seconds:.3f}", "" if one is None else f"{speed.seconds / one:.2f}",
            f"{1 / speed.seconds:.2f}", f"{case.instances / speed.seconds:.2f}", f"{speed.peak_mib:.0f}",
        )  # fmt: skip
    return table


def _errors(case: Case, speed: Speed) -> tuple[str, str, str]:
    if speed.error_max is None:
        return case.precision, "", ""
    return case.precision, f"{speed.error_max:.4f}", f"{speed.error_mean:.5f}"
