"""Models brought in by download or by hand, each checked to hold the network it is for."""

from __future__ import annotations

from pathlib import Path

from matting.errors import CheckpointError
from matting.job import JobContext
from matting.weights import Model, model, models
from matting.weights.incoming import get, import_file


def get_model(model_id: str, ctx: JobContext) -> Path:
    """Fetch a model of the catalogue and check that it holds its network: :func:`matting.weights.incoming.get`."""
    return get(model(model_id), check_layout, ctx)


def import_model(model_id: str, file: Path, ctx: JobContext) -> Path:
    """Copy a model that the artist brings: :func:`matting.weights.incoming.import_file`."""
    return import_file(model(model_id), file, check_layout, ctx)


def check_layout(known: Model, path: Path) -> None:
    """Read a file, without executing anything in it, and see that it holds the network of ``known``.

    A matting network must fit tensor for tensor; of the others some tensors that tell them apart are looked at.

    Raises:
        CheckpointError: it is damaged, holds more than tensors and plain values, or is another network's.
    """
    from matting.networks import KINDS, checkpoints

    content = checkpoints.read(path)
    if known.id in KINDS:
        checkpoints.convert(known.id, content, "The file")
        return
    found = {key: tuple(getattr(value, "shape", ())) for key, value in checkpoints.unwrapped(content).items()}
    if all(found.get(key) == shape for key, shape in known.layout.items()):
        return
    for other in models():
        if all(found.get(key) == shape for key, shape in other.layout.items()):
            raise CheckpointError(f"The file holds the weights of {other.title}.")
    key, shape = next((key, shape) for key, shape in known.layout.items() if found.get(key) != shape)
    has = "is missing" if key not in found else f"is {_times(found[key])}, expected {_times(shape)}"
    raise CheckpointError(f"The file does not hold its network: {key} {has}.")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"
