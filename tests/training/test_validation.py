from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from matting.networks import create
from matting.networks.maggie import MaGGIe
from matting.training.board import FOLDER, Board
from matting.training.validation import SIZE, Known, contact_sheet, held_out, mattes, measure


@pytest.fixture(scope="module")
def clips() -> list[Known]:
    return held_out(1_000_000, 2)


def test_the_truth_has_no_error_and_a_constant_one_its_own(clips: list[Known]) -> None:
    exact = measure([clip.truth for clip in clips], clips)
    assert all(exact[name] == 0 for name in ("mad", "mse", "grad", "dtssd"))
    lower = measure([0.9 * clip.truth for clip in clips], clips)
    opaque = np.mean([clip.truth.mean() for clip in clips])
    assert lower["mad"] == pytest.approx(100 * opaque, rel=1e-4)
    assert lower["mse"] == pytest.approx(10 * np.mean([np.square(clip.truth).mean() for clip in clips]), rel=1e-4)
    assert lower["grad"] > 0
    assert lower["dtssd"] > 0


def test_the_guidance_is_measured_beside(clips: list[Known]) -> None:
    masks = [clip.masks.astype(np.float32) for clip in clips]
    found = measure(masks, clips)
    assert found["mad"] == found["mask"]
    assert 2 < found["mask"] < 100


def test_everybody_gets_a_matte_from_networks_of_both_designs(clips: list[Known]) -> None:
    torch.manual_seed(0)
    for network in (create("lite"), MaGGIe(video=True, width=4).eval()):
        found = mattes(network, clips[0])
        assert found.shape == clips[0].alphas.shape
        assert found.min() >= 0
        assert found.max() <= 1
        assert (found[:, 0] != found[:, 1]).any()


def test_a_contact_sheet_shows_frame_guidance_truth_and_matte(clips: list[Known]) -> None:
    sheet = contact_sheet([1 - clip.truth for clip in clips], clips)
    height, width = SIZE
    assert sheet.shape == (4 * height, 4 * width, 3)
    frame, guidance, truth, matte = np.hsplit(sheet[height : 2 * height], 4)  # the second person of the first clip
    np.testing.assert_array_equal(frame, clips[0].frames[1])
    np.testing.assert_array_equal(guidance[..., 0] > 0, clips[0].masks[1, 1])
    np.testing.assert_array_equal(truth[..., 1], clips[0].alphas[1, 1])
    np.testing.assert_allclose(matte[..., 2], 255.0 - clips[0].alphas[1, 1], atol=0.51)


def test_tensorboard_reads_curves_and_pictures_and_a_run_that_goes_on_hides_what_was_beyond(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    sheet: NDArray[np.uint8] = np.full((8, 12, 3), 200, np.uint8)
    first = Board(tmp_path, 0)
    for number in (1, 2):
        first.step(number, 1 / number, 0.1)
    first.measured(2, {"mad": 7.0}, sheet)
    first.step(3, 1 / 3, 0.1)
    first.close()
    second = Board(tmp_path, 2)  # saved after step 2, killed after step 3
    second.step(3, 0.5, 0.1)
    second.close()

    seen = EventAccumulator(str(tmp_path / FOLDER)).Reload()
    assert [(event.step, round(event.value, 4)) for event in seen.Scalars("train/loss")] == [(1, 1), (2, 0.5), (3, 0.5)]
    assert seen.Scalars("train/rate")[0].value == pytest.approx(0.1)
    assert "held out/mad" in seen.Tags()["scalars"]
    assert seen.Images("held out")[0].width == 12
