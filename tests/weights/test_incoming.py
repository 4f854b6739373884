"""Models from a server that misbehaves, and from files that the artist brings."""

from __future__ import annotations

import errno
import hashlib
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_server import Behaviour, model_server

from matting.errors import Cancelled, CheckpointError, DownloadError, OutputError, UnavailableError
from matting.job import JobContext
from matting.weights import Model, download, folder, installed, model
from matting.weights.folder import VARIABLE, place_of, record_of
from matting.weights.incoming import MIRROR, get, import_file, part_bytes, part_of, verify

SIZE = 300_000
CONTENT = b"right" + np.random.default_rng(0).bytes(SIZE - 5)


def check(known: Model, path: Path) -> None:
    """What stands for a layout here: how the content begins."""
    if path.read_bytes()[:5] != b"right":
        raise CheckpointError("The file does not hold its network.")


class Told(JobContext):
    """Remembers what it was told, and stops at a share of the whole."""

    def __init__(self, stop_at: float = 2) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.fractions: list[float] = []
        self._stop_at = stop_at

    def progressed(self, fraction: float, message: str, eta_s: float | None) -> None:
        self.messages.append(message)
        self.fractions.append(fraction)
        if fraction >= self._stop_at:
            self.cancel()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAITS_S", (0.0, 0.0, 0.0))
    monkeypatch.setattr(download, "TELL_S", 0.0)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[tuple[str, Behaviour]]:
    with model_server(CONTENT) as running:
        yield running


@pytest.fixture
def does(server: tuple[str, Behaviour]) -> Behaviour:
    return server[1]


@pytest.fixture
def known(server: tuple[str, Behaviour]) -> Model:
    return served(server[0])


def served(*addresses: str, **changes: Any) -> Model:
    """A model of the catalogue without published hashes, to be had from other addresses."""
    urls = tuple(f"{address}/cutie.pth" for address in addresses)
    return model("cutie").model_copy(update={"urls": urls, "digests": {}, **changes})


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_whole_file_comes_in_and_is_recorded(known: Model, does: Behaviour) -> None:
    ctx = Told()
    path = get(known, check, ctx)
    assert path == installed("cutie")
    assert path.read_bytes() == CONTENT
    record = record_of(known)
    assert record is not None
    assert (record.sha256, record.source) == (sha256(CONTENT), known.urls[0])
    assert sorted(file.name for file in path.parent.iterdir()) == [".lock", "cutie-base-mega.pth", "record.json"]
    assert ctx.fractions == sorted(ctx.fractions)
    assert f"Getting {known.title}: 300 kB of 300 kB" in ctx.messages
    get(known, check, JobContext())
    assert len(does.requests) == 1


def test_broken_connections_are_gone_on_with_and_nothing_comes_twice(known: Model, does: Behaviour) -> None:
    does.cuts = [100_000, 50_000, 0, 1]
    get(known, check, JobContext())
    assert does.asked_ranges == ["", "bytes=100000-", "bytes=150000-", "bytes=150000-", "bytes=150001-"]
    assert does.sent == SIZE
    assert sha256(place_of(known).joinpath(known.file_name).read_bytes()) == sha256(CONTENT)


def test_a_stopped_download_is_gone_on_with_later(known: Model, does: Behaviour) -> None:
    with pytest.raises(Cancelled):
        get(known, check, Told(stop_at=0.4))
    came = part_bytes(known)
    assert SIZE * 0.4 <= came < SIZE
    assert installed("cutie") is None
    ctx = Told()
    get(known, check, ctx)
    assert does.asked_ranges[1] == f"bytes={came}-"
    assert min(ctx.fractions) >= 0.4
    assert installed("cutie") is not None
    assert part_bytes(known) == 0


def test_a_server_without_ranges_sends_it_again(known: Model, does: Behaviour) -> None:
    does.ranges, does.cuts = False, [100_000, 120_000]
    assert get(known, check, JobContext()).read_bytes() == CONTENT
    assert does.sent == SIZE + 220_000


@pytest.mark.parametrize("if_range", [True, False])
def test_a_file_that_changes_between_two_tries_is_never_mixed(known: Model, does: Behaviour, if_range: bool) -> None:
    with pytest.raises(Cancelled):
        get(known, check, Told(stop_at=0.4))
    does.content, does.etag, does.if_range = CONTENT[::-1].replace(CONTENT[::-1][:5], b"right", 1), '"2"', if_range
    assert get(known, check, JobContext()).read_bytes() == does.content


@pytest.mark.parametrize("etag", ["", 'W/"1"'])
def test_without_a_promise_that_it_is_the_same_file_it_starts_anew(known: Model, does: Behaviour, etag: str) -> None:
    does.etag, does.cuts = etag, [100_000]
    assert get(known, check, JobContext()).read_bytes() == CONTENT
    assert does.asked_ranges == ["", ""]


def test_bytes_of_unknown_origin_are_not_gone_on_with(known: Model, does: Behaviour) -> None:
    part_of(known).parent.mkdir(parents=True)
    part_of(known).write_bytes(b"x" * 1000)
    assert get(known, check, JobContext()).read_bytes() == CONTENT


def test_a_part_that_is_whole_is_taken_without_asking(known: Model, does: Behaviour) -> None:
    with pytest.raises(Cancelled):
        get(known, check, Told(stop_at=0.95))
    assert part_bytes(known) == SIZE
    get(known, check, JobContext())
    assert len(does.requests) == 1


@settings(max_examples=15, deadline=None)
@given(
    cuts=st.lists(st.integers(0, SIZE), max_size=6),
    ranges=st.booleans(),
    etag=st.sampled_from(['"1"', ""]),
    statuses=st.lists(st.sampled_from([500, 503]), max_size=2),
)
def test_what_comes_in_is_what_the_server_has_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], ranges: bool, etag: str, statuses: list[int]
) -> None:
    with model_server(CONTENT) as (address, does), pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(tmp_path_factory.mktemp("models")))
        does.cuts, does.ranges, does.etag, does.statuses = cuts, ranges, etag, statuses
        known = served(address)
        try:
            assert get(known, check, JobContext()).read_bytes() == CONTENT
        except DownloadError:
            assert installed("cutie") is None
            get(known, check, JobContext())
            assert place_of(known).joinpath(known.file_name).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("digests", "said"),
    [
        ({"sha256": "73cbd019"}, "publish the SHA-256 73cbd019…, the file has [0-9a-f]{64}"),
        ({"md5": "0" * 32}, "publish the MD5 0{32}, the file has [0-9a-f]{32}"),
        ({"named": "01ec64"}, "publish a hash that begins with 01ec64…, the file has [0-9a-f]{64} and [0-9a-f]{32}"),
    ],
)
def test_wrong_bytes_are_removed(server: tuple[str, Behaviour], digests: dict[str, str], said: str) -> None:
    known = served(server[0], digests=digests)
    with pytest.raises(CheckpointError, match=f"gave something else than Cutie.*it was removed.*{said}"):
        get(known, check, JobContext())
    assert installed("cutie") is None
    assert part_bytes(known) == 0
    assert record_of(known) is None


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
@pytest.mark.parametrize("told", [True, False])
def test_the_beginning_of_a_hash_is_enough_to_fit(server: tuple[str, Behaviour], algorithm: str, told: bool) -> None:
    beginning = hashlib.new(algorithm, CONTENT).hexdigest()[:8]
    known = served(server[0], digests={algorithm if told else "named": beginning})
    assert get(known, check, JobContext()).read_bytes() == CONTENT


def test_a_wrong_layout_is_removed(known: Model, does: Behaviour) -> None:
    does.content = b"wrong" + CONTENT[5:]
    with pytest.raises(CheckpointError, match=r"it was removed\. The file does not hold its network"):
        get(known, check, JobContext())
    assert part_bytes(known) == 0


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        ([404], "cutie.pth is not there any more .404 Not Found"),
        ([403], "refuses to give .*cutie.pth .403 Forbidden"),
        ([503] * 9, "is busy or broken .503 Service Unavailable"),
    ],
)
def test_refusals_are_one_sentence(known: Model, does: Behaviour, statuses: list[int], said: str) -> None:
    does.statuses = statuses
    with pytest.raises(DownloadError, match=f"Cutie .base, MEGA. could not be fetched: .*{said}.*\\.$"):
        get(known, check, JobContext())


def test_a_busy_server_is_asked_again(known: Model, does: Behaviour) -> None:
    does.statuses = [503, 500, 429]
    get(known, check, JobContext())
    assert len(does.requests) == 4


def test_the_next_address_is_tried(server: tuple[str, Behaviour]) -> None:
    with model_server(CONTENT) as (other, does):
        does.statuses = [404]
        known = served(closed_address(), other, server[0])
        get(known, check, JobContext())
    assert installed("cutie") is not None
    record = record_of(known)
    assert record is not None
    assert record.source.startswith(server[0])


def test_no_network_is_said(known: Model) -> None:
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1 cannot be reached, so there may be no network"):
        get(served(closed_address()), check, JobContext())


def test_a_page_to_log_in_at_does_not_cost_what_has_come(known: Model, does: Behaviour) -> None:
    with pytest.raises(Cancelled):
        get(known, check, Told(stop_at=0.4))
    came, does.content_type, does.ranges = part_bytes(known), "text/html; charset=utf-8", False
    with pytest.raises(DownloadError, match="sent a web page in its place"):
        get(known, check, JobContext())
    assert part_bytes(known) == came


def test_the_proxy_of_the_environment_is_used(server: tuple[str, Behaviour], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server[0])
    get(served("http://models.invalid"), check, JobContext())
    assert server[1].requests == [("http://models.invalid/cutie.pth", "")]


def test_a_proxy_that_cannot_be_used_is_said(known: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://127.0.0.1:1")
    with pytest.raises(DownloadError, match="proxy that the environment names cannot be used"):
        get(known, check, JobContext())


def test_a_mirror_stands_for_every_address(server: tuple[str, Behaviour], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MIRROR, f"{server[0]}/models/")
    get(served(closed_address()), check, JobContext())
    get(model("msg-vim"), check, JobContext())
    assert [path for path, _ in server[1].requests] == ["/models/cutie-base-mega.pth", "/models/msgvim.pth"]


def test_what_cannot_be_fetched_says_how_it_is_had() -> None:
    with pytest.raises(UnavailableError, match=r"Google Drive folder.*Then: matteo models import msg-vim FILE"):
        get(model("msg-vim"), check, JobContext())


def test_too_little_room_is_said_before_anything_comes(
    known: Model, does: Behaviour, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    with pytest.raises(OutputError, match=r"not enough room in .* for Cutie.* are needed and 1\.0 kB are free"):
        get(known, check, JobContext())
    assert part_bytes(known) == 0
    brought = tmp_path / "brought.pth"
    brought.write_bytes(CONTENT)
    with pytest.raises(OutputError, match=r"300 kB are needed and 1\.0 kB are free"):
        import_file(known, brought, check, JobContext())


def test_a_disk_that_fills_up_keeps_what_has_come(
    known: Model, does: Behaviour, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        real = httpx.Response.iter_raw

        def full(response: httpx.Response) -> Iterator[bytes]:
            for place, block in enumerate(real(response)):
                if place == 2:
                    raise OSError(errno.ENOSPC, "No space left on device")
                yield block

        patch.setattr(httpx.Response, "iter_raw", full)
        with pytest.raises(OutputError, match=r"is full; .* have come and are kept"):
            get(known, check, JobContext())
    came = part_bytes(known)
    assert 0 < came < SIZE
    get(known, check, JobContext())
    assert does.asked_ranges == ["", f"bytes={came}-"]


def test_a_damaged_model_is_found_and_fetched_again(known: Model, does: Behaviour) -> None:
    path = get(known, check, JobContext())
    assert [finding.damage for finding in verify(JobContext())] == [None]
    path.write_bytes(CONTENT[:-1] + b"!")
    assert installed("cutie") == path
    assert [finding.damage for finding in verify(JobContext())] == ["its content has changed since it came in"]
    assert get(known, check, JobContext()).read_bytes() == CONTENT
    path.write_bytes(CONTENT[:1000])
    assert [finding.damage for finding in verify(JobContext())] == ["it has 1.0 kB instead of 300 kB"]
    path.unlink()
    assert [finding.damage for finding in verify(JobContext())] == ["the file is gone"]


def test_the_first_file_pins_its_hash(known: Model, does: Behaviour, tmp_path: Path) -> None:
    path = get(known, check, JobContext())
    other = tmp_path / "other.pth"
    other.write_bytes(b"right, but another")
    with pytest.raises(CheckpointError, match=rf"first file that came in had the SHA-256 {sha256(CONTENT)}"):
        import_file(known, other, check, JobContext())
    assert path.read_bytes() == CONTENT
    assert installed("cutie") == path


def test_a_file_that_is_brought_is_checked_and_copied(known: Model, tmp_path: Path) -> None:
    brought = tmp_path / "from a stick.safetensors"
    brought.write_bytes(CONTENT)
    ctx = Told()
    path = import_file(known, brought, check, ctx)
    assert path == installed("cutie") == folder() / "cutie" / "cutie-base-mega.safetensors"
    assert path.read_bytes() == brought.read_bytes() == CONTENT
    assert ctx.fractions == sorted(ctx.fractions)
    assert "Copying from a stick.safetensors" in ctx.messages


@pytest.mark.parametrize("content", [b"", b"wrong"])
def test_a_wrong_file_that_is_brought_leaves_nothing(known: Model, tmp_path: Path, content: bytes) -> None:
    brought = tmp_path / "brought.pth"
    brought.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"brought.pth is not Cutie .base, MEGA.\. The file does not hold"):
        import_file(known, brought, check, JobContext())
    assert installed("cutie") is None
    assert [file.name for file in place_of(known).iterdir()] == [".lock"]
    with pytest.raises(CheckpointError, match="There is no file"):
        import_file(known, tmp_path / "none.pth", check, JobContext())


def test_a_copy_can_be_stopped(known: Model, tmp_path: Path) -> None:
    brought = tmp_path / "brought.pth"
    brought.write_bytes(CONTENT)
    with pytest.raises(Cancelled):
        import_file(known, brought, check, Told(stop_at=0.1))
    assert [file.name for file in place_of(known).iterdir()] == [".lock"]


def closed_address() -> str:
    """Where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"
