"""The kinds of files that can be written, which names they go with, and how each is encoded."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from matting.errors import OutputError


class Preset(StrEnum):
    """What a result is written as."""

    H264 = "h264"
    PRORES4444 = "prores4444"
    VP9_ALPHA = "vp9-alpha"
    FFV1 = "ffv1"
    PNG = "png"

    @property
    def extension(self) -> str:
        """The usual ending of a file of this kind; empty for a folder of pictures."""
        return _EXTENSIONS[self][0]

    @property
    def holds_alpha(self) -> bool:
        return self is not Preset.H264


_EXTENSIONS = {
    Preset.H264: (".mp4", ".mov", ".mkv"),
    Preset.PRORES4444: (".mov",),
    Preset.VP9_ALPHA: (".webm",),
    Preset.FFV1: (".mkv",),
    Preset.PNG: ("", ".png"),
}
_DEFAULTS = {
    ".mp4": Preset.H264,
    ".mov": Preset.PRORES4444,
    ".mkv": Preset.FFV1,
    ".webm": Preset.VP9_ALPHA,
    ".png": Preset.PNG,
    "": Preset.PNG,
}


def default_preset(target: Path) -> Preset:
    """The preset that goes with the name of ``target``; a folder or a name without extension takes pictures.

    Raises:
        OutputError: no preset writes files of that extension.
    """
    if target.is_dir():
        return Preset.PNG
    preset = _DEFAULTS.get(target.suffix.lower())
    if preset is None:
        raise OutputError(
            f"No preset writes {target.suffix} files such as {target.name}; use .mp4, .mov, .mkv, .webm or a folder."
        )
    return preset


def check_preset(preset: Preset, target: Path) -> None:
    """Refuse a ``target`` whose name does not go with ``preset``.

    Raises:
        OutputError: the extension belongs to another kind of file, or ``target`` is a folder and should not be.
    """
    suffix = target.suffix.lower()
    if preset is Preset.PNG:
        # A folder may be called shot_v1.2, so only names that promise a video are refused.
        if suffix in _DEFAULTS and suffix not in _EXTENSIONS[preset] and not target.is_dir():
            raise OutputError(f"png writes a folder of pictures, not {target.name}; leave the extension away.")
        return
    if target.is_dir():
        raise OutputError(f"{target} is a folder; {preset} needs the name of a {preset.extension} file.")
    if suffix not in _EXTENSIONS[preset]:
        raise OutputError(f"{preset} goes into {' or '.join(_EXTENSIONS[preset])} files, not into {target.name}.")


@dataclass(frozen=True)
class Encoding:
    """How FFmpeg is asked to encode.

    Attributes:
        codec: FFmpeg's name of the encoder.
        pix_fmt: FFmpeg's name of the pixel format.
        options: of the encoder.
        even: whether height and width have to be even numbers.
    """

    codec: str
    pix_fmt: str
    options: dict[str, str] = field(default_factory=dict)
    even: bool = False


def encoding(preset: Preset, deep: bool, alpha: bool) -> Encoding:
    """The encoding of a video preset.

    Args:
        preset: any but png.
        deep: whether the pictures are uint16.
        alpha: whether they are RGBA; only for presets that hold it.
    """
    match preset:
        case Preset.H264:
            # At the encoder's own balance saturated colours come back up to 3 levels off.
            options = {"crf": "16", "preset": "fast", "chromaoffset": "-3"}
            return Encoding("libx264", "yuv420p", options, even=True)
        case Preset.PRORES4444:
            options = {"profile": "4444", "vendor": "apl0", "alpha_bits": "16" if alpha else "0"}
            return Encoding("prores_ks", "yuva444p10le" if alpha else "yuv444p10le", options)
        case Preset.VP9_ALPHA:
            options = {"crf": "18", "deadline": "good", "cpu-used": "4", "row-mt": "1", "auto-alt-ref": "0"}
            return Encoding("libvpx-vp9", "yuva420p" if alpha else "yuv420p", options)
        case Preset.FFV1:
            pix_fmt = ("gbrap16le" if alpha else "gbrp16le") if deep else ("bgra" if alpha else "bgr0")
            return Encoding("ffv1", pix_fmt, {"level": "3", "g": "1", "slicecrc": "1"})
        case Preset.PNG:
            raise ValueError("png is not a video")
