"""Masks on disk: one index picture a frame, pixel value = instance id, 0 = nobody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Mask
from matting.errors import PromptError
from matting.media import ClipInfo

RESAMPLED_PX = 2
"""How far the size of a mask may be off before it is refused."""


def read_picture(path: Path) -> NDArray[Any]:
    """A grey or palette picture as it is stored, ``[H, W]``; palette pictures give their indices.

    Raises:
        PromptError: it is missing or is no picture.
    """
    from PIL import Image, UnidentifiedImageError  # only masks on disk need it

    try:
        with Image.open(path) as image:
            return np.asarray(image if image.mode in ("L", "P", "I;16") else image.convert("L"))
    except FileNotFoundError as error:
        raise PromptError(f"The mask {path} is not there.") from error
    except (UnidentifiedImageError, OSError) as error:
        raise PromptError(f"The mask {path} is not a picture that can be read.") from error


def fit_mask(mask: NDArray[Any], size_hw: tuple[int, int], path: Path) -> tuple[Any, str | None]:
    """Bring a mask to the clip's size; returns it and a notice if it had to be resampled.

    Raises:
        PromptError: it is off by more than :data:`RESAMPLED_PX`.
    """
    if mask.shape == size_hw:
        return mask, None
    (height, width), (have_height, have_width) = size_hw, mask.shape
    if max(abs(height - have_height), abs(width - have_width)) > RESAMPLED_PX:
        raise PromptError(
            f"The mask {path} is {have_width}×{have_height}, the clip {width}×{height}; both must be equal."
        )
    resampled = cv2.resize(mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST).astype(mask.dtype)
    return resampled, f"The mask {path.name} is {have_width}×{have_height} and was resampled to {width}×{height}."


class MaskFolder:
    """Index pictures that were given for some frames of a clip."""

    def __init__(self, folder: Path, info: ClipInfo) -> None:
        """Look which frames have a mask and which instances there are.

        Raises:
            PromptError: the folder has no mask for the clip, or a mask cannot be read or does not fit.
        """
        if not folder.is_dir():
            raise PromptError(f"The folder of masks {folder} is not there.")
        pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in (".png", ".bmp", ".tif", ".tiff"))
        if info.sequence:
            by_stem = {path.stem: index for index, path in enumerate(info.sequence)}
            indices = {path: by_stem.get(path.stem) for path in pictures}
        else:
            numbers = {path: re.search(r"(\d+)$", path.stem) for path in pictures}
            indices = {path: int(number[1]) if number else None for path, number in numbers.items()}
        self.paths = {index: path for path, index in indices.items() if index is not None and index < len(info)}
        if not self.paths:
            raise PromptError(f"{folder} holds no mask whose name fits a frame of {info.path}.")
        self._size_hw = info.size_hw
        self.notices: list[str] = []
        if beyond := len(pictures) - len(self.paths):
            self.notices.append(f"{beyond} pictures in {folder} belong to no frame of the clip and were left out.")
        ids: set[int] = set()
        values: set[int] = set()
        for path in self.paths.values():
            picture, notice = fit_mask(read_picture(path), self._size_hw, path)
            values |= set(np.unique(picture).tolist())
            if notice and len(self.notices) < 5:
                self.notices.append(notice)
        self._black_and_white = values <= {0, 255}
        ids = {1} if self._black_and_white else values - {0, 255}
        if max(ids, default=0) > 254:
            raise PromptError(f"The masks in {folder} hold the value {max(ids)}; ids go from 1 to 254.")
        self.ids = tuple(sorted(ids))
        """Instance ids in the pictures, ascending; a folder of only black and white is instance 1."""

    def picture(self, index: int) -> NDArray[np.uint8]:
        """``[H, W]``, pixel value = instance id, for a frame that was given; 255 is left where it says "unknown"."""
        picture, _ = fit_mask(read_picture(self.paths[index]), self._size_hw, self.paths[index])
        if self._black_and_white:
            return np.asarray(picture == 255, np.uint8)
        return np.asarray(picture, np.uint8)

    def masks(self, index: int) -> Mask:
        """``[N, H, W]`` bool in the order of :attr:`ids` for a frame that was given."""
        picture = self.picture(index)
        return np.stack([np.asarray(picture == instance_id) for instance_id in self.ids])


def to_index_picture(masks: Mask, ids: tuple[int, ...]) -> NDArray[np.uint8]:
    """``[N, H, W]`` bool to one ``[H, W]`` uint8 picture of ids."""
    picture = np.zeros(masks.shape[1:], np.uint8)
    for mask, instance_id in zip(masks, ids, strict=True):
        picture[mask] = instance_id
    return picture
