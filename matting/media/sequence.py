"""Image sequences: finding the files, and their pictures by index."""

from __future__ import annotations

import glob
import re
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from matting.arrays import Picture
from matting.errors import MediaError
from matting.fingerprint import fingerprint
from matting.media.clip import Clip, ClipInfo, ColorTags
from matting.media.color import RGB, UNSPECIFIED
from matting.media.image_header import image_size

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
_PATTERN = re.compile(r"%0?\d*d")

# OpenCV prints its own account of every broken picture; ours is the MediaError.
cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def find_sequence(path: Path) -> tuple[Path, ...] | None:
    """The images that ``path`` stands for, in natural order of their numbers; None when it names another kind of file.

    Args:
        path: a folder, one image, a pattern with ``%d`` or ``%05d`` in the file name, or a glob.

    Raises:
        MediaError: a folder or pattern without images.
    """
    if path.is_dir():
        files = [file for file in path.iterdir() if _is_image(file)]
        where = f"The folder {path}"
    elif path.exists():
        return (path,) if _is_image(path) else None
    elif _PATTERN.search(path.name):
        before, after = (re.escape(part) for part in _PATTERN.split(path.name, maxsplit=1))
        fits = re.compile(rf"{before}\d+{after}")
        files = [file for file in path.parent.glob("*") if fits.fullmatch(file.name) and _is_image(file)]
        where = f"The pattern {path}"
    elif glob.has_magic(str(path)):
        files = [Path(name) for name in glob.glob(str(path)) if _is_image(Path(name))]  # noqa: PTH207  (absolute too)
        where = f"The pattern {path}"
    else:
        return None
    if not files:
        raise MediaError(f"{where} has no images in it; PNG, JPEG, TIFF, BMP and WebP are read.")
    return tuple(sorted(files, key=_natural))


def open_sequence(path: Path, files: tuple[Path, ...], rate: Fraction) -> SequenceClip:
    """Look at the headers of all files and at the first picture.

    Raises:
        MediaError: an image that is none, or images of different sizes.
    """
    sizes = [image_size(file) for file in files]
    for file, size in zip(files, sizes, strict=True):
        if size != sizes[0]:
            (height, width), (first_height, first_width) = size, sizes[0]
            raise MediaError(
                f"{file.name} is {width}×{height} and {files[0].name} {first_width}×{first_height}; the images of a "
                "sequence must be of one size."
            )
    first = _read(files[0])
    time_base = 1 / rate
    info = ClipInfo(
        path=path,
        size_hw=(first.shape[0], first.shape[1]),
        bit_depth=8 * first.dtype.itemsize,
        time_base=time_base,
        pts=np.arange(len(files), dtype=np.int64),
        duration=1,
        rate=rate,
        rotation=0,
        pixel_aspect=Fraction(1),
        color=ColorTags(RGB, UNSPECIFIED, UNSPECIFIED, full_range=True, guessed=False),
        audio=None,
        fingerprint=_fingerprint(files),
        sequence=files,
        notices=(*_gaps(path, files), *_transparency(path, files[0])),
    )
    return SequenceClip(info)


class SequenceClip(Clip):
    """Reads the images of a sequence; 8 and 16 bits, grey as RGB, transparency dropped."""

    def __init__(self, info: ClipInfo) -> None:
        self.info = info

    def frame(self, index: int) -> Picture:
        file = self.info.sequence[self._checked(index)]
        picture = _read(file)
        depth = 8 * picture.dtype.itemsize
        if picture.shape[:2] != self.size_hw or depth != self.info.bit_depth:
            height, width = self.size_hw
            raise MediaError(
                f"{file.name} is {picture.shape[1]}×{picture.shape[0]} with {depth} bits where the sequence began with "
                f"{width}×{height} and {self.info.bit_depth} bits; write it again like the others."
            )
        return picture

    def check(self, index: int) -> None:
        self.frame(index)

    def duplicate(self) -> SequenceClip:
        return SequenceClip(self.info)

    def close(self) -> None:
        """Nothing is held open between pictures."""


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _natural(path: Path) -> list[tuple[bool, int, str]]:
    """Sort key by which ``frame_2`` comes before ``frame_10``."""
    parts = re.split(r"(\d+)", path.name)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]


def _read(file: Path) -> Picture:
    try:
        content = np.fromfile(file, np.uint8)  # not imread, which stumbles over Windows paths beyond ASCII
        # Not IMREAD_COLOR_RGB, which leaves 16-bit TIFF as BGR.
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if content.size else None
    except FileNotFoundError:
        raise MediaError(f"{file} is not there any more; put it back or open the sequence again.") from None
    except (OSError, cv2.error):
        picture = None
    if picture is None:
        raise MediaError(f"{file} cannot be read as a picture; it is damaged or incomplete, so write it again.")
    if picture.dtype not in (np.uint8, np.uint16):
        raise MediaError(f"{file} holds {picture.dtype} colours; write it with 8 or 16 bits.")
    return cast(Picture, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))


def _number(file: Path) -> tuple[str, int] | None:
    match = re.fullmatch(r"(.*?)(\d+)", file.stem)
    return (match[1], int(match[2])) if match else None


def _gaps(path: Path, files: tuple[Path, ...]) -> list[str]:
    numbered = [_number(file) for file in files]
    missing, behind = 0, ""
    for (before, after), file in zip(pairwise(numbered), files, strict=False):
        if before and after and before[0] == after[0] and after[1] > before[1] + 1:
            missing += after[1] - before[1] - 1
            behind = behind or file.name
    if not missing:
        return []
    what = "1 number is" if missing == 1 else f"{missing} numbers are"
    return [f"{what} missing in {path.name}, first after {behind}; frames are counted by the files that are there."]


def _transparency(path: Path, first: Path) -> list[str]:
    picture = cv2.imdecode(np.fromfile(first, np.uint8), cv2.IMREAD_UNCHANGED)
    if picture is None or picture.ndim < 3 or picture.shape[2] < 4:
        return []
    return [f"{path.name} carries transparency; it is not read."]


def _fingerprint(files: tuple[Path, ...]) -> str:
    sizes = ",".join(str(file.stat().st_size) for file in files)
    chosen = [files[0], files[len(files) // 2], files[-1]]
    return fingerprint(len(files), [sizes.encode(), *(file.read_bytes() for file in chosen)])
