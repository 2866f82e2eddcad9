"""Spreadsheets: cells row by row, hidden ones too, and all that is not in a cell.

what:       `workbook` (XLSX, XLSB), `open_document` (ODS), `compound` (XLS; other OLE files cannot be read)
takes→gives: an opened `Zip` or the octets of an OLE file → `Text`s: rows with cells, comments, names, links, properties
knows not:  what a column means
fails by:   `Unreadable`, `TooMuch`
standard:   ECMA-376 18, ODF 1.3 9, MS-XLSB, MS-XLS, MS-CFB 2.6, MS-OFFCRYPTO 2.3

The library unpacks by itself and fills the rectangle around all cells, so it gets a file made anew from counted
octets, and only when that rectangle is small.
"""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from collections.abc import Iterator

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from gateway.documents import markup, wordprocessing
from gateway.documents.archive import Zip
from gateway.documents.protocol import (
    DAMAGED,
    PASSWORD,
    UNKNOWN,
    Inside,
    Meter,
    Text,
    TooMuch,
    Unreadable,
    joined,
    numbered,
    row,
)
from gateway.message.html import unescape

_SHEET = re.compile(r"xl/(?:worksheets|macrosheets|dialogsheets|chartsheets)/[^/]+\.(?:xml|bin)", re.IGNORECASE)
_ENDS = re.compile(r"xl/(?:sharedStrings|calcChain|workbook\d*|styles)\.(?:xml|bin)", re.IGNORECASE)
_CELL = re.compile(rb"<(?:\w+:)?c\b([^<>]*)(?<!/)>")
_PLACE = re.compile(rb"\br=[\"']([A-Z]{1,3})(\d{1,7})[\"']")
_DATA = re.compile(rb"</?(?:\w+:)?sheetData\b[^<>]*>")
_FORMULA = re.compile(rb"<(?:\w+:)?f\b[^<>]*>([^<]{1,8192})")
_LONG_STRING = re.compile(rb"<(?:\w+:)?si\b")
_MOST_CELLS = 4_000_000
_TOO_SPARSE = "cells too far apart"


def workbook(found: Zip, inside: Inside) -> Iterator[Text]:
    """XLSX and XLSB: cells, then formulas, comments, names, links, caches, properties, embedded files."""
    parts = {entry.filename: found.read(entry) for entry in found.entries if _own(entry.filename)}
    troubles: list[str] = []
    shown: set[str] = set()
    try:
        _check_size(parts, found.meter)
        for text in _sheets(_packed(parts, found), found.meter):
            shown.update(text.cells)
            yield text
    except TooMuch:
        raise
    except Unreadable as error:
        troubles.append(error.why)
        for name, content in parts.items():
            if name.endswith(".xml"):
                yield from markup.xml(content, found.meter, wordprocessing.place(name))
    yield from _around(parts, shown, found.meter)
    try:
        yield from wordprocessing.rest(found, inside, parts)
    except TooMuch:
        raise
    except Unreadable as error:
        troubles.append(error.why)
    if troubles:
        raise Unreadable("; ".join(troubles))


def _own(name: str) -> bool:
    return bool(_SHEET.fullmatch(name) or _ENDS.fullmatch(name)) or name in (
        "[Content_Types].xml", "_rels/.rels", "xl/_rels/workbook.xml.rels", "xl/_rels/workbook.bin.rels",
    )  # fmt: skip


def _packed(parts: dict[str, bytes], found: Zip) -> bytes:
    """A new file of what was counted: no second directory, no lying size, no member twice."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as file:
        for name, content in parts.items():
            file.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def _check_size(parts: dict[str, bytes], meter: Meter) -> None:
    """Raises `Unreadable` when the library would need far more memory than the file has octets."""
    strings = parts.get("xl/sharedStrings.xml", b"")
    longest = max((len(piece) for piece in _LONG_STRING.split(strings)), default=0)
    for name, content in parts.items():
        if not _SHEET.fullmatch(name) or not name.endswith(".xml"):
            continue
        cells = 0
        columns, rows = set[int](), [1 << 30, 0]
        for cell in _CELL.finditer(content):
            cells += 1
            if place := _PLACE.search(cell[1]):
                columns.add(_column(place[1]))
                number = int(place[2])
                rows = [min(rows[0], number), max(rows[1], number)]
        if columns and (rows[1] - rows[0] + 1) * (max(columns) - min(columns) + 1) > _MOST_CELLS + 2 * cells:
            raise Unreadable(_TOO_SPARSE)
        if longest * cells > 8 * meter.bounds.octets:
            raise TooMuch("cells that repeat long texts")


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


class _Panics:
    """The library's language lets damaged files end in a panic, which is no `Exception` and has no name to import."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None and kind.__name__ == "PanicException":
            raise Unreadable(DAMAGED) from None


def _sheets(content: bytes, meter: Meter) -> Iterator[Text]:
    try:
        with _Panics(), CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
            for index in range(len(book.sheet_names)):
                yield from _rows(book.get_sheet_by_index(index), numbered("sheet", index + 1), meter)
    except PasswordError:
        raise Unreadable(PASSWORD) from None
    except (CalamineError, OSError, IndexError, OverflowError) as error:
        raise Unreadable(DAMAGED) from error


def _rows(sheet: CalamineSheet, where: str, meter: Meter) -> Iterator[Text]:
    first = sheet.start
    if first is None:
        return
    for number, values in enumerate(sheet.to_python(skip_empty_area=True), first[0] + 1):
        if any(value != "" for value in values):
            found = row(joined(where, f"row {number}"), [""] * first[1] + [_shown(value) for value in values])
            meter.text()
            meter.read(len(found.text))
            yield found


def _shown(value: object) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.datetime) and not (value.hour or value.minute or value.second):
        return value.date().isoformat()
    return str(value)


def _around(parts: dict[str, bytes], shown: set[str], meter: Meter) -> Iterator[Text]:
    """What the files of the cells hold beside them: formulas, headers, rules for input; strings that no cell shows."""
    for name, content in parts.items():
        if name.endswith(".bin"):
            yield from wordprocessing.strings(content, meter, wordprocessing.place(name))
        elif _SHEET.fullmatch(name):
            ends = list(_DATA.finditer(content))
            outside = content[: ends[0].start()] + content[ends[-1].end() :] if ends else content
            yield from markup.xml(outside, meter, f"{wordprocessing.place(name)} around the cells")
            formulas = [match[1] for match in _FORMULA.finditer(content)]
            if formulas:
                yield Text("formulas", unescape(b"\n".join(formulas).decode("utf-8", "replace")))
        elif name == "xl/workbook.xml":
            yield from markup.xml(content, meter, "names of sheets and ranges")
    strings = parts.get("xl/sharedStrings.xml")
    if strings is not None:
        for text in markup.office(strings, meter, "strings of no cell"):
            lines = [line for line in text.text.split("\n") if " ".join(line.split()) not in shown]
            if lines:
                yield Text(text.where, "\n".join(lines))


# --- ODS: read here, because a repeated cell may stand for a thousand million ---

_ODS = re.compile(r"<(/?)table:(table|table-row|table-cell|covered-table-cell)(?=[\s/>])([^<>]*)>")
_REPEATED = re.compile(r"table:number-(?:columns|rows)-repeated\s*=\s*[\"'](\d{1,9})")
_DATE = re.compile(r"office:date-value\s*=\s*[\"']([0-9T:.-]{1,40})[\"']")
_WIDEST = 16_384


def open_document(found: Zip, inside: Inside) -> Iterator[Text]:
    """ODS: cells, then everything else."""
    wordprocessing.sealed(found)
    content = found.find("content.xml")
    if content is not None:
        yield from _ods_rows(markup.decode(content), found.meter)
        body = markup.office(content, found.meter, "around the cells")
        yield from (text for text in body if not text.cells)
    yield from wordprocessing.rest(found, inside, ("content.xml",))


def _ods_rows(text: str, meter: Meter) -> Iterator[Text]:
    sheets, number, repeat = 0, 0, 1
    cells: list[str] = []
    opened = width = 0
    date = ""
    for match in _ODS.finditer(text):
        closing, what, attributes = bool(match[1]), match[2], match[3]
        if what == "table":
            if not closing:
                sheets, number = sheets + 1, 0
        elif what == "table-row":
            if not closing:
                number, repeat, cells = number + repeat, _times(attributes), []
            elif any(cells):
                meter.text()
                yield row(joined(numbered("sheet", sheets), f"row {number}"), cells)
            if closing or attributes.endswith("/"):
                number, repeat = number + repeat - 1, 1
        elif closing:
            value = date or markup.words(text[opened : match.start()])
            cells += [value] + [""] * (width - 1)  # a repeated value is said once
        else:
            room = _WIDEST - len(cells)
            width, found = max(1, min(_times(attributes), room)), _DATE.search(attributes)
            opened, date = match.end(), found[1].removesuffix("T00:00:00") if found else ""
            if attributes.endswith("/"):
                cells += [""] * width if room > 0 else []


def _times(attributes: str) -> int:
    found = _REPEATED.search(attributes)
    return max(1, int(found[1])) if found else 1


# --- OLE: old Excel is read; encrypted new files are told from other old ones ---

_OLD = (
    ("EncryptedPackage", PASSWORD),
    ("WordDocument", "an old Word format (.doc)"),
    ("PowerPoint Document", "an old PowerPoint format (.ppt)"),
    ("__substg1.0_", "an Outlook message (.msg)"),
)


def compound(content: bytes, meter: Meter) -> Iterator[Text]:
    """An OLE file: XLS is read, of others only addresses are looked for. Raises `Unreadable` for these."""
    for name, why in _OLD:
        if name.encode("utf-16-le") in content:
            if why != PASSWORD:
                yield from wordprocessing.strings(content, meter, "the file")
            raise Unreadable(why)
    yield from wordprocessing.strings(content, meter, "outside the cells")
    if not any(name.encode("utf-16-le") in content for name in ("Workbook", "Book")):
        raise Unreadable(UNKNOWN)
    meter.read(len(content))
    yield from _sheets(content, meter)
