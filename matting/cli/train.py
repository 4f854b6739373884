"""``matteo train``: draw people to learn from, and train the networks of our own on them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from matting.cli.progress import progress, say

train = typer.Typer(help="Train lite, the matting network of our own.", no_args_is_help=True)
HELD_OUT = 1_000_000
"""Seeds from here on are never trained on."""
HEIGHT_PX = 480


@train.command()
def stock(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the stock; what is there already is kept.")],
    count: Annotated[int, typer.Option(min=1, help="How many people, and how many grounds.")] = 480,
    first: Annotated[int, typer.Option(min=0, help="Number of the first.")] = 0,
    frames: Annotated[int, typer.Option(min=2, help="Of each person.")] = 4,
    height: Annotated[int, typer.Option(min=64, help="Of the people, in pixels.")] = HEIGHT_PX,
) -> None:
    """Draw people and grounds that training pictures are composed of; can be stopped and called again."""
    from matting.training.stock import draw_ground, draw_person, ground_path, keep_ground, keep_person, person_path

    with progress() as ctx:
        for done, number in enumerate(range(first, first + count)):
            ctx.report(done / count, f"Person {number}")
            if not (path := person_path(out, number)).exists():
                keep_person(path, draw_person(number, frames, height))
            if not (path := ground_path(out, number)).exists():
                keep_ground(path, draw_ground(number))
    say(f"{out}: people and grounds up to number {first + count - 1}")


@train.command()
def lite(
    folder: Annotated[Path, typer.Argument(metavar="STOCK", help="Folder of people, from: matteo train stock.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the run; an unfinished one goes on.")],
    steps: Annotated[int, typer.Option(min=1, help="Of the whole run.")] = 20_000,
    stop: Annotated[int | None, typer.Option(min=1, help="Stop after this step and go on another time.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of weights and batches.")] = 0,
    size: Annotated[int, typer.Option(min=1, help="Instances in a batch.")] = 8,
    side: Annotated[int, typer.Option(min=64, help="Of the crops, a multiple of 32.")] = 128,
    every: Annotated[int, typer.Option(min=1, help="Save and measure every so many steps.")] = 500,
    held_out: Annotated[
        int, typer.Option(min=1, help="Drawn clips that it is measured on and never learns from.")
    ] = 12,
    threads: Annotated[int | None, typer.Option(min=1, help="Processor threads; all by default.")] = None,
) -> None:
    """Train lite. Its weights go to DIR/lite.safetensors, losses and measures to DIR/curve.jsonl."""
    import torch

    from matting.networks import create
    from matting.training.run import STATE, Recipe, Run, note
    from matting.training.stock import Stock
    from matting.training.validation import measure, validation_batches, write_weights

    if threads is not None:
        torch.set_num_threads(threads)
    if side % 32:
        raise typer.BadParameter("--side takes a multiple of 32.")
    torch.manual_seed(seed)
    run = Run(create("lite"), Recipe(seed=seed, steps=steps, size=size, side_px=side), Stock(folder))
    if (out / STATE).exists():
        run.go_on(out)
        say(f"{out}: going on after step {run.done}")
    fixed = validation_batches(HELD_OUT, held_out)
    last, total = min(steps, stop or steps), 0.0
    with progress() as ctx:
        for step in run.steps():
            total += step.loss
            ctx.report(step.number / steps, f"Step {step.number}")
            if step.number % every == 0 or step.number == last:
                run.save(out)
                write_weights(out / "lite.safetensors", run.averaged)
                found = measure(run.averaged, fixed)
                since = (step.number - 1) % every + 1
                note(out, {"step": step.number, "loss": total / since, **found})
                measured = f"MAD {found['mad']:.2f}e-3 (mask {found['mask']:.2f}e-3)"
                say(f"step {step.number}  loss {total / since:.4f}  {measured}")
                total = 0.0
            if step.number >= last:
                break
