"""Weights of the networks: recognising, checking and reading public checkpoints.

The networks are laid out like the public checkpoints, so converting only takes wrappings off; the layout to check
against is the network itself.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from matting.errors import CheckpointError
from matting.networks import Kind, create

_PARALLEL = "module."
_MARKS: tuple[tuple[str, Kind], ...] = (
    ("decoder.layer4.0.tmp_network.", "msg-vim"),
    ("decoder.os8_temp_module.", "maggie-video"),
    ("decoder.diff_module.", "maggie-video"),
    ("encoder.mask_embed_layer.", "maggie-image"),
    ("image_encoder.patch_embed.seq.", "mobile-sam"),
    ("image_encoder.blocks.31.", "sam-vit-h"),
    ("image_encoder.blocks.23.", "sam-vit-l"),
    ("image_encoder.blocks.11.", "sam-vit-b"),
    ("down32.", "lite"),
)
"""Parts that tell the networks apart, the more special ones first."""
_UNREADABLE = (
    pickle.UnpicklingError,
    safetensors.SafetensorError,
    OSError,  # PyTorch seeks to places that a file cut short does not have
    RuntimeError,
    EOFError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    OverflowError,
)
"""What the readers raise on a file that is not theirs, or not all there."""


def convert(kind: str, state_dict: Mapping[str, Any], source: str = "The checkpoint") -> dict[str, Tensor]:
    """Bring a public checkpoint into the form that ``create(kind).load_state_dict`` takes.

    Takes out the entry ``state_dict`` if there is one, takes the data-parallel prefix ``module.`` off the keys and
    casts floating point to float32. Nothing is renamed or reordered.

    Args:
        kind: as for :func:`matting.networks.create`.
        state_dict: what the file holds; it is left as it is.
        source: what to call it in an error.

    Returns:
        Exactly the keys, shapes and types of the network. Tensors that needed no cast share their memory with
        ``state_dict``.

    Raises:
        CheckpointError: it is another network's, or a tensor is missing, has another shape, or is one too many.
        UnavailableError: there is no such network.
    """
    expected = _layout(kind)
    found = unwrapped(state_dict)
    other = kind_of(found)
    if other not in (None, kind):
        raise CheckpointError(f"{source} holds the weights of {other}, not of {kind}.")
    converted: dict[str, Tensor] = {}
    for key, (shape, dtype) in expected.items():
        tensor = found.get(key)
        if not isinstance(tensor, Tensor):
            raise CheckpointError(f"{source} does not fit {kind}: {key} ({_times(shape)}) is missing.")
        if tensor.shape != shape:
            raise CheckpointError(
                f"{source} does not fit {kind}: {key} is {_times(tensor.shape)}, expected {_times(shape)}."
            )
        converted[key] = tensor.to(dtype)
    surplus = next((key for key in found if key not in expected), None)
    if surplus is not None:
        raise CheckpointError(f"{source} does not fit {kind}: {surplus} is not a part of it.")
    return converted


def kind_of(state_dict: Mapping[str, Any]) -> Kind | None:
    """Which network the weights are for; None if none of ours.

    Args:
        state_dict: what the file holds, wrapped or not.
    """
    found = unwrapped(state_dict)
    return next((kind for mark, kind in _MARKS if any(key.startswith(mark) for key in found)), None)


def read(path: Path) -> Mapping[str, Any]:
    """What a ``.safetensors``, ``.pth``, ``.pt`` or ``.ckpt`` file holds; nothing in it is ever executed.

    Raises:
        CheckpointError: there is no such file, it is damaged or not a checkpoint, or holds more than tensors and
            plain values.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}.")
    try:
        content = safetensors.torch.load_file(path) if path.suffix == ".safetensors" else _unpickled(path)
    except PermissionError as error:
        raise CheckpointError(f"{path} may not be read: {error.strerror or error}.") from error
    except _UNREADABLE as error:
        raise CheckpointError(f"{path} is damaged or not a file of network weights; get it again.") from error
    if not isinstance(content, Mapping) or not all(isinstance(key, str) for key in content):
        raise CheckpointError(f"{path} holds no named network weights.")
    return content


def unwrapped(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tensors of a checkpoint by name, without what training scripts put around them."""
    inner = content.get("state_dict", content)
    if not isinstance(inner, Mapping):
        return {}
    if next(iter(inner), "").startswith(_PARALLEL):
        return {key.removeprefix(_PARALLEL): value for key, value in inner.items()}
    return inner


def network_from(path: Path, kind: str | None = None, faithful: bool = False) -> nn.Module:
    """The network whose weights a file holds, in evaluation mode on the CPU.

    Args:
        path: a file that :func:`read` takes.
        kind: which network it must be; None takes the one the file is for.
        faithful: see :func:`matting.networks.create`.

    Raises:
        CheckpointError: the file cannot be read, is for none of the networks, or does not fit.
    """
    content = read(path)
    chosen = kind or kind_of(content)
    if chosen is None:
        raise CheckpointError(f"{path} holds the weights of no network that this version knows.")
    weights = convert(chosen, content, str(path))
    network = create(chosen, faithful)
    network.load_state_dict(weights)
    return network


def _unpickled(path: Path) -> object:
    # Training scripts keep a NumPy scalar or two, such as the best loss, beside the weights.
    scalar: Any = np.float64(0).__reduce__()[0]
    harmless: list[Any] = [
        scalar,
        (scalar, "numpy.core.multiarray.scalar"),
        np.dtype,
        np.dtypes.Float64DType,
        np.dtypes.Float32DType,
    ]
    with torch.serialization.safe_globals(harmless):
        return torch.load(path, map_location="cpu", weights_only=True)


@cache
def _layout(kind: str) -> dict[str, tuple[torch.Size, torch.dtype]]:
    # Not on the "meta" device, whose first use takes PyTorch ten times as long as drawing random weights.
    return {key: (tensor.shape, tensor.dtype) for key, tensor in create(kind).state_dict().items()}


def _times(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "a single number"
