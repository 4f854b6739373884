"""The networks, laid out like the authors' public checkpoints: matting in plain PyTorch, and Segment Anything.

Nothing here knows of clips, windows or devices; :mod:`matting.inference` does.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, get_args

from torch import nn

from matting.errors import UnavailableError

# Linux then backs PyTorch's large buffers with huge pages. It takes them anew for every layer, and a fifth of the time
# on the CPU would go into clearing small ones. Read at the first allocation, so it has to stand before any.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

MattingKind = Literal["msg-vim", "maggie-image", "maggie-video", "lite"]
SamKind = Literal["sam-vit-b", "sam-vit-l", "sam-vit-h", "mobile-sam"]
Kind = MattingKind | SamKind
KINDS: tuple[MattingKind, ...] = get_args(MattingKind)
"""Those that make mattes; the others select."""


def create(kind: str, faithful: bool = False) -> nn.Module:
    """A network of ``kind`` in evaluation mode, its weights not yet loaded.

    Args:
        kind: a :data:`MattingKind` or :data:`SamKind`.
        faithful: keep what the public code does only by accident, such as MaGGIe's power iteration that makes a result
            depend on how many calls came before, and MobileSAM's attention without what it learned about distances.
            Without it each call stands for itself.

    Raises:
        UnavailableError: there is no such network.
    """
    match kind:
        case "msg-vim":
            from matting.networks.msg_vim import MsgVim

            return MsgVim().eval()
        case "lite":
            from matting.networks.lite import Lite

            return Lite().eval()
        case "maggie-image" | "maggie-video":
            from matting.networks.maggie import MaGGIe

            return MaGGIe(video=kind == "maggie-video", faithful=faithful).eval()
        case "sam-vit-b" | "sam-vit-l" | "sam-vit-h" | "mobile-sam":
            from matting.networks.sam import create_sam

            return create_sam(kind, faithful)
        case _:
            raise UnavailableError(f"There is no network “{kind}” in this version; there are {', '.join(KINDS)}.")


def load(id_or_path: str | Path, device: str = "auto") -> Any:
    """The :class:`matting.inference.matter.Matter` of a file of weights: :func:`matting.inference.loading.load`."""
    # By name, because the networks stand below the room that runs them.
    return import_module("matting.inference.loading").load(id_or_path, device)
