"""Printing tables of numbers."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

_WIDEST = 180
"""Columns of characters; longer texts are wrapped."""


def print_table(table: Table) -> None:
    """Print on stdout, wider than a narrow screen rather than with names and digits cut off."""
    screen = Console()
    whole = screen.measure(table, options=screen.options.update(width=_WIDEST)).maximum
    Console(width=max(screen.width, whole)).print(table, crop=False)
