"""``matteo train``: draw people to learn from, and train the networks of our own on them."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from matting.cli.progress import progress, say
from matting.training.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from matting.networks import MattingKind

train = typer.Typer(help="Train matting networks on people that are drawn.", no_args_is_help=True)
HELD_OUT = 1_000_000
"""Seeds from here on are never trained on."""
HEIGHT_PX = 480
WIDTH = 32
"""Channels at full size of the published networks."""


@train.command()
def stock(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder for the stock; what is there already is kept.")],
    count: Annotated[int, typer.Option(min=1, help="How many people, and how many grounds.")] = 330,
    first: Annotated[int, typer.Option(min=0, help="Number of the first.")] = 0,
    frames: Annotated[int, typer.Option(min=2, help="Of each person.")] = 4,
    height: Annotated[int, typer.Option(min=64, help="Of the people, in pixels.")] = HEIGHT_PX,
    places: Annotated[bool, typer.Option(help="As many grounds again, of photographed places.")] = True,
    maned: Annotated[bool, typer.Option(help="People with a mass of hair.")] = False,
) -> None:
    """Draw people and grounds that training pictures are composed of; can be stopped and called again."""
    from matting.training.stock import (
        draw_ground,
        draw_person,
        ground_path,
        keep_ground,
        keep_person,
        person_path,
        photographed_ground,
        place_path,
    )

    with progress() as ctx:
        for done, number in enumerate(range(first, first + count)):
            ctx.report(done / count, f"Person {number}")
            if not (path := person_path(out, number)).exists():
                keep_person(path, draw_person(number, frames, height, maned))
            if not (path := ground_path(out, number)).exists():
                keep_ground(path, draw_ground(number))
            if places and not (path := place_path(out, number)).exists():
                keep_ground(path, photographed_ground(number))
    say(f"{out}: people and grounds up to number {first + count - 1}")


StockArgument: TypeAlias = Annotated[
    Path, typer.Argument(metavar="STOCK", help="Folder of people, from: matteo train stock.")
]
OutOption: TypeAlias = Annotated[
    Path, typer.Option(metavar="DIR", help="Folder of the run; an unfinished one goes on.")
]
StepsOption: TypeAlias = Annotated[int, typer.Option(min=1, help="Of the whole run.")]
StopOption: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Stop after this step and go on another time.")]
SeedOption: TypeAlias = Annotated[int, typer.Option(min=0, help="Of weights and batches.")]
SizeOption: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Clips in a batch, of each process where several learn.")
]
LengthOption: TypeAlias = Annotated[int, typer.Option(min=1, help="Frames of each.")]
SideOption: TypeAlias = Annotated[int, typer.Option(min=64, help="Of the crops, a multiple of 32.")]
TornOption: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the clips in which masks lack a piece, or have one too many.")
]
BystandersOption: TypeAlias = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the clips with people in the background who have no mask.")
]
StartOption: TypeAlias = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Weights of such a network to begin with; random ones by default.")
]
RateOption: TypeAlias = Annotated[float, typer.Option(min=0, help="Highest learning rate.")]
PrecisionOption: TypeAlias = Annotated[
    Literal["bf16", "fp32"], typer.Option(help="Of products; bf16 is slower on processors that cannot multiply in it.")
]
EveryOption: TypeAlias = Annotated[int, typer.Option(min=1, help="Save and measure every so many steps.")]
HeldOutOption: TypeAlias = Annotated[
    int, typer.Option(min=1, help="Drawn clips that it is measured on and never learns from.")
]
ThreadsOption: TypeAlias = Annotated[int | None, typer.Option(min=1, help="Processor threads; all by default.")]
WorkersOption: TypeAlias = Annotated[
    int, typer.Option(min=0, help="Processes that compose pictures ahead, on Linux; as many as feed the GPU.")
]
DeviceOption: TypeAlias = Annotated[str, typer.Option(help="auto|cpu|cuda[:k]")]
WidthOption: TypeAlias = Annotated[
    int, typer.Option(min=4, help="Channels at full size; fewer than 32 make a thin one, which no matter can load.")
]
NoWidthOption: TypeAlias = Annotated[int, typer.Option(hidden=True)]


def _command(kind: MattingKind) -> None:
    """Add the command that trains a kind of network by its recipe."""
    known = RECIPES[kind]

    def learn(
        folder: StockArgument,
        out: OutOption,
        steps: StepsOption = known.steps,
        stop: StopOption = None,
        seed: SeedOption = known.seed,
        size: SizeOption = known.size,
        length: LengthOption = known.length,
        side: SideOption = known.side_px,
        torn: TornOption = known.torn,
        bystanders: BystandersOption = known.bystanders,
        rate: RateOption = known.rate,
        precision: PrecisionOption = known.precision,
        start: StartOption = None,
        every: EveryOption = 500,
        held_out: HeldOutOption = 12,
        width: WidthOption = WIDTH,
        threads: ThreadsOption = None,
        workers: WorkersOption = 0,
        device: DeviceOption = "auto",
    ) -> None:
        if side % 32:
            raise typer.BadParameter("--side takes a multiple of 32.")
        if kind == "maggie-video" and length < 3:
            raise typer.BadParameter("--length is 3 at least: MaGGIe fuses the mattes of three frames.")
        if kind != "lite" and size * length < 2:
            raise typer.BadParameter("--size is 2 at least with one frame each: norms need more than one picture.")
        if kind == "lite" and width != WIDTH:
            raise typer.BadParameter("--width belongs to msg-vim and maggie; lite is thin as it is.")
        warm_up = min(known.warm_up, max(steps // 10, 1))
        given = replace(known, seed=seed, steps=steps, size=size, length=length, side_px=side, torn=torn, rate=rate)
        recipe = replace(given, warm_up=warm_up, precision=precision, bystanders=bystanders)
        _train(kind, recipe, folder, out, width, start, stop or steps, every, held_out, threads, workers, device)

    if kind == "lite":
        learn.__annotations__["width"] = NoWidthOption
    learn.__doc__ = (
        f"Train {kind}. Weights go to DIR/{kind}.safetensors, losses and measures to DIR/curve.jsonl, and curves and "
        "pictures for TensorBoard, where it is installed, to DIR/board."
    )
    train.command(kind)(learn)


for _kind in RECIPES:
    _command(_kind)


def _train(
    kind: MattingKind,
    recipe: Recipe,
    folder: Path,
    out: Path,
    width: int,
    start: Path | None,
    stop: int,
    every: int,
    held_out: int,
    threads: int | None,
    workers: int,
    device: str,
) -> None:
    import torch

    from matting.inference.device import choose
    from matting.networks.checkpoints import network_from
    from matting.training import board, validation
    from matting.training.lessons import lesson, new_network
    from matting.training.run import STATE, Run, note
    from matting.training.stock import Stock
    from matting.training.together import processes

    if threads is not None:
        torch.set_num_threads(threads)
    torch.manual_seed(recipe.seed)
    with ExitStack() as closing_at_last:
        together = closing_at_last.enter_context(processes(device))
        if together:
            recipe = replace(recipe, processes=together.num_processes)
        place = together.device if together else choose(device)
        network = new_network(kind, width) if start is None else network_from(start, kind)
        run = Run(network.to(place), recipe, Stock(folder), lesson(kind), together)
        if (out / STATE).exists():
            run.go_on(out)
        last = min(recipe.steps, stop)
        if run.rank:  # the first process measures, tells and writes
            deque(run.steps(last, workers), maxlen=0)
            return
        if run.done:
            say(f"{out}: going on after step {run.done}")
        measured_by = new_network(kind, width).to(place).eval()
        clips = validation.held_out(HELD_OUT, held_out)
        total, counted = 0.0, 0
        ctx = closing_at_last.enter_context(progress())
        curves = None
        if board.installed():
            curves = closing_at_last.enter_context(closing(board.Board(out, run.done)))
            say(f"Curves and pictures: tensorboard --logdir {out / board.FOLDER}")
        for step in run.steps(last, workers):
            total, counted = total + step.loss, counted + 1
            ctx.report(step.number / recipe.steps, f"Step {step.number}")
            if curves:
                curves.step(step.number, step.loss, recipe.rate_at(step.number - 1))
            if step.number % every == 0 or step.number == last:
                measured_by.load_state_dict(run.averaged)
                found = [validation.mattes(measured_by, clip) for clip in clips]
                errors = validation.measure(found, clips)
                # Before the state: who is killed between the two notes the same line again, and misses none.
                note(out, {"step": step.number, "loss": total / counted, **errors})
                run.save(out)
                validation.write_weights(out / f"{kind}.safetensors", run.averaged)
                if curves:
                    curves.measured(step.number, errors, validation.contact_sheet(found, clips))
                named = "  ".join(f"{name} {value:.2f}" for name, value in errors.items())
                say(f"step {step.number}  loss {total / counted:.4f}  {named}")
                total, counted = 0.0, 0
