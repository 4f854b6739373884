"""Which tracker a name means on this machine."""

from __future__ import annotations

from pathlib import Path

from matting.errors import CheckpointError, UnavailableError
from matting.fingerprint import file_fingerprint
from matting.project.document import Methods
from matting.tracking.cutie import CutieTracker, cutie_name, is_available
from matting.tracking.flow import FlowTracker
from matting.tracking.names import CUTIE, FLOW
from matting.tracking.tracker import Tracker
from matting.weights import installed

TRACKERS = ("auto", FLOW, CUTIE)


def installed_trackers() -> tuple[str, ...]:
    """The trackers that can be used on this machine, the best first."""
    return (CUTIE, FLOW) if is_available() and installed(CUTIE) is not None else (FLOW,)


def choose_tracker(name: str = "auto") -> tuple[str, str]:
    """Settle on an installed tracker.

    Args:
        name: one of :data:`TRACKERS`; ``auto`` is Cutie where the package and its weights are installed, else flow.

    Returns:
        The tracker, and the fingerprint of its weights, "" where there are none.

    Raises:
        UnavailableError: there is no such tracker, or it is not installed; the sentence says how it is had.
    """
    if name not in TRACKERS:
        raise UnavailableError(f"There is no tracker called {name}; choose one of {', '.join(TRACKERS)}.")
    chosen = installed_trackers()[0] if name == "auto" else name
    return chosen, file_fingerprint(_file()) if chosen == CUTIE else ""


def _file() -> Path:
    if not is_available():
        raise UnavailableError(
            "The tracker cutie needs the package rf-cutie, which is not installed; install Matteo with its extra "
            "“cutie” (uv sync --extra cutie), or use --tracker flow."
        )
    path = installed(CUTIE)
    if path is None:
        raise UnavailableError(
            "The weights of the tracker cutie are not installed; get them with “matteo models get cutie”, or use "
            "--tracker flow."
        )
    return path


def tracker_name(methods: Methods) -> str:
    """Method, version, weights and size of the document's tracker: a part of the key of every mask.

    Raises:
        UnavailableError: this version does not have it.
    """
    if methods.tracker == CUTIE:
        return cutie_name(methods.tracker_weights)
    if methods.tracker != FLOW:
        raise UnavailableError(f"There is no tracker called {methods.tracker}; choose one of {', '.join(TRACKERS)}.")
    return FlowTracker.name


def is_joint(methods: Methods) -> bool:
    """Whether the instances of the document's tracker influence each other; see :class:`Tracker`."""
    return methods.tracker == CUTIE


def open_tracker(methods: Methods, device: str = "auto") -> Tracker:
    """The document's tracker; the weights of a network are read when the first frame is tracked.

    Raises:
        UnavailableError: this version does not have it, or it is not installed.
        CheckpointError: the weights are not those that the project says.
        DeviceError: there is no such device.
    """
    tracker_name(methods)  # raises where there is no such tracker
    if methods.tracker != CUTIE:
        return FlowTracker()
    path = _file()
    if file_fingerprint(path) != methods.tracker_weights:
        raise CheckpointError(
            f"{path} is not the file that this project's people were tracked with; choose the tracker again."
        )
    from matting.inference.device import choose

    return CutieTracker(path, choose(device))
