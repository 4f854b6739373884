"""Mattes on disk: which clips, instances and frames two folders hold, and their opacities.

Layouts: ``ROOT/[<clip>/]<instance>/<frame>.png``, or with ``pha/`` above the instances as the VIM benchmark has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.errors import MediaError

_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
Files = tuple[Path | None, ...]
"""The pictures of one instance, one for each frame of its clip; None where there is none."""


@dataclass(frozen=True)
class ClipFiles:
    """One clip of the ground truth and what was predicted for it."""

    name: str
    frames: tuple[str, ...]
    """File stems, sorted as strings."""
    truth: Mapping[str, Files]
    """By the name of the instance; a ground truth has no None."""
    pred: Mapping[str, Files]


def find_pairs(pred: Path, truth: Path) -> tuple[list[ClipFiles], list[str]]:
    """All clips below ``truth`` with their predictions, and the names of clips that only ``pred`` has.

    Raises:
        MediaError: a folder is missing or holds no pictures in one of the layouts, or frames do not belong together.
    """
    truths, preds = _clips(truth), _clips(pred)
    if len(truths) == len(preds) == 1 and (None in truths or None in preds):
        return [_pair(*truths.popitem(), preds.popitem()[1], truth.resolve().name)], []
    if None in truths or None in preds:
        one, other = (truth, pred) if None in truths else (pred, truth)
        raise MediaError(
            f"{one} holds the instances of one clip and {other} several clips; give folders of the same depth."
        )
    extra = [str(name) for name in preds if name not in truths]
    return [_pair(name, found, preds.get(name, {}), "") for name, found in truths.items()], extra


def read_alpha(file: Path) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """One matte, ``[H, W]`` uint8 or uint16 over its full range; colours are read as grey.

    Raises:
        MediaError: the file is missing or no picture of 8 or 16 bits.
    """
    if not file.is_file():
        raise MediaError(f"{file} is not there.")
    content = np.fromfile(file, np.uint8)  # not imread, which stumbles over Windows paths beyond ASCII
    try:
        alpha = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH) if content.size else None
    except cv2.error:
        alpha = None
    if alpha is None:
        raise MediaError(f"{file} cannot be read as a picture; it is damaged or incomplete, so write it again.")
    if alpha.dtype == np.uint8:
        return np.asarray(alpha, np.uint8)
    if alpha.dtype == np.uint16:
        return np.asarray(alpha, np.uint16)
    raise MediaError(f"{file} holds {alpha.dtype} values; write mattes as grey pictures with 8 or 16 bits.")


def pictures(folder: Path) -> list[Path]:
    """The pictures that lie directly in a folder, sorted by name as strings; none where there is no folder."""
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES and file.name[0] != ".")


def folders(folder: Path) -> list[Path]:
    """The folders that lie directly in a folder, sorted by name as strings."""
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and entry.name[0] != ".")


def instances(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each instance of a clip, with or without ``pha/`` above them."""
    base = folder / "pha" if (folder / "pha").is_dir() else folder
    return {entry.name: files for entry in folders(base) if (files := pictures(entry))}


def _clips(root: Path) -> dict[str | None, dict[str, list[Path]]]:
    """The instances of each clip; under None where the folder itself is the clip."""
    if not root.is_dir():
        raise MediaError(f"The folder {root} is not there.")
    if own := instances(root):
        return {None: own}
    clips: dict[str | None, dict[str, list[Path]]] = {
        entry.name: found for entry in folders(root) if (found := instances(entry))
    }
    if not clips:
        raise MediaError(f"{root} has no pictures laid out as [CLIP/]INSTANCE/FRAME.png.")
    return clips


def _pair(
    name: str | None, truth: Mapping[str, list[Path]], pred: Mapping[str, list[Path]], otherwise: str
) -> ClipFiles:
    frames = [file.stem for file in max(truth.values(), key=len)]
    for files in truth.values():
        if [file.stem for file in files] != frames:
            raise MediaError(
                f"{files[0].parent} has {len(files)} frames and another instance of the clip {len(frames)}, or other "
                "names; the ground truth needs the same frames for each instance."
            )
    return ClipFiles(
        name=name or otherwise,
        frames=tuple(frames),
        truth={instance: tuple(files) for instance, files in truth.items()},
        pred={instance: _aligned(files, frames) for instance, files in pred.items()},
    )


def _aligned(files: Sequence[Path], frames: Sequence[str]) -> Files:
    """By name where the names are the ground truth's, else one after another where they are as many."""
    named = {_unpadded(file.stem): file for file in files}
    wanted = [_unpadded(frame) for frame in frames]
    if named.keys() <= set(wanted):
        return tuple(named.get(frame) for frame in wanted)
    if len(files) == len(frames):
        return tuple(files)
    raise MediaError(
        f"{files[0].parent} has {len(files)} frames with other names than the ground truth's {len(frames)}; name them "
        "alike or give as many."
    )


def _unpadded(stem: str) -> str:
    """``00012`` and ``12`` are the same frame."""
    return str(int(stem)) if stem.isdecimal() else stem
