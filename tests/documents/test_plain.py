"""Plain text in every charset, cards, calendars, JSON and rich text."""

from __future__ import annotations

import quopri
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import plain
from gateway.documents.protocol import Bounds, Meter
from tests.documents.reading import read


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_is_read_in_any_charset(charset: str) -> None:
    text = "Ingeschreven zijn: José Müller, Renée de Groot\r\n" * 3
    assert plain.decode(text.encode(charset)) == text.replace("\r\n", "\n")


def test_octets_that_windows_does_not_know_are_still_read() -> None:
    assert "jan@example.org" in plain.decode(b"\x81\x8d jan@example.org \xff")


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=200)
def test_any_octets_can_be_read(content: bytes) -> None:
    assert isinstance(plain.decode(content), str)


@given(st.text(alphabet="ab \n", max_size=300), st.integers(1, 40))
@settings(deadline=None, max_examples=100)
def test_pieces_are_the_text_and_count_its_lines(text: str, repeat: int) -> None:
    whole = text * repeat * 40
    found = list(plain.pieces(whole, Meter(Bounds())))
    assert "".join(piece.text for piece in found) == whole
    for before, after in pairwise(found):
        assert after.line == before.line + before.text.count("\n")


def test_a_line_without_end_is_cut() -> None:
    found = list(plain.pieces("x" * 3_000_000, Meter(Bounds())))
    assert [len(piece.text) for piece in found] == [1024 * 1024, 1024 * 1024, 3_000_000 - 2 * 1024 * 1024]


def test_folded_and_quoted_cards_are_unfolded() -> None:
    name = quopri.encodestring("Zoë".encode()).decode()
    card = (
        f"BEGIN:VCARD\r\nVERSION:2.1\r\nN;ENCODING=QUOTED-PRINTABLE:{name}=\r\n x\r\n"
        "EMAIL:jan@exam\r\n ple.org\r\nPHOTO;ENCODING=b:QUJDREVG\r\n R0hJSktM\r\nEND:VCARD\r\n"
    )
    found = read(card.encode(), "kaart.vcf")
    assert "Zoë" in found.all
    assert "jan@example.org" in found.all
    assert "QUJD" not in found.all


def test_escapes_of_json_are_resolved() -> None:
    assert "jan@example.org" in read(rb'{"mail": "jan\u0040example.org"}', "lijst.json").all


def test_rich_text_loses_its_control_words_and_nothing_else() -> None:
    text = rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0 Arial;}}{\*\company Kring}Ren\'e9e \u8364? 5\par "
    text += rb"jan@\b example.org\b0\cell{\field{\*\fldinst HYPERLINK mailto:x@example.org}}\~end"
    text += rb"{\pict 89504e470d0a1a0a" + b"00" * 90 + rb"}{\bin5 \}{{}slot}}"
    found = read(text, "brief.rtf")
    assert "slot" in found.all
    assert "Renée € 5\njan@example.org\n" in found.all
    assert "mailto:x@example.org" in found.all
    assert "Kring" in found.all
    assert "89504e47" not in found.all


def test_a_file_in_rich_text_is_told_of() -> None:
    assert read(rb"{\rtf1 tekst{\object{\*\objdata 0105}}}").why == "another file is embedded in it"


@given(st.lists(st.sampled_from(["\\", "{", "}", "'e9", "u123", "bin9", "par ", "x", "\n", "*", "~"]), max_size=60))
@settings(deadline=None, max_examples=200)
def test_any_rich_text_can_be_read(parts: list[str]) -> None:
    assert read(b"{\\rtf1 " + "".join(parts).encode()).why in ("", "another file is embedded in it")
