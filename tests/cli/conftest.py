"""The clip of :mod:`figures_clip`, prompts for it and a project made from both."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import figures_clip
import pytest
from figures_clip import Run, prompts_for

import main


@pytest.fixture
def write_clip() -> Callable[..., Path]:
    """Write the clip with another length or codec: ``write_clip(path, frames, codec, pix_fmt)``."""
    return figures_clip.write_clip


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return figures_clip.write_clip(tmp_path / "clip.mkv")


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "prompts.json"
    path.write_text(json.dumps(prompts_for((0, 19))))
    return path


@pytest.fixture
def matteo() -> Run:
    """Run the program in this process."""

    def run(*arguments: object) -> int:
        return main.main([str(argument) for argument in arguments])

    return run


@pytest.fixture
def project(clip: Path, prompts: Path, tmp_path: Path, matteo: Run) -> Path:
    folder = tmp_path / "shot.matteo"
    assert matteo("cut", clip, "--prompts", prompts, "--project", folder) == 0
    return folder
