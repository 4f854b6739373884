"""A run of training that can be stopped at any moment and goes on with the same numbers."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from matting.errors import CheckpointError
from matting.files import replacing
from matting.training.batches import Batch, batch
from matting.training.dense import objective
from matting.training.stock import Stock

STATE, CURVE = "state.pt", "curve.jsonl"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run learns, besides the clips.

    Attributes:
        seed: of weights and batches.
        steps: of the whole run; the learning rate follows from it.
        size: instances in a batch.
        length: frames of each.
        side_px: of the crops.
        rate: highest learning rate, reached after ``warm_up`` steps; falls as a cosine to a hundredth of it.
        decay: of the weights (AdamW).
        clip: largest norm of the gradient.
        average: by which the moving average of the weights keeps its past, per step.
        precision: "bf16" multiplies in bfloat16, which takes 3/4 of the time on processors that can; else "fp32".
    """

    seed: int = 0
    steps: int = 20_000
    size: int = 8
    length: int = 2
    side_px: int = 128
    rate: float = 1.5e-3
    warm_up: int = 300
    decay: float = 0.01
    clip: float = 1.0
    average: float = 0.999
    precision: str = "bf16"

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        if step < self.warm_up:
            return self.rate * (step + 1) / self.warm_up
        share = (step - self.warm_up) / max(self.steps - self.warm_up, 1)
        return self.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(share, 1.0))) / 2)


@dataclass(frozen=True)
class Step:
    """What came of one step: its number, counted from 1, and its loss."""

    number: int
    loss: float


class Run:
    """A network on its way, with everything that is needed to go on from a file.

    Args:
        network: of MSG-VIM's design; its weights are taken over, and trained.
        recipe: how.
        stock: with whom.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, stock: Stock) -> None:
        self.network = network.train().to(memory_format=torch.channels_last)
        self.recipe, self._stock = recipe, stock
        self.averaged = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        """The moving average of the weights: what is to be used, and steadier than the last weights."""
        self.done = 0
        self._optimiser = torch.optim.AdamW(
            network.parameters(), lr=recipe.rate, betas=(0.9, 0.999), weight_decay=recipe.decay
        )

    def steps(self) -> Iterator[Step]:
        """Train up to the recipe's last step, one at a time."""
        while self.done < self.recipe.steps:
            recipe = self.recipe
            given = batch(self._stock, recipe.seed, self.done, recipe.size, recipe.length, recipe.side_px)
            yield Step(self.done + 1, self.learn(given))

    def learn(self, given: Batch) -> float:
        """One step on a batch; returns its loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(self.done)
        half = self.recipe.precision == "bf16"
        with torch.autocast(given.frames.device.type, torch.bfloat16, enabled=half):
            out = self.network(given.frames, given.target, given.reference)
        loss = objective(out, given.truth, given.target)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self._optimiser.step()
        self.done += 1
        self._average()
        return float(loss.detach())

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.recipe.average, (1 + self.done) / (10 + self.done))  # soon forgets where it began
        for name, tensor in self.network.state_dict().items():
            if tensor.is_floating_point():
                self.averaged[name].lerp_(tensor, 1 - keep)
            else:
                self.averaged[name].copy_(tensor)

    def save(self, folder: Path) -> None:
        """Put everything on disk; raises OutputError, and what was there before stays then."""
        state = {
            "network": self.network.state_dict(),
            "averaged": self.averaged,
            "optimiser": self._optimiser.state_dict(),
            "done": self.done,
            "recipe": asdict(self.recipe),
        }
        with replacing(folder / STATE) as partial:
            torch.save(state, partial)

    def go_on(self, folder: Path) -> None:
        """Take up where :meth:`save` left off.

        Raises:
            CheckpointError: there is nothing, or it belongs to another recipe or network.
        """
        path = folder / STATE
        try:
            state = torch.load(path, weights_only=True)
            if state["recipe"] != asdict(self.recipe):
                raise CheckpointError(f"{path} was trained by another recipe: {json.dumps(state['recipe'])}.")
            self.network.load_state_dict(state["network"])
            self._optimiser.load_state_dict(state["optimiser"])
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be taken up again: {error}") from error
        self.averaged, self.done = state["averaged"], state["done"]


def note(folder: Path, facts: dict[str, float]) -> None:
    """Add a line to the run's curve; one process writes at a time, and a line is written whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(facts) + "\n").encode()
    descriptor = os.open(folder / CURVE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
