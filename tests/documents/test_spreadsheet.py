"""Every cell of every sheet, and all that is in the file beside the cells."""

from __future__ import annotations

import io
import struct
import warnings
import zipfile
from itertools import pairwise

import pytest

from gateway.documents.protocol import PASSWORD, Bounds, Meter
from tests.documents import making
from tests.documents.reading import read

LIST = [["Naam", "", "Mail"], ["Jan", "", "jan@example.org"], ["Piet", 7, "piet@example.org"]]


@pytest.mark.parametrize("name", ["lijst.xlsx", "lijst.pdf", "lijst"])
def test_a_cell_of_a_workbook_has_its_place(name: str) -> None:
    found = read(making.xlsx({"Start": [["x"]], "Deelnemers": LIST}), name)
    assert found.place_of("piet@") == "sheet 2, row 3, column C"
    assert found.texts[3].cells == ("Piet", "7", "piet@example.org")
    assert found.why == ""


def test_the_first_cell_used_need_not_be_the_first_cell() -> None:
    rows = [[], [], ["", "", "jan@example.org"]]
    assert read(making.xlsx({"Blad": rows})).place_of("jan@") == "sheet 1, row 3, column C"


def test_a_hidden_sheet_is_read() -> None:
    found = read(making.xlsx({"A": [["x"]], "Oud": [["jan@example.org"]]}, hidden=["Oud"]))
    assert found.place_of("jan@") == "sheet 2, row 1, column A"


def test_a_date_is_read_as_a_date() -> None:
    assert read(making.xlsx({"A": [[29252]]}, dates=True)).texts[0].cells == ("1980-02-01",)


@pytest.mark.parametrize("name", ["jan@example.org", "Jan de Vries"])
def test_i7_a_sheet_is_called_by_its_number(name: str) -> None:
    found = read(making.xlsx({name: [["x"]]}))
    assert found.places[0] == "sheet 1, row 1"
    assert "@" not in name or name in found.all
    assert not any(name in place for place in found.places)


@pytest.mark.parametrize(
    ("part", "content"),
    [
        (
            "xl/comments1.xml",
            "<comments><comment><text><r><t>jan@</t></r><r><t>example.org</t></r></text></comment></comments>",
        ),
        (
            "xl/threadedComments/threadedComment1.xml",
            "<t><threadedComment><text>jan@example.org</text></threadedComment></t>",
        ),
        (
            "xl/persons/person.xml",
            '<personList><person displayName="Jan" userId="S::jan@example.org::1"/></personList>',
        ),
        ("xl/worksheets/_rels/sheet1.xml.rels", making.rels({"r1": ("hyperlink", "mailto:jan@example.org")})),
        ("xl/pivotCache/pivotCacheDefinition1.xml", '<p><sharedItems><s v="jan@example.org"/></sharedItems></p>'),
        ("xl/externalLinks/externalLink1.xml", "<e><cell><v>jan@example.org</v></cell></e>"),
        ("xl/drawings/drawing1.xml", "<d><a:p><a:r><a:t>jan@</a:t></a:r><a:r><a:t>example.org</a:t></a:r></a:p></d>"),
        ("docProps/core.xml", "<c><dc:creator>jan@example.org</dc:creator></c>"),
        ("customXml/item1.xml", "<a><b>jan@example.org</b></a>"),
        ("xl/printerSettings/printerSettings1.bin", b"\1\2\3" + "jan@example.org".encode("utf-16-le") + b"\0\xff\1"),
        ("xl/embeddings/Microsoft_Word_Document.docx", making.docx(["jan@example.org"])),
    ],
)
def test_all_that_is_no_cell_is_read(part: str, content: str | bytes) -> None:
    found = read(making.xlsx({"A": [["x"]]}, extra={part: content}))
    assert "jan@example.org" in found.all
    assert found.why == ""


@pytest.mark.parametrize(
    ("names", "around"),
    [
        ("<definedNames><definedName name='x'>\"jan@example.org\"</definedName></definedNames>", ""),
        ("", "<headerFooter><oddHeader>&amp;Ljan@example.org</oddHeader></headerFooter>"),
        ("", '<dataValidations><formula1>"jan@example.org,x"</formula1></dataValidations>'),
        ("", '<hyperlinks><hyperlink ref="A1" display="x" tooltip="jan@example.org"/></hyperlinks>'),
    ],
)
def test_what_stands_around_the_cells_is_read(names: str, around: str) -> None:
    assert "jan@example.org" in read(making.xlsx({"A": [["x"]]}, names=names, around=around)).all


def test_a_formula_is_read_beside_its_result() -> None:
    sheet = '<c r="B1" t="str"><f>HYPERLINK("mailto:jan@example.org","klik")</f><v>klik</v></c>'
    members = making.unzipped(making.xlsx({"A": [["x"]]}))
    name = "xl/worksheets/sheet1.xml"
    members[name] = members[name].replace(b"</row>", sheet.encode() + b"</row>")
    found = read(making.zipped(members))
    assert "mailto:jan@example.org" in found.at("formulas")
    assert found.texts[0].cells == ("x", "klik")


def test_a_string_that_no_cell_shows_is_read() -> None:
    members = making.unzipped(making.xlsx({"A": [["x"]]}))
    name = "xl/sharedStrings.xml"
    members[name] = members[name].replace(b"</sst>", b"<si><t>gewist@example.org</t></si></sst>")
    found = read(making.zipped(members))
    assert found.at("strings of no cell") == "gewist@example.org"


def test_cells_far_apart_cost_no_memory_and_are_said_to_be_unread() -> None:
    members = making.unzipped(making.xlsx({"A": [["jan@example.org"]]}))
    name = "xl/worksheets/sheet1.xml"
    far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    members[name] = members[name].replace(b"</sheetData>", far)
    found = read(making.zipped(members))
    assert found.why == "cells too far apart"
    assert "jan@example.org" in found.all


def test_one_long_text_in_many_cells_is_too_much() -> None:
    members = making.unzipped(making.xlsx({"A": [["x" * 100_000]] * 10}))
    name = "xl/worksheets/sheet1.xml"
    cells = b"".join(b'<row r="%d"><c r="A%d" t="s"><v>0</v></c></row>' % (n, n) for n in range(11, 10_000))
    members[name] = members[name].replace(b"</sheetData>", cells + b"</sheetData>")
    assert read(making.zipped(members)).why == "cells that repeat long texts"


def test_a_book_that_claims_another_size_is_read_by_what_comes_out() -> None:
    book = bytearray(making.xlsx({"A": LIST}))
    at = book.rfind(b"PK\x01\x02")
    book[at + 24 : at + 28] = struct.pack("<I", 2**30)
    found = read(bytes(book))
    assert found.why != "" or "jan@example.org" in found.all


def test_an_open_document_has_places_whatever_is_repeated() -> None:
    cell = making.ods_cell
    rows = [
        cell("Naam") + "<table:table-cell table:number-columns-repeated='2'/>" + cell("jan@example.org"),
        cell("x", "table:number-columns-repeated='900000000'"),
        "<table:table-cell/>",
        cell("1-2-80", "office:value-type='date' office:date-value='1980-02-01T00:00:00'"),
    ]
    book = making.ods({"Leden": rows, "Meer": [cell("piet@example.org")]})
    found = read(book, "leden.ods")
    assert found.place_of("jan@") == "sheet 1, row 1, column D"
    assert found.place_of("1980-02-01") == "sheet 1, row 4, column A"
    assert found.place_of("piet@") == "sheet 2, row 1, column A"
    assert "Els Maker" in found.at("properties")
    assert found.why == ""


def test_rows_that_are_repeated_move_the_ones_below() -> None:
    members = making.unzipped(making.ods({"A": [making.ods_cell("x"), making.ods_cell("y")]}))
    content = members["content.xml"].replace(
        b"<table:table-row>", b"<table:table-row table:number-rows-repeated='1000'>", 1
    )
    found = read(making.zipped({**members, "content.xml": content}))
    assert [text.where for text in found.texts if text.cells] == ["sheet 1, row 1", "sheet 1, row 1001"]


def test_a_password_is_told_of() -> None:
    assert read(making.ole({"EncryptionInfo": b"\4\0\4\0", "EncryptedPackage": b"x"}), "lijst.xlsx").why == PASSWORD
    locked = {"META-INF/manifest.xml": "<m><manifest:encryption-data/></m>"}
    assert read(making.zipped({**making.unzipped(making.ods({"A": []})), **locked})).why == PASSWORD


def test_an_old_workbook_is_read() -> None:
    found = read(making.xls([["Naam", "Mail"], ["Jan", "jan@example.org"]], "Leden"), "lijst.xls")
    assert found.place_of("Jan") == "sheet 1, row 2, column A"
    assert "jan@example.org" in found.at("outside the cells")
    assert found.why == ""


@pytest.mark.parametrize("stream", ["WordDocument", "PowerPoint Document", "__substg1.0_0C1F001F"])
def test_other_old_formats_are_told_of_and_searched_for_addresses(stream: str) -> None:
    found = read(making.ole({stream: b"\x01" + "jan@example.org".encode("utf-16-le") + b"\0\0\2"}))
    assert found.why.startswith("an ")
    assert "jan@example.org" in found.all


@pytest.mark.parametrize("part", range(1, 20))
@pytest.mark.parametrize("make", [lambda: making.xlsx({"A": LIST}), lambda: making.xls([["a", "b"]] * 40)])
def test_a_workbook_cut_off_anywhere_is_damaged_and_no_more(part: int, make: object) -> None:
    whole = make()  # type: ignore[operator]
    found = read(whole[: len(whole) * part // 20])
    assert found.why != "" or found.texts


def test_rows_of_all_items_of_a_mail_are_counted_together() -> None:
    meter = Meter(Bounds(texts=5))
    book = making.xlsx({"A": [["a"], ["b"]]})
    whys = [read(book, meter=meter).why for _ in range(3)]
    assert whys[0] == ""
    assert whys[-1] == "more than 5 rows or pages"
    assert all(later or not before for before, later in pairwise(whys))


def test_a_sheet_that_stands_in_the_file_twice_is_read_twice() -> None:
    parts = list(making.unzipped(making.xlsx({"A": [["jan@example.org"]]})).items())
    others = making.unzipped(making.xlsx({"A": [["piet@example.org"]]}))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library says that a name is there already
        for name, content in (*parts, *others.items()):
            file.writestr(name, content)
    found = read(target.getvalue(), "a.xlsx")
    assert all(address in found.all for address in ("jan@example.org", "piet@example.org"))
