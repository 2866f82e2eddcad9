"""Places in words for people, and bounds that hold."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents.protocol import Bounds, Meter, Text, TooMuch, column, label, numbered, row


@pytest.mark.parametrize(
    ("index", "name"), [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA"), (16383, "XFD")]
)
def test_columns_are_named_as_spreadsheets_do(index: int, name: str) -> None:
    assert column(index) == name


def test_a_cell_is_found_by_its_row_and_column() -> None:
    text = row("sheet Deelnemers, row 4", ["Jan", "", "jan@\texample.org", ""])
    assert text.cells == ("Jan", "", "jan@ example.org")
    assert text.place(text.text.index("example")) == "sheet Deelnemers, row 4, column C"


def test_lines_are_counted_from_where_the_piece_begins() -> None:
    text = Text("", "a\nb\nc", line=10)
    assert text.place(4) == "line 12"
    assert Text("page 2", "a\nb").place(2) == "page 2"


@pytest.mark.parametrize(
    "name",
    [
        "jan@example.org.xlsx",
        "jan＠example.org",
        "lijst jan%40example.org",
        "06-12345678",
        "+31 6 1234 5678",
        "123456782",
    ],
)
def test_a_name_in_a_place_holds_no_value(name: str) -> None:
    shown = label(name)
    assert "example" not in shown
    assert "1234" not in shown
    assert "…" in shown


def test_a_name_in_a_place_is_short_and_on_one_line() -> None:
    assert label("Deel\nnemers\u202e" + "x" * 90) == "Deel nemers " + "x" * 27 + "…"


@given(st.text(max_size=600))
@settings(deadline=None, max_examples=100)
def test_no_name_brings_an_address_or_a_line_end_into_a_place(name: str) -> None:
    shown = label(name)
    assert "@" not in shown
    assert shown.isprintable()
    assert len(shown) <= 40


def test_every_bound_ends_the_reading() -> None:
    bounds = Bounds(octets=10, members=1, texts=1)
    for once in ("member", "text"):
        meter = Meter(bounds)
        getattr(meter, once)()
        with pytest.raises(TooMuch):
            getattr(meter, once)()
    with pytest.raises(TooMuch):
        Meter(bounds).read(11)


def test_the_ratio_counts_only_for_what_is_large() -> None:
    meter = Meter(Bounds(ratio=100))
    meter.unpacked(4 * 2**20, 1)
    meter.unpacked(5 * 2**20, 2**20)
    with pytest.raises(TooMuch, match="100 times"):
        meter.unpacked(5 * 2**20, 1000)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Certificaat Anna de Vries.PDF", "file 3 (pdf)"),
        ("Anna de Vries", "file 3"),
        ("a.Anna de Vries", "file 3"),
        ("", "file 3"),
    ],
)
def test_i7_a_file_is_called_by_its_number(name: str, place: str) -> None:
    assert numbered("file", 3, name) == place
