"""Tables in text: whatever sign cuts the columns, the right cell is named."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.documents.delimited import rows, separator
from gateway.documents.protocol import Bounds, Meter
from tests.documents.reading import read


@pytest.mark.parametrize("sign", [";", ",", "\t", "|"])
@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "cp1252"])
def test_rows_and_columns_are_found(sign: str, charset: str) -> None:
    lines = [["Naam", "Opmerking", "Mail"], ["Renée", f'zegt "ja"{sign}\nof nee', "renee@example.org"]]
    written = io.StringIO()
    csv.writer(written, delimiter=sign).writerows(lines)
    found = read(written.getvalue().encode(charset), "lijst.csv", "text/csv")
    assert found.place_of("renee@") == "row 2, column C"
    assert found.texts[1].cells[1] == " ".join(f'zegt "ja"{sign} of nee'.split())


def test_a_comma_in_numbers_does_not_beat_the_semicolon() -> None:
    assert separator("naam;bedrag\nJan;12,50\nPiet;13,25\n") == ";"


def test_the_first_line_may_name_the_sign() -> None:
    assert read(b"sep=;\r\na,b;c\r\n", "x.csv").texts[0].cells == ("a,b", "c")


def test_text_without_columns_stays_text() -> None:
    found = read(b"een\ntwee jan@example.org\n", "x.csv")
    assert found.place_of("jan@") == "line 2"


def test_a_quotation_mark_that_never_closes_hides_nothing() -> None:
    many = "".join(f"Jan {n};jan{n}@example.org\n" for n in range(9000))
    found = read(f'a;b\n"{many}'.encode(), "x.csv")
    assert all(f"jan{n}@example.org" in found.all for n in (0, 4500, 8999))
    assert found.why == ""


def test_a_million_columns_are_read() -> None:
    found = read(b";".join([b"x"] * 10**6) + b"\n" + b"y;z\n", "breed.csv")
    assert len(found.texts[0].cells) == 10**6
    assert found.place_of("z") == "row 2, column B"


@given(st.text(alphabet='ab";,\t\n\0\r', max_size=200))
@example(';"\na"\n\r;')
@settings(deadline=None, max_examples=200)
def test_any_table_can_be_read(text: str) -> None:
    found = list(rows(text, Meter(Bounds())))
    letters = "".join(piece.text for piece in found)
    assert all(letters.count(sign) == text.count(sign) for sign in "ab")
