"""What the editor's worker is asked in tests; it finds this by its name, so nothing here knows Qt."""

from __future__ import annotations

import gc
import sys

from matting.job import JobContext


def networks_held(ctx: JobContext) -> tuple[bool, int]:
    """Whether this process has worked with PyTorch, and how many networks' modules are still in its memory."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False, 0
    # By type(), because isinstance() would wake lazy modules that answer for others.
    return True, sum(issubclass(type(held), torch.nn.Module) for held in gc.get_objects())
