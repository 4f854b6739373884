"""The catalogue of models, and what counts as installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from matting.errors import UnavailableError
from matting.weights import folder, installed, model, models
from matting.weights.folder import VARIABLE, Record, place_of, write_record

IDS = {
    "sam-vit-b", "sam-vit-l", "sam-vit-h", "mobile-sam", "mask-rcnn", "cutie",
    "maggie-video", "maggie-image", "msg-vim", "lite",
}  # fmt: skip


def come_in(model_id: str, content: bytes) -> Path:
    known = model(model_id)
    path = place_of(known) / known.file_name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    write_record(known, Record(path.name, len(content), "0" * 64, "here"))
    return path


def test_every_model_says_what_an_artist_must_know() -> None:
    assert {known.id for known in models()} == IDS
    for known in models():
        for text in (known.title, known.licence, known.origin, known.paper, known.file_name):
            assert text
            assert "\n" not in text
        assert known.purpose.endswith(".")
        assert known.terms.endswith(".")
        assert known.commercial in ("yes", "no", "unstated")
        assert known.layout
        assert bool(known.urls) != bool(known.by_hand)
        assert bool(known.home) != known.shipped
        for address in (*known.urls, *([known.home] if known.home else [])):
            assert re.fullmatch(r"https://[\w./-]+", address)


def test_only_permissive_licences_are_marked_for_commercial_use() -> None:
    marks = {known.id: known.commercial for known in models()}
    assert {i for i, mark in marks.items() if mark == "yes"} == {
        "sam-vit-b", "sam-vit-l", "sam-vit-h", "mobile-sam", "lite",
    }  # fmt: skip
    assert {i for i, mark in marks.items() if mark == "no"} == {"maggie-video", "maggie-image"}


def test_a_hash_in_a_public_file_name_is_the_one_that_is_checked() -> None:
    named = {known.id: re.search(r"[_-]([0-9a-f]{6,8})\.pth$", known.file_name) for known in models()}
    found = {known.id: next(iter(known.digests.values()), "") for known in models()}
    assert {i: match[1] for i, match in named.items() if match} == {
        i: found[i] for i in ("sam-vit-b", "sam-vit-l", "sam-vit-h", "mask-rcnn")
    }


def test_an_unknown_model_names_the_known_ones() -> None:
    with pytest.raises(UnavailableError, match=r"no model called sam; there are sam-vit-b, .*msg-vim, lite\."):
        model("sam")
    with pytest.raises(UnavailableError):
        installed("sam")


def test_the_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert folder() == Path(platformdirs.user_data_dir("matteo", appauthor=False)) / "models"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "elsewhere"))
    assert folder() == tmp_path / "elsewhere"
    assert not folder().exists()


def test_only_a_whole_file_with_its_record_is_installed() -> None:
    assert installed("cutie") is None
    path = come_in("cutie", b"weights")
    assert installed("cutie") == path
    assert installed("msg-vim") is None
    path.write_bytes(b"weigh")
    assert installed("cutie") is None
    path.unlink()
    assert installed("cutie") is None


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b'{"file": "a"}'])
def test_a_file_without_a_whole_record_is_not_installed(record: bytes) -> None:
    (come_in("cutie", b"weights").parent / "record.json").write_bytes(record)
    assert installed("cutie") is None


def test_a_folder_that_moved_with_all_its_files_is_as_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    come_in("cutie", b"weights")
    moved = tmp_path / "moved"
    folder().rename(moved)
    assert installed("cutie") is None
    monkeypatch.setenv(VARIABLE, str(moved))
    assert installed("cutie") == moved / "cutie" / "cutie-base-mega.pth"


def test_what_comes_with_matteo_is_installed_until_somebody_brings_another() -> None:
    shipped = installed("lite")
    assert shipped is not None
    assert shipped.is_file()
    assert shipped.stat().st_size < 12e6
    assert folder() not in shipped.parents
    own = come_in("lite", b"weights")
    assert installed("lite") == own
    own.unlink()
    assert installed("lite") == shipped


def test_the_catalogue_loads_nothing_slow() -> None:
    code = "import sys, matting.weights as w; w.models(); print([m for m in ('torch', 'httpx') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
