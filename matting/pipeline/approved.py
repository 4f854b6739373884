"""What of a document is approved: the masks and alphas that locks keep, apart from all that can be made again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from matting.arrays import Mask, StoredAlpha
from matting.errors import ProjectError
from matting.project.document import Document, Lock
from matting.project.store import CHUNK_FRAMES, MatteStore

APPROVED = "approved"
"""Folder in the project."""


def mask_kind(instance_id: int) -> str:
    """Where approved masks of an instance are kept; pixels of theirs are 255."""
    return f"mask-{instance_id}"


def alpha_kind(instance_id: int) -> str:
    """Where an instance's alphas are kept, here and in the store."""
    return f"alpha-{instance_id}"


@dataclass(frozen=True)
class Approved:
    """The locks of a document with what they keep in the project's folder."""

    document: Document
    folder: Path

    @property
    def store(self) -> MatteStore:
        return MatteStore(self.folder / APPROVED)

    def mask(self, frame: int, instance_id: int) -> Mask | None:
        """``[H, W]`` bool; None where nothing is approved. Raises ProjectError where it is missing on disk."""
        lock = self.document.instance(instance_id).lock_at(frame)
        return None if lock is None else self._kept(mask_kind(instance_id), lock, lock.masks, frame) > 0

    def alpha(self, frame: int, instance_id: int) -> StoredAlpha | None:
        """``[H, W]`` uint8; None where nothing is approved, or only the mask. Raises as :meth:`mask`."""
        lock = self.document.instance(instance_id).lock_at(frame)
        if lock is None or lock.alphas is None:
            return None
        return self._kept(alpha_kind(instance_id), lock, lock.alphas, frame)

    def put_into(self, picture: StoredAlpha, frame: int) -> None:
        """Put all masks of a frame into its index picture ``[H, W]``, whatever is there; raises as :meth:`mask`."""
        for instance in self.document.instances:
            mask = self.mask(frame, instance.id)
            if mask is not None:
                picture[picture == instance.id] = 0
                picture[mask] = instance.id

    def within(self, frames: range) -> list[tuple[int, Lock, range]]:
        """By instance id, the locks that reach into some frames, and the part of those that they cover."""
        found = []
        for instance in sorted(self.document.instances, key=lambda i: i.id):
            for lock in instance.locks:
                part = range(max(lock.first, frames.start), min(lock.last + 1, frames.stop))
                if part:
                    found.append((instance.id, lock, part))
        return found

    def covers(self, frames: range, instance_id: int) -> bool:
        """Whether one lock of an instance keeps all of some frames."""
        lock = self.document.instance(instance_id).lock_at(frames.start)
        return lock is not None and frames[-1] in lock.frames

    def _kept(self, kind: str, lock: Lock, key: str, frame: int) -> StoredAlpha:
        start = max(frame // CHUNK_FRAMES * CHUNK_FRAMES, lock.first)
        try:
            return self.store.read_frame(kind, start, key, frame - start)
        except KeyError:
            raise ProjectError(
                f"The approved masks of frame {frame} are missing in {self.folder / APPROVED}; unlock the frames"
                f" {lock.first}-{lock.last} to track them again."
            ) from None
