"""Backdrops: what stands behind the instances."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from matting.compositing.looks import HexColor


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Original(_Value):
    """The footage itself."""

    kind: Literal["original"] = "original"


class Plate(_Value):
    """The footage with all instances taken out."""

    kind: Literal["plate"] = "plate"


class Color(_Value):
    """One colour."""

    kind: Literal["color"] = "color"
    color: HexColor


class Image(_Value):
    """A still picture, scaled to cover the frame; ``path`` is relative to the project's folder where possible."""

    kind: Literal["image"] = "image"
    path: str


class Video(_Value):
    """Another video, scaled to cover the frame and looped; ``path`` as for :class:`Image`."""

    kind: Literal["video"] = "video"
    path: str


class Blurred(_Value):
    """The footage out of focus; ``radius`` is the standard deviation of the Gaussian in pixels."""

    kind: Literal["blur"] = "blur"
    radius: Annotated[float, Field(gt=0, le=500)] = 20.0


class Transparent(_Value):
    """Nothing: the exported picture carries alpha."""

    kind: Literal["transparent"] = "transparent"


Backdrop = Annotated[Original | Plate | Color | Image | Video | Blurred | Transparent, Field(discriminator="kind")]
