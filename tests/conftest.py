"""What holds for every test: nothing of the machine's owner is read or written, and no thread is left behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # before anything loads Qt

LENT_THREADS = ("zarr_io", "zarr_pool", "asyncio_", "pytest_timeout", "OMP", "numba")
"""Pools that libraries keep for the life of the process."""
PATIENCE_S = 3.0


def pytest_configure(config: pytest.Config) -> None:
    # The offscreen platform has no window manager to ask for sizes, focus or the keyboard, and says so each time.
    config.addinivalue_line("qt_log_ignore", "^This plugin does not support")


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, home and the user's data folder are new for each test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.delenv("MATTEO_MODELS", raising=False)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(home))
    for name, folder in (
        ("XDG_DATA_HOME", "data"),
        ("XDG_CONFIG_HOME", "config"),
        ("XDG_CACHE_HOME", "cache"),
        ("XDG_STATE_HOME", "state"),
        ("LOCALAPPDATA", "local"),
        ("APPDATA", "roaming"),
    ):
        monkeypatch.setenv(name, str(home / folder))


@pytest.fixture
def full_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA device on which nothing finds room, not a single tensor."""
    import torch

    usual = torch.Tensor.to

    def to(self: torch.Tensor, *args: Any, **named: Any) -> torch.Tensor:
        if any(isinstance(given, torch.device) and given.type == "cuda" for given in args):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 MiB.")
        return usual(self, *args, **named)

    monkeypatch.setattr(torch.Tensor, "to", to)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "Full GPU")
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)


@pytest.fixture(autouse=True)
def _no_thread_left() -> Iterator[None]:
    """A test that leaves a thread behind fails."""
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + PATIENCE_S
    while (left := _started_since(before) + _working_pools()) and time.monotonic() < until:
        time.sleep(0.02)
    assert not left, f"threads left behind: {left}"


def _started_since(before: set[threading.Thread]) -> list[str]:
    # A Qt thread that ran Python stays listed as a dummy even when it has ended; the pools are asked instead.
    return [
        thread.name
        for thread in threading.enumerate()
        if thread not in before
        and not isinstance(thread, threading._DummyThread)
        and not thread.name.startswith(LENT_THREADS)
    ]


def _working_pools() -> list[str]:
    """The editor's thread pools that still work; asked only where the editor was loaded."""
    if "app.job" not in sys.modules:
        return []
    import shiboken6
    from PySide6.QtCore import QThreadPool

    pools = [thing for thing in gc.get_objects() if type(thing) is QThreadPool and shiboken6.isValid(thing)]
    return [pool.objectName() for pool in pools if pool.activeThreadCount()]
