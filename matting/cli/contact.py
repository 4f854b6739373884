"""A contact sheet: what went in and what came out, frame beside frame, on one picture."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from matting.arrays import Picture

COLORS = ((86, 180, 233), (230, 159, 0), (0, 190, 140))
"""Sky blue, orange, green: told apart with any kind of colour vision (after Okabe and Ito, 2008)."""
LABEL_PX = 22


def overlay(picture: Picture, index_picture: NDArray[np.uint8]) -> Picture:
    """The picture with each instance of an index picture tinted and outlined."""
    tinted = picture.copy()
    for instance_id in np.unique(index_picture[index_picture > 0]).tolist():
        color = COLORS[(instance_id - 1) % len(COLORS)]
        mask = (index_picture == instance_id).astype(np.uint8)
        inside = mask.astype(bool)
        tinted[inside] = (0.55 * tinted[inside] + 0.45 * np.array(color)).astype(np.uint8)
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(tinted, outline, -1, color, 1, cv2.LINE_AA)
    return tinted


def tinted_mattes(alphas: Sequence[NDArray[np.uint8]], ids: Sequence[int]) -> Picture:
    """Alphas on black, each in its instance's colour."""
    total = np.zeros((*alphas[0].shape, 3), np.float32)
    for alpha, instance_id in zip(alphas, ids, strict=True):
        total += alpha[..., None] / np.float32(255) * np.array(COLORS[(instance_id - 1) % len(COLORS)], np.float32)
    return np.clip(total, 0, 255).astype(np.uint8)


def contact_sheet(columns: Sequence[Sequence[Picture]], titles: Sequence[str], numbers: Sequence[int]) -> Picture:
    """Lay out pictures of one size.

    Args:
        columns: for each shown frame its pictures from top to bottom.
        titles: what each row shows.
        numbers: index of each shown frame.
    """
    rows = []
    for place, title in enumerate(titles):
        pictures = np.hstack([column[place] for column in columns])
        strip = np.full((LABEL_PX, pictures.shape[1], 3), 30, np.uint8)
        _text(strip, title, 6)
        if place == 0:
            width = columns[0][0].shape[1]
            for x, number in enumerate(numbers):
                _text(strip, f"frame {number}", x * width + width - 90)
        rows += [strip, pictures]
    return np.vstack(rows)


def _text(strip: Picture, text: str, x: int) -> None:
    cv2.putText(strip, text, (x, LABEL_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (225, 225, 225), 1, cv2.LINE_AA)
