"""How far half precision moves mattes, and that everything computes in it, the sparse layers too."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from formula_weights import formula_weights
from golden_files import golden, golden_layout
from maggie_cases import inputs, maggie_case
from test_msg_vim import inputs as msg_vim_inputs
from tolerances import COARSE_ALPHA, FINE_ALPHA, FUSED_SHARE, HALF_MEAN, MASK_SHARE
from torch import Tensor

from matting.errors import UnavailableError
from matting.inference.device import autocast, choose
from matting.inference.loading import learned_name
from matting.networks.folding import folded
from matting.networks.maggie import MaGGIe
from matting.networks.msg_vim import MsgVim
from matting.pipeline.methods import choose_methods, matter_name
from matting.project.document import Methods, Weights

CPU = torch.device("cpu")
HALVES = (torch.bfloat16, torch.float16)
"""The second is emulated on the CPU, too slowly for a test."""


@torch.inference_mode()
def maggie_mattes(network: MaGGIe, name: str, dtype: torch.dtype, device: torch.device = CPU) -> dict[str, Tensor]:
    case = maggie_case(name)
    frames, masks = (part.to(device) for part in inputs(case))
    logits = torch.from_numpy(case["inject_os8_logits"]).to(device)
    with autocast(device, dtype):
        found = network(frames, masks, coarse_logits=logits)
    return {name: getattr(found, name).float().cpu() for name in ("alpha_os8", "alpha_os4", "alpha_os1", "alpha")}


@torch.inference_mode()
@pytest.mark.parametrize("video", [False, True])
def test_maggie_in_double_precision_gives_the_same_mattes(video: bool) -> None:
    """All that is compared with the authors' vectors is rounding, then."""
    case = maggie_case("video_96x128_t3_n3_mem" if video else "image_64x96_n10")
    network = MaGGIe(video=video).eval()
    network.load_state_dict(formula_weights(golden_layout("maggie", "layout_video" if video else "layout_image")))
    previous = torch.from_numpy(case["in_prev_pred"]) if video else None
    single = network(*inputs(case), previous=previous)
    double = network.double()(*(part.double() for part in inputs(case)), previous=previous)
    for scale, near in (("alpha_os8", COARSE_ALPHA), ("alpha_os4", COARSE_ALPHA), ("alpha_os1", FINE_ALPHA)):
        torch.testing.assert_close(getattr(double, scale), getattr(single, scale), rtol=0, atol=near)
    for mask in ("detail_mask", "weight_os4", "weight_os1"):
        assert float((getattr(double, mask) != getattr(single, mask)).double().mean()) <= MASK_SHARE


@pytest.mark.parametrize("video", [False, True])
def test_maggie_in_half_precision_stays_near(video: bool) -> None:
    name = "video_192x256_t3_n2_inject" if video else "image_192x256_n2_inject"
    network = MaGGIe(video=video).eval()
    network.load_state_dict(formula_weights(golden_layout("maggie", "layout_video" if video else "layout_image")))
    network = folded(network)
    exact = maggie_mattes(network, name, torch.float32)
    rough = maggie_mattes(network, name, torch.bfloat16)
    refined = exact["alpha_os1"] > 0
    assert 0.01 < float(refined.float().mean()) < 0.5  # the sparse layers had work
    for scale in ("alpha_os4", "alpha_os1"):
        off = (rough[scale] - exact[scale]).abs()[refined]
        assert 0 < float(off.mean()) < HALF_MEAN[torch.bfloat16], (scale, float(off.mean()), float(off.max()))
    off = (rough["alpha"] - exact["alpha"]).abs()
    assert float(off.mean()) < HALF_MEAN[torch.bfloat16], (float(off.mean()), float(off.max()))


@torch.inference_mode()
def test_msg_vim_in_half_precision_stays_near(msg_vim: MsgVim) -> None:
    network = folded(msg_vim)
    given = msg_vim_inputs(golden("msg_vim", "direct_t1_128x160_n2"))
    exact = network(*given)
    with autocast(CPU, torch.bfloat16):
        rough = network(*given)
    for scale in ("alpha_os8", "alpha_os4", "alpha_os1", "alpha"):
        off = (getattr(rough, scale).float() - getattr(exact, scale)).abs()
        assert 0 < float(off.mean()) < HALF_MEAN[torch.bfloat16], (scale, float(off.mean()), float(off.max()))


def test_alphas_of_another_precision_are_other_alphas() -> None:
    names = {learned_name("msg-vim", "0" * 32, 576, precision) for precision in ("fp32", "bf16", "fp16")}
    assert len(names) == 3
    assert learned_name("msg-vim", "0" * 32, 576) in names
    weights = Weights(path="w.pth", kind="msg-vim", fingerprint="0" * 32, short_side=576, precision="bf16")
    assert matter_name(Methods(matter="msg-vim", weights=weights)) == learned_name("msg-vim", "0" * 32, 576, "bf16")


def test_precision_is_kept_with_the_weights_and_auto_is_the_exact_one(tmp_path: Path, msg_vim: MsgVim) -> None:
    file = tmp_path / "msgvim.pth"
    torch.save(msg_vim.state_dict(), file)
    for asked, kept in (("auto", "fp32"), ("bf16", "bf16")):
        weights = choose_methods(matter="msg-vim", weights=file, precision=asked).weights
        assert weights is not None
        assert weights.precision == kept
    with pytest.raises(UnavailableError, match=r"no precision fp8; choose one of auto, fp32, bf16, fp16"):
        choose_methods(precision="fp8")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_computes_what_the_cpu_does() -> None:
    gpu = choose("cuda:0")  # in full float32 from here
    network = MaGGIe(video=False).eval()
    network.load_state_dict(formula_weights(golden_layout("maggie", "layout_image")))
    network = folded(network)
    name = "image_192x256_n2_inject"
    exact = maggie_mattes(network, name, torch.float32)
    network.to(gpu)
    there = maggie_mattes(network, name, torch.float32, gpu)
    assert float(((there["alpha"] - exact["alpha"]).abs() > COARSE_ALPHA).float().mean()) <= FUSED_SHARE
    for dtype in HALVES:
        rough = maggie_mattes(network, name, dtype, gpu)
        assert float((rough["alpha"] - exact["alpha"]).abs().mean()) < HALF_MEAN[dtype]
