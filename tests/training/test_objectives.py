"""What each network is trained for: losses in which everything of a network takes part."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from matting.networks.maggie import MaGGIe
from matting.networks.msg_vim import MsgVim, MsgVimMattes
from matting.synthesis.procedural import LayeredClip, procedural_clip
from matting.training import losses, maggie, msg_vim
from matting.training.batches import as_batch, joined
from matting.training.layers import Layers, layers_of
from matting.training.lessons import new_network

SIDE = 64


@pytest.fixture(scope="module")
def clip() -> LayeredClip:
    return procedural_clip(1, (SIDE, SIDE), frames=3, people=3)


def layers(clip: LayeredClip, who: int = 0) -> Layers:
    return layers_of(clip.alphas, clip.foregrounds, clip.backgrounds, who)


class TestLayers:
    def test_they_compose_to_the_clean_picture_with_the_true_mattes(self, clip: LayeredClip) -> None:
        for who in range(3):
            truth = as_batch(clip.frames, clip.alphas, clip.alphas > 127, who).ready().truth
            made = layers(clip, who)
            error = losses.composition(truth, made.foregrounds, made.background, made.clean)
            assert error.item() < 1e-6
            np.testing.assert_allclose(
                255 * made.clean[0].permute(0, 2, 3, 1).numpy(), clip.clean.astype(np.float32), atol=0.51
            )


def perfect(truth: torch.Tensor) -> MsgVimMattes:
    return MsgVimMattes(truth, truth, truth, truth[:, :, :1], truth[:, 0, :1])


class TestMsgVim:
    @pytest.mark.parametrize("by_truth", [0.0, 1.0])
    def test_true_mattes_cost_nothing(self, clip: LayeredClip, by_truth: float) -> None:
        truth = as_batch(clip.frames, clip.alphas, clip.alphas > 127, 1).ready().truth
        loss = msg_vim.loss_of(perfect(truth), truth, layers(clip, 1), np.random.default_rng(0), by_truth)
        assert loss.total().item() < 1e-6

    def test_composition_pulls_a_matte_towards_the_picture(self, clip: LayeredClip) -> None:
        truth = as_batch(clip.frames, clip.alphas, clip.alphas > 127, 1).ready().truth
        faint = (0.8 * truth).requires_grad_()
        loss = msg_vim.loss_of(perfect(faint), truth, layers(clip, 1), np.random.default_rng(0), 1.0)
        loss.composition.os8.backward()  # type: ignore[no-untyped-call]
        assert faint.grad is not None
        solid = truth[:, :, 0] > 0.99
        assert (faint.grad[:, :, 0][solid] < 0).float().mean() > 0.9  # a step downhill makes it more opaque

    def test_every_weight_of_a_thin_one_learns(self, clip: LayeredClip) -> None:
        torch.manual_seed(0)
        network = MsgVim(width=4).train()
        given = as_batch(clip.frames, clip.alphas, clip.alphas > 127, 0).ready()
        out = network(given.frames, given.target, given.reference)
        loss = msg_vim.loss_of(out, given.truth, layers(clip), np.random.default_rng(0), 1.0).total()
        loss.backward()  # type: ignore[no-untyped-call]
        assert [n for n, w in network.named_parameters() if w.requires_grad and w.grad is None] == []


class TestMaggie:
    @pytest.mark.parametrize("video", [False, True])
    @pytest.mark.parametrize("by_truth", [0.0, 1.0])
    def test_every_weight_of_a_thin_one_learns(self, clip: LayeredClip, video: bool, by_truth: float) -> None:
        torch.manual_seed(0)
        network = MaGGIe(video, width=4).train()
        given = maggie.in_slots(clip.frames, clip.alphas, clip.alphas > 127, np.array([7, 0, 3]))
        loss = maggie.maggie_loss(network, given, np.random.default_rng(0), by_truth)
        assert (loss.difference is not None) == video
        loss.total().backward()  # type: ignore[no-untyped-call]
        without = {n for n, w in network.named_parameters() if w.requires_grad and w.grad is None}
        assert without == {f"decoder.dummy_downscale.{k}.weight" for k in range(4)}

    def test_where_nobody_is_nothing_is_judged(self, clip: LayeredClip) -> None:
        network = new_network("maggie-video", 4).train()
        assert isinstance(network, MaGGIe)
        given = maggie.in_slots(clip.frames, 0 * clip.alphas, clip.alphas > 127, np.array([0, 1, 2]))
        loss = maggie.maggie_loss(network, given, np.random.default_rng(0), 0.0)
        assert sum(scale.item() for scale in loss.l1 + loss.laplacian + loss.gradient) == 0
        assert torch.isfinite(loss.total())

    def test_who_is_not_there_costs_and_weighs_nothing(self, clip: LayeredClip) -> None:
        network = new_network("maggie-image", 4).eval()
        assert isinstance(network, MaGGIe)
        given = maggie.in_slots(clip.frames, clip.alphas, clip.alphas > 127, np.array([0, 1, 2]))
        nobody = given._replace(truth=0 * given.truth)
        with torch.no_grad():
            alone, beside = (
                maggie.maggie_loss(network, some, np.random.default_rng(0), 1.0)
                for some in (given, joined([given, nobody]))
            )
        for name in ("l1", "laplacian", "gradient"):
            torch.testing.assert_close(torch.stack(getattr(beside, name)), torch.stack(getattr(alone, name)))

    def test_an_encoder_begins_with_the_picture_alone(self, clip: LayeredClip) -> None:
        network = new_network("maggie-image", 4).eval()
        assert isinstance(network, MaGGIe)
        given = maggie.in_slots(clip.frames, clip.alphas, clip.alphas > 127, np.array([0, 1, 2]))
        with torch.no_grad():
            seen, ignored = (network.features(given.frames, masks) for masks in (given.masks, 1 - given.masks))
        torch.testing.assert_close(seen.deep, ignored.deep)
        assert not torch.equal(seen.shortcuts[0][0], ignored.shortcuts[0][0])  # details see them from the start

    def test_attention_is_that_of_the_decoder_and_nothing_stays_hooked(self, clip: LayeredClip) -> None:
        torch.manual_seed(0)
        network = MaGGIe(video=False, width=4).train()
        given = maggie.in_slots(clip.frames, clip.alphas, clip.alphas > 127, np.array([0, 1, 2]))
        attention = maggie.maggie_loss(network, given, np.random.default_rng(0), 1.0).attention
        assert attention is not None
        assert 0 < attention.item() <= 3 / 3  # three people, three frames
        assert not any(module._forward_hooks for module in network.modules())

    def test_instances_lie_in_their_slots_and_the_rest_is_empty(self, clip: LayeredClip) -> None:
        given = maggie.in_slots(clip.frames, clip.alphas, clip.alphas > 127, np.array([7, 0, 3]))
        np.testing.assert_array_equal(255 * given.truth[0, :, 7].numpy(), clip.alphas[:, 0])
        np.testing.assert_array_equal(given.masks[0, :, 3].numpy() > 0, clip.alphas[:, 2] > 127)
        assert not given.masks[0, :, [1, 2, 4, 5, 6, 8, 9]].any()
        assert not given.truth[0, :, [1, 2, 4, 5, 6, 8, 9]].any()

    def test_change_is_where_any_matte_moved_and_round_it(self) -> None:
        truth = torch.zeros(1, 3, 10, 32, 32)
        truth[0, 1:, 4, 10:14, 10:14] = 1
        changed = maggie.changed(truth, np.random.default_rng(0))
        assert changed.shape == (1, 3, 1, 32, 32)
        assert changed[0, 0].all()
        assert changed[0, 1, 0, 10:14, 10:14].all()
        assert 16 < changed[0, 1].sum() < 500
        assert not changed[0, 2].any()
