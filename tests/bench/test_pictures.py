"""The share of pixels that differ is counted above the opt-out only."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from bench.pictures import WIDTH, Pair, Shot, report


def shot(*, height: int = 100, foot: int = 100, spot: tuple[int, int] | None = None) -> Shot:
    before = Image.new("RGB", (WIDTH, 100), "white")
    after = Image.new("RGB", (WIDTH, height), "white")
    if spot is not None:
        after.paste("black", (*spot, spot[0] + 72, spot[1] + 10))
    return Shot(Pair("mail.eml 1", "", ""), before, after, foot)


def test_the_same_picture_differs_nowhere_however_long_the_opt_out_makes_it() -> None:
    assert shot(height=400).share == 0


def test_what_differs_above_the_opt_out_counts_and_below_it_does_not() -> None:
    assert shot(spot=(0, 50)).share == 720 / (WIDTH * 100)
    assert shot(height=200, spot=(0, 150)).share == 0


def test_the_report_names_the_most_different_first(tmp_path: Path) -> None:
    said = report([shot(), shot(spot=(0, 0))], tmp_path)
    assert said.startswith("2 HTML parts: 1 the same above the opt-out")
    assert (tmp_path / "0000-after.png").exists()
    assert "1.00% differ" in (tmp_path / "index.html").read_text("utf-8").partition("</h2>")[0]
