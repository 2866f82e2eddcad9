"""PDF: pages, and everything that is on no page; damage ends in `Unreadable` and in nothing else."""

from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.documents import pdf
from gateway.documents.protocol import DAMAGED, PASSWORD, Bounds, Meter
from tests.documents import making
from tests.documents.reading import read

PAGE = "Naam Mail\nJan jan@example.org"


@pytest.mark.parametrize("name", ["lijst.pdf", "lijst.csv"])
def test_a_page_has_its_number(name: str) -> None:
    found = read(making.pdf(["Voorblad", PAGE]), name)
    assert found.place_of("jan@example.org") == "page 2"
    assert found.at("page 2") == PAGE
    assert found.why == ""


@pytest.mark.parametrize(
    "note",
    [
        "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (mailto:jan@example.org) >> >>",
        "<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (jan@example.org) >>",
        "<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /T (jan@example.org) >>",
        "<< /Type /Annot /Subtype /FreeText /Rect [0 0 9 9] /Contents <6A616E406578616D706C652E6F7267> >>",
        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (mail) /V (jan@example.org) /Rect [0 0 9 9] >>",
    ],
)
def test_notes_links_and_fields_are_read(note: str) -> None:
    found = read(making.pdf(["x", "y"], notes=[note]))
    assert "jan@example.org" in found.at("page 1, notes, links and fields")


def test_the_author_is_read() -> None:
    assert "Els Maker" in read(making.pdf(["x"], author="Els Maker")).at("properties")


def test_an_attached_file_is_read() -> None:
    table = making.stream("a;b\nJan;jan@example.org\n")
    found = read(
        making.pdf(
            ["x"],
            more=["/Names << /EmbeddedFiles << /Names [(leden.csv) << /F (leden.csv) /EF << /F 9 0 R >> >>] >> >>"],
            objects={9: table},
        )
    )
    assert found.place_of("jan@") == "file 1 (csv), row 2, column B"


def test_r050_an_attached_file_that_gives_nothing_is_told_of() -> None:
    names = "/Names << /EmbeddedFiles << /Names [(leden.csv) << /F (leden.csv) /EF << /F 9 0 R >> >>] >> >>"
    assert read(making.pdf(["x"], more=[names])).why == "file 1 (csv): damaged"


def test_r050_more_notes_than_are_read_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    notes = [f"<< /Type /Annot /Subtype /Text /Rect [0 0 9 9] /Contents (bel jan{n}@example.org) >>" for n in range(3)]
    monkeypatch.setattr(pdf, "_MOST_NOTES", 2)
    assert read(making.pdf(["x"], notes=notes)).why == "more than 2 notes on a page"
    monkeypatch.setattr(pdf, "_MOST_NOTES", 3)
    assert "jan2@" in read(making.pdf(["x"], notes=notes)).all
    monkeypatch.setattr(pdf, "_LONGEST", 20)
    assert read(making.pdf(["x"], notes=notes)).why == "a note of more than a million octets"


def test_a_password_is_told_of() -> None:
    locked = making.pdf(
        ["x"],
        trailer="/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /Length 40 /P -1"
        f" /O <{'00' * 32}> /U <{'11' * 32}> >>",
    )
    assert read(locked).why == PASSWORD


def test_a_count_of_pages_that_is_a_lie_costs_nothing() -> None:
    found = read(making.pdf(["een", "twee"], count=2_000_000_000), meter=Meter(Bounds(texts=1000)))
    assert found.why != "" or found.at("page 2") == "twee"


def test_pages_over_the_bound_are_not_read() -> None:
    assert read(making.pdf(["x"] * 9), meter=Meter(Bounds(texts=5))).why == "more than 5 rows or pages"


@pytest.mark.parametrize(
    "objects",
    [
        {2: b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"},
        {
            2: b"<< /Type /Pages /Kids [4 0 R] /Parent 2 0 R /Count 1 >>",
            4: b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>",
        },
        {1: b"<< /Type /Catalog /Pages 1 0 R >>"},
        {4: b"4 0 R"},
        {4: b"<< /Length 4 0 R >>\nstream\nx\nendstream"},
        {1: b"<< /Type /Catalog /Pages 2 0 R /Outlines 9 0 R >>", 9: b"<< /First 9 0 R /Next 9 0 R /Title (x) >>"},
        {1: b"[" * 100_000},
    ],
)
def test_objects_that_turn_in_circles_end(objects: dict[int, bytes]) -> None:
    read(making.pdf(["een"], objects=objects))


def test_a_page_that_unpacks_to_very_much_is_bounded() -> None:
    text = b"BT /F1 9 Tf " + b"(x) Tj " * 300_000 + b"ET"
    packed = zlib.compress(text, 9)
    stream = b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed), packed)
    found = read(making.pdf(["x"], objects={4: stream}), meter=Meter(Bounds(octets=100_000)))
    assert "when unpacked" in found.why


@pytest.mark.parametrize("part", range(1, 20))
def test_a_file_cut_off_anywhere_is_damaged_and_no_more(part: int) -> None:
    whole = making.pdf([PAGE] * 5, author="Els", packed=False)
    found = read(whole[: len(whole) * part // 20])
    assert found.why == DAMAGED or found.texts


@given(st.integers(0, 2**32))
@settings(deadline=None, max_examples=60)
def test_a_file_with_octets_changed_is_read_or_damaged(seed: int) -> None:
    chance = random.Random(seed)
    whole = bytearray(
        making.pdf([PAGE] * 2, notes=["<< /Subtype /Text /Contents (x) /Rect [0 0 1 1] >>"], packed=False)
    )
    for _ in range(chance.randint(1, 20)):
        whole[chance.randrange(9, len(whole))] = chance.randrange(256)
    read(bytes(whole), "x.pdf")
