"""``matteo synthesize``: clips of several people with true alphas, in the layouts of the public data sets."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from matting.cli.progress import progress, say, warn
from matting.cli.sizes import size_named
from matting.errors import OutputError, ProjectError
from matting.job import JobContext

GUIDANCE_SEED = 77


class Kind(StrEnum):
    """Which public set the clips are like."""

    VIM50 = "vim50"
    VHIM_EASY = "vhim60-easy"
    VHIM_MEDIUM = "vhim60-medium"
    VHIM_HARD = "vhim60-hard"
    IMAGES = "ihim50k"


def synthesize(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the set; with --check the set to check.")],
    like: Annotated[Kind, typer.Option(help="Which public data set the clips are like.")] = Kind.VIM50,
    count: Annotated[int, typer.Option(min=1, help="How many clips or pictures.")] = 50,
    first: Annotated[int, typer.Option(min=0, help="Number of the first; it is the seed, too.")] = 0,
    frames: Annotated[int | None, typer.Option(min=1, help="Frames of a clip; as the public set by default.")] = None,
    size: Annotated[str, typer.Option(metavar="WxH", help="Of the pictures.")] = "1920x1080",
    foregrounds: Annotated[
        Path | None, typer.Option(metavar="DIR", help="People: fgr/CLIP with pha/CLIP, or fg/X with alpha/X.")
    ] = None,
    backgrounds: Annotated[Path | None, typer.Option(metavar="DIR", help="Pictures without people.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Check a set that was written.")] = False,
) -> None:
    """Make clips of several people with true alphas, layers and guidance; without data of yours, people are drawn."""
    if check:
        from matting.synthesis.writing import check as problems_of

        problems = problems_of(out)
        for problem in problems:
            warn(problem)
        if problems:
            raise ProjectError(f"{out} has {len(problems)} faults.")
        say(f"{out}: alphas add up to one at most, layers give the frames, overlaps are as they should be.")
        return
    if (out / "set.json").exists() or (out.is_dir() and any(out.iterdir())):
        raise OutputError(f"{out} exists and is not empty; choose another folder.")
    size_hw = size_named(size)
    with progress() as ctx:
        seconds = _make(out, like, range(first, first + count), frames, size_hw, foregrounds, backgrounds, ctx)
    say(f"{out}: {count} like {like.value}, {count / max(seconds, 1e-6):.2f} a second of processor time")


def _make(
    out: Path,
    like: Kind,
    numbers: range,
    frames: int | None,
    size_hw: tuple[int, int],
    foregrounds: Path | None,
    backgrounds: Path | None,
    ctx: JobContext,
) -> float:
    """Make and write all clips; returns the processor seconds it took."""
    from matting.synthesis.cutouts import files_in, filmed_cutouts, read_colour
    from matting.synthesis.guidance import guidance
    from matting.synthesis.layers import compose, to_8_bit
    from matting.synthesis.sets import Drawn, Filmed, Scene, image_scene, vhim_scene, vim50_scene
    from matting.synthesis.writing import write_facts, write_vhim, write_vhim_masks, write_vim, write_vim_masks

    pictures = [] if backgrounds is None else [read_colour(path) for path in files_in(backgrounds)]
    source = Drawn(pictures) if foregrounds is None else Filmed(filmed_cutouts(foregrounds), pictures)
    level = like.value.removeprefix("vhim60-") if like.value.startswith("vhim60-") else None

    def scene_of(number: int) -> Scene:
        if like is Kind.VIM50:
            return vim50_scene(source, number, size_hw, frames or 50)
        if level is not None:
            return vhim_scene(source, level, number, size_hw, frames or 30)
        return image_scene(source, number, size_hw)

    started, facts = time.process_time(), []
    for done, number in enumerate(numbers):
        scene, name = scene_of(number), f"{number:05d}"
        alphas = []
        for frame in range(scene.frames):
            ctx.report((done + frame / scene.frames) / len(numbers), f"Clip {number}")
            layers = scene.layers(frame, size_hw)
            composed = compose(layers, scene.background(frame))
            alone = np.stack([to_8_bit(layer.opacity) for layer in layers])
            if level is not None:
                write_vhim(out, f"comp_{level}", name, frame, composed, alone)
            else:
                write_vim(out, name, frame, composed, alone)
            alphas.append(composed.alphas)
        masks = guidance(np.stack(alphas), np.random.default_rng((number, GUIDANCE_SEED)))
        if level is not None:
            write_vhim_masks(out, f"comp_{level}", name, masks)
        else:
            write_vim_masks(out, name, masks)
        facts.append(
            {"name": name, "seed": number, "people": len(scene.people), **({} if level is None else {"level": level})}
        )
    write_facts(out, facts)
    return time.process_time() - started
