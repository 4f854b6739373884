"""Training: what goes into a step, that a run goes on as if it had never stopped, and that networks learn."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

import main
from matting.errors import CheckpointError, MediaError
from matting.networks import checkpoints, create
from matting.synthesis.layers import recompose
from matting.training.batches import everybody, one_of_each, samples
from matting.training.lessons import LiteLesson
from matting.training.recipes import Recipe
from matting.training.run import Run
from matting.training.stock import (
    Stock,
    draw_ground,
    draw_person,
    ground_path,
    keep_ground,
    keep_person,
    person_path,
    photographed_ground,
    scene,
)
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
    return Run(create("lite"), recipe, stock, LiteLesson())


class TestBatches:
    def test_a_step_is_always_the_same_and_every_step_another(self, stock: Stock) -> None:
        first, again, next_ = (one_of_each(samples(stock, 1, step, 2, 2, 64)) for step in (5, 5, 6))
        for one, other in zip(first, again, strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=0)
        assert not torch.equal(first.frames, next_.frames)

    def test_shapes_and_ranges(self, stock: Stock) -> None:
        given = one_of_each(samples(stock, 1, 0, 3, 2, 64)).ready()
        assert given.frames.shape == (3, 2, 3, 64, 64)
        assert given.target.shape == given.reference.shape == (3, 2, 1, 64, 64)
        assert given.truth.shape == (3, 2, 2, 64, 64)
        assert set(torch.unique(given.target).tolist()) <= {0.0, 1.0}
        assert given.truth.min() >= 0
        assert given.truth.sum(dim=2).max() <= 1 + 1e-6
        assert -2.2 < given.frames.min() < 0 < given.frames.max() < 2.7

    def test_everybody_of_a_clip_is_learnt_from(self, stock: Stock) -> None:
        drawn = samples(stock, 1, 0, 8, 2, 64)
        given = everybody(drawn).ready()
        seen = [one.clip.alphas[:, who] for one in drawn for who in range(one.clip.alphas.shape[1])]
        seen = [alpha for alpha in seen if alpha.any()]
        assert len(seen) > len(drawn)
        assert len(given.truth) >= len(seen)
        learnt = {alpha.numpy().tobytes() for alpha in everybody(drawn).truth[:, :, 0]}
        assert {alpha.tobytes() for alpha in seen} <= learnt

    def test_guidance_belongs_to_the_truth(self, stock: Stock) -> None:
        agree = []
        for step in range(20):
            given = one_of_each(samples(stock, 2, step, 2, 2, 64)).ready()
            agree.append(float(((given.target > 0.5) == (given.truth[:, :, :1] > 0.5)).float().mean()))
        assert np.mean(agree) > 0.8  # a part of a picture holds more of edges than the whole

    def test_bystanders_are_seen_and_belong_to_nobody(self, stock: Stock) -> None:
        without, with_some = (scene(stock, np.random.default_rng(4), 2, 64, share) for share in (0.0, 1.0))
        np.testing.assert_array_equal(scene(stock, np.random.default_rng(4), 2, 64).frames, without.frames)
        np.testing.assert_array_equal(with_some.alphas, without.alphas)
        np.testing.assert_array_equal(with_some.foregrounds, without.foregrounds)
        others = (with_some.backgrounds != without.backgrounds).any(axis=-1)
        assert 0.02 < others.mean() < 0.98
        for frame, alphas, foregrounds, background in zip(
            with_some.clean, with_some.alphas, with_some.foregrounds, with_some.backgrounds, strict=True
        ):
            np.testing.assert_array_equal(frame, recompose(alphas, foregrounds, background))

    def test_a_mass_of_hair_hides_what_is_behind_it_and_has_loose_ends(self) -> None:
        plain, maned = (draw_person(8, 1, 192, maned=mass)[0].astype(int) for mass in (False, True))
        added = (maned[..., 3] > 0) & (plain[..., 3] == 0)  # hair where the same person had none
        assert (maned[added][:, 3] == 255).mean() > 0.3
        assert ((maned[added][:, 3] > 12) & (maned[added][:, 3] < 243)).mean() > 0.05
        lightness = maned[..., :3].mean(axis=-1)[added & (maned[..., 3] == 255)]
        assert lightness.std() > 5  # it is not flat: strands are told apart

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

    @pytest.mark.usefixtures("one_thread")
    @pytest.mark.skipif(sys.platform != "linux", reason="processes cannot share a stock")
    def test_others_may_compose_its_batches(self, stock: Stock) -> None:
        alone = [step.loss for step in started(stock).steps()]
        assert [step.loss for step in started(stock).steps(workers=2)] == alone

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

    def test_one_that_was_saved_on_a_gpu_goes_on_without_one(
        self, stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = started(stock)
        list(run.steps(2))
        with monkeypatch.context() as there:
            there.setattr(torch.serialization, "location_tag", lambda _: "cuda:3")
            run.save(tmp_path)
        if not torch.cuda.is_available():
            with pytest.raises(RuntimeError, match="CUDA"):
                torch.load(tmp_path / "state.pt", weights_only=True)
        again = started(stock)
        again.go_on(tmp_path)
        assert again.done == 2
        for name, tensor in run.averaged.items():
            torch.testing.assert_close(again.averaged[name], tensor, rtol=0, atol=0)

    @pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
    def test_what_it_goes_on_from_lies_where_its_network_is(self, stock: Stock, tmp_path: Path) -> None:
        run = started(stock)
        list(run.steps(1))
        run.save(tmp_path)
        elsewhere = Run(create("lite").to("meta"), RECIPE, stock, LiteLesson())
        elsewhere.go_on(tmp_path)
        moments = [state["exp_avg"] for state in elsewhere._optimiser.state.values()]
        held = [*elsewhere.network.state_dict().values(), *elsewhere.averaged.values(), *moments]
        assert len(moments) == len(list(elsewhere.network.parameters()))
        assert {tensor.device.type for tensor in held} == {"meta"}

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


def drawn_by_command(folder: Path) -> Path:
    assert main.main(["train", "stock", str(folder), "--count", "2", "--frames", "3", "--height", "72"]) == 0
    return folder


def command(kind: str, stock: Path, run: Path, *more: str) -> list[str]:
    least = ("--size", "1", "--side", "64", "--held-out", "1", "--threads", "1", "--device", "cpu")
    return ["train", kind, str(stock), "--out", str(run), *least, *more]


def curve(run: Path) -> dict[int, dict[str, float]]:
    """Of each step what was noted last."""
    lines = [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]
    return {line["step"]: line for line in lines}


@pytest.mark.usefixtures("one_thread")
def test_the_command_trains_stops_and_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "run"
    given = command("lite", drawn_by_command(tmp_path / "stock"), run, "--steps", "4")
    assert main.main([*given, "--stop", "2"]) == 0
    assert main.main(given) == 0
    assert "going on after step 2" in capsys.readouterr().out
    assert list(curve(run)) == [2, 4]
    assert set(curve(run)[4]) == {"step", "loss", "mad", "mse", "grad", "dtssd", "mask"}
    assert checkpoints.kind_of(checkpoints.read(run / "lite.safetensors")) == "lite"
    assert list((run / "board").iterdir())


def test_a_stock_has_as_many_photographed_grounds_as_drawn_ones_and_none_where_nobody_wants_them(
    tmp_path: Path,
) -> None:
    grounds = sorted(path.name for path in (drawn_by_command(tmp_path / "both") / "grounds").iterdir())
    assert grounds == ["000000.png", "000001.png", "place-000000.png", "place-000001.png"]
    first, other, again = (photographed_ground(number) for number in (0, 1, 0))
    np.testing.assert_array_equal(first, again)
    assert first.shape == other.shape == (256, 512, 3)
    assert 0 <= first.min() < 0.1 < 0.5 < first.max() <= 1
    assert np.abs(first - other).mean() > 0.05
    least = ("--count", "1", "--frames", "2", "--height", "72", "--no-places")
    assert main.main(["train", "stock", str(tmp_path / "drawn"), *least]) == 0
    assert [path.name for path in (tmp_path / "drawn" / "grounds").iterdir()] == ["000000.png"]


def test_a_run_begins_with_given_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(5)
    start = tmp_path / "start.safetensors"
    write_weights(start, create("lite").state_dict())
    still = ("--steps", "1", "--rate", "0", "--start", str(start))
    stock = drawn_by_command(tmp_path / "stock")
    assert main.main(command("lite", stock, tmp_path / "run", *still)) == 0
    begun, ended = checkpoints.read(start), checkpoints.read(tmp_path / "run" / "lite.safetensors")
    for name in ("stem.0.weight", "head1.weight", "temporal.ih.weight"):
        torch.testing.assert_close(ended[name], begun[name], rtol=0, atol=0)
    assert not torch.equal(ended["stem.1.running_mean"], begun["stem.1.running_mean"])
    assert main.main(command("msg-vim", stock, tmp_path / "other", *still)) != 0
    assert "holds the weights of lite, not of msg-vim" in capsys.readouterr().err


@pytest.mark.usefixtures("one_thread")
def test_a_run_that_was_killed_has_the_same_curve(tmp_path: Path) -> None:
    stock = drawn_by_command(tmp_path / "stock")
    steps = ("--steps", "400", "--every", "2")
    killed = tmp_path / "killed"
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import main, sys; sys.exit(main.main(sys.argv[1:]))",
            *command("lite", stock, killed, *steps),
        ],
        cwd=Path(main.__file__).parent,
        stdout=subprocess.DEVNULL,
    )
    while not (killed / "curve.jsonl").exists() or len(curve(killed)) < 2:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    reached = max(curve(killed))
    stop = str(reached + 4)
    assert main.main(command("lite", stock, killed, *steps, "--stop", stop)) == 0
    assert main.main(command("lite", stock, tmp_path / "whole", *steps, "--stop", stop)) == 0
    assert reached >= 4
    found, whole = curve(killed), curve(tmp_path / "whole")
    assert {step: line["loss"] for step, line in found.items()} == {step: line["loss"] for step, line in whole.items()}
    for step, line in found.items():  # OpenCV rounds by where in memory a picture lies
        assert line == pytest.approx(whole[step], rel=1e-5)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", ["msg-vim", "maggie-image", "maggie-video"])
def test_networks_of_the_papers_train_too(kind: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    stock = drawn_by_command(tmp_path / "stock")
    length, size = ("1", "2") if kind == "maggie-image" else ("3", "1")
    more = ("--width", "4", "--length", length, "--size", size, "--steps", "2", "--every", "1")
    assert main.main(command(kind, stock, run, *more)) == 0
    assert all(np.isfinite(line["loss"]) for line in curve(run).values())
    assert (run / f"{kind}.safetensors").exists()


class TestRecipes:
    def test_one_cycle_is_that_of_torch(self) -> None:
        recipe = Recipe(steps=50, warm_up=10, rate=0.3, schedule="one-cycle")
        optimiser = torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=0.3)
        theirs = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.3, total_steps=50, pct_start=10 / 50)
        rates = []
        for _ in range(50):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            theirs.step() if len(rates) < 50 else None
        np.testing.assert_allclose([recipe.rate_at(step) for step in range(50)], rates, rtol=1e-6)

    def test_a_run_of_before_a_recipe_said_more_goes_on(self, stock: Stock, tmp_path: Path) -> None:
        run = started(stock)
        run.save(tmp_path)
        state = torch.load(tmp_path / "state.pt", weights_only=True)
        del state["recipe"]["schedule"], state["recipe"]["betas"]
        torch.save(state, tmp_path / "state.pt")
        started(stock).go_on(tmp_path)
