"""The arrays that cross the rooms' doors, and the one check at those doors.

Video is ``[T, H, W, C]`` RGB; masks and alphas are ``[N, H, W]`` per frame and ``[T, N, H, W]`` per clip.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from matting.errors import ShapeError

Picture: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]
"""RGB, ``[H, W, 3]``, full range of its dtype."""
Mask: TypeAlias = NDArray[np.bool_]
"""Binary selection, ``[H, W]`` or ``[N, H, W]``."""
FloatArray: TypeAlias = NDArray[np.float32]
"""Colours or opacities in [0, 1]."""
StoredAlpha: TypeAlias = NDArray[np.uint8]
"""Opacity as stored: 255 is opaque."""


def check_shape(what: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    """Raise :class:`ShapeError` unless ``array.shape`` is ``shape``, where None stands for any length."""
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits:
        wanted = "×".join("any" if n is None else str(n) for n in shape)
        raise ShapeError(f"{what} is {'×'.join(map(str, array.shape))}, expected {wanted}")
