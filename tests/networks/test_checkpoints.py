"""Public checkpoints: read, recognised, checked and loaded; the layouts are the authors', never our own."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from golden_files import golden_layout
from torch import Tensor

from matting.errors import CheckpointError, UnavailableError
from matting.networks import create
from matting.networks.checkpoints import convert, kind_of, network_from, read

MISSING = "decoder.layer2.0.conv2.module.weight_bar"

LAYOUTS = {
    "msg-vim": ("msg_vim", "layout"),
    "maggie-image": ("maggie", "layout_image"),
    "maggie-video": ("maggie", "layout_video"),
}

Weights = dict[str, Tensor]


def test_every_key_is_taken_and_none_left_over(msg_vim_weights: Weights) -> None:
    assert len(msg_vim_weights) == 600
    network = create("msg-vim")
    network.load_state_dict(convert("msg-vim", msg_vim_weights), strict=True)
    assert not network.training
    assert sum(weight.numel() for weight in network.parameters()) == 29_706_688
    assert sum(weight.numel() for weight in network.parameters() if weight.requires_grad) == 29_602_726


@pytest.mark.parametrize(("kind", "layout"), LAYOUTS.items())
def test_every_network_takes_exactly_the_public_layout(kind: str, layout: tuple[str, str]) -> None:
    public = {
        key: torch.zeros(entry["shape"], dtype=getattr(torch, entry["dtype"]))
        for key, entry in golden_layout(*layout).items()
    }
    assert kind_of(public) == kind
    assert create(kind).load_state_dict(convert(kind, public), strict=True) == ([], [])
    for missing in list(public)[::97]:
        with pytest.raises(CheckpointError, match=rf"{re.escape(missing)} \(.*\) is missing"):
            convert(kind, {key: value for key, value in public.items() if key != missing})


def test_wrapping_prefix_and_precision_come_off(msg_vim_weights: Weights) -> None:
    wrapped: dict[str, Any] = {
        "iter": 20_000,
        "state_dict": OrderedDict(
            (f"module.{key}", value.half() if value.is_floating_point() else value.float())
            for key, value in msg_vim_weights.items()
        ),
    }
    before = list(wrapped["state_dict"])
    found = convert("msg-vim", wrapped)
    assert list(wrapped["state_dict"]) == before
    assert found.keys() == msg_vim_weights.keys()
    for key, value in msg_vim_weights.items():
        assert found[key].dtype == value.dtype
        torch.testing.assert_close(found[key], value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("suffix", [".pth", ".ckpt", ".safetensors"])
def test_files_load(tmp_path: Path, msg_vim_weights: Weights, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix == ".safetensors":
        safetensors.torch.save_file(msg_vim_weights, path)
    else:
        torch.save({"loss": np.float64(0.25), "state_dict": msg_vim_weights}, path)
    network = network_from(path)
    assert type(network).__name__ == "MsgVim"
    assert all(torch.equal(value, msg_vim_weights[key]) for key, value in network.state_dict().items())


def test_a_missing_tensor_is_named(tmp_path: Path, msg_vim_weights: Weights) -> None:
    path = tmp_path / "short.pth"
    torch.save({key: value for key, value in msg_vim_weights.items() if key != MISSING}, path)
    with pytest.raises(
        CheckpointError, match=r"short\.pth .*layer2\.0\.conv2\.module\.weight_bar \(128×256×3×3\) is missing"
    ):
        network_from(path)


def test_a_wrong_shape_and_a_surplus_tensor_are_named(msg_vim_weights: Weights) -> None:
    with pytest.raises(CheckpointError, match=r"weight_bar is 128×7, expected 128×256×3×3"):
        convert("msg-vim", msg_vim_weights | {MISSING: torch.zeros(128, 7)})
    with pytest.raises(CheckpointError, match=r"decoder\.extra\.weight is not a part of it"):
        convert("msg-vim", msg_vim_weights | {"decoder.extra.weight": torch.zeros(1)})


def test_the_network_of_a_file_is_recognised(msg_vim_weights: Weights) -> None:
    assert kind_of(msg_vim_weights) == "msg-vim"
    assert kind_of({"state_dict": {f"module.{key}": value for key, value in msg_vim_weights.items()}}) == "msg-vim"
    image = {"encoder.mask_embed_layer.weight": torch.zeros(11, 3)}
    assert kind_of(image) == "maggie-image"
    assert kind_of(image | {"decoder.os8_temp_module.ih.0.weight": torch.zeros(1)}) == "maggie-video"
    assert kind_of({"fc.weight": torch.zeros(1)}) is None
    with pytest.raises(CheckpointError, match="holds the weights of maggie-image, not of msg-vim"):
        convert("msg-vim", image)


def test_damaged_and_foreign_files_give_one_clear_error(tmp_path: Path, msg_vim_weights: Weights) -> None:
    part = dict(list(msg_vim_weights.items())[:40])
    whole, tensors = tmp_path / "whole.pth", tmp_path / "whole.safetensors"
    torch.save(part, whole)
    safetensors.torch.save_file(part, tensors)
    files: dict[str, bytes] = {
        "empty.pth": b"",
        "text.pth": b"Google Drive - Quota exceeded\n",
        "text.ckpt": "größer\n".encode("latin-1"),
        "text.safetensors": b"<html>Not found</html>",
    }
    for source in (whole, tensors):
        content = source.read_bytes()
        for share in (0.02, 0.5, 0.999):
            files[f"cut at {share}{source.suffix}"] = content[: int(share * len(content))]
    for name, content in files.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is damaged or not a file of network weights"):
            read(path)


def test_a_file_with_code_is_never_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"state_dict": Trap()}, tmp_path / "trap.pth")
    with pytest.raises(CheckpointError):
        network_from(tmp_path / "trap.pth")
    assert not (tmp_path / "sprung").exists()


def test_what_is_no_checkpoint_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="There is no file"):
        read(tmp_path / "nowhere.pth")
    torch.save([torch.zeros(3)], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="holds no named network weights"):
        read(tmp_path / "list.pth")
    torch.save({"fc.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="no network that this version knows"):
        network_from(tmp_path / "other.pth")
    with pytest.raises(UnavailableError, match="heavy"):
        create("heavy")
