"""``matteo benchmark click``: how long an artist waits for the first mask on a frame and for each after that."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import numpy as np
import typer
from rich.table import Table

from matting.cli.editor import output
from matting.cli.progress import progress
from matting.cli.tables import print_table
from matting.errors import MediaError
from matting.files import write_bytes
from matting.frames import to_8_bit
from matting.media import Clip, open_clip
from matting.pipeline.seeders import SEEDERS, choose_seeder, open_seeder
from matting.project.document import Methods
from matting.project.project import Project
from matting.seeding.embeddings import Embeddings
from matting.seeding.seeder import FramePrompt, seed_frame
from resources import SAMPLE

_T = TypeVar("_T")


@dataclass(frozen=True)
class Waits:
    """What was measured; ``_s`` by the clock, ``_cpu_s`` in processor time, which other programs do not lengthen.

    Attributes:
        load_s: opening the seeder: reading a network and its weights.
        decode_s: getting the frame.
        first_s: the first click, for which a network looks at the frame.
        next_s: the later ones, the middle of them.
        worst_s: the slowest of those.
        window_s: the later ones in the editor's window, from the press of the button until the mask is painted, the
            middle of them; None if not asked for.
        window_worst_s: the slowest of those.
    """

    seeder: str
    device: str
    width: int
    height: int
    clicks: int
    load_s: float
    decode_s: float
    first_s: float
    first_cpu_s: float
    next_s: float
    next_cpu_s: float
    worst_s: float
    window_s: float | None
    window_worst_s: float | None


def click(
    clip: Annotated[Path, typer.Argument(metavar="[CLIP]", help="The built-in sample if not given.")] = SAMPLE
    / "clip.mp4",
    frame: Annotated[int, typer.Option(min=0, help="Which frame is clicked on.")] = 0,
    clicks: Annotated[int, typer.Option(min=2, max=50, help="How many points one person is given.")] = 10,
    seeder: Annotated[str, typer.Option(help="|".join(SEEDERS))] = "auto",
    device: Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")] = "auto",
    window: Annotated[
        bool, typer.Option("--window", help="Also in the editor's window, until the mask is painted.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers.")] = None,
) -> None:
    """Seconds from a click to its mask: the first on a frame, and those after it. Budget of the latter: 0.1 s."""
    name, weights = choose_seeder(seeder, device)
    methods = Methods(seeder=name, seeder_weights=weights)
    with open_clip(clip) as footage, tempfile.TemporaryDirectory(prefix="matteo-click-") as folder, progress() as ctx:
        if frame >= len(footage):
            raise MediaError(f"There is no frame {frame} in {clip}, which has the frames 0-{len(footage) - 1}.")
        ctx.report(0, f"Opening {name}")
        # A folder of its own, or the frame might have been looked at before.
        opened, load_s, _ = _timed(lambda: open_seeder(methods, device, Embeddings(Path(folder))))
        picture, decode_s, _ = _timed(lambda: to_8_bit(footage.frame(frame)))
        height, width = picture.shape[:2]
        points = _points(width, height, clicks)
        waits = []
        for count in range(1, clicks + 1):
            ctx.report((count - 1) / clicks, f"Click {count}")
            prompts = {1: FramePrompt(include=points[:count])}
            waits.append(_timed(lambda given=prompts: seed_frame(opened, picture, given))[1:])  # type: ignore[misc]
        ctx.report(1, "Clicking in the window")
        painted = _in_window(Path(folder) / "click.matteo", footage, methods, frame, points, device) if window else []
    first, later = waits[0], waits[1:]
    measured = Waits(
        name, device, width, height, clicks, load_s, decode_s, *first,
        statistics.median(wall for wall, _ in later), statistics.median(cpu for _, cpu in later),
        max(wall for wall, _ in later), statistics.median(painted) if painted else None, max(painted, default=None),
    )  # fmt: skip
    print_table(_table(measured))
    if json_file is not None:
        write_bytes(json_file, json.dumps(asdict(measured), indent=1).encode())


def _in_window(
    folder: Path, clip: Clip, methods: Methods, frame: int, points: tuple[tuple[float, float], ...], device: str
) -> list[float]:
    """Seconds of the later clicks in the editor, on a project that is made for it."""
    project = Project.create(folder, clip.info)
    # Nothing but the clicks is to work: cuts are known, so nobody looks for them.
    project.document = project.document.model_copy(update={"methods": methods, "cuts": ()})
    project.save()
    printed = output("-m", "app.click_times", str(folder.absolute()), str(frame), json.dumps(points), device)
    seconds: list[float] = json.loads(printed.splitlines()[-1])
    return seconds[1:]


def _points(width: int, height: int, count: int) -> tuple[tuple[float, float], ...]:
    """Places round the middle of the picture, always the same."""
    spread = np.random.default_rng(0).normal(0.5, 0.1, (count, 2)).clip(0.1, 0.9)
    return tuple((float(x * width), float(y * height)) for x, y in spread)


def _timed(work: Callable[[], _T]) -> tuple[_T, float, float]:
    """What comes out, and the seconds that it took by the clock and in processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    made = work()
    return made, time.perf_counter() - wall, time.process_time() - cpu


def _table(waits: Waits) -> Table:
    table = Table(title=f"{waits.seeder} on {waits.width}×{waits.height}, {waits.clicks} clicks on one frame")
    for name in ("what", "s", "processor s"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for what, wall, cpu in (
        ("opening the seeder", waits.load_s, None),
        ("reading the frame", waits.decode_s, None),
        ("first click", waits.first_s, waits.first_cpu_s),
        ("a later click (middle)", waits.next_s, waits.next_cpu_s),
        ("a later click (slowest)", waits.worst_s, None),
        ("a later click in the window, painted (middle)", waits.window_s, None),
        ("a later click in the window, painted (slowest)", waits.window_worst_s, None),
    ):
        if wall is not None:
            table.add_row(what, f"{wall:.3f}", "" if cpu is None else f"{cpu:.3f}")
    return table
