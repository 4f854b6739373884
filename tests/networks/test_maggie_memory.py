"""What MaGGIe computes together follows from the memory there is, and changes nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from formula_weights import formula_weights
from golden_files import golden_layout
from numpy.typing import NDArray
from tolerances import FINE_ALPHA, FINE_SHARE

from matting.inference.device import Placed
from matting.inference.maggie import MaggieMatter
from matting.inference.maggie_memory import LEAST_SITES, MOST_SITES, picture_bytes, short_side_for, sites_for
from matting.networks.folding import folded
from matting.networks.maggie import MaGGIe, Mattes
from matting.networks.on_device import CPU

MIB = 1 << 20
SHORT = 128
PIXELS = 128 * 192


@pytest.fixture(scope="module")
def network() -> MaGGIe:
    made = MaGGIe(video=False).eval()
    made.load_state_dict(formula_weights(golden_layout("maggie", "layout_image")))
    return folded(made)


@pytest.fixture(scope="module")
def clip() -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    frames = np.random.default_rng(2).integers(0, 256, (1, 128, 180, 3), np.uint8)
    masks = np.zeros((1, 2, 128, 180), np.bool_)
    masks[:, 0, 20:100, 20:80] = masks[:, 1, 30:120, 90:160] = True
    return frames, masks


class Job:
    """One matting with so much memory; keeps what was told."""

    def __init__(self, network: MaGGIe, budget_mib: int, gpu_mib: int | None = None) -> None:
        self.told: list[str] = []
        self.placed = Placed(network, CPU, self.told.append)
        if gpu_mib is not None:
            self.placed.device = torch.device("cuda", 0)
        budgets = {"cpu": budget_mib, "cuda": gpu_mib or 0}
        self.matter = MaggieMatter(self.placed, short_side_px=SHORT, budget=lambda d: budgets[d.type] * MIB)


def test_details_take_what_the_picture_leaves() -> None:
    need = picture_bytes(PIXELS, 2, 1)
    assert sites_for(need + (6000 << 10), PIXELS, 2, 1, "cpu") == 6000
    assert sites_for(need + (1 << 34), PIXELS, 2, 1, "cpu") == MOST_SITES["cpu"]
    assert sites_for(need + (1 << 34), PIXELS, 2, 1, "cuda") == MOST_SITES["cuda"]
    assert sites_for(need + (LEAST_SITES - 1 << 10), PIXELS, 2, 1, "cpu") == 0
    assert picture_bytes(PIXELS, 10, 3) > picture_bytes(PIXELS, 1, 3) > picture_bytes(PIXELS, 1, 1)


def test_the_size_it_names_fits_and_the_next_does_not() -> None:
    budget = 300 * MIB
    side = short_side_for(budget, (640, 1024), 3, 3)
    assert 0 < side < 640
    for short, fits in ((side, True), (side + 32, False)):
        pixels = round(short * short * 1.6)
        assert (sites_for(budget, pixels, 3, 3, "cpu") > 0) is fits
    assert short_side_for(MIB, (640, 1024), 3, 3) == 0


def test_little_memory_means_smaller_pieces_and_the_same_mattes(
    network: MaGGIe, clip: tuple[NDArray[np.uint8], NDArray[np.bool_]]
) -> None:
    roomy = Job(network, 4000)
    wanted = roomy.matter.matte(*clip)
    assert network.decoder.sites_at_once == MOST_SITES["cpu"]
    assert len(roomy.told) == 1
    assert "192 × 128 px with 2 people" in roomy.told[0]
    assert "of 4000 MiB that may be used, with details 131072 px at a time" in roomy.told[0]
    roomy.matter.matte(*clip)
    assert len(roomy.told) == 1  # the same plan is not told again
    tight = Job(network, picture_bytes(PIXELS, 2, 1) // MIB + 6)
    found = tight.matter.matte(*clip)
    assert LEAST_SITES <= network.decoder.sites_at_once < 8000
    assert float(((wanted > 0) & (wanted < 1)).mean()) > 0.05  # there were details to compute
    assert (np.abs(found - wanted) > FINE_ALPHA).mean() <= FINE_SHARE


def test_what_will_not_fit_is_told_before_it_starts_with_a_size_that_would(
    network: MaGGIe, clip: tuple[NDArray[np.uint8], NDArray[np.bool_]]
) -> None:
    job = Job(network, 12)
    job.matter.matte(*clip)
    assert "12 MiB may be used; a short side of 64 px would fit (--short-side)" in job.told[0]


def test_a_device_that_is_too_small_is_left_before_it_starts(
    network: MaGGIe, clip: tuple[NDArray[np.uint8], NDArray[np.bool_]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Test GPU")
    wanted = Job(network, 4000).matter.matte(*clip)
    job = Job(network, 4000, gpu_mib=3)
    np.testing.assert_array_equal(job.matter.matte(*clip), wanted)
    assert job.placed.device == CPU
    assert "Test GPU (cuda:0) has 3 MiB to use; working on the CPU, which is slower." in job.told[0]
    assert "of 4000 MiB that may be used" in job.told[1]


def test_when_memory_runs_out_all_the_same_it_halves_and_goes_on(
    network: MaGGIe, clip: tuple[NDArray[np.uint8], NDArray[np.bool_]], monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = Job(network, 4000).matter.matte(*clip)
    decode, attempts = network.decode, []

    def too_much(*given: Any, **named: Any) -> Mattes:
        attempts.append(network.decoder.sites_at_once)
        if attempts[-1] > 40_000:
            raise MemoryError
        return decode(*given, **named)

    monkeypatch.setattr(network, "decode", too_much)
    job = Job(network, 4000)
    found = job.matter.matte(*clip)
    assert attempts == [131072, 65536, 32768]
    assert job.told[1:] == ["the CPU ran out of memory; going on in smaller pieces."] * 2
    assert (np.abs(found - wanted) > FINE_ALPHA).mean() <= FINE_SHARE
