"""``matteo models`` as it is typed, with a server on this computer."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from figures_clip import Run
from model_server import Behaviour, model_server
from safetensors.torch import save_file

from matting.weights import installed, model
from matting.weights.folder import VARIABLE, place_of, record_of
from matting.weights.incoming import MIRROR, part_bytes

MAIN = Path(__file__).parents[2] / "main.py"


def weights(model_id: str) -> dict[str, torch.Tensor]:
    """What the catalogue looks for in a file of this model, and nothing else."""
    return {key: torch.zeros(shape) for key, shape in model(model_id).layout.items()}


def pickled(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "models"))
    return tmp_path / "models"


@pytest.fixture
def does(models_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Behaviour]:
    """The server that the models come from."""
    with model_server(pickled(weights("mobile-sam"))) as (address, behaviour):
        monkeypatch.setenv(MIRROR, address)
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield behaviour


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(MAIN), "models", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env=dict(os.environ),
    )


def test_the_list_shows_licences_marks_and_what_is_here(
    models_folder: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert matteo("models") == 0
    listed = capsys.readouterr().out
    assert matteo("models", "list") == 0
    assert capsys.readouterr().out == listed
    rows = {row.split("│")[1].strip(): row for row in listed.splitlines() if row.startswith("│ ")}
    assert "CC BY-NC 4.0" in rows["maggie-video"]
    assert [cell.strip() for cell in rows["maggie-video"].split("│")][4] == "no"
    assert [cell.strip() for cell in rows["mobile-sam"].split("│")][3:7] == ["Apache-2.0", "yes", "41 MB", ""]
    assert "by hand only" in rows["msg-vim"]
    brought = tmp_path / "brought.pt"
    brought.write_bytes(pickled(weights("mobile-sam")))
    assert matteo("models", "import", "mobile-sam", brought) == 0
    assert matteo("models", "list") == 0
    assert "installed, 1.6 MB" in capsys.readouterr().out


def test_get_says_the_terms_first_and_pins_the_hash(
    does: Behaviour, models_folder: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    does.content = pickled(weights("cutie"))
    assert matteo("models", "get", "cutie") == 1  # its makers publish an MD5
    assert "publish the MD5 a6071de6136982e396851903ab4c083a" in capsys.readouterr().err
    does.content = pickled(weights("mobile-sam"))
    assert matteo("models", "get", "mobile-sam") == 0
    said = capsys.readouterr().out.splitlines()
    path, record = installed("mobile-sam"), record_of(model("mobile-sam"))
    assert path == models_folder / "mobile-sam" / "mobile_sam.pt"
    assert record is not None
    assert said[0] == f"mobile-sam: {path}"
    assert said[1].endswith(record.sha256)
    assert matteo("models", "get", "maggie-video") == 1
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "MaGGIe, video: CC BY-NC 4.0; commercial use: no. The project is under CC BY-NC 4.0: not for work that earns "
        "money, and its makers must be named."
    ]


def test_where_is_one_line(models_folder: Path, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert matteo("models", "where") == 0
    assert capsys.readouterr().out == f"{models_folder}\n"


def test_verify_names_the_damaged_ones(does: Behaviour, matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert matteo("models", "verify") == 0
    assert "no models are installed" in capsys.readouterr().out
    assert matteo("models", "get", "mobile-sam") == 0
    assert matteo("models", "verify") == 0
    path = installed("mobile-sam")
    assert path is not None
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    capsys.readouterr()
    assert matteo("models", "verify") == 1
    said = capsys.readouterr()
    assert "mobile-sam: its content has changed since it came in" in said.out
    assert said.err.splitlines()[-1] == "matteo: Damaged: mobile-sam; get or import them again."
    assert matteo("models", "get", "mobile-sam") == 0
    assert matteo("models", "verify") == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no weights at all", "damaged or not a file of network weights"),
        (pickled(weights("mobile-sam"))[:-1000], "damaged or not a file of network weights"),
        (pickled({"anything": torch.zeros(3)}), "not hold its network: image_encoder.patch_embed.seq.0.c.weight is"),
        (pickled(weights("cutie")), "The file holds the weights of Cutie (base, MEGA)"),
        (pickled({**weights("mobile-sam"), "mask_decoder.iou_prediction_head.layers.2.weight": torch.zeros(4)}),
         "mask_decoder.iou_prediction_head.layers.2.weight is 4, expected 4×256"),
    ],
)  # fmt: skip
def test_a_file_of_something_else_is_refused(
    models_folder: Path,
    tmp_path: Path,
    matteo: Run,
    capsys: pytest.CaptureFixture[str],
    content: bytes,
    said: str,
) -> None:
    brought = tmp_path / "brought.pt"
    brought.write_bytes(content)
    assert matteo("models", "import", "mobile-sam", brought) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"matteo: {brought} is not MobileSAM.")
    assert said in last
    assert installed("mobile-sam") is None


def test_nothing_in_a_file_is_executed(models_folder: Path, tmp_path: Path, matteo: Run) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "sprung",)

    brought = tmp_path / "brought.pt"
    brought.write_bytes(pickled({**weights("mobile-sam"), "trap": Trap()}))
    assert matteo("models", "import", "mobile-sam", brought) == 1
    assert not (tmp_path / "sprung").exists()


def test_a_matting_network_must_fit_tensor_for_tensor(
    models_folder: Path, tmp_path: Path, matteo: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    brought = tmp_path / "brought.safetensors"
    save_file(weights("maggie-video"), brought)
    assert matteo("models", "import", "maggie-video", brought) == 1
    assert "does not fit maggie-video" in capsys.readouterr().err
    assert matteo("models", "import", "maggie-image", brought) == 1
    assert "holds the weights of maggie-video, not of maggie-image" in capsys.readouterr().err


def test_an_unknown_model_is_refused_with_the_ids(matteo: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for command in (("get", "sam"), ("import", "sam", "file")):
        assert matteo("models", *command) == 1
        assert "no model called sam; there are sam-vit-b" in capsys.readouterr().err
    assert matteo("models", "get") == 2
    assert matteo("models", "fetch") == 2


def test_two_processes_that_get_one_model_fetch_it_once(does: Behaviour) -> None:
    does.block_wait_s = 0.005
    both = [started("get", "mobile-sam") for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert len(does.requests) == 1
    path = installed("mobile-sam")
    assert path is not None
    assert path.read_bytes() == does.content


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C goes to a whole console there")
def test_ctrl_c_keeps_what_has_come(does: Behaviour, matteo: Run) -> None:
    does.block_wait_s = 0.3
    known = model("mobile-sam")
    process = started("get", known.id)
    until = time.monotonic() + 60
    while part_bytes(known) < 100_000 and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    came = part_bytes(known)
    assert came >= 100_000
    assert installed(known.id) is None
    does.block_wait_s = 0
    assert matteo("models", "get", known.id) == 0
    assert does.asked_ranges == ["", f"bytes={came}-"]
    assert sorted(file.name for file in place_of(known).iterdir()) == [".lock", "mobile_sam.pt", "record.json"]
