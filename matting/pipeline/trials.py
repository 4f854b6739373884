"""Clips with true alphas from folders: people to be composed before backgrounds, or clips that are ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.arrays import FloatArray
from matting.compositing.behind import cover
from matting.compositing.foreground import estimate_foreground
from matting.errors import MediaError
from matting.evaluation import datasets
from matting.evaluation.datasets import Sample
from matting.evaluation.folders import folders, instances, read_alpha
from matting.evaluation.opacity import as_float
from matting.evaluation.sequences import VIDEOS
from matting.frames import to_8_bit
from matting.media import open_clip
from matting.pipeline.folders import number
from matting.pipeline.picture import read_image
from matting.synthesis.cutouts import PICTURES, read_colour
from matting.synthesis.guidance import plain_guidance
from matting.synthesis.layers import to_8_bit as rounded
from matting.synthesis.procedural import procedural_clip
from matting.synthesis.scenery import Camera, fitted, seen
from matting.synthesis.trials import Background, Foreground, Trial, composed, dice, foregrounds, line_up

DRAWN_SEEDS = 2_000_000
"""The first; those of training and validation lie below."""


def trials(
    roots: Sequence[Path], backgrounds: Path | None, frames: int, size_hw: tuple[int, int]
) -> list[Callable[[], Trial]]:
    """What makes each clip; one at a time, since a clip is held as a whole.

    Args:
        roots: people as :func:`matting.synthesis.trials.foregrounds` finds them; or clips that are ready: a set in the
            layout of VIM50 or V-HIM60 (what ``matteo synthesize`` writes), or a clip or folder of clips with ``frames``
            (or a video) and ``alpha/<id>/<number>.png``.
        backgrounds: pictures and videos without people.
        frames: most frames of a clip.
        size_hw: of composed clips; ready ones keep theirs.

    Raises:
        MediaError: a folder holds nothing of that kind, or backgrounds are needed and none are there.
    """
    found: list[Callable[[], Trial]] = []
    people: list[Foreground] = []
    for root in roots:
        if not root.is_dir():
            raise MediaError(f"The folder {root} is not there.")
        if ready := list(_ready(root, frames)):
            found += ready
        elif own := foregrounds(root, straightened):
            people += own
        else:
            raise MediaError(
                f"{root} has no clips with true alphas and no people to make them of: give folders of fg or image with "
                "alpha, a set by matteo synthesize, or clips of frames with alpha/ID."
            )
    if people:
        grounds = _grounds(backgrounds)
        found += [_making(together, grounds, frames, size_hw) for together in line_up(people)]
    return found


def _ready(root: Path, frames: int) -> Iterator[Callable[[], Trial]]:
    if any(root.glob("*/*/com")):
        samples = list(datasets.vim50(root))
    elif any(root.glob("comp_*/fgr")):
        samples = list(datasets.vhim60(root))
    else:
        for folder in (root, *folders(root)):
            shown = folder / "frames" if (folder / "frames").is_dir() else _video_in(folder)
            truth = instances(folder / "alpha") if (folder / "alpha").is_dir() else {}
            if shown is not None and truth:
                yield partial(_clip, folder.resolve().name, root.resolve().name, shown, truth, frames)
        return
    for sample in samples:
        if any(sample.masks):
            yield partial(_sample, sample, root.resolve().name, frames)


def _sample(sample: Sample, group: str, most: int) -> Trial:
    """A clip of a data set with the guidance that comes with it."""
    shown = np.stack([to_8_bit(read_image(path)) for path in sample.frames[:most]])
    alphas, masks = (
        np.stack([np.stack([_stored(path, shown.shape[1:3]) for path in files]) for files in kind[: len(shown)]])
        for kind in (sample.truth, sample.masks)
    )
    if alphas.shape != masks.shape:
        raise MediaError(
            f"The clip {sample.name} has masks of {masks.shape[1]} and alphas of {alphas.shape[1]} people."
        )
    group = group if sample.group == "all" else sample.group
    return Trial(sample.name, (group,) * alphas.shape[1], shown, alphas, masks > 127)


def _clip(name: str, group: str, shown: Path, truth: Mapping[str, Sequence[Path]], most: int) -> Trial:
    """A clip of frames and alphas; its guidance is made from them."""
    frames, alphas = [], []
    with open_clip(shown) as clip:
        for t, picture in clip.frames(0, min(len(clip), most)):
            frames.append(to_8_bit(picture))
            stem = number(clip, t)
            files = [next((file for file in own if file.stem == stem), None) for own in truth.values()]
            if None in files:
                raise MediaError(f"{shown.parent / 'alpha'} lacks the alpha {stem} of somebody.")
            alphas.append(np.stack([_stored(file, clip.size_hw) for file in files if file is not None]))
    seen = np.stack(alphas)
    return Trial(name, (group,) * seen.shape[1], np.stack(frames), seen, plain_guidance(seen, dice(name)))


def _stored(path: Path, size_hw: tuple[int, ...]) -> NDArray[np.uint8]:
    alpha = read_alpha(path)
    if alpha.shape != tuple(size_hw):
        raise MediaError(f"{path} is not of the size of its picture.")
    return rounded(as_float(alpha))


def _video_in(folder: Path) -> Path | None:
    return next((file for file in sorted(folder.iterdir()) if file.suffix.lower() in VIDEOS), None)


def drawn(count: int, frames: int, size_hw: tuple[int, int]) -> list[Callable[[], Trial]]:
    """What makes each of some drawn clips, whose seeds nothing is trained on or chosen by."""
    return [partial(_drawn, DRAWN_SEEDS + place, frames, size_hw) for place in range(count)]


def _drawn(seed: int, frames: int, size_hw: tuple[int, int]) -> Trial:
    clip = procedural_clip(seed, size_hw, frames)
    name, people = f"drawn {seed}", clip.alphas.shape[1]
    return Trial(name, ("drawn",) * people, clip.frames, clip.alphas, plain_guidance(clip.alphas, dice(name)))


def straightened(colour: FloatArray, opacity: FloatArray) -> FloatArray:
    """The colours of a photograph ``[H, W, 3]`` without the background that shines through, by its opacity."""
    return estimate_foreground(rounded(colour), rounded(opacity)) / np.float32(255)


def _making(
    people: tuple[Foreground, ...], grounds: Sequence[Path], frames: int, size_hw: tuple[int, int]
) -> Callable[[], Trial]:
    rng = dice("before " + " + ".join(person.name for person in people))
    chosen = grounds[int(rng.integers(len(grounds)))]

    def make() -> Trial:
        return composed(people, _background(chosen, frames, size_hw, rng), frames, size_hw)

    return make


def _grounds(folder: Path | None) -> list[Path]:
    if folder is None:
        raise MediaError("People have to stand before something: name a folder of pictures or videos, --backgrounds.")
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    found = [path for path in files if path.suffix.lower() in (*PICTURES, *VIDEOS)]
    if not found:
        raise MediaError(f"{folder} holds no pictures or videos to serve as backgrounds.")
    return found


def _background(path: Path, frames: int, size_hw: tuple[int, int], rng: np.random.Generator) -> Background:
    """A video as it goes on; a picture as a camera that drifts over it sees it."""
    if path.suffix.lower() not in VIDEOS:
        ground = fitted(read_colour(path), size_hw, rng)
        drift = rng.normal(0, 0.004, 2) * size_hw[0]
        camera = Camera(drift.astype(np.float32), np.zeros((3, 3), np.float32), 1.0)
        return lambda frame: seen(ground, camera, frame, size_hw)
    with open_clip(path) as clip:
        shown = [_covering(to_8_bit(picture), size_hw) for _, picture in clip.frames(0, min(frames, len(clip)))]
    return lambda frame: shown[frame % len(shown)]


def _covering(picture: NDArray[np.uint8], size_hw: tuple[int, int]) -> FloatArray:
    """The middle of a picture, scaled to fill a size."""
    return np.asarray(cover(picture, size_hw), np.float32) / np.float32(255)
