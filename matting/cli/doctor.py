"""``matteo doctor``: what is installed and what this machine has."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from matting.cli.progress import say
from matting.cli.screen import has_screen
from matting.pipeline.methods import choose_methods
from matting.weights import folder, installed, models

PACKAGES = (
    "PySide6", "torch", "opencv-python-headless", "av", "numpy", "scipy", "pymatting", "numba", "zarr", "pydantic",
)  # fmt: skip
CODECS = ("libx264", "libx265", "prores_ks", "libvpx-vp9", "ffv1", "png", "h264_nvenc")
GIB = 1 << 30


def doctor() -> None:
    """Say what is installed, which device, codecs and weights there are, and how much memory and disk is free."""
    import av.codec
    import psutil

    say(f"matteo {_version('matteo')} on Python {platform.python_version()}, {platform.platform()}")
    say("packages  " + ", ".join(f"{name} {_version(name)}" for name in PACKAGES))
    say(f"device    {_devices()}")
    encoders = [name for name in CODECS if name in av.codec.codecs_available]
    missing = [name for name in CODECS if name not in encoders]
    say(f"codecs    {', '.join(encoders)}" + (f"; not here: {', '.join(missing)}" if missing else ""))
    chosen = choose_methods()
    say(f"methods   seeder {chosen.seeder}, tracker {chosen.tracker}, matter {chosen.matter}, if not told otherwise")
    say(f"weights   {_weights()}")
    memory = psutil.virtual_memory()
    say(f"memory    {memory.available / GIB:.1f} of {memory.total / GIB:.1f} GiB free")
    disk = psutil.disk_usage(str(Path.cwd()))
    say(f"disk      {disk.free / GIB:.1f} of {disk.total / GIB:.1f} GiB free in {Path.cwd()}")
    screen = "a window can be shown" if has_screen() else "no screen: the editor cannot be shown here"
    say(f"screen    {screen}")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _weights() -> str:
    here = [f"{known.id} ({known.commercial_mark})" for known in models() if installed(known.id) is not None]
    return f"{', '.join(here) or 'no models are installed'}; in {folder()}, see matteo models"


def _devices() -> str:
    try:
        import torch
    except ImportError as error:
        return f"cpu; torch cannot be loaded ({error})"
    if not torch.cuda.is_available():
        return "cpu (no CUDA device)"
    return ", ".join(f"cuda:{k} {torch.cuda.get_device_name(k)}" for k in range(torch.cuda.device_count()))
