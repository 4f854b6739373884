"""Giving something another colour so that it still looks like the same cloth, skin and light."""

from __future__ import annotations

import numpy as np

from matting.arrays import FloatArray

# Ottosson, "A perceptual color space for image processing" (2020): linear sRGB -> cone response -> Lab.
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)
_FROM_CONES = np.linalg.inv(_TO_CONES)
_FROM_LAB = np.linalg.inv(_TO_LAB)

MIDDLE = 0.5
"""Lightness that stands for the whole range when a target is lighter or darker than what it is put on."""
LIGHTNESS_SHARE = 0.6
"""How much of the way from :data:`MIDDLE` to the target's lightness is gone."""


def parse_color(color: str) -> FloatArray:
    """``#RRGGBB`` as ``[3]`` float32 RGB in [0, 1]."""
    return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / np.float32(255)


def recolor(foreground: FloatArray, color: str, strength: float) -> FloatArray:
    """Replace hue and saturation; keep shading and texture.

    A pixel's new colour lies on the way black → target → white that a surface of the target's colour takes from
    shadow to highlight, at the height of the pixel's own lightness. All lightnesses are lifted or lowered by one
    curve that keeps their order, black and white, so that dark cloth can turn into a light colour. Every pixel
    depends on itself alone: nothing flickers when a person is half hidden or half out of the picture.

    Args:
        foreground: ``[..., 3]`` float32 RGB in [0, 1], display light (sRGB).
        color: the target, ``#RRGGBB``.
        strength: 0 gives ``foreground`` back exactly, 1 replaces its colour completely.

    Returns:
        The same shape, in [0, 1].
    """
    target = _to_oklab(parse_color(color))
    lightness = np.clip(_to_oklab(foreground)[..., 0], 0, 1)
    middle = MIDDLE + LIGHTNESS_SHARE * (float(target[0]) - MIDDLE)
    lightness = lightness ** np.float32(np.log(middle) / np.log(MIDDLE))
    # Light scaled by k scales all three OKLab coordinates by the cube root of k: below the target's lightness its
    # colour fades in proportion, as in a shadow; above, it fades towards white, as in a highlight.
    edge = np.clip(target[0], 0.02, 0.98)
    fade = np.minimum(lightness / edge, (1 - lightness) / (1 - edge))
    tinted = np.stack([lightness, fade * target[1], fade * target[2]], axis=-1)
    return foreground + np.float32(strength) * (_from_oklab(tinted) - foreground)


def _to_oklab(rgb: FloatArray) -> FloatArray:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    lab: FloatArray = np.cbrt(linear.astype(np.float32) @ _TO_CONES.T) @ _TO_LAB.T
    return lab


def _from_oklab(lab: FloatArray) -> FloatArray:
    linear = np.clip((lab @ _FROM_LAB.T) ** 3 @ _FROM_CONES.T, 0, 1)
    rgb: FloatArray = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return rgb
