"""MSG-VIM against vectors made with the authors' code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from golden_files import golden
from numpy.typing import NDArray
from tolerances import COARSE_ALPHA, FEATURES, FUSED_ALPHA, FUSED_SHARE, LOGITS
from torch import Tensor, nn

from matting.networks.msg_vim import ELEMENT_OS4, MsgVim, fuse
from matting.networks.progressive import unknown

MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
DEVIATION = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)
SCALES = ("os8", "os4", "os1")
EVERY = {"direct_t1_128x160_n2": 1, "direct_t4_96x128_n3": 4}
"""The larger case carries only every fourth row and column of the mattes before fusion."""

Case = dict[str, NDArray[Any]]


def inputs(case: Case) -> tuple[Tensor, Tensor, Tensor]:
    """Frames, target and reference of a case whose pictures are given to the network as they are."""
    target, reference = (
        torch.from_numpy(case[name] >= 128).float().reshape(-1, *case["frames"].shape[:3])[:, :, None]
        for name in ("tg", "re")
    )
    frames = (torch.from_numpy(case["frames"]).permute(0, 3, 1, 2).float() / 255 - MEAN) / DEVIATION
    return frames.expand(len(target), -1, -1, -1, -1), target, reference


@torch.inference_mode()
@pytest.mark.parametrize("name", EVERY)
def test_mattes_are_the_authors(msg_vim: MsgVim, name: str) -> None:
    case = golden("msg_vim", name)
    out = msg_vim(*inputs(case))
    step = EVERY[name]
    for scale in SCALES:
        found = getattr(out, f"alpha_{scale}").numpy()[..., ::step, ::step]
        np.testing.assert_allclose(found, case[scale], rtol=0, atol=COARSE_ALPHA)
    off = np.abs(out.alpha.numpy() - case["fused"]) > FUSED_ALPHA
    assert off.mean() <= FUSED_SHARE
    unsure = unknown(out.alpha_os8[:, :, :1], ELEMENT_OS4).numpy() != (case["unk4"] > 0)
    assert unsure.mean() <= FUSED_SHARE


@pytest.mark.parametrize("name", ["direct_t1_128x160_n2", "public_t3_90x118_n2"])
def test_fusion_is_exact(name: str) -> None:
    case = golden("msg_vim", name)
    a8, a4, a1 = (torch.from_numpy(case[scale][:, :, :1]) for scale in SCALES)
    np.testing.assert_array_equal(unknown(a8, ELEMENT_OS4).numpy(), case["unk4"] > 0)
    fused = fuse(a8, a4, a1)
    np.testing.assert_array_equal(fused.numpy(), case["fused"])
    taken = [float((fused == scale).float().mean()) for scale in (a8, a4, a1)]
    assert min(taken) > 0.05  # each scale has its part in it


@torch.inference_mode()
def test_every_stage_is_the_authors(msg_vim: MsgVim) -> None:
    case = golden("msg_vim", "probe_t2_64x96_n2")
    seen: dict[str, Tensor] = {}
    hooks = [module.register_forward_hook(_noting(name, seen)) for name, module in msg_vim.named_modules()]
    msg_vim(*inputs(case))
    for hook in hooks:
        hook.remove()
    probes = [name for name in case if "__" in name and name != "out__decoder.layer4"]
    assert len(probes) == 23
    for probe in probes:
        heads = probe.startswith("out__decoder.refine")
        found = seen[probe].numpy()
        channels = 2 if "tmp_network" in probe else 1
        every_eighth = found if heads else found[(slice(None),) * channels + (slice(None, None, 8),)]
        np.testing.assert_allclose(every_eighth, case[probe], rtol=0, atol=LOGITS if heads else FEATURES, err_msg=probe)


def _noting(name: str, seen: dict[str, Tensor]) -> Any:
    def note(module: nn.Module, given: tuple[Any, ...], result: Any) -> None:
        if isinstance(given[0], Tensor):
            seen[f"in__{name}"] = given[0].clone()  # sums are written over what went into them
        first = result[0] if isinstance(result, tuple) else result
        if isinstance(first, Tensor):
            seen[f"out__{name}"] = first.clone()

    return note


@torch.inference_mode()
def test_a_run_in_several_calls_is_the_run_in_one(msg_vim: MsgVim) -> None:
    corner = (slice(1), ..., slice(64), slice(64))
    frames, target, reference = (part[corner] for part in inputs(golden("msg_vim", "direct_t4_96x128_n3")))
    whole = msg_vim(frames, target, reference)
    memory = None
    for part in (slice(0, 1), slice(1, 4)):
        out = msg_vim(frames[:, part], target[:, part], reference[:, part], memory)
        memory = out.memory
        for scale in SCALES:
            found, wanted = getattr(out, f"alpha_{scale}"), getattr(whole, f"alpha_{scale}")[:, part]
            torch.testing.assert_close(found, wanted, rtol=0, atol=COARSE_ALPHA)
    forgetful = msg_vim(frames[:, 1:2], target[:, 1:2], reference[:, 1:2])
    assert float((forgetful.alpha_os1 - whole.alpha_os1[:, 1:2]).abs().max()) > 0.1
    torch.testing.assert_close(forgetful.alpha_os8, whole.alpha_os8[:, 1:2], rtol=0, atol=COARSE_ALPHA)


def test_training_reaches_every_weight(msg_vim_weights: dict[str, Tensor]) -> None:
    torch.manual_seed(0)
    network = MsgVim().train()
    network.load_state_dict(msg_vim_weights)
    out = network(torch.randn(1, 2, 3, 64, 64), torch.ones(1, 2, 1, 64, 64), torch.zeros(1, 2, 1, 64, 64))
    sum(scale.square().mean() for scale in (out.alpha_os8, out.alpha_os4, out.alpha_os1)).backward()
    without = [name for name, weight in network.named_parameters() if weight.requires_grad and weight.grad is None]
    assert without == []
    vectors = [name for name, weight in network.named_parameters() if not weight.requires_grad]
    assert len(vectors) == 2 * sum(name.endswith("weight_bar") for name in network.state_dict())
