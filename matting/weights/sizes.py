"""Sizes of files as people read them."""


def in_bytes(count: float) -> str:
    """``375 MB``, ``1.2 GB``: in steps of a thousand, as disks and download pages count."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            value = count / step
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count:.0f} B"
