"""Training: what goes into a step, that a run goes on as if it had never stopped, and that networks learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import main
from matting.errors import CheckpointError, MediaError
from matting.networks import checkpoints, create
from matting.training.batches import batch
from matting.training.run import Recipe, Run
from matting.training.stock import Stock, draw_ground, draw_person, ground_path, keep_ground, keep_person, person_path
from matting.training.validation import write_weights

RECIPE = Recipe(seed=3, steps=6, size=2, length=2, side_px=64, warm_up=2)


@pytest.fixture(scope="module")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Stock:
    folder = tmp_path_factory.mktemp("stock")
    for number in range(3):
        keep_person(person_path(folder, number), draw_person(number, 3, 96))
        keep_ground(ground_path(folder, number), draw_ground(number))
    return Stock(folder)


@pytest.fixture
def one_thread() -> object:
    """Sums in a fixed order, so that runs can be compared bit by bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def started(stock: Stock, recipe: Recipe = RECIPE) -> Run:
    torch.manual_seed(recipe.seed)
    return Run(create("lite"), recipe, stock)


class TestBatches:
    def test_a_step_is_always_the_same_and_every_step_another(self, stock: Stock) -> None:
        first, again, next_ = (batch(stock, 1, step, 2, 2, 64) for step in (5, 5, 6))
        for one, other in zip(first, again, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
        assert not torch.equal(first.frames, next_.frames)

    def test_shapes_and_ranges(self, stock: Stock) -> None:
        given = batch(stock, 1, 0, 3, 2, 64)
        assert given.frames.shape == (3, 2, 3, 64, 64)
        assert given.target.shape == given.reference.shape == (3, 2, 1, 64, 64)
        assert given.truth.shape == (3, 2, 2, 64, 64)
        assert set(torch.unique(given.target).tolist()) <= {0.0, 1.0}
        assert given.truth.min() >= 0
        assert given.truth.sum(dim=2).max() <= 1 + 1e-6

    def test_guidance_belongs_to_the_truth(self, stock: Stock) -> None:
        agree = []
        for step in range(20):
            given = batch(stock, 2, step, 2, 2, 64)
            agree.append(float(((given.target > 0.5) == (given.truth[:, :, :1] > 0.5)).float().mean()))
        assert np.mean(agree) > 0.8  # a part of a picture holds more of edges than the whole

    def test_a_folder_without_people_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(MediaError, match="holds no people"):
            Stock(tmp_path)

    def test_the_same_person_is_drawn_again_and_is_kept_as_drawn(self, tmp_path: Path) -> None:
        drawn = draw_person(2, 2, 96)
        np.testing.assert_array_equal(draw_person(2, 2, 96), drawn)
        keep_person(person_path(tmp_path, 2), drawn)
        keep_ground(ground_path(tmp_path, 0), draw_ground(0))
        kept = Stock(tmp_path).people[0]
        np.testing.assert_array_equal(kept.rgba, drawn)
        assert (kept.rgba[..., :3] <= kept.rgba[..., 3:]).all()  # premultiplied
        y, x = kept.soft[0]
        assert 12 < kept.rgba[0, y, x, 3] < 243


class TestRun:
    @pytest.mark.usefixtures("one_thread")
    def test_one_that_was_interrupted_has_the_same_curve(self, stock: Stock, tmp_path: Path) -> None:
        whole = [step.loss for step in started(stock).steps()]
        first = started(stock)
        curve = [step.loss for _, step in zip(range(3), first.steps(), strict=False)]
        first.save(tmp_path)
        second = started(stock)
        second.go_on(tmp_path)
        curve += [step.loss for step in second.steps()]
        assert curve == whole

    def test_another_recipe_is_refused(self, stock: Stock, tmp_path: Path) -> None:
        started(stock).save(tmp_path)
        other = started(stock, Recipe(seed=4, steps=6, size=2, length=2, side_px=64, warm_up=2))
        with pytest.raises(CheckpointError, match="another recipe"):
            other.go_on(tmp_path)

    def test_a_damaged_state_is_refused(self, stock: Stock, tmp_path: Path) -> None:
        run = started(stock)
        run.save(tmp_path)
        state = tmp_path / "state.pt"
        state.write_bytes(state.read_bytes()[:5000])
        with pytest.raises(CheckpointError, match="cannot be taken up again"):
            run.go_on(tmp_path)

    def test_the_learning_rate_rises_and_falls(self) -> None:
        recipe = Recipe(steps=1000, warm_up=100, rate=1.0)
        rates = [recipe.rate_at(step) for step in range(1000)]
        assert int(np.argmax(rates)) in (99, 100)
        assert rates[0] == pytest.approx(0.01)
        assert rates[-1] == pytest.approx(0.01, abs=1e-3)


def test_weights_are_recognised_when_they_are_read(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = create("lite")
    write_weights(tmp_path / "lite.safetensors", network.state_dict())
    found = checkpoints.read(tmp_path / "lite.safetensors")
    assert checkpoints.kind_of(found) == "lite"
    again = create("lite")
    again.load_state_dict(checkpoints.convert("lite", found))
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


def test_lite_gives_the_same_in_one_call_and_in_several() -> None:
    torch.manual_seed(0)
    network = create("lite")
    frames, masks = torch.randn(2, 4, 3, 64, 96), (torch.rand(2, 2, 4, 1, 64, 96) > 0.5).float()
    with torch.inference_mode():
        whole = network(frames, masks[0], masks[1])
        first = network(frames[:, :3], masks[0][:, :3], masks[1][:, :3])
        last = network(frames[:, 3:], masks[0][:, 3:], masks[1][:, 3:], first.memory)
    torch.testing.assert_close(torch.cat((first.alpha_os1, last.alpha_os1), 1), whole.alpha_os1, rtol=0, atol=1e-5)
    assert not torch.allclose(network(frames[:, 3:], masks[0][:, 3:], masks[1][:, 3:]).alpha_os1, last.alpha_os1)


def test_the_command_trains_stops_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    people, run = tmp_path / "stock", tmp_path / "run"
    assert main.main(["train", "stock", str(people), "--count", "2", "--frames", "3", "--height", "72"]) == 0
    command = [
        "train",
        "lite",
        str(people),
        "--out",
        str(run),
        "--steps",
        "4",
        "--size",
        "1",
        "--side",
        "64",
        "--held-out",
        "1",
    ]
    assert main.main([*command, "--stop", "2"]) == 0
    assert main.main(command) == 0
    assert "going on after step 2" in capsys.readouterr().out
    assert [line.count("mad") for line in (run / "curve.jsonl").read_text().splitlines()] == [1, 1]
    assert checkpoints.kind_of(checkpoints.read(run / "lite.safetensors")) == "lite"


@pytest.mark.slow
def test_lite_overfits_four_clips_and_then_goes_by_the_guidance(stock: Stock) -> None:
    fixed = batch(stock, 0, 0, 4, 3, 64)
    run = started(stock, Recipe(steps=1500, size=4, length=3, side_px=64, warm_up=50))
    for _ in range(run.recipe.steps):
        run.learn(fixed)
    network = run.network.eval()
    errors = []
    for turned in (0, 1):  # with its own guidance, and with that of another clip
        with torch.no_grad():
            out = network(fixed.frames, fixed.target.roll(turned, 0), fixed.reference.roll(turned, 0))
        errors.append(float((out.alpha - fixed.truth[:, :, :1]).abs().mean()))
    assert errors[0] < 5e-3
    assert errors[1] > 10 * errors[0]
