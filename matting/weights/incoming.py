"""How a model's file comes in, by download or from the artist, and how it is found right or damaged."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from matting.errors import CheckpointError, OutputError, UnavailableError
from matting.files import replacing, sync
from matting.job import JobContext
from matting.weights.catalogue import Model, models
from matting.weights.folder import Record, check_room, installed, place_of, record_of, shipped_file, write_record
from matting.weights.sizes import in_bytes

MIRROR = "MATTEO_MIRROR"
"""The environment variable that names a server of your own: every file is then fetched from below that address, under
its public name, and from nowhere else."""
_BLOCK_BYTES = 1 << 20
_CALLED = {"sha256": "the SHA-256", "md5": "the MD5", "named": "a hash that begins with"}


@dataclass(frozen=True)
class State:
    """How far a model is.

    Attributes:
        path: of the installed file, or None.
        size: of that file in bytes, or of what an unfinished download has brought.
        damaged: it did come in once, but the file is gone or has another size.
        by_hand: there is no address that it could be fetched from.
        shipped: the file is the one that comes with Matteo.
    """

    path: Path | None
    size: int
    damaged: bool
    by_hand: bool
    shipped: bool = False


Check = Callable[[Model, Path], None]
"""Reads a file and raises CheckpointError if it does not hold the model's network."""


@dataclass(frozen=True)
class Finding:
    """What :func:`verify` found of one model: ``damage`` in words, or None where every byte is right."""

    model: Model
    path: Path
    damage: str | None


def get(known: Model, check: Check, ctx: JobContext) -> Path:
    """Fetch a model, going on from what came before; does nothing when it is here and whole.

    Args:
        known: of the catalogue.
        check: of the file's layout.
        ctx: told of bytes, speed and time left; a stopped download is gone on with the next time.

    Returns:
        The installed file.

    Raises:
        UnavailableError: there is no address to fetch it from; the sentence says how it is had.
        DownloadError: no network, or the servers refuse or keep breaking off.
        CheckpointError: what came is not the model; it was removed.
        OutputError: there is no room, or the folder cannot be written.
        Cancelled: somebody asked to stop.
    """
    from matting.weights.download import discard, fetch

    urls = addresses(known)
    if not urls:
        raise UnavailableError(
            f"{known.title} cannot be fetched by a program. {known.by_hand} Then: matteo models import {known.id} FILE"
        )
    with _alone(known, ctx):
        record, path = record_of(known), installed(known.id)
        if record is not None and path is not None:
            with ctx.stage(0, 0.05):
                if _hashes(path, f"Checking {known.title}", ctx)["sha256"] == record.sha256:
                    return path
        part = part_of(known)
        with ctx.stage(0, 0.9):
            source = fetch(urls, part, known.title, ctx)
        try:
            with ctx.stage(0.9, 1):
                record = _found_right(known, part, known.file_name, source, check, ctx)
        except CheckpointError as error:
            discard(part)
            raise CheckpointError(
                f"{source} gave something else than {known.title}; it was removed. {error}"
            ) from error
        # The record first: after a crash in between, the whole part is still there to be taken.
        write_record(known, record)
        target = place_of(known) / known.file_name
        try:
            part.replace(target)
            sync(target.parent)
        except OSError as error:
            raise OutputError(f"{target} could not be written: {error.strerror or error}.") from error
        discard(part)
        return target


def import_file(known: Model, file: Path, check: Check, ctx: JobContext) -> Path:
    """Copy a file that the artist brings into the folder of models, if it is what it should be.

    Args:
        known: which model it is.
        file: stays as it is.
        check: of the file's layout.
        ctx: told how much has been copied.

    Returns:
        The installed file.

    Raises:
        CheckpointError: there is no such file, or it is not the model.
        OutputError: there is no room, or the folder cannot be written.
        Cancelled: somebody asked to stop.
    """
    if not file.is_file():
        raise CheckpointError(f"There is no file {file}.")
    size = file.stat().st_size
    with _alone(known, ctx):
        target = place_of(known) / Path(known.file_name).with_suffix(file.suffix)
        check_room(target.parent, size, known.title)
        with _opened(file) as source, replacing(target) as copy:
            with ctx.stage(0, 0.5), copy.open("wb") as out:
                done = 0
                while block := source.read(_BLOCK_BYTES):
                    out.write(block)
                    done += len(block)
                    ctx.report(done / size, f"Copying {file.name}")
            try:
                with ctx.stage(0.5, 1):
                    record = _found_right(known, copy, target.name, str(file.absolute()), check, ctx)
            except CheckpointError as error:
                raise CheckpointError(f"{file} is not {known.title}. {error}") from error
            write_record(known, record)
        return target


def verify(ctx: JobContext) -> list[Finding]:
    """Read every installed file again and compare it with the hash that was recorded when it came in.

    Raises:
        Cancelled: somebody asked to stop.
    """
    recorded = [(known, record) for known in models() if (record := record_of(known)) is not None]
    total, done, findings = sum(record.size for _, record in recorded) or 1, 0, []
    for known, record in recorded:
        path = place_of(known) / record.file
        with ctx.stage(done / total, (done + record.size) / total):
            findings.append(Finding(known, path, _damage(known, path, record, ctx)))
        done += record.size
    return findings


def addresses(known: Model) -> tuple[str, ...]:
    """Where the model is fetched from."""
    mirror = os.environ.get(MIRROR)
    return (f"{mirror.rstrip('/')}/{known.file_name}",) if mirror else known.urls


def state_of(known: Model) -> State:
    """How far a model is, without reading its file."""
    path = installed(known.id)
    size = part_bytes(known) if path is None else path.stat().st_size
    shipped = path is not None and path == shipped_file(known)
    damaged = (path is None or shipped) and record_of(known) is not None
    return State(path, size, damaged, not addresses(known), shipped)


def part_of(known: Model) -> Path:
    """The file that a download of the model grows in; its extension says to readers what it will be."""
    target = place_of(known) / known.file_name
    return target.with_name(f"{target.stem}.part{target.suffix}")


def part_bytes(known: Model) -> int:
    """How much of the model an unfinished download has brought."""
    try:
        return part_of(known).stat().st_size
    except OSError:
        return 0


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("rb")
    except OSError as error:
        raise CheckpointError(f"{file} cannot be read: {error.strerror or error}.") from error


def _damage(known: Model, path: Path, record: Record, ctx: JobContext) -> str | None:
    try:
        size = path.stat().st_size
        if size != record.size:
            return f"it has {in_bytes(size)} instead of {in_bytes(record.size)}"
        if _hashes(path, f"Reading {known.title}", ctx)["sha256"] != record.sha256:
            return "its content has changed since it came in"
    except FileNotFoundError:
        return "the file is gone"
    except OSError as error:
        return f"it cannot be read ({error.strerror or error})"
    return None


def _found_right(known: Model, path: Path, name: str, source: str, check: Check, ctx: JobContext) -> Record:
    """The record of a file whose bytes and layout are right; raises CheckpointError for one that is not."""
    hashes = _hashes(path, f"Checking {known.title}", ctx)
    for algorithm, published in known.digests.items():
        found = hashes.values() if algorithm == "named" else [hashes[algorithm]]
        if not any(hashed.startswith(published) for hashed in found):
            raise CheckpointError(
                f"Its makers publish {_CALLED[algorithm]} {published}{'' if _whole(published) else '…'}, the file has "
                f"{' and '.join(found)}."
            )
    pinned = record_of(known)
    if pinned is not None and pinned.sha256 != hashes["sha256"]:
        raise CheckpointError(
            f"The first file that came in had the SHA-256 {pinned.sha256}, this one has {hashes['sha256']}. If its "
            f"makers did publish another one, delete {place_of(known)} first."
        )
    ctx.report(0.9, f"Reading {known.title}")
    check(known, path)
    return Record(name, path.stat().st_size, hashes["sha256"], source)


def _whole(digest: str) -> bool:
    return len(digest) in (32, 64)


def _hashes(path: Path, message: str, ctx: JobContext) -> dict[str, str]:
    """SHA-256 and MD5 of a file, in hex; MD5 only because some makers publish nothing better."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    size, done = path.stat().st_size or 1, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            sha256.update(block)
            md5.update(block)
            done += len(block)
            ctx.report(0.9 * done / size, message)
    return {"sha256": sha256.hexdigest(), "md5": md5.hexdigest()}


@contextmanager
def _alone(known: Model, ctx: JobContext) -> Iterator[None]:
    """Let one process at a time bring in a model; the others wait."""
    folder = place_of(known)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock")
        while True:
            try:
                lock.acquire(timeout=0)
                break
            except Timeout:
                ctx.report(0, f"Waiting for another Matteo that brings in {known.title}")
                time.sleep(0.2)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}.") from error
    try:
        yield
    finally:
        lock.release()
