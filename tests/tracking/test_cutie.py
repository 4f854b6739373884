"""Cutie: our way through a clip against the authors' own, its memory, its file of weights."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import formula_cutie
import numpy as np
import pytest
import torch
from moving_shapes import Disc, Pictures, Scene, overlap
from numpy.typing import NDArray
from omegaconf import DictConfig

from matting.arrays import Mask
from matting.errors import CheckpointError, DeviceError
from matting.frames import to_8_bit
from matting.job import JobContext
from matting.tracking import cutie_follower, cutie_network
from matting.tracking.cutie import MOST_KEEPSAKES, CutieTracker, cutie_name, is_available
from matting.tracking.cutie_follower import Eye, Follower

SCENE = Scene((Disc(13, (30, 40), (0.5, 0.3), (190, 70, 60)), Disc(12, (108, 50), (-0.4, 0), (60, 90, 190))), 70)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in the layout of ``cutie-base-mega.pth``."""
    return formula_cutie.write(tmp_path_factory.mktemp("public") / "base.pth")


def found(
    tracker: CutieTracker, clip: Pictures, span: range, seeds: Mapping[int, Mapping[int, Mask]]
) -> dict[int, Mask]:
    return {step.index: step.masks for step in tracker.track(clip, span, seeds, JobContext())}


def at(clip: Pictures, index: int) -> NDArray[np.uint8]:
    return to_8_bit(clip.frame(index))


def remembered(memory: Any) -> int:
    """How many tokens are remembered for now."""
    sizes = [memory.work_mem.size(bucket) for bucket in memory.work_mem.buckets]
    sizes += [memory.long_mem.size(bucket) for bucket in memory.long_mem.buckets]
    return sum(sizes)


def test_forward_it_is_the_authors_loop(small_cutie: CutieTracker) -> None:
    """Sixty frames, so that memories are condensed several times."""
    from cutie.inference.inference_core import InferenceCore

    eye = small_cutie._eye
    tokens = 6 * 9
    settings = {
        "model": formula_cutie.small_settings(), "mem_every": 5, "stagger_updates": 5, "chunk_size": -1, "top_k": 30,
        "save_aux": False, "max_internal_size": -1, "flip_aug": False, "use_long_term": True,
        "long_term": {
            "count_usage": True, "max_mem_frames": 10, "min_mem_frames": 5, "num_prototypes": tokens,
            "max_num_tokens": 10000, "buffer_tokens": 2000,
        },
    }  # fmt: skip
    theirs = InferenceCore(eye.network, DictConfig(settings))
    masks = [SCENE.seen(0)[i].astype(np.float32) for i in (1, 2)]
    given = {i: eye.mask(mask) for i, mask in zip((1, 2), masks, strict=True)}
    keepsake = eye.keepsake(eye.look_at(at(SCENE, 0)), given)
    ours = Follower(eye, [(1, 2)], {0: keepsake})
    for t in range(60):
        picture = torch.from_numpy(SCENE.frame(t)).permute(2, 0, 1).float() / 255
        start = {"mask": torch.from_numpy(np.stack(masks)), "objects": [1, 2], "idx_mask": False} if t == 0 else {}
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            expected = theirs.step(picture, **start)[1:].numpy() * 255
        seen = ours.step(t, eye.look_at(at(SCENE, t)), given if t == 0 else {})
        assert np.abs(np.stack([seen[1], seen[2]]) - expected).max() <= 0.51, t
        assert expected.max() > 5 if t else True


def test_backward_is_forward_in_a_clip_that_runs_backward(
    small_cutie: CutieTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("packed_picture", "unpacked_picture"):  # without loss, so that both see the same
        monkeypatch.setattr(f"matting.tracking.cutie.{name}", lambda picture: picture)
    mirrored = Pictures([SCENE.frame(t) for t in range(12, -1, -1)])
    there = found(small_cutie, SCENE, range(13), {0: SCENE.seen(0)})
    back = found(small_cutie, mirrored, range(13), {12: SCENE.seen(0)})
    assert all(np.array_equal(there[t], back[12 - t]) for t in range(13))
    assert any(there[t].any() for t in range(1, 13))


def test_between_two_seeds_both_directions_count(small_cutie: CutieTracker) -> None:
    one, other = {1: SCENE.seen(0)[1]}, {1: SCENE.seen(0)[2]}
    forward = found(small_cutie, SCENE, range(11), {0: one})
    both = found(small_cutie, SCENE, range(11), {0: one, 10: other})
    assert any(not np.array_equal(forward[t], both[t]) for t in range(1, 10))
    assert np.array_equal(both[0][0], one[1])
    assert np.array_equal(both[10][0], other[1])


def test_whoever_is_given_counts_for_the_others_until_all_are_given_again(small_cutie: CutieTracker) -> None:
    ends = {0: SCENE.seen(0), 8: SCENE.seen(8), 16: SCENE.seen(16)}
    plain = found(small_cutie, SCENE, range(17), ends)
    corrected = found(small_cutie, SCENE, range(17), {**ends, 4: {2: ~SCENE.seen(4)[1]}})
    changed = [t for t in range(17) if not np.array_equal(plain[t][0], corrected[t][0])]
    assert changed, "they are followed together"
    assert all(0 < t < 8 for t in changed), "and nothing beyond the frames on which both are given"


def test_prompted_frames_are_remembered_for_good_and_the_rest_in_little_room(
    small_cutie: CutieTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutie_follower, "_LONG_TOKENS", 18)
    monkeypatch.setattr(cutie_follower, "_SPARE_TOKENS", 6)
    eye = small_cutie._eye
    scene = Scene((Disc(6, (12, 20), (0.2, 0), (190, 70, 60)),), 200, (32, 48))
    given = {t: {1: eye.mask(scene.seen(t)[1].astype(np.float32))} for t in (0, 9)}
    kept = {t: eye.keepsake(eye.look_at(at(scene, t)), masks) for t, masks in given.items()}
    follower = Follower(eye, [(1,)], kept)
    (group,) = follower._groups
    tokens = 2 * 3
    sizes = []
    for t in range(200):
        follower.step(t, eye.look_at(at(scene, t)), given.get(t, {}))
        sizes.append(remembered(group.memory))
        assert group.memory.work_mem.perm_size(0) == 2 * tokens, "both prompted frames"
    assert max(sizes) <= (2 + 9) * tokens + 18
    assert sizes[60] > 2 * tokens


def test_of_very_many_prompted_frames_some_are_remembered_for_good(
    small_cutie: CutieTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    keepsake = Eye.keepsake

    def counted(*given: Any) -> Any:
        kept.append(1)
        return keepsake(*given)

    monkeypatch.setattr(Eye, "keepsake", counted)
    first = {0: {1: SCENE.seen(0)[1]}}
    many = {t: {2: SCENE.seen(t)[2]} for t in range(1, 30)}
    found(small_cutie, SCENE, range(28, 30), {**first, **many})
    assert len(kept) == MOST_KEEPSAKES


def test_too_little_memory_is_a_sentence(small_cutie: CutieTracker, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("tried to allocate")

    monkeypatch.setattr(small_cutie._eye.network, "segment", full)
    with pytest.raises(DeviceError, match=r"too little memory on the CPU.*; track fewer people.*--tracker flow"):
        found(small_cutie, SCENE, range(5), {0: SCENE.seen(0)})


@pytest.mark.usefixtures("full_gpu")
def test_no_memory_on_a_gpu_is_a_sentence_that_names_the_cpu(small_cutie: CutieTracker, small_checkpoint: Path) -> None:
    tracker = CutieTracker(small_checkpoint, torch.device("cuda", 0))
    with pytest.raises(DeviceError, match=r"memory on Full GPU \(cuda:0\).*track on the CPU .*--device cpu"):
        found(tracker, SCENE, range(5), {0: SCENE.seen(0)})
    tracker._eye = Eye(small_cutie._eye.network, torch.device("cpu"))
    tracker._eye.device = torch.device("cuda", 0)  # room for the weights, none for a picture
    with pytest.raises(DeviceError, match=r"memory on Full GPU"):
        found(tracker, SCENE, range(5), {0: SCENE.seen(0)})


class TestWeights:
    def test_a_checkpoint_of_the_public_layout_is_read_and_works(self, public: Path) -> None:
        tracker = CutieTracker(public)
        assert tracker.name == cutie_name(tracker.name.split(":")[1])
        assert tracker.name.startswith("cutie/1:")
        assert tracker.name.endswith(":480")
        weights = torch.load(public, weights_only=True)
        assert 139e6 < public.stat().st_size < 142e6, "as the public file, of 140 MB"
        assert weights["mask_encoder.conv1.weight"].shape == (64, 5, 7, 7)
        network = tracker._eye.network
        assert all(torch.equal(value, weights[key]) for key, value in network.state_dict().items() if "aux" not in key)
        scene = Scene((Disc(6, (12, 20), (0.2, 0), (190, 70, 60)),), 3, (32, 48))
        masks = found(tracker, scene, range(3), {0: scene.seen(0)})
        assert overlap(masks[0][0], scene.seen(0)[1]) == 1
        assert set(masks) == {0, 1, 2}

    def test_what_only_training_needs_may_be_missing(self, public: Path, tmp_path: Path) -> None:
        weights = {k: v for k, v in torch.load(public, weights_only=True).items() if not k.startswith("aux_computer.")}
        torch.save({"state_dict": {f"module.{key}": value for key, value in weights.items()}}, tmp_path / "bare.pth")
        assert cutie_network.load(tmp_path / "bare.pth").key_dim == 64

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda w: w.pop("key_proj.key_proj.weight"), r"key_proj\.key_proj\.weight \(64×256×3×3\) is missing"),
            (
                lambda w: w.update({"mask_encoder.conv1.weight": torch.zeros(64, 4, 7, 7)}),
                "conv1.weight is 64×4×7×7, expected 64×5×7×7",
            ),
        ],
    )
    def test_what_does_not_fit_is_one_clear_error(self, public: Path, tmp_path: Path, change: Any, reason: str) -> None:
        weights = torch.load(public, weights_only=True)
        change(weights)
        torch.save(weights, tmp_path / "other.pth")
        with pytest.raises(CheckpointError, match=rf"other\.pth does not fit Cutie \(base\): .*{reason}"):
            cutie_network.load(tmp_path / "other.pth")

    def test_a_file_that_is_no_checkpoint(self, tmp_path: Path) -> None:
        (tmp_path / "note.pth").write_text("not weights")
        with pytest.raises(CheckpointError, match=r"note\.pth"):
            cutie_network.load(tmp_path / "note.pth")

    def test_nothing_is_fetched_to_build_the_network(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fetch(*_: object, **__: object) -> None:
            raise AssertionError("a download")

        monkeypatch.setattr("torch.utils.model_zoo.load_url", fetch)
        assert cutie_network.create().sensory_dim == 256
        from cutie.model.utils import resnet

        with pytest.raises(AssertionError, match="a download"):
            resnet.resnet18()


def test_the_package_brings_no_other_opencv() -> None:
    assert is_available()
    with pytest.raises(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version("opencv-python")
