"""Clips with true masks as they lie on disk, in the layout of DAVIS or one folder a clip."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from matting.errors import MediaError
from matting.evaluation.folders import folders, pictures

_FRAMES = ("frames", "images", "JPEGImages")
_MASKS = ("masks", "masks_sparse", "Annotations")
VIDEOS = (".mp4", ".mov", ".mkv", ".avi", ".webm")
"""Endings of files that are taken for clips."""


@dataclass(frozen=True)
class Sequence:
    """One clip: what to open for its frames, and the folder of its index pictures."""

    name: str
    clip: Path
    masks: Path


def sequences(root: Path) -> list[Sequence]:
    """The clips of one folder.

    Args:
        root: of DAVIS, with ``JPEGImages/480p/NAME`` and ``Annotations/480p/NAME``; or of one clip, with ``frames`` (a
            folder of pictures) or a video, and ``masks``; or a folder of such folders.

    Raises:
        MediaError: nothing is laid out like that.
    """
    if not root.is_dir():
        raise MediaError(f"The folder {root} is not there.")
    found = list(_davis(root)) or list(_clip(root)) or [clip for folder in folders(root) for clip in _clip(folder)]
    if not found:
        raise MediaError(
            f"{root} has no clip with masks: give a folder with JPEGImages/480p and Annotations/480p, or one with "
            "frames (or a video) and masks."
        )
    return found


def _davis(root: Path) -> Iterator[Sequence]:
    frames, masks = root / "JPEGImages", root / "Annotations"
    if not frames.is_dir() or not masks.is_dir():
        return
    for resolution in folders(masks):
        for sequence in folders(resolution):
            if pictures(frames / resolution.name / sequence.name):
                yield Sequence(sequence.name, frames / resolution.name / sequence.name, sequence)


def _clip(root: Path) -> Iterator[Sequence]:
    masks = next((root / name for name in _MASKS if pictures(root / name)), None)
    frames = next((root / name for name in _FRAMES if pictures(root / name)), None)
    video = next((file for file in sorted(root.iterdir()) if file.suffix.lower() in VIDEOS), None)
    clip = frames or video
    if masks is not None and clip is not None:
        yield Sequence(root.resolve().name, clip, masks)
