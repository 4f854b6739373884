"""Which seeder, tracker and matter a name means on this machine; ``auto`` is the best that is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from matting.errors import CheckpointError, DeviceError, UnavailableError
from matting.fingerprint import file_fingerprint
from matting.inference.loading import PRECISIONS, SCOPES, SHORT_SIDES, learned_name, load
from matting.inference.matter import Matter, Scope
from matting.pipeline.seeders import choose_seeder
from matting.pipeline.trackers import choose_tracker
from matting.project.document import Methods, Weights
from matting.weights import Model, file_of, installed, model, models

MATTERS = ("auto", "classical", "lite", "msg-vim", "maggie", "none")
LEARNED = ("msg-vim", "maggie", "lite")
BEST = ("maggie-video", "msg-vim", "maggie-image", "lite")
"""Models that make mattes, the one to prefer for footage first."""


def choose_methods(
    seeder: str = "auto",
    tracker: str = "auto",
    matter: str = "auto",
    weights: Path | None = None,
    short_side: int | None = None,
    crop: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> Methods:
    """Settle on installed methods.

    Args:
        seeder, tracker, matter: as on the command line. The matter ``auto`` is what ``weights`` are for, else the best
            of :data:`BEST` that is installed, else the classical one; a learned matter takes the best of its own.
        weights: file of a learned matter, or the id of an installed model.
        short_side: at which a learned matter works; None for what suits its network.
        crop: let a learned matter see only where the instances are.
        device: where networks will run.
        precision: of a learned matter, one of :data:`matting.inference.loading.PRECISIONS`; ``auto`` is fp32.

    Raises:
        UnavailableError: a method was asked for that this version does not have, or whose weights are not installed.
        DeviceError: there is no such device.
        CheckpointError: the weights are not there, damaged, or another network's.
    """
    if precision not in ("auto", *PRECISIONS):
        raise UnavailableError(f"There is no precision {precision}; choose one of auto, {', '.join(PRECISIONS)}.")
    matter, known = _settle_matter(matter, weights, short_side)
    if known is not None:
        settled_precision = "fp32" if precision == "auto" else precision
        known = known.model_copy(update={"crop": crop, "precision": settled_precision})
    settled, fingerprint = choose_seeder(seeder, device)
    follower, remembered = choose_tracker(tracker)
    return Methods(
        seeder=settled,
        seeder_weights=fingerprint,
        tracker=follower,
        tracker_weights=remembered,
        matter=None if matter == "none" else matter,
        weights=known,
    )


def _settle_matter(name: str, file: Path | None, short_side: int | None) -> tuple[str, Weights | None]:
    if name in ("auto", *LEARNED) and file is None and (known := _best_installed(name)) is not None:
        return matter_of(known.id), installed_weights(known, short_side)
    if file is not None and name in ("auto", *LEARNED):
        file = file_of(file)
        weights = weights_in(file, short_side)
        matter = matter_of(weights.kind)
        if name not in ("auto", matter):
            raise CheckpointError(f"{file} holds the weights of {matter}; use --matter {matter}.")
        return matter, weights
    if name in LEARNED:
        raise UnavailableError(
            f"The matter {name} needs its network's weights, which do not come with Matteo; name a file of them with "
            "--weights, get or import them (matteo models list), or use --matter classical."
        )
    return name if name == "none" else _settle("matter", name, MATTERS, "classical"), None


def _best_installed(name: str) -> Model | None:
    suitable = (model_id for model_id in BEST if name in ("auto", matter_of(model_id)))
    return next((model(model_id) for model_id in suitable if installed(model_id) is not None), None)


def models_of(*names: str, weights: Weights | None = None) -> tuple[Model, ...]:
    """The models of the catalogue that are in use, whose terms somebody should know.

    Args:
        names: of seeders and trackers; those that are no models count for nothing.
        weights: of a matter; a file of the artist's own, whatever network it is for, counts for nothing.
    """
    return tuple(known for known in models() if known.id in names or (weights is not None and _is_here(known, weights)))


def _is_here(known: Model, weights: Weights) -> bool:
    return known.id == weights.kind and installed(known.id) == Path(weights.path)


def installed_weights(known: Model, short_side: int | None = None) -> Weights:
    """The weights of an installed model, which were looked into when they came in and are not read again.

    Raises:
        UnavailableError: it is not installed.
    """
    return _weights(file_of(known.id), known.id, short_side)


def weights_in(file: Path, short_side: int | None = None) -> Weights:
    """What a file of weights is; raises CheckpointError. Reads all of it."""
    from matting.networks import checkpoints

    found = checkpoints.read(file)
    kind = checkpoints.kind_of(found)
    if kind not in SCOPES:
        raise CheckpointError(f"{file} holds none of the matting networks that Matteo knows: {', '.join(SCOPES)}.")
    checkpoints.convert(kind, found, str(file))
    return _weights(file, kind, short_side)


def _weights(file: Path, kind: str, short_side: int | None) -> Weights:
    return Weights(
        path=str(file.absolute()),
        kind=kind,
        fingerprint=file_fingerprint(file),
        short_side=short_side or SHORT_SIDES[kind],
    )


def matter_of(kind: str) -> str:
    """The matter, as the command line calls it, that a network makes."""
    return kind.removesuffix("-image").removesuffix("-video")


def _settle(what: str, name: str, known: tuple[str, ...], installed: str) -> str:
    if name in ("auto", installed):
        return installed
    if name in known:
        raise UnavailableError(f"The {what} {name} is not part of this version of Matteo; use --{what} {installed}.")
    raise UnavailableError(f"There is no {what} called {name}; choose one of {', '.join(known)}.")


def matter_name(methods: Methods) -> str:
    """Method, version and weights of the document's matter: a part of the key of every alpha."""
    if methods.weights is not None:
        chosen = methods.weights
        return learned_name(chosen.kind, chosen.fingerprint, chosen.short_side, chosen.precision)
    return open_matter(methods).name


def scope_of(methods: Methods) -> Scope:
    """What the alphas of the document's matter depend on."""
    return SCOPES[methods.weights.kind] if methods.weights is not None else Scope()


def open_matter(
    methods: Methods, weights: Path | None = None, device: str = "auto", tell: Callable[[str], None] | None = None
) -> Matter:
    """The document's matter, ready to work.

    Args:
        methods: of the document.
        weights: where the file of ``methods.weights`` is on this machine.
        device: auto, cpu or cuda[:k]; for learned matters.
        tell: hears on what device and at what size it works, and what had to be changed.

    Raises:
        UnavailableError: this version does not have it.
        CheckpointError: the weights cannot be read.
        DeviceError: there is no such device.
    """
    if methods.weights is not None:
        weights = _found(methods.weights, weights)
        if weights is None or not weights.is_file():
            raise CheckpointError(f"The weights {weights or methods.weights.path} are not there; choose them again.")
        if file_fingerprint(weights) != methods.weights.fingerprint:
            raise CheckpointError(f"{weights} has changed since the project was made with it; choose it again.")
        chosen = methods.weights
        return load(weights, device, chosen.short_side, tell or (lambda text: None), chosen.precision)
    if methods.matter in LEARNED:
        raise CheckpointError(f"The project does not say which weights {methods.matter} is to use; choose them again.")
    _settle("matter", methods.matter or "", MATTERS, "classical")
    from matting.inference.classical import ClassicalMatter

    return ClassicalMatter()


def _found(wanted: Weights, file: Path | None) -> Path | None:
    """The file, or the installed model if the file is gone and the model is the same, as on another computer."""
    if file is None or not file.is_file():
        here = next((installed(known.id) for known in models() if known.id == wanted.kind), None)
        if here is not None and file_fingerprint(here) == wanted.fingerprint:
            return here
    return file


def check_device(device: str) -> str:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:k`` means here.

    Raises:
        DeviceError: there is no such device. ``auto`` may be the CPU, so CUDA is looked for only when it is asked for.
    """
    if device in ("auto", "cpu"):
        return "cpu"
    kind, _, number = device.partition(":")
    if kind != "cuda" or (number and not number.isdecimal()):
        raise DeviceError(f"There is no device called {device}; choose auto, cpu, cuda or cuda:0.")
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= count:
        raise DeviceError(f"The device {device} is not there; this machine has {count} CUDA devices.")
    return device
