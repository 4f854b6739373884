"""A run of training that can be stopped at any moment and goes on with the same numbers."""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset

from matting.errors import CheckpointError, UnavailableError
from matting.files import replacing
from matting.inference.device import keep_to, precision_named
from matting.training.recipes import Recipe
from matting.training.stock import Stock

if TYPE_CHECKING:
    from accelerate import Accelerator

STATE, CURVE = "state.pt", "curve.jsonl"


@dataclass(frozen=True)
class Step:
    """What came of one step: its number, counted from 1, and its loss."""

    number: int
    loss: float


class Lesson(Protocol):
    """What a kind of network is given in a step, and what it is judged by."""

    def batch(self, stock: Stock, recipe: Recipe, step: int, rank: int) -> Any:
        """What one of the processes is given: a named tuple of tensors, and of such tuples.

        Everything follows from the arguments. The batches of all processes are one large batch in parts.
        """
        ...

    def loss(self, network: nn.Module, given: Any, recipe: Recipe, step: int) -> Tensor:
        """How far the network is off, a scalar."""
        ...


class Run:
    """A network on its way, with everything that is needed to go on from a file.

    Args:
        network: its weights are taken over, and trained, on the device where they are.
        recipe: how.
        stock: with whom.
        lesson: with what of them, and for what.
        together: the other processes, as many as the recipe says, each with such a run.

    Attributes:
        rank: of this process among them; the first one's is 0.
    """

    def __init__(
        self, network: nn.Module, recipe: Recipe, stock: Stock, lesson: Lesson, together: Accelerator | None = None
    ) -> None:
        self.network = network.train().to(memory_format=torch.channels_last)
        self.recipe, self._stock, self._lesson = recipe, stock, lesson
        self._together = together
        keep_to(precision_named(recipe.precision))
        self.rank = together.process_index if together else 0
        judged = _Judged(network, recipe, lesson)
        self._judged = together.prepare_model(judged) if together else judged
        self.averaged = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        """The moving average of the weights: what is to be used, and steadier than the last weights."""
        self.done = 0
        method = torch.optim.AdamW if recipe.optimiser == "adamw" else torch.optim.Adam
        self._optimiser = method(network.parameters(), lr=recipe.rate, betas=recipe.betas, weight_decay=recipe.decay)

    def steps(self, last: int | None = None, workers: int = 0) -> Iterator[Step]:
        """Train up to a step, else the recipe's last one, one at a time.

        Args:
            last: number of that step.
            workers: processes that compose batches ahead of time; the batches are the same as without them.

        Raises:
            UnavailableError: there are to be workers where processes cannot share the stock.
        """
        ahead = range(self.done, self.recipe.steps if last is None else last)
        for given in self._batches(ahead, workers):
            yield Step(self.done + 1, self.learn(given))

    def _batches(self, steps: range, workers: int = 0) -> Iterable[Any]:
        """The lesson's batches for some steps; see :meth:`steps`."""
        if workers and "fork" not in multiprocessing.get_all_start_methods():
            raise UnavailableError("Only on Linux can several processes compose batches; leave --workers out.")
        return DataLoader(
            _Batches(self._lesson, self._stock, self.recipe, self.rank),
            batch_size=None,
            sampler=steps,
            num_workers=workers,
            multiprocessing_context="fork" if workers else None,
            pin_memory=torch.cuda.is_available(),
        )

    def learn(self, given: Any) -> float:
        """One step on a batch of the lesson, and the others' at the same time; returns the mean loss."""
        for group in self._optimiser.param_groups:
            group["lr"] = self.recipe.rate_at(self.done)
        given = moved(given, next(self.network.parameters()).device)
        loss = self._judged(given, self.done)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm_(self.network.parameters(), self.recipe.clip)
        self._optimiser.step()
        self.done += 1
        self._average()
        loss = loss.detach()
        return float(self._together.reduce(loss, "mean") if self._together else loss)

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.recipe.average, (1 + self.done) / (10 + self.done))  # soon forgets where it began
        means, tensors = [], []
        for name, tensor in self.network.state_dict().items():
            if tensor.is_floating_point():
                means.append(self.averaged[name])
                tensors.append(tensor)
            else:
                self.averaged[name].copy_(tensor)
        get_ema_multi_avg_fn(keep)(means, tensors, None)  # type: ignore[no-untyped-call]

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
            # By way of the CPU: it may have been saved on another device than this process learns on.
            state = torch.load(path, map_location="cpu", weights_only=True)
            # What recipes did not say yet was as it is by default.
            if {**asdict(Recipe()), **state["recipe"]} != asdict(self.recipe):
                raise CheckpointError(f"{path} was trained by another recipe: {json.dumps(state['recipe'])}.")
            self.network.load_state_dict(state["network"])
            self._optimiser.load_state_dict(state["optimiser"])
            for name, tensor in self.averaged.items():
                tensor.copy_(state["averaged"][name])
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            raise CheckpointError(f"{path} cannot be taken up again: {error}") from error
        self.done = state["done"]


class _Batches(Dataset[Any]):
    """The batches of a lesson by the number of the step."""

    def __init__(self, lesson: Lesson, stock: Stock, recipe: Recipe, rank: int) -> None:
        self._lesson, self._stock, self._recipe, self._rank = lesson, stock, recipe, rank

    def __getitem__(self, step: int) -> Any:
        return self._lesson.batch(self._stock, self._recipe, step, self._rank)


class _Judged(nn.Module):
    """A network with its lesson; its call is the loss, whichever parts of the network the lesson uses.

    What averages the gradients of several processes wants one call for each step.
    """

    def __init__(self, network: nn.Module, recipe: Recipe, lesson: Lesson) -> None:
        super().__init__()
        self.network, self._recipe, self._lesson = network, recipe, lesson

    def forward(self, given: Any, step: int) -> Tensor:
        return self._lesson.loss(self.network, given, self._recipe, step)


def moved(given: Any, device: torch.device) -> Any:
    """A named tuple of tensors and of such tuples on a device."""
    if isinstance(given, torch.Tensor):
        return given.to(device, non_blocking=True)
    return type(given)(*(moved(part, device) for part in given))


def note(folder: Path, facts: dict[str, float]) -> None:
    """Add a line to the run's curve; one process writes at a time, and a line is written whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    line = (json.dumps(facts) + "\n").encode()
    descriptor = os.open(folder / CURVE, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, line)
    finally:
        os.close(descriptor)
