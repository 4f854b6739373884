"""Cutie's network, built without its training code and filled from a file in the layout of the public checkpoint."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path

import torch
from cutie.model.cutie import CUTIE
from cutie.model.utils import resnet
from omegaconf import DictConfig, OmegaConf
from torch import nn

from matting.errors import CheckpointError
from matting.networks import checkpoints

_TRAINING_ONLY = "aux_computer."
"""Parts that only the losses need; a file may lack them."""
_building = threading.Lock()


def create() -> CUTIE:
    """The network of ``cutie-base-mega.pth`` with weights by chance, in evaluation mode on the CPU."""
    with _without_downloads():
        return CUTIE(DictConfig({"model": model_settings()})).eval()


def model_settings() -> DictConfig:
    """How the authors' base model is built, as their package says it."""
    settings = OmegaConf.create((files("cutie") / "config" / "model" / "base.yaml").read_text())
    assert isinstance(settings, DictConfig)
    return settings


@contextmanager
def _without_downloads() -> Iterator[None]:
    """The package fetches weights for the encoders, which ours replace anyway; Matteo fetches nothing unasked."""

    def bare(make: Callable[..., nn.Module], **options: object) -> nn.Module:
        return make(**{**options, "pretrained": False})

    with _building:
        whole = {name: getattr(resnet, name) for name in ("resnet18", "resnet50")}
        try:
            for name, make in whole.items():
                setattr(resnet, name, partial(bare, make))
            yield
        finally:
            for name, make in whole.items():
                setattr(resnet, name, make)


def load(path: Path) -> CUTIE:
    """The network with the weights of a file, in evaluation mode on the CPU.

    Raises:
        CheckpointError: the file cannot be read, or a tensor is missing or has another shape.
    """
    found = checkpoints.unwrapped(checkpoints.read(path))
    network = create()
    wanted = network.state_dict()
    weights = {}
    for key, tensor in wanted.items():
        given = found.get(key)
        if key.startswith(_TRAINING_ONLY):
            continue
        if not isinstance(given, torch.Tensor):
            raise CheckpointError(f"{path} does not fit Cutie (base): {key} ({_times(tensor.shape)}) is missing.")
        if given.shape != tensor.shape:
            raise CheckpointError(
                f"{path} does not fit Cutie (base): {key} is {_times(given.shape)}, expected {_times(tensor.shape)}."
            )
        weights[key] = given.to(tensor.dtype)
    network.load_state_dict(weights, strict=False)
    return network.requires_grad_(False)


def _times(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "one number"
