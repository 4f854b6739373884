"""Tables of numbers on screens that are too narrow for them."""

from __future__ import annotations

import pytest
from rich.table import Table

from matting.cli.tables import print_table


def test_names_and_numbers_are_whole_on_a_narrow_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    table = Table("network", *(f"a figure {number}" for number in range(11)))
    table.add_row("maggie-video", *(f"{number:.5f}" for number in range(11)))
    print_table(table)
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert "maggie-video" in printed
    assert all(f"{number:.5f}" in printed for number in range(11))


def test_long_texts_are_wrapped(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    table = Table("terms")
    table.add_row("not for work that you sell " * 40)
    print_table(table)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 180
