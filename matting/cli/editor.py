"""The editor in a process of its own: the engine itself knows no Qt."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from matting.errors import MatteoError


def entry() -> Path:
    """The file that starts Matteo."""
    import main

    return Path(main.__file__)


def output(*arguments: str) -> str:
    """What Python prints when it is run with these arguments, beside the editor.

    Raises:
        MatteoError: it failed.
    """
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=entry().parent, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MatteoError(f"{' '.join(command)} failed: {done.stderr.strip().splitlines()[-1:]}")
    return done.stdout
