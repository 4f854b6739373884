"""What models there are: what each is for, under which licence, where it comes from, how its file is recognised."""

from __future__ import annotations

import tomllib
from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from matting.errors import UnavailableError
from resources import MODELS

Commercial = Literal["yes", "no", "unstated"]
Task = Literal["select", "find", "track", "matte"]


class Model(BaseModel):
    """One entry of ``resources/models.toml``.

    Attributes:
        id: what commands and projects call it.
        title: what people call it.
        task: which step of the work it can do.
        purpose: what it is for, in one sentence.
        file_name: of the public file, whose name the installed one keeps.
        licence: short name of the licence.
        commercial: whether work that is sold may be made with it, as far as its makers say.
        terms: what the licence covers and what is left open, in plain sentences.
        origin: who made it.
        paper: author, title, venue.
        home: page of the project; empty for our own.
        size: of the file in bytes, about; None where it is not known.
        urls: addresses of the file, best first; empty where there is none that a program could fetch.
        by_hand: how to get the file where it cannot be fetched.
        digests: by algorithm, the hash of the file or the beginning of it that its makers published; ``named`` where
            it stands in the file's name and they do not say whether it is an MD5 or a SHA-256.
        layout: some tensors that the file must hold, and their shapes.
        shipped: the file comes with Matteo; one that the artist brings goes before it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    id: str
    title: str
    task: Task
    purpose: str
    file_name: str
    licence: str
    commercial: Commercial
    terms: str
    origin: str
    paper: str
    home: str = ""
    size: int | None = None
    urls: tuple[str, ...] = ()
    by_hand: str = ""
    digests: dict[Literal["md5", "sha256", "named"], str] = {}
    layout: dict[str, tuple[int, ...]] = {}
    shipped: bool = False

    @property
    def commercial_mark(self) -> str:
        """``commercial use: yes``, ``no`` or ``unstated``."""
        return f"commercial use: {self.commercial}"

    @property
    def in_short(self) -> str:
        """``MaGGIe, video: CC BY-NC 4.0; commercial use: no``."""
        return f"{self.title}: {self.licence}; {self.commercial_mark}"


@cache
def models() -> tuple[Model, ...]:
    """Every model of the catalogue, in its order."""
    with MODELS.open("rb") as file:
        entries = tomllib.load(file)["models"]
    return tuple(Model.model_validate(entry) for entry in entries)


def model(model_id: str) -> Model:
    """The model of that id.

    Raises:
        UnavailableError: there is none; the sentence names those there are.
    """
    for known in models():
        if known.id == model_id:
            return known
    ids = ", ".join(known.id for known in models())
    raise UnavailableError(f"There is no model called {model_id}; there are {ids}.")
