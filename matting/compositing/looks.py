"""Looks: what is done to an instance."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_STRENGTH = 0.8

HexColor = Annotated[str, Field(pattern=r"^#[0-9A-Fa-f]{6}$")]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Keep(_Value):
    """Leave the instance as it is."""

    kind: Literal["keep"] = "keep"


class Remove(_Value):
    """Take the instance out and show the plate in its place."""

    kind: Literal["remove"] = "remove"


class Recolor(_Value):
    """Give the instance another hue and saturation; its shading and texture stay.

    ``strength`` 0 changes nothing, 1 replaces the colour completely.
    """

    kind: Literal["recolor"] = "recolor"
    color: HexColor
    strength: Annotated[float, Field(ge=0, le=1)] = DEFAULT_STRENGTH


class Blur(_Value):
    """Blur the instance; ``radius`` is the standard deviation of the Gaussian in pixels."""

    kind: Literal["blur"] = "blur"
    radius: Annotated[float, Field(gt=0, le=500)] = 12.0


Look = Annotated[Keep | Remove | Recolor | Blur, Field(discriminator="kind")]
