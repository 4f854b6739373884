"""A Cutie that is small and knows nothing; one thread, since many small operations gain nothing from more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import formula_cutie
import pytest
import torch

from matting.tracking.cutie import CutieTracker
from matting.tracking.flow import FlowTracker
from matting.tracking.tracker import Tracker


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matting.tracking.cutie_network.model_settings", formula_cutie.small_settings)
        return formula_cutie.write(tmp_path_factory.mktemp("cutie") / "small.pth")


@pytest.fixture
def small_cutie(small_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CutieTracker]:
    monkeypatch.setattr("matting.tracking.cutie_network.model_settings", formula_cutie.small_settings)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield CutieTracker(small_checkpoint)
    torch.set_num_threads(threads)


@pytest.fixture(params=["flow", "cutie"])
def tracker(request: pytest.FixtureRequest) -> Tracker:
    if request.param == "flow":
        return FlowTracker()
    made: Tracker = request.getfixturevalue("small_cutie")
    return made
