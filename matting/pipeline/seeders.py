"""Which seeder a name means on this machine; one that needs a network is opened once and stays open."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from matting.errors import CheckpointError, UnavailableError
from matting.fingerprint import file_fingerprint
from matting.project.document import Methods
from matting.seeding.embeddings import Embeddings
from matting.seeding.names import GRABCUT, NETWORKS
from matting.seeding.seeder import Seeder
from matting.weights import installed

if TYPE_CHECKING:  # brings PyTorch
    from matting.seeding.sam import SamSeeder

SEEDERS = ("auto", "sam", GRABCUT, *NETWORKS)
_SAM_VERSION = 1


def installed_seeders() -> tuple[str, ...]:
    """The seeders that can be used on this machine: those whose model is installed, the quickest first, and GrabCut."""
    return (*(model_id for model_id in NETWORKS if installed(model_id) is not None), GRABCUT)


def choose_seeder(name: str = "auto", device: str = "auto") -> tuple[str, str]:
    """Settle on an installed seeder.

    On a CUDA device ``sam`` is the most exact network that is installed. On the CPU it is the quickest: on two cores
    MobileSAM looks at a frame for about two seconds, ViT-B for ten or more and ViT-H for minutes.

    Args:
        name: one of :data:`SEEDERS`; ``auto`` is ``sam`` where one of its models is installed, else GrabCut.
        device: where networks will run.

    Returns:
        GrabCut or the model's id, and the fingerprint of its weights, "" where there are none.

    Raises:
        UnavailableError: there is no such seeder, or its model is not installed.
        DeviceError: there is no such device.
    """
    if name not in SEEDERS:
        raise UnavailableError(f"There is no seeder called {name}; choose one of {', '.join(SEEDERS)}.")
    found = installed_seeders()[:-1]
    if name == GRABCUT or (name == "auto" and not found):
        return GRABCUT, ""
    if name in ("auto", "sam"):
        if not found:
            raise UnavailableError(
                "The seeder sam needs one of its models, and none is installed; get one with “matteo models get "
                "mobile-sam”, or use --seeder grabcut."
            )
        name = found[-1] if len(found) > 1 and _has_cuda(device) else found[0]
    return name, file_fingerprint(_file(name))


def _has_cuda(device: str) -> bool:
    from matting.inference.device import choose

    return choose(device).type == "cuda"


def _file(model_id: str) -> Path:
    path = installed(model_id)
    if path is None:
        raise UnavailableError(
            f"The model {model_id} is not installed; get it with “matteo models get {model_id}”, or choose another "
            "seeder."
        )
    return path


def seeder_name(methods: Methods) -> str:
    """Method, version and weights of the document's seeder: a part of the key of every seed.

    Raises:
        UnavailableError: this version does not have it.
    """
    if methods.seeder in NETWORKS:
        return f"{methods.seeder}/{_SAM_VERSION}:{methods.seeder_weights[:16]}"
    return _grabcut(methods.seeder).name


def looks_at(methods: Methods) -> tuple[int, ...]:
    """How far from a frame the pictures lie that the document's seeder looks at; see :class:`Seeder`."""
    return () if methods.seeder in NETWORKS else _grabcut(methods.seeder).looks_at


def _grabcut(name: str) -> Seeder:
    if name != GRABCUT:
        raise UnavailableError(f"There is no seeder called {name}; choose one of {', '.join(SEEDERS)}.")
    from matting.seeding.grabcut import GrabCutSeeder

    return GrabCutSeeder()


def open_seeder(
    methods: Methods,
    device: str = "auto",
    kept: Embeddings | None = None,
    tell: Callable[[str], None] = lambda text: None,
) -> Seeder:
    """The document's seeder, ready to work; a network stays open until :func:`close_seeders`.

    Args:
        methods: of the document.
        device: where a network runs.
        kept: where what it sees is kept; None for :func:`embeddings`.
        tell: gets a sentence when the device had no memory, until the seeder is opened again.

    Raises:
        UnavailableError: this version does not have it, or its model is not installed.
        CheckpointError: the model's file is damaged or not the one that the project was made with.
        DeviceError: there is no such device.
    """
    if methods.seeder not in NETWORKS:
        return _grabcut(methods.seeder)
    path = _file(methods.seeder)
    facts = path.stat()
    if _fingerprint(path, facts.st_size, facts.st_mtime_ns) != methods.seeder_weights:
        raise CheckpointError(
            f"{path} is not the file that this project's people were selected with; choose the seeder again."
        )
    seeder, told = _open_sam(methods.seeder, path, seeder_name(methods), device, kept or embeddings())
    while told:
        tell(told.pop(0))
    seeder.predictor.placed.tell = tell
    return seeder


@lru_cache(maxsize=len(NETWORKS))
def _fingerprint(path: Path, size: int, changed_ns: int) -> str:
    """Fingerprint of a file that is still as it was; every click asks for it."""
    return file_fingerprint(path)


@lru_cache(maxsize=1)
def _open_sam(model_id: str, path: Path, name: str, device: str, kept: Embeddings) -> tuple[SamSeeder, list[str]]:
    """The seeder, and what there was to tell while it was opened."""
    from matting.inference.device import choose
    from matting.networks.checkpoints import network_from
    from matting.networks.sam import Predictor
    from matting.seeding.sam import SamSeeder

    told: list[str] = []
    return SamSeeder(Predictor(network_from(path, model_id), choose(device), told.append), name, kept), told


@cache
def embeddings() -> Embeddings:
    """What networks saw in frames.

    On the disk they lie in the user's cache folder and not in the project's store: they can be made again at any time,
    serve every project of the same footage, and whoever copies a project does not want gigabytes of them.
    """
    return Embeddings(Path(platformdirs.user_cache_dir("matteo", appauthor=False)) / "embeddings")


def close_seeders() -> None:
    """Let go of the network that is open."""
    _open_sam.cache_clear()
