"""Which seeder, tracker and matter a name means on this machine; ``auto`` is the best that is installed."""

from __future__ import annotations

from matting.errors import DeviceError, UnavailableError
from matting.inference.matter import Matter
from matting.project.document import Methods
from matting.seeding.seeder import Seeder
from matting.tracking.tracker import Tracker

SEEDERS = ("auto", "sam", "grabcut")
TRACKERS = ("auto", "flow", "cutie")
MATTERS = ("auto", "classical", "lite", "msg-vim", "maggie", "none")


def choose_methods(seeder: str = "auto", tracker: str = "auto", matter: str = "auto") -> Methods:
    """Settle on installed methods.

    Raises:
        UnavailableError: a method was asked for that this version does not have.
    """
    return Methods(
        seeder=_settle("seeder", seeder, SEEDERS, "grabcut"),
        tracker=_settle("tracker", tracker, TRACKERS, "flow"),
        matter=None if matter == "none" else _settle("matter", matter, MATTERS, "classical"),
    )


def _settle(what: str, name: str, known: tuple[str, ...], installed: str) -> str:
    if name in ("auto", installed):
        return installed
    if name in known:
        raise UnavailableError(f"The {what} {name} is not part of this version of Matteo; use --{what} {installed}.")
    raise UnavailableError(f"There is no {what} called {name}; choose one of {', '.join(known)}.")


def seeder_named(name: str) -> Seeder:
    """The seeder of a document; raises UnavailableError when this version does not have it."""
    _settle("seeder", name, SEEDERS, "grabcut")
    from matting.seeding.grabcut import GrabCutSeeder

    return GrabCutSeeder()


def tracker_named(name: str) -> Tracker:
    """The tracker of a document; raises UnavailableError when this version does not have it."""
    _settle("tracker", name, TRACKERS, "flow")
    from matting.tracking.flow import FlowTracker

    return FlowTracker()


def matter_named(name: str) -> Matter:
    """The matter of a document; raises UnavailableError when this version does not have it."""
    _settle("matter", name, MATTERS, "classical")
    from matting.inference.classical import ClassicalMatter

    return ClassicalMatter()


def check_device(device: str) -> str:
    """The device that ``auto``, ``cpu``, ``cuda`` or ``cuda:k`` means here.

    Raises:
        DeviceError: there is no such device. The methods of this version run on the CPU, so ``auto`` is that and
            CUDA is looked for only when it is asked for.
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
