"""Clips to measure by: people who were filmed, with their true alphas, together before other backgrounds.

Who stands where and how stills move follows from the people's names, so the same folders always make the same clips.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from matting.arrays import FloatArray, Mask
from matting.errors import MediaError
from matting.synthesis.cutouts import FilmedCutout, Straighten, files_in
from matting.synthesis.figures import straight
from matting.synthesis.guidance import plain_guidance
from matting.synthesis.layers import Layer, compose

_STRAIGHT, _PHOTOGRAPHS = ("fgr", "fg"), ("images", "image")
_OPACITIES = ("pha", "alpha", "alphas")
_TALL, _WIDE = 0.94, 0.62
"""Largest share of the picture's height and, where there are two, of its width that somebody takes."""
_BELOW = 0.06
"""Somebody cut off below begins so much, in shares of the picture's height, under its edge."""
_FINER = 2
"""Stills are moved on a grid so much finer than the picture."""
Background = Callable[[int], FloatArray]
"""Gives the background ``[H, W, 3]`` float32 in [0, 1] of each frame."""


@dataclass(frozen=True)
class Trial:
    """A clip, the truth about it and its guidance.

    Attributes:
        name: of the clip.
        groups: for each instance, what it is reported under.
        frames: ``[T, H, W, 3]`` uint8 RGB.
        alphas: ``[T, N, H, W]`` uint8, what is to be seen.
        masks: ``[T, N, H, W]`` bool, guidance.
    """

    name: str
    groups: tuple[str, ...]
    frames: NDArray[np.uint8]
    alphas: NDArray[np.uint8]
    masks: Mask


@dataclass(frozen=True)
class Foreground:
    """Somebody who was filmed or photographed."""

    name: str
    group: str
    cutout: FilmedCutout


def dice(name: str) -> Generator:
    """The same for the same name."""
    return np.random.default_rng(zlib.crc32(name.encode()))


def foregrounds(root: Path, straighten: Straighten) -> list[Foreground]:
    """Everybody below a folder who comes with alphas, by name.

    Colours in ``fg`` or ``fgr`` (straight) or ``image`` or ``images`` (photographs) with opacities in ``alpha``,
    ``alphas`` or ``pha`` are stills, or the frames of one shot where their names are consecutive numbers, or lie in
    folders, one a shot. ``image.jpg`` with ``alpha.png`` is one still. Shots are grouped by the folder that holds them,
    stills by their own.

    Args:
        root: such a folder, or one that holds such folders at any depth.
        straighten: for photographs.

    Raises:
        MediaError: a picture and its alpha do not belong together.
    """
    return list(_foregrounds(root, root.resolve().parent.name, straighten)) if root.is_dir() else []


def _foregrounds(folder: Path, above: str, straighten: Straighten) -> Iterator[Foreground]:
    name = folder.resolve().name
    colours = next((folder / kind for kind in (*_STRAIGHT, *_PHOTOGRAPHS) if (folder / kind).is_dir()), None)
    opacities = next((folder / kind for kind in _OPACITIES if (folder / kind).is_dir()), None)
    if colours is not None and opacities is not None:
        change = straighten if colours.name in _PHOTOGRAPHS else None
        shots = sorted(path for path in colours.iterdir() if path.is_dir())
        for shot in shots:
            yield Foreground(shot.name, name, FilmedCutout(files_in(shot), files_in(opacities / shot.name), change))
        if not shots:
            pictures, alphas = files_in(colours), {path.stem: path for path in files_in(opacities)}
            if missing := [path for path in pictures if path.stem not in alphas]:
                raise MediaError(f"{missing[0]} has no alpha in {opacities}.")
            if _numbered(pictures):
                own = [alphas[path.stem] for path in pictures]
                yield Foreground(name, above, FilmedCutout(pictures, own, change))
            else:
                for path in pictures:
                    yield Foreground(path.stem, name, FilmedCutout([path], [alphas[path.stem]], change))
        return
    still = {path.stem: path for path in files_in(folder)}
    if "image" in still and "alpha" in still:
        yield Foreground(name, name, FilmedCutout([still["image"]], [still["alpha"]], straighten))
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        yield from _foregrounds(inner, name, straighten)


def _numbered(pictures: Sequence[Path]) -> bool:
    numbers = [int(path.stem) for path in pictures if path.stem.isdecimal()]
    return len(numbers) == len(pictures) > 1 and numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def line_up(people: Sequence[Foreground]) -> list[tuple[Foreground, ...]]:
    """Who is seen together: of each group all by twos, the first alone, and who is left with one of the next group.

    Groups go by their names, so it does not matter in which order the people come.
    """
    groups = sorted({person.group for person in people})
    members = {group: [person for person in people if person.group == group] for group in groups}
    clips: list[tuple[Foreground, ...]] = []
    for place, group in enumerate(groups):
        own = members[group]
        clips.append((own[0],))
        clips += zip(own[::2], own[1::2], strict=False)
        if len(own) % 2 and len(groups) > 1:
            clips.append((own[-1], members[groups[(place + 1) % len(groups)]][0]))
    return clips


def composed(people: Sequence[Foreground], background: Background, frames: int, size_hw: tuple[int, int]) -> Trial:
    """One or two people, the first on the left, before a background."""
    name = " + ".join(person.name for person in people)
    rng = dice(name)
    seen = [_Standing(person.cutout, place, len(people), size_hw, rng) for place, person in enumerate(people)]
    made = [compose([one.layer(t) for one in seen], background(t)) for t in range(frames)]
    alphas = np.stack([frame.alphas for frame in made])
    return Trial(
        name=name,
        groups=tuple(person.group for person in people),
        frames=np.stack([frame.frame for frame in made]),
        alphas=alphas,
        masks=plain_guidance(alphas, rng),
    )


class _Standing:
    """A cut-out at its place in the picture; stills drift, turn and grow a little from frame to frame."""

    def __init__(self, cutout: FilmedCutout, place: int, count: int, size_hw: tuple[int, int], rng: Generator) -> None:
        height, width = size_hw
        tall, wide = cutout.box_hw
        scale = min(1.0, _TALL * height / tall, (1.0 if count == 1 else _WIDE) * width / wide)
        self._cutout, self._size_hw = cutout, size_hw
        self._box_hw = max(2, round(tall * scale)), max(2, round(wide * scale))
        left, right, below = cutout.cut_off
        on_right = place > 0
        # Whose one side is cut off stands with it at the outer edge.
        self._flip = count > 1 and left != right and right != on_right
        outside = left or right
        share = 0.5 if count == 1 else (0.72 if on_right else 0.28)
        x = share * width - self._box_hw[1] / 2
        if outside and count > 1:
            x = width * (1 + _BELOW / 2) - self._box_hw[1] if on_right else -_BELOW / 2 * width
        y = height * (1 + _BELOW if below else 0.98) - self._box_hw[0]
        self._corner = np.array((x, y))
        still = len(cutout) == 1
        self._drift = rng.normal(0, 0.004 * height, 2) * (1, 0.3) * still
        self._turn, self._growth = rng.normal(0, 0.004) * still, 1 + rng.normal(0, 0.002) * still
        self._kept: tuple[int, FloatArray] | None = None

    def layer(self, frame: int) -> Layer:
        height, width = (side * _FINER for side in self._size_hw)
        large = cv2.warpAffine(self._cut(frame % len(self._cutout)), self._matrix(frame), (width, height))
        rgba = np.asarray(cv2.resize(large, self._size_hw[::-1], interpolation=cv2.INTER_AREA), np.float32)
        opacity = np.clip(rgba[..., 3], 0, 1)
        return Layer(straight(rgba[..., :3], opacity), opacity)

    def _cut(self, frame: int) -> FloatArray:
        """The box, colours multiplied by opacity, ``[h, w, 4]``."""
        if self._kept is None or self._kept[0] != frame:
            layer = self._cutout.layer(frame, (self._box_hw[0] * _FINER, self._box_hw[1] * _FINER))
            rgba = np.dstack([layer.colour * layer.opacity[..., None], layer.opacity])
            self._kept = frame, np.ascontiguousarray(rgba[:, ::-1] if self._flip else rgba)
        return self._kept[1]

    def _matrix(self, frame: int) -> NDArray[np.float64]:
        """``[2, 3]`` from the box to the picture, both on the fine grid."""
        middle = np.array(self._box_hw[::-1]) * _FINER / 2
        c, s = np.cos(self._turn * frame), np.sin(self._turn * frame)
        turn = np.array(((c, -s), (s, c))) * self._growth**frame
        origin = (self._corner + self._drift * frame) * _FINER + middle - turn @ middle
        return np.hstack([turn, origin[:, None]])
