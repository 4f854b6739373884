"""Printing tables of numbers."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

_LEAST_WIDTH = 140


def print_table(table: Table) -> None:
    """Print on stdout, wider than a narrow screen rather than without digits."""
    Console(width=max(Console().width, _LEAST_WIDTH)).print(table, crop=False)
