"""Texts, presentations and OpenDocument: every part, words joined over runs, changes both ways."""

from __future__ import annotations

import struct

import pytest

from gateway.documents.protocol import PASSWORD
from tests.documents import making
from tests.documents.reading import read

W = making.word_part


def test_words_cut_into_runs_are_joined_and_paragraphs_are_not() -> None:
    found = read(making.docx(["mail jan@example.org", "of bel"]), "brief.docx")
    assert found.at("body") == "mail jan@example.org\nof bel"


def test_a_table_has_rows_and_columns() -> None:
    found = read(making.docx(["Lijst"], body=making.table([["Naam", "Mail"], ["Jan", "jan@example.org"]])))
    assert found.place_of("jan@") == "body, table row 2, column B"


@pytest.mark.parametrize(
    ("part", "content", "where"),
    [
        ("word/header2.xml", W("hdr", "jan@example.org"), "header 2"),
        ("word/footer1.xml", W("ftr", "jan@example.org"), "footer 1"),
        ("word/comments.xml", W("comments", "jan@example.org"), "comments"),
        ("word/footnotes.xml", W("footnotes", "jan@example.org"), "footnotes"),
        ("word/endnotes.xml", W("endnotes", "jan@example.org"), "endnotes"),
        ("word/people.xml", '<w15:person><w15:presenceInfo userId="S::jan@example.org::7"/></w15:person>', ""),
        ("docProps/core.xml", "<c><dc:creator>jan@example.org</dc:creator></c>", "properties"),
        ("docProps/custom.xml", "<c><vt:lpwstr>jan@example.org</vt:lpwstr></c>", "properties"),
        ("customXml/item1.xml", "<lid><mail>jan@example.org</mail></lid>", "item1"),
        ("word/_rels/document.xml.rels", making.rels({"r1": ("hyperlink", "mailto:jan@example.org")}), ""),
        ("word/settings.xml", '<w:settings><w:query w:val="jan@example.org"/></w:settings>', ""),
        ("word/embeddings/Sheet.xlsx", making.xlsx({"A": [["jan@example.org"]]}), "file Sheet.xlsx, sheet 1, row 1"),
        ("word/afchunk1.rtf", rb"{\rtf1 jan@example.org}", "file afchunk1.rtf"),
        ("ppt/slides/slide3.xml", "<p><a:p><a:t>jan@</a:t><a:t>example.org</a:t></a:p></p>", "slide 3"),
        ("ppt/notesSlides/notesSlide3.xml", "<p><a:p><a:t>jan@example.org</a:t></a:p></p>", "notes of slide 3"),
    ],
)  # fmt: skip
def test_every_part_is_read(part: str, content: str | bytes, where: str) -> None:
    found = read(making.docx(["x"], extra={part: content}))
    assert "jan@example.org" in (found.at(where) if where else found.all)
    assert found.why == ""


def test_tracked_changes_are_read_as_before_and_as_after() -> None:
    run = "<w:r><w:t>{}</w:t></w:r>".format
    gone = f"<w:del w:id='1'>{run('piet@example.org').replace('w:t', 'w:delText')}</w:del>"
    body = f"<w:p>{run('j')}<w:ins w:id='2'>{run('an@example.')}</w:ins>{run('org ')}{gone}</w:p>"
    found = read(making.docx(body=body))
    assert found.at("body") == "jan@example.org"
    assert "piet@example.org" in found.at("body, before tracked changes")
    assert "an@example." not in found.at("body, before tracked changes")


def test_text_that_is_hidden_is_text() -> None:
    hidden = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>jan@example.org</w:t></w:r></w:p>"
    assert "jan@example.org" in read(making.docx(body=hidden)).at("body")


def test_ids_of_runs_are_no_text() -> None:
    assert "00A77B3E" not in read(making.docx(["x y"])).all


def test_an_open_document_is_read() -> None:
    found = read(making.odt(["een", "jan@example.org"]), "brief.odt")
    assert found.at("body") == "een\njan@example.org"
    assert "Els Maker" in found.at("properties")


def test_an_open_document_with_a_password_is_told_of() -> None:
    members = {**making.unzipped(making.odt(["x"])), "META-INF/manifest.xml": "<m><manifest:encryption-data/></m>"}
    assert read(making.zipped(members)).why == PASSWORD


def test_pictures_in_a_text_are_passed_over_and_unknown_files_told_of() -> None:
    picture = {"word/media/image1.png": b"\x89PNG\r\n\x1a\n" + bytes(99)}
    assert read(making.docx(["x"], extra=picture)).why == ""
    found = read(making.docx(["x"], extra={"word/embeddings/oleObject1.bin": b"\1\2\3\4" * 99}))
    assert found.why == "oleObject1.bin: an unknown format"
    assert found.at("body") == "x"


def test_macros_and_printer_settings_do_not_make_a_text_unreadable() -> None:
    macro = making.ole({"VBA": b"\1Attribut jan@example.org\0"})
    found = read(making.docx(["x"], extra={"word/vbaProject.bin": macro}))
    assert found.why == ""
    assert "jan@example.org" in found.all


def test_a_part_under_two_names_of_a_damaged_directory_is_damaged_and_no_more() -> None:
    whole = bytearray(making.docx(["x"] * 50))
    at = whole.rfind(b"PK\x01\x02")
    whole[at + 42 : at + 46] = struct.pack("<I", 5)
    found = read(bytes(whole))
    assert "damaged" in found.why


@pytest.mark.parametrize("part", range(1, 20))
@pytest.mark.parametrize("make", [lambda: making.docx(["x y z"] * 99), lambda: making.odt(["x y z"] * 99)])
def test_a_text_cut_off_anywhere_is_damaged_and_no_more(part: int, make: object) -> None:
    whole = make()  # type: ignore[operator]
    assert read(whole[: len(whole) * part // 20]).why != ""
