"""Matteo: without arguments the editor, with a sub-command the command line."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path


def open_editor(path: Path | None) -> int:
    """Show the editor, with a clip or project in it if one is named, until it is closed."""
    # A third of the time until the window is painted would go into looking for plug-ins and for garbage.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # the editor collects by itself, see app/garbage.py
    try:
        from app.application import run

        return run(path)
    finally:
        gc.enable()


def main(argv: Sequence[str] | None = None) -> int:
    """Run Matteo and return its exit code: 0 success, 1 failure (one line on stderr), 2 wrong usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        return open_editor(None)
    if arguments[0] == "open" and len(arguments) == 2 and Path(arguments[1]).exists():
        return open_editor(Path(arguments[1]))  # without the command line's imports before the window
    from matting.cli import run

    return run(arguments, open_editor)


if __name__ == "__main__":
    sys.exit(main())
