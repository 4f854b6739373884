"""Sizes of pictures as they are written on the command line."""

from __future__ import annotations

import typer


def size_named(text: str) -> tuple[int, int]:
    """Height and width of ``WIDTHxHEIGHT``; wrong usage for anything else."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise typer.BadParameter(f"--size takes WIDTHxHEIGHT, for example 1280x720; {text} is something else.")
    return int(height), int(width)
