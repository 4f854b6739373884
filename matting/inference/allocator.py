"""What the C library does with memory that a network on the CPU has freed; importing this imports nothing slow.

glibc hands blocks of more than 32 MiB back to the system as soon as they are free, and the system clears them anew for
the next layer. On one core that took 0.4 to 0.7 s of the 2.1 to 2.5 s for a frame of MaGGIe's video model at 576x1024;
with blocks kept it takes 1.8 s. MSG-VIM gains a tenth, because it can be given more pictures at once. Other C libraries
are left as they are.
"""

from __future__ import annotations

import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD = -1
_MMAP_THRESHOLD = -3
"""Of ``mallopt``."""
_KEPT_BYTES = 2**30
"""Blocks up to this size are kept, and twice as much altogether at the end of the heap."""


@cache
def keep_freed() -> bool:
    """Keep freed blocks for the next layer from now on, in this whole process; whether that can be had here."""
    library = _glibc()
    return library is not None and bool(
        library.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES) and library.mallopt(_TRIM_THRESHOLD, 2 * _KEPT_BYTES - 1)
    )


def give_back() -> None:
    """Give what is kept free back to the system."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
