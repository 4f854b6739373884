"""Which tracker is taken on a machine, what a project says of it, and what its masks are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from matting.errors import CheckpointError, UnavailableError
from matting.pipeline import trackers
from matting.pipeline.methods import choose_methods
from matting.pipeline.trackers import choose_tracker, installed_trackers, open_tracker, tracker_name
from matting.pipeline.workspace import Workspace
from matting.project.document import Document, Instance, Media, Methods, Prompt
from matting.project.store import MatteStore


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is installed as Cutie; a few bytes that nobody reads."""
    path = tmp_path / "cutie-base-mega.pth"
    path.write_bytes(b"weights")
    monkeypatch.setattr(trackers, "installed", {"cutie": path}.get)
    return path


def test_without_weights_it_is_flow() -> None:
    assert choose_tracker() == ("flow", "")
    assert installed_trackers() == ("flow",)
    with pytest.raises(UnavailableError, match=r"weights of the tracker.*matteo models get cutie.*--tracker flow"):
        choose_tracker("cutie")
    with pytest.raises(UnavailableError, match="There is no tracker called magic"):
        choose_tracker("magic")


def test_without_the_package_it_is_flow(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "is_available", lambda: False)
    assert choose_tracker() == ("flow", "")
    with pytest.raises(UnavailableError, match=r"needs the package rf-cutie.*uv sync --extra cutie.*--tracker flow"):
        choose_tracker("cutie")


def test_auto_is_cutie_where_package_and_weights_are_there(weights: Path) -> None:
    name, fingerprint = choose_tracker()
    assert name == "cutie"
    assert len(fingerprint) == 64
    assert choose_tracker("flow") == ("flow", "")
    assert installed_trackers() == ("cutie", "flow")
    chosen = choose_methods()
    assert (chosen.tracker, chosen.tracker_weights) == ("cutie", fingerprint)


def test_a_project_says_which_weights_it_was_tracked_with(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    methods = choose_methods(tracker="cutie")
    assert tracker_name(methods) == open_tracker(methods, "cpu").name == f"cutie/1:{methods.tracker_weights[:16]}:480"
    weights.write_bytes(b"others")
    with pytest.raises(CheckpointError, match="is not the file that this project's people were tracked with"):
        open_tracker(methods)
    monkeypatch.setattr(trackers, "installed", lambda _: None)
    assert tracker_name(methods).startswith("cutie/1:"), "what was tracked elsewhere is shown here, too"
    with pytest.raises(UnavailableError, match="matteo models get cutie"):
        open_tracker(methods)


@pytest.mark.parametrize(
    ("tracker", "frame", "stale"),
    [
        ("flow", 14, {8, 16}),
        ("cutie", 14, {0, 8, 16}),  # both have prompts on 0, 20 and 40 only
        ("flow", 50, {40, 48}),
        ("cutie", 50, {40, 48}),
        ("cutie", 44, {40, 48}),
    ],
)
def test_what_a_prompt_makes_stale(tmp_path: Path, tracker: str, frame: int, stale: set[int]) -> None:
    def person(number: int, *frames: int) -> Instance:
        return Instance(id=number, name=f"p{number}", prompts=tuple(Prompt(frame=t, box=(1, 1, 9, 9)) for t in frames))

    def keys(*of_first: int) -> dict[int, str]:
        document = Document(
            media=Media(path="clip.mp4", fingerprint="f", width=64, height=48, frame_count=72),
            in_frame=0, out_frame=71, next_id=3, cuts=(56,),
            methods=Methods(tracker=tracker, tracker_weights="0" * 64 if tracker == "cutie" else ""),
            instances=(person(1, *sorted({0, 10, 20, 30, 40, 60, *of_first})), person(2, 0, 20, 40)),
        )  # fmt: skip
        work = Workspace(cast(Any, None), document, MatteStore(tmp_path), tmp_path)
        return {chunk.start: work.mask_key(chunk) for chunk in work.chunks}

    before, after = keys(), keys(frame)
    assert {start for start in before if before[start] != after[start]} == stale
