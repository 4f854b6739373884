"""Run by torchrun in each of two processes: STOCK OUT. Each writes to OUT what it found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch
from torch import Tensor, nn

from matting.networks import create
from matting.training.batches import Batch, one_of_each, samples
from matting.training.lessons import LiteLesson
from matting.training.recipes import Recipe
from matting.training.run import Run
from matting.training.stock import Stock
from matting.training.together import processes

RECIPE = Recipe(seed=3, steps=4, processes=2, size=2, length=2, side_px=64, warm_up=2, precision="fp32")


class PlainLesson(LiteLesson):
    """One instance of each clip, and everything counts the same, so that the loss of a large batch is the mean of
    the losses of its parts."""

    def batch(self, stock: Stock, recipe: Recipe, step: int, rank: int = 0) -> Batch:
        size, first = recipe.size, rank * recipe.size
        return one_of_each(samples(stock, recipe.seed, step, size, recipe.length, recipe.side_px, first=first))

    def loss(self, network: nn.Module, given: Batch, recipe: Recipe, step: int) -> Tensor:
        given = given.ready()
        out = network(given.frames, given.target, given.reference)
        loss: Tensor = (out.alpha_os1 - given.truth).square().mean()
        return loss


def without_norms(run: Run) -> Run:
    """Norms of a batch depend on all that is in it; here they stay as they begin."""
    for module in run.network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    return run


def weights(network: nn.Module) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in network.named_parameters()}


def main(stock: Stock, out: Path) -> None:
    with processes("cpu") as together:
        assert together is not None
        torch.manual_seed(int(os.environ["RANK"]))  # they begin differently, and learn as the first one began
        run = without_norms(Run(create("lite"), RECIPE, stock, PlainLesson(), together))
        plain = [step.loss for step in run.steps()], weights(run.network)

        torch.manual_seed(0)
        usual = Run(create("lite"), RECIPE, stock, LiteLesson(), together)
        curve = [step.loss for step in usual.steps(2)]
        if usual.rank == 0:
            usual.save(out)
        together.wait_for_everyone()
        later = Run(create("lite"), RECIPE, stock, LiteLesson(), together)
        later.go_on(out)
        resumed = curve + [step.loss for step in later.steps()]
        curve += [step.loss for step in usual.steps()]
        found = {"plain": plain, "usual": (curve, weights(usual.network)), "later": (resumed, weights(later.network))}
        torch.save(found, out / f"{run.rank}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Stock(Path(sys.argv[1])), Path(sys.argv[2]))
