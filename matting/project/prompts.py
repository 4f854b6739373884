"""Prompts from a JSON file: checked against the clip, then joined with a document."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from matting.arrays import Mask
from matting.errors import PromptError
from matting.files import write_bytes
from matting.project.document import Box, Document, Instance, Point, Prompt
from matting.project.masks import fit_mask, read_picture
from matting.seeding.drawing import Drawing, Polygon, Stroke, covered


class _Given(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GivenPrompt(_Given):
    """One prompt of the file; ``mask`` is a path relative to the file.

    The polygons are laid over what the rest selects, then the strokes, each in their order; then ``drawn``, which is
    what a prompt that was copied from a project has.
    """

    frame: int
    points: tuple[Point, ...] = ()
    box: Box | None = None
    mask: str | None = None
    polygons: tuple[Polygon, ...] = ()
    strokes: tuple[Stroke, ...] = ()
    drawn: tuple[Drawing, ...] = ()


class GivenInstance(_Given):
    name: str = Field(min_length=1, max_length=80)
    prompts: tuple[GivenPrompt, ...] = Field(min_length=1)


class PromptFile(_Given):
    """``{"instances": [{"name": …, "prompts": [{"frame": 0, "points": [[x, y, 1]], "box": …, "mask": …}]}]}``.

    A prompt may also hold ``"strokes": [{"label": 1, "radius": 12, "points": [[x, y], …]}]`` and ``"polygons":
    [{"label": 1, "points": [[x, y], …]}]``; label 1 paints in, 0 erases.
    """

    instances: tuple[GivenInstance, ...] = Field(min_length=1)


def read_prompts(path: Path) -> PromptFile:
    """Read a prompts file.

    Raises:
        PromptError: it is missing, is no JSON, or holds something else.
    """
    try:
        given = PromptFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise PromptError(f"The prompts {path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PromptError(
            f"The prompts {path} are not valid{' at ' + where if where else ''}: {first['msg']}."
        ) from error
    names = [instance.name for instance in given.instances]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PromptError(f"The prompts {path} name {twice[0]} twice; give every instance its own name.")
    return given


class PromptImport:
    """Checked prompts, ready to be joined with a document; the masks they bring are written only by :meth:`keep`."""

    def __init__(self, given: PromptFile, path: Path, document: Document) -> None:
        """Check everything against the document's clip and range.

        Raises:
            PromptError: a prompt lies outside the picture or the range, or its mask does not fit.
        """
        self._path, self._size_hw, self._frames = path, document.size_hw, document.frames
        self._pngs: dict[str, bytes] = {}
        self.notices: list[str] = []
        joined = document
        for instance in given.instances:
            prompts = tuple(sorted((self._checked(instance.name, p) for p in instance.prompts), key=lambda p: p.frame))
            frames = [prompt.frame for prompt in prompts]
            if twice := [a for a, b in pairwise(frames) if a == b]:
                raise PromptError(f"{path} gives {instance.name} two prompts on frame {twice[0]}; join them.")
            known = next((i for i in document.instances if i.name == instance.name), None)
            base = known or Instance(id=joined.next_id, name=instance.name)
            joined = joined.with_instance(base.model_copy(update={"prompts": prompts}))
        self.document = joined
        """The document with the prompts of the file; instances that it does not name stay as they are."""

    def keep(self, folder: Path) -> None:
        """Write the masks to the project's prompts folder."""
        for name, png in self._pngs.items():
            folder.mkdir(parents=True, exist_ok=True)
            write_bytes(folder / name, png)

    def _checked(self, name: str, given: GivenPrompt) -> Prompt:
        height, width = self._size_hw
        who = f"The prompt of {name} on frame {given.frame}"
        if given.frame not in self._frames:
            raise PromptError(
                f"{who} lies outside the frames {self._frames.start}-{self._frames.stop - 1} that are worked on."
            )
        for x, y, _ in given.points:
            if not (0 <= x < width and 0 <= y < height):
                raise PromptError(f"{who} has the point ({x:g}, {y:g}) outside the {width}×{height} picture.")
        drawn: tuple[Polygon | Stroke, ...] = (*given.polygons, *given.strokes, *given.drawn)
        for drawing in drawn:
            if not covered(drawing, self._size_hw).any():
                at = ", ".join(f"{side:g}" for side in drawing.points[0])
                raise PromptError(f"{who} has a {drawing.kind} at ({at}) that covers no pixel of the picture.")
        return Prompt(
            frame=given.frame,
            points=given.points,
            box=None if given.box is None else _clipped(given.box, width, height, who),
            mask=None if given.mask is None else self._mask(self._path.parent / given.mask, who),
            drawn=drawn,
        )

    def _mask(self, path: Path, who: str) -> str:
        picture = read_picture(path)
        mask, notice = fit_mask(picture > picture.max() / 2, self._size_hw, path)
        if notice:
            self.notices.append(notice)
        if not mask.any():
            raise PromptError(f"{who} names the mask {path}, which selects nothing.")
        name, png = encode_mask(mask)
        self._pngs[name] = png
        return name


def keep_mask(folder: Path, mask: Mask) -> str:
    """Write a mask ``[H, W]`` to the project's prompts folder; the name it has there. Raises OutputError."""
    name, png = encode_mask(mask)
    if not (folder / name).exists():
        write_bytes(folder / name, png)
    return name


def encode_mask(mask: Mask) -> tuple[str, bytes]:
    """A mask ``[H, W]`` as a PNG, white where it selects, and the name it is kept under."""
    png = cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()
    return f"{hashlib.sha256(png).hexdigest()[:16]}.png", png


def _clipped(box: Box, width: int, height: int, who: str) -> Box:
    x0, y0, x1, y1 = box
    clipped = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    if x0 >= x1 or y0 >= y1:
        raise PromptError(f"{who} has the box {list(box)}, which has no area: x0 < x1 and y0 < y1 are needed.")
    if clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        raise PromptError(f"{who} has the box {list(box)}, which misses the {width}×{height} picture.")
    return clipped
