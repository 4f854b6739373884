"""The public data sets as they lie on disk: pictures, guidance masks and ground truth of each sample.

Sources: the evaluation code of VIM (SHI-Labs/VIM) and MaGGIe (hmchuong/MaGGIe), and the layouts that their data has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from matting.errors import MediaError
from matting.evaluation.folders import folders, instances, pictures

_MOST_INSTANCES = 10
_CHOICE_SEED = 2023
_HIM2K_MASKS = "masks_matched_"
Files = tuple[tuple[Path, ...], ...]
"""``[T][N]``: the files of each frame, one for each instance."""


@dataclass(frozen=True)
class Sample:
    """One picture or clip with the masks of one maker."""

    group: str
    """The part of the data set that is reported by itself."""
    source: str
    """Who made the masks."""
    name: str
    frames: tuple[Path, ...]
    masks: Files
    truth: Files
    """In the order of the masks, except for VIM50, whose ground truth has instances of its own."""


def vim50(root: Path) -> Iterator[Sample]:
    """``ROOT/<any>/<clip>/com/<frame>`` and ``…/<clip>/pha/<instance>/<frame>``; every other folder of ROOT with
    ``<clip>/<instance>/<frame>`` is one maker's target masks (reference masks, in a folder ``RE``, are not needed).

    Raises:
        MediaError: the folder does not have this layout.
    """
    sets = _folders(root)
    scenes = next((entry for entry in sets if any((clip / "com").is_dir() for clip in folders(entry))), None)
    if scenes is None:
        raise _not_laid_out(root, "<any>/<clip>/com/<frame>")
    for source in sets:
        if source == scenes or source.name.lower() == "re":
            continue
        for clip in folders(scenes):
            frames, truth = pictures(clip / "com"), instances(clip)
            masks = instances(source / clip.name) if (source / clip.name).is_dir() else {}
            if frames and truth:
                yield Sample(
                    "all",
                    source.name,
                    clip.name,
                    tuple(frames),
                    _by_frame(frames, masks),
                    _by_frame(frames, truth),
                )


def him2k(root: Path) -> Iterator[Sample]:
    """``ROOT/images/<split>/X.jpg``, ``ROOT/alphas/<split>/X/00.png``, ``ROOT/masks_matched_<maker>/<split>/X/00.png``.

    Instances are the files among the masks; a picture without masks is left out; of more than ten, ten are drawn.

    Raises:
        MediaError: the folder does not have this layout.
    """
    for split in ("comp", "natural"):
        for masks in _folders(root):
            if not masks.name.startswith(_HIM2K_MASKS):
                continue
            chance = np.random.RandomState(_CHOICE_SEED)
            for picture in pictures(root / "images" / split):
                found = pictures(masks / split / picture.stem)
                if len(found) > _MOST_INSTANCES:
                    found = [found[k] for k in sorted(chance.choice(len(found), _MOST_INSTANCES, replace=False))]
                if found:
                    truth = tuple(root / "alphas" / split / picture.stem / mask.name for mask in found)
                    source = masks.name.removeprefix(_HIM2K_MASKS)
                    yield Sample(split, source, picture.stem, (picture,), (tuple(found),), (truth,))


def vhim60(root: Path) -> Iterator[Sample]:
    """``ROOT/<split>/fgr/<video>/<frame>.jpg``, ``…/pha/<video>/<frame>/00.png``, ``…/xmem/<video>/<frame>/00.png``.

    Instances are the first ten files among the masks of the first frame.

    Raises:
        MediaError: the folder does not have this layout.
    """
    if not _folders(root):
        raise _not_laid_out(root, "<split>/fgr/<video>/<frame>")
    for split in ("comp_easy", "comp_medium", "comp_hard"):
        videos = root / split / "fgr"
        for video in folders(videos) if videos.is_dir() else []:
            frames = pictures(video)
            masks, truth = (root / split / kind / video.name for kind in ("xmem", "pha"))
            names = [file.name for file in pictures(masks / frames[0].stem)[:_MOST_INSTANCES]] if frames else []
            if names:
                mask_files, truth_files = (
                    tuple(tuple(kind / frame.stem / name for name in names) for frame in frames)
                    for kind in (masks, truth)
                )
                yield Sample(split, "xmem", video.name, tuple(frames), mask_files, truth_files)


LAYOUTS: dict[str, Callable[[Path], Iterator[Sample]]] = {"vim50": vim50, "him2k": him2k, "vhim60": vhim60}


def samples(dataset: str, root: Path) -> list[Sample]:
    """Everything there is to measure in one of LAYOUTS.

    Raises:
        MediaError: nothing is there.
    """
    found = list(LAYOUTS[dataset](root))
    if not found:
        raise MediaError(f"{root} has no pictures with masks in the layout of {dataset}.")
    return found


def _folders(root: Path) -> list[Path]:
    if not root.is_dir():
        raise MediaError(f"The folder {root} is not there.")
    return folders(root)


def _by_frame(frames: Sequence[Path], files: dict[str, list[Path]]) -> Files:
    """Files by instance as files by frame; the names are those of the frames."""
    named = {name: {file.stem: file for file in own} for name, own in files.items()}
    try:
        return tuple(tuple(own[frame.stem] for own in named.values()) for frame in frames)
    except KeyError as missing:
        first = next(iter(files.values()))[0]
        raise MediaError(f"{first.parent.parent} has no picture of frame {missing.args[0]}.") from None


def _not_laid_out(root: Path, layout: str) -> MediaError:
    return MediaError(f"{root} has no {layout}; give the folder that holds the data set.")
