"""The folder of models: what lies in it, and the record that says it came in whole.

``<folder>/<model id>/`` holds the file under its public name and ``record.json``.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from matting.errors import OutputError, UnavailableError
from matting.files import write_bytes
from matting.weights.catalogue import Model, model, models
from matting.weights.sizes import in_bytes
from resources import ROOT

VARIABLE = "MATTEO_MODELS"
"""The environment variable that names another folder."""
_RECORD = "record.json"


@dataclass(frozen=True)
class Record:
    """Made when a file has come in and was found right.

    Attributes:
        file: its name.
        size: in bytes.
        sha256: of the whole file, in hex.
        source: where it came from: an address, or the path of a file that was imported.
    """

    file: str
    size: int
    sha256: str
    source: str


def folder() -> Path:
    """Where models lie: the user's data folder, or what ``MATTEO_MODELS`` says; it need not exist."""
    named = os.environ.get(VARIABLE)
    return (
        Path(named).expanduser().absolute()
        if named
        else Path(platformdirs.user_data_dir("matteo", appauthor=False)) / "models"
    )


def place_of(known: Model) -> Path:
    """The folder of one model."""
    return folder() / known.id


def record_of(known: Model) -> Record | None:
    """What was written down when the model came in; None when it never did, or the record is damaged."""
    try:
        content = json.loads((place_of(known) / _RECORD).read_bytes())
        return Record(str(content["file"]), int(content["size"]), str(content["sha256"]), str(content["source"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(known: Model, record: Record) -> None:
    """Say that the model's file is there and right; raises OutputError."""
    write_bytes(place_of(known) / _RECORD, json.dumps(asdict(record), indent=1).encode())


def shipped_file(known: Model) -> Path | None:
    """The file of a model that comes with Matteo; None for all others."""
    return ROOT / known.file_name if known.shipped else None


def installed(model_id: str) -> Path | None:
    """The file of a model that came in whole and was found right, or that comes with Matteo; None if there is none.

    Compares the file's size with the record and reads nothing of it; ``matteo models verify`` reads everything.

    Raises:
        UnavailableError: there is no such model in the catalogue.
    """
    known = model(model_id)
    record = record_of(known)
    if record is None:
        return shipped_file(known)
    path = place_of(known) / record.file
    try:
        return path if path.stat().st_size == record.size else shipped_file(known)
    except OSError:
        return shipped_file(known)


def file_of(id_or_path: str | Path) -> Path:
    """The installed file of a model where its id is given; a path that is something else is given back.

    A file or folder of that very name goes before the model.

    Raises:
        UnavailableError: the model is not installed; the sentence says how it is had.
    """
    path = Path(id_or_path)
    known = next((known for known in models() if known.id == str(id_or_path)), None)
    if known is None or path.exists():
        return path
    found = installed(known.id)
    if found is None:
        raise UnavailableError(f"{known.title} is not installed; get it with: matteo models get {known.id}")
    return found


def check_room(place: Path, needed: int, title: str) -> None:
    """See that ``needed`` bytes can be written to a folder.

    Raises:
        OutputError: there is less room; the sentence says what to do.
    """
    free = shutil.disk_usage(place).free
    if free < needed:
        raise OutputError(
            f"There is not enough room in {place} for {title}: {in_bytes(needed)} are needed and {in_bytes(free)} are "
            f"free. Make room, or name another folder in {VARIABLE}."
        )
