"""How far it is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest

from gateway.cli import registry_progress
from gateway.cli.registry_progress import progress_on


def test_elsewhere_it_is_a_line_per_hundred_thousand_rows(capsys):
    with progress_on(1000) as tell:
        for rows in (50_000, 100_000, 150_000, 250_000):
            tell(rows // 1000, rows)
    assert capsys.readouterr().err == "100000 rows, 10 % of the file\n250000 rows, 25 % of the file\n"


@pytest.mark.parametrize("size", [0, 1000])
def test_on_a_terminal_it_is_a_bar_with_rows_and_rate(monkeypatch, size):
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Screen()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(registry_progress.sys, "stderr", screen)
    with progress_on(size) as tell:
        tell(size // 2, 123_456)
    assert "123,456 rows" in screen.getvalue()
    assert "rows/s" in screen.getvalue()
