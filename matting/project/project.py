"""A project on disk: ``DIR.matteo`` with the document, drawn masks and the matte store."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import from_json

from matting.errors import MediaError, ProjectError
from matting.files import write_bytes
from matting.media import Clip, ClipInfo, open_clip
from matting.project.document import SCHEMA_VERSION, Document, Media

if TYPE_CHECKING:
    from matting.project.store import MatteStore

DOCUMENT = "project.json"
AUTOSAVE = "autosave.json"


class Project:
    """One ``DIR.matteo``: where its document, its drawn masks and its store are, and which clip it is about."""

    def __init__(self, folder: Path, document: Document) -> None:
        self.folder = folder
        self.document = document

    @property
    def prompts_folder(self) -> Path:
        """Where masks that were given as prompts are kept, named by their content."""
        return self.folder / "prompts"

    def open_store(self) -> MatteStore:
        from matting.project.store import MatteStore  # zarr is slow to import and the window does not need it

        return MatteStore(self.folder / "store")

    @staticmethod
    def create(folder: Path, info: ClipInfo, frames: range | None = None) -> Project:
        """A project about a clip; nothing is written before :meth:`save`.

        Args:
            folder: where it will be.
            info: the clip.
            frames: the range to work on; the whole clip by default.
        """
        frames = frames if frames is not None else range(len(info))
        document = Document(media=describe(info, folder), in_frame=frames.start, out_frame=frames.stop - 1)
        return Project(folder, document)

    @staticmethod
    def load(folder: Path) -> Project:
        """Read a project.

        Raises:
            ProjectError: there is none, it is damaged, or it comes from a newer version.
        """
        return Project(folder, _read_document(folder / DOCUMENT))

    def autosaved(self) -> Document | None:
        """What was autosaved after the last save, if it differs from the document; None when there is nothing."""
        path = self.folder / AUTOSAVE
        if not path.is_file():
            return None
        try:
            document = _read_document(path)
        except ProjectError:  # an unreadable autosave must never keep the project from opening
            return None
        return document if document != self.document else None

    def save(self) -> None:
        """Write the document; what was autosaved before is then of no more use.

        Raises:
            OutputError: the folder cannot be written; the document on disk is then the old one.
        """
        write_bytes(self.folder / DOCUMENT, _to_json(self.document))
        (self.folder / AUTOSAVE).unlink(missing_ok=True)

    def autosave(self, document: Document) -> None:
        """Keep an unsaved document beside the saved one, for after a crash."""
        write_bytes(self.folder / AUTOSAVE, _to_json(document))

    def resolve(self, path: str) -> Path:
        """Where a path of the document is on this machine."""
        return Path(os.path.normpath(self.folder.absolute() / path))

    def relative(self, path: Path) -> str:
        """How a path is written in the document: relative to the folder where that is possible."""
        return relative_to(self.folder, path)

    def open_clip(self) -> Clip:
        """Open the project's clip, also when it moved together with the project or into its folder.

        Raises:
            ProjectError: it is nowhere near, or another clip is in its place; says how to relink.
            MediaError: it cannot be decoded.
        """
        expected = self.resolve(self.document.media.path)
        nearby = [expected, self.folder / expected.name, self.folder.parent / expected.name]
        other = None
        for path in nearby:
            try:
                clip = open_clip(path)
            except MediaError:
                if path.exists():  # it is there and cannot be read, which relinking would not mend
                    raise
                continue
            if clip.info.fingerprint == self.document.media.fingerprint:
                return clip
            clip.close()
            other = path
        how = f"relink it with: matteo relink {self.folder} CLIP"
        if other is not None:
            raise ProjectError(f"{other} is not the clip that {self.folder} was made with; {how}")
        raise ProjectError(f"{expected}, the clip of {self.folder}, is not there any more; {how}")

    def relinked(self, info: ClipInfo) -> Document:
        """The document pointing at the clip's new place.

        Raises:
            ProjectError: it is another clip.
        """
        if info.fingerprint != self.document.media.fingerprint:
            raise ProjectError(
                f"{info.path} is not the clip that {self.folder} was made with (its content differs);"
                " use another project folder for it."
            )
        return self.document.model_copy(update={"media": describe(info, self.folder)})


def relative_to(folder: Path, path: Path) -> str:
    """``path`` relative to ``folder`` with forward slashes, or absolute on another drive."""
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:
        return path.absolute().as_posix()


def describe(info: ClipInfo, folder: Path) -> Media:
    """The document's record of a clip, seen from a project's folder."""
    height, width = info.size_hw
    return Media(
        path=relative_to(folder, info.path),
        fingerprint=info.fingerprint,
        width=width,
        height=height,
        frame_count=len(info),
    )


def _to_json(document: Document) -> bytes:
    return document.model_dump_json(indent=1).encode() + b"\n"


def _read_document(path: Path) -> Document:
    try:
        content: Any = from_json(path.read_bytes())
    except FileNotFoundError as error:
        raise ProjectError(f"{path.parent} is not a Matteo project: it has no {path.name}.") from error
    except OSError as error:
        raise ProjectError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ProjectError(f"{path} is damaged: {error}.") from error
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise ProjectError(f"{path} is not a Matteo project: it has no schema_version.")
    if version > SCHEMA_VERSION:
        raise ProjectError(
            f"{path.parent} was made by a newer Matteo (project version {version}, this one reads up to"
            f" {SCHEMA_VERSION}); update Matteo to open it."
        )
    try:
        return Document.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise ProjectError(f"{path} is damaged at {where}: {first['msg']}.") from error
