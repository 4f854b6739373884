"""How much memory MaGGIe takes for a clip, known before it starts.

Measured on the CPU, as the most memory of the process above the network's weights, with what the C library keeps for
the next layer, at 1024 × 640: 702 bytes for each pixel of the picture for one instance and 917 for ten (image model),
1215 and 2107 (video model, three frames); 800 to 1600 more, mostly 1100, for each pixel whose details are computed
together. At 1920 × 1088 with three instances it took 1386 MiB (1658 are planned with) and 2829 (2945).
"""

from __future__ import annotations

LEAST_SITES = 1 << 12
"""Fewer pixels together save next to nothing: a strip also has to see its surroundings."""
MOST_SITES = {"cpu": 1 << 17, "cuda": 1 << 20}
"""More together is slower on the CPU, whose C library clears larger buffers anew each time, and no faster on a GPU."""
_WORK = 445
_PER_FRAME = 224
_PER_MATTE = 33
_PER_SITE = 1024


def picture_bytes(pixels: int, instances: int, frames: int) -> int:
    """What a window takes before any details.

    Args:
        pixels: of one picture as the network sees it.
        instances: matted together.
        frames: of the window.
    """
    return pixels * (_WORK + frames * (_PER_FRAME + instances * _PER_MATTE))


def sites_for(budget_bytes: int, pixels: int, instances: int, frames: int, device_type: str) -> int:
    """How many pixels' details fit beside a window into so much memory, at most what is fastest; 0 if too few do."""
    left = (budget_bytes - picture_bytes(pixels, instances, frames)) // _PER_SITE
    return 0 if left < LEAST_SITES else min(left, MOST_SITES[device_type])


def short_side_for(budget_bytes: int, size_hw: tuple[int, int], instances: int, frames: int) -> int:
    """The largest short side, in steps of 32 px, at which a picture of this shape fits; 0 if none does."""
    short = min(size_hw)
    for side in range(short // 32 * 32, 0, -32):
        pixels = round(size_hw[0] * size_hw[1] * (side / short) ** 2)
        if sites_for(budget_bytes, pixels, instances, frames, "cpu"):
            return side
    return 0
