"""``matteo benchmark``: the budgets of the design, measured as ratios in one run."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import psutil
import typer
from rich.console import Console
from rich.table import Table

from matting.cli.clicking import click
from matting.cli.editor import entry, output
from matting.cli.endurance import endurance
from matting.cli.matters import matting
from matting.cli.papers import papers
from matting.cli.seeding import seeding
from matting.cli.speed import networks
from matting.cli.tracking import tracking
from matting.errors import MatteoError
from matting.files import write_bytes
from matting.media import ClipInfo, open_clip
from matting.media.presets import Preset
from matting.media.writer import open_writer
from resources import SAMPLE

benchmark = typer.Typer(help="Measure memory, start-up and quality on this machine.", no_args_is_help=True)
JsonOption = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers as JSON.")]
MIB = 1 << 20
POLL_S = 0.05
benchmark.command()(matting)
benchmark.command()(papers)
benchmark.command()(networks)
benchmark.command()(endurance)
benchmark.command()(tracking)
benchmark.command()(seeding)
benchmark.command()(click)
# Runs in a process of its own: the engine itself knows no Qt.
_UNTIL_PAINTED = """
import sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

class Painted(QObject):
    def eventFilter(self, watched, event):
        if event.type() is QEvent.Type.Paint and watched.objectName() == "mainWindow":
            print(time.time(), flush=True)
            QTimer.singleShot(0, watched.close)
        return False

application = QApplication([])
painted = Painted()
application.installEventFilter(painted)
from main import main
sys.exit(main([]))
"""


@benchmark.command()
def memory(
    times: Annotated[int, typer.Option(min=2, help="How many times longer the second clip is.")] = 10,
    frames: Annotated[int, typer.Option(min=8, max=125, help="Frames of the first clip, from the sample.")] = 125,
    json_file: JsonOption = None,
) -> None:
    """Peak memory of cut and export on the sample and on the sample looped; their ratio should be at most 1.1."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="matteo-benchmark-") as folder:
        peaks = {}
        for loops in (1, times):
            base = Path(folder) / f"{loops}"
            base.mkdir()
            _looped_sample(base, frames, loops)
            project = base / "looped.matteo"
            cut = ["cut", str(base / "clip.mkv"), "--prompts", str(base / "prompts.json"), "--project", str(project)]
            looks = [
                ["look", str(project), "--instance", "1", "--recolor", "#1FA37A"],
                ["look", str(project), "--instance", "3", "--remove"],
            ]
            peaks[loops, "cut"] = _peak(cut)
            for look in looks:
                _peak(look)
            peaks[loops, "export"] = _peak(["export", str(project), str(base / "out.mp4")])
        for job in ("cut", "export"):
            short, long = peaks[1, job], peaks[times, job]
            rows.append({
                "job": job, "frames": frames, "peak_mib": round(short / MIB, 1), "frames_long": frames * times,
                "peak_long_mib": round(long / MIB, 1), "ratio": round(long / short, 3),
            })  # fmt: skip
    _show("Peak memory", rows, json_file)


@benchmark.command()
def startup(
    runs: Annotated[int, typer.Option(min=1, help="How many times the editor is started.")] = 5,
    json_file: JsonOption = None,
) -> None:
    """Process start to first painted window, beside an empty Python process that only imports PySide6."""
    rows = []
    for _ in range(runs):
        started = time.time()
        painted = float(output("-c", _UNTIL_PAINTED).split()[-1])
        window_s = painted - started
        started = time.time()
        output("-c", "import PySide6.QtWidgets")
        import_s = time.time() - started
        rows.append({
            "window_s": round(window_s, 3), "import_pyside_s": round(import_s, 3),
            "ratio": round(window_s / import_s, 2),
        })  # fmt: skip
    _show("Start-up: process start until the window is painted (budget 1.5 s)", rows, json_file)


def _peak(arguments: list[str]) -> int:
    """Run one command in a process of its own and return the most memory it held, in bytes."""
    process = psutil.Popen(
        [sys.executable, str(entry()), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(POLL_S)
    _, errors = process.communicate()
    if process.returncode:
        raise MatteoError(f"matteo {arguments[0]} failed: {errors.decode().strip()}")
    return peak


def _looped_sample(folder: Path, frames: int, loops: int) -> None:
    """The sample's first frames, forward again and again, and prompts that belong to them."""
    given: dict[str, Any] = json.loads((SAMPLE / "prompts.json").read_text())
    for instance in given["instances"]:
        first = [prompt for prompt in instance["prompts"] if prompt["frame"] < frames]
        instance["prompts"] = [
            {**prompt, "frame": prompt["frame"] + loop * frames} for loop in range(loops) for prompt in first
        ]
    given["instances"] = [instance for instance in given["instances"] if instance["prompts"]]
    (folder / "prompts.json").write_text(json.dumps(given))
    with open_clip(SAMPLE / "clip.mp4") as clip:
        info = _longer(clip.info, frames, loops)
        with open_writer(folder / "clip.mkv", Preset.FFV1, info, range(frames * loops), audio=False) as writer:
            for _ in range(loops):
                for _, picture in clip.frames(0, frames):
                    writer.write(picture)


def _longer(info: ClipInfo, frames: int, loops: int) -> ClipInfo:
    step = int(info.pts[1] - info.pts[0])
    return replace(info, pts=info.pts[0] + step * np.arange(frames * loops, dtype=np.int64), duration=step)


def _show(title: str, rows: list[dict[str, Any]], json_file: Path | None) -> None:
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console().print(table)
    if json_file is not None:
        write_bytes(json_file, json.dumps(rows, indent=1).encode())
