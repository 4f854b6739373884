"""Sets of clips on disk, in the layouts of the public ones with their layers beside; and a check of such a set."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask
from matting.errors import OutputError, ProjectError
from matting.files import write_bytes
from matting.synthesis.layers import Composed, overlap, recompose
from matting.synthesis.sets import LEVELS

FACTS = "set.json"
"""In the root of a set: for each clip its seed, level and number of people."""
Picture = NDArray[np.uint8]


def write_vim(root: Path, clip: str, frame: int, composed: Composed, alone: Picture) -> None:
    """As VIM50: ``images/<clip>/com/<frame>.png``, ``…/pha/<instance>/<frame>.png``.

    Layers go to ``…/fgr/<instance>`` and ``…/bgr``, and ``alone``, ``[N, H, W]`` uint8 opacities as if nobody else were
    there, to ``…/alone/<instance>``.
    """
    folder, name = root / "images" / clip, f"{frame:05d}.png"
    _write(folder / "com" / name, composed.frame)
    _write(folder / "bgr" / name, composed.background)
    for place, alpha in enumerate(composed.alphas):
        instance = f"{place + 1:02d}"
        _write(folder / "pha" / instance / name, alpha)
        _write(folder / "fgr" / instance / name, composed.foregrounds[place])
        _write(folder / "alone" / instance / name, alone[place])


def write_vim_masks(root: Path, clip: str, masks: Mask) -> None:
    """Guidance ``[T, N, H, W]`` of a clip: ``masks/<clip>/<instance>/<frame>.png``."""
    for frame, instances in enumerate(masks):
        for place, mask in enumerate(instances):
            _write(root / "masks" / clip / f"{place + 1:02d}" / f"{frame:05d}.png", mask.astype(np.uint8) * 255)


def write_vhim(root: Path, split: str, video: str, frame: int, composed: Composed, alone: Picture) -> None:
    """As V-HIM60: ``<split>/fgr/<video>/<frame>.png``, ``…/pha/<video>/<frame>/00.png``.

    Layers go to ``…/layers/<video>/<frame>/00.png`` and ``…/bgr/<video>/<frame>.png``, and ``alone``, as in
    :func:`write_vim`, to ``…/alone/<video>/<frame>/00.png``.
    """
    stem = f"{frame:05d}"
    _write(root / split / "fgr" / video / f"{stem}.png", composed.frame)
    _write(root / split / "bgr" / video / f"{stem}.png", composed.background)
    for place, alpha in enumerate(composed.alphas):
        name = f"{place:02d}.png"
        _write(root / split / "pha" / video / stem / name, alpha)
        _write(root / split / "layers" / video / stem / name, composed.foregrounds[place])
        _write(root / split / "alone" / video / stem / name, alone[place])


def write_vhim_masks(root: Path, split: str, video: str, masks: Mask) -> None:
    """Guidance ``[T, N, H, W]`` of a video: ``<split>/xmem/<video>/<frame>/00.png``."""
    for frame, instances in enumerate(masks):
        for place, mask in enumerate(instances):
            path = root / split / "xmem" / video / f"{frame:05d}" / f"{place:02d}.png"
            _write(path, mask.astype(np.uint8) * 255)


def write_facts(root: Path, facts: list[dict[str, object]]) -> None:
    """Say what a set holds; written last, so that a set without it is known to be unfinished."""
    write_bytes(root / FACTS, json.dumps(facts, indent=1).encode() + b"\n")


def read_facts(root: Path) -> list[dict[str, object]]:
    """What a set holds; raises ProjectError where it is unfinished."""
    try:
        facts: list[dict[str, object]] = json.loads((root / FACTS).read_bytes())
    except (OSError, ValueError) as error:
        raise ProjectError(f"{root} is no finished set: its {FACTS} cannot be read ({error}).") from error
    return facts


def check(root: Path) -> list[str]:
    """Everything that is wrong with a written set, a sentence each.

    Alphas must add up to at most 255, the layers must give the frame within 1 of 255, and the people of a level must
    hide each other as much as it says.

    Raises:
        ProjectError: the set is unfinished.
    """
    problems = []
    for clip in read_facts(root):
        frames = _frames_of(root, clip)
        if not frames:
            problems.append(f"{clip['name']} has no frames.")
        most = 0.0
        for frame, alphas, foregrounds, background, alone in frames:
            seen = np.stack([_read(path) for path in alphas])
            if (total := int(seen.sum(axis=0, dtype=np.int32).max())) > 255:
                problems.append(f"{frame}: the alphas add up to {total}.")
            again = recompose(seen, np.stack([_read(path, True) for path in foregrounds]), _read(background, True))
            if (off := int(np.abs(again.astype(np.int16) - _read(frame, True)).max())) > 1:
                problems.append(f"{frame}: the layers give a picture that is off by {off}.")
            for own, path in zip(seen, alone, strict=True):
                most = max(most, overlap(_read(path).astype(np.float32), own.astype(np.float32)))
        level = clip.get("level")
        if isinstance(level, str):
            least, greatest = LEVELS[level]
            if not least - 0.03 <= most <= max(greatest, 0.02) + 0.05:
                problems.append(f"{clip['name']} is {level}, but others hide up to {most:.0%} of somebody.")
    return problems


def _frames_of(root: Path, clip: dict[str, object]) -> list[tuple[Path, list[Path], list[Path], Path, list[Path]]]:
    """Of each frame: its picture, alphas, foregrounds, background and alphas alone."""
    name = str(clip["name"])
    if "level" not in clip:
        folder = root / "images" / name
        instances = sorted(path.name for path in (folder / "pha").iterdir())

        def of(kind: str, frame: Path) -> list[Path]:
            return [folder / kind / instance / frame.name for instance in instances]

        return [
            (frame, of("pha", frame), of("fgr", frame), folder / "bgr" / frame.name, of("alone", frame))
            for frame in sorted((folder / "com").iterdir())
        ]
    split = root / f"comp_{clip['level']}"

    def files(kind: str, frame: Path) -> list[Path]:
        return sorted((split / kind / name / frame.stem).iterdir())

    return [
        (frame, files("pha", frame), files("layers", frame), split / "bgr" / name / frame.name, files("alone", frame))
        for frame in sorted((split / "fgr" / name).iterdir())
    ]


def _read(path: Path, colour: bool = False) -> Picture:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise ProjectError(f"{path} cannot be read.")
    return np.asarray(picture[..., ::-1] if colour else picture, np.uint8)


def _write(path: Path, picture: Picture) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        coded = cv2.imencode(".png", picture[..., ::-1] if picture.ndim == 3 else picture)[1]
        path.write_bytes(coded.tobytes())
    except OSError as error:
        raise OutputError(f"{path.parent} could not be written: {error.strerror}.") from error
