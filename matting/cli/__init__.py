"""The command line: one function per command, one line per failure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from matting.errors import MatteoError


def run(arguments: Sequence[str], open_editor: Callable[[Path | None], int]) -> int:
    """Run one command.

    Args:
        arguments: what stands after ``matteo``; ``--debug`` anywhere shows where a failure came from.
        open_editor: shows the editor; handed in because the engine knows no editor.

    Returns:
        0 on success, 1 on a failure whose one-line reason went to stderr, 2 on wrong usage.
    """
    from matting.cli.commands import app

    debug = "--debug" in arguments
    try:
        app([a for a in arguments if a != "--debug"], prog_name="matteo", obj=open_editor)
    except SystemExit as end:  # how typer ends, with the exit code of its command or 2 for wrong usage
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except (MatteoError, OSError) as error:
        if debug:
            raise
        print(f"matteo: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
