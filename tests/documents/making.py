"""Files as real programs write them, made by hand: no writer of these formats is a dependency.

Used by every test that needs an attachment. All give octets.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

Cell = str | float
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def zipped(members: Mapping[str, bytes | str], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return target.getvalue()


def unzipped(content: bytes) -> dict[str, bytes]:
    """The members of a ZIP file, to change some and zip them again."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return {name: file.read(name) for name in file.namelist()}


def rels(links: Mapping[str, tuple[str, str]]) -> str:
    """Relations: id → (kind, target). A target with a colon is outside the file."""
    rows = "".join(
        f'<Relationship Id="{name}" Type="{_OFFICE}/{kind}" Target={quoteattr(target)}'
        f"{' TargetMode=' + quoteattr('External') if ':' in target else ''}/>"
        for name, (kind, target) in links.items()
    )
    return f'{_HEAD}<Relationships xmlns="{_RELS}">{rows}</Relationships>'


_CONTENT = (
    f'{_HEAD}<Types xmlns="{_TYPES}"><Default Extension="rels" '
    'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)


def xlsx(
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    hidden: Sequence[str] = (),
    dates: bool = False,
    extra: Mapping[str, bytes | str] | None = None,
    names: str = "",
    around: str = "",
) -> bytes:
    """Sheets by name. `dates`: numbers are days, shown as dates. `around`: XML after the cells of every sheet."""
    strings: dict[str, int] = {}
    members: dict[str, bytes | str] = {"[Content_Types].xml": _CONTENT}
    tags, links = "", dict[str, tuple[str, str]]()
    for number, (name, rows) in enumerate(sheets.items(), 1):
        state = ' state="hidden"' if name in hidden else ""
        tags += f'<sheet name={quoteattr(name)} sheetId="{number}"{state} r:id="rId{number}"/>'
        links[f"rId{number}"] = ("worksheet", f"worksheets/sheet{number}.xml")
        members[f"xl/worksheets/sheet{number}.xml"] = _sheet(rows, strings, dates, around)
    links["rId900"] = ("sharedStrings", "sharedStrings.xml")
    links["rId901"] = ("styles", "styles.xml")
    items = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    members |= {
        "_rels/.rels": rels({"rId1": ("officeDocument", "xl/workbook.xml")}),
        "xl/workbook.xml": f'{_HEAD}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{tags}</sheets>{names}'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": rels(links),
        "xl/sharedStrings.xml": f'{_HEAD}<sst xmlns="{_MAIN}">{items}</sst>',
        "xl/styles.xml": f'{_HEAD}<styleSheet xmlns="{_MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    return zipped(members | dict(extra or {}))


def _sheet(rows: Sequence[Sequence[Cell]], strings: dict[str, int], dates: bool, around: str) -> str:
    style = ' s="1"' if dates else ""
    lines = ""
    for number, row in enumerate(rows, 1):
        cells = ""
        for index, value in enumerate(row):
            place = f"{chr(65 + index)}{number}"
            if isinstance(value, str) and value:
                cells += f'<c r="{place}" t="s"><v>{strings.setdefault(value, len(strings))}</v></c>'
            elif not isinstance(value, str):
                cells += f'<c r="{place}"{style}><v>{value}</v></c>'
        lines += f'<row r="{number}">{cells}</row>'
    return f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>{lines}</sheetData>{around}</worksheet>'


def docx(paragraphs: Sequence[str] = (), *, body: str = "", extra: Mapping[str, bytes | str] | None = None) -> bytes:
    """Each paragraph in two runs, as editors leave them. `body`: more XML after them."""
    text = "".join(f"<w:p>{_run(p[: len(p) // 2])}{_run(p[len(p) // 2 :])}</w:p>" for p in paragraphs)
    document = f'{_HEAD}<w:document xmlns:w="{_WORD}"><w:body>{text}{body}</w:body></w:document>'
    return zipped(
        {
            "[Content_Types].xml": _CONTENT,
            "_rels/.rels": rels({"rId1": ("officeDocument", "word/document.xml")}),
            "word/document.xml": document,
            **(extra or {}),
        }
    )


def _run(text: str) -> str:
    return f'<w:r w:rsidR="00A77B3E"><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def word_part(element: str, text: str) -> str:
    """A header, footer, comments … part: `element` is its root."""
    return f'{_HEAD}<w:{element} xmlns:w="{_WORD}"><w:p>{_run(text)}</w:p></w:{element}>'


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table for `docx(body=…)`."""
    made = "".join(
        "".join(f"<w:tc><w:p>{_run(c)}</w:p></w:tc>" for c in row).join(["<w:tr>", "</w:tr>"]) for row in rows
    )
    return f"<w:tbl>{made}</w:tbl>"


def odt(paragraphs: Sequence[str]) -> bytes:
    """An OpenDocument text."""
    body = "".join(f"<text:p>{escape(p)}</text:p>" for p in paragraphs)
    return _odf("text", f"<office:text>{body}</office:text>")


def ods(sheets: Mapping[str, Sequence[str]]) -> bytes:
    """Sheets by name; each row is the XML of its cells."""
    body = "".join(
        f"<table:table table:name={quoteattr(name)}>"
        + "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
        + "</table:table>"
        for name, rows in sheets.items()
    )
    return _odf("spreadsheet", f"<office:spreadsheet>{body}</office:spreadsheet>")


def ods_cell(text: str, attributes: str = "") -> str:
    """One cell."""
    return f"<table:table-cell {attributes}><text:p>{escape(text)}</text:p></table:table-cell>"


def _odf(kind: str, body: str) -> bytes:
    content = (
        f'{_HEAD}<office:document-content xmlns:office="o"><office:body>{body}</office:body></office:document-content>'
    )
    meta = f"{_HEAD}<office:document-meta><meta:initial-creator>Els Maker</meta:initial-creator></office:document-meta>"
    return zipped(
        {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, "meta.xml": meta},
        method=zipfile.ZIP_STORED,
    )


def pdf(
    pages: Sequence[str],
    *,
    notes: Sequence[str] = (),
    author: str = "",
    count: int = 0,
    packed: bool = True,
    more: Sequence[str] = (),
    objects: Mapping[int, bytes] | None = None,
    trailer: str = "",
) -> bytes:
    """One line of text per line of a page. `notes`: annotations (PDF dictionaries) of the first page.

    Objects: 1 catalog (with `more`), 2 pages, 3 font, 4 text and 5 page of the first page, then the others.
    `objects` puts others in their place, or after them.
    """
    made: list[bytes] = []

    def add(body: str | bytes) -> int:
        made.append(body.encode("latin-1") if isinstance(body, str) else body)
        return len(made)

    catalog, tree, font = add(""), add(""), add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for number, text in enumerate(pages):
        stream = add(_stream(text, packed))
        extra = ""
        if notes and not number:
            extra = "/Annots [" + " ".join(f"{add(note)} 0 R" for note in notes) + "]"
        kids.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 612 792] /Contents {stream} 0 R"
                f" /Resources << /Font << /F1 {font} 0 R >> >> {extra} >>"
            )
        )
    made[catalog - 1] = f"<< /Type /Catalog /Pages {tree} 0 R {' '.join(more)} >>".encode("latin-1")
    listed = " ".join(f"{kid} 0 R" for kid in kids)
    made[tree - 1] = f"<< /Type /Pages /Kids [{listed}] /Count {count or len(kids)} >>".encode("latin-1")
    info = add(f"<< /Author ({author}) >>")
    for number, replaced in (objects or {}).items():
        made += [b"null"] * (number - len(made))
        made[number - 1] = replaced
    return _file(made, f"/Root {catalog} 0 R /Info {info} 0 R {trailer}")


def stream(content: str) -> bytes:
    """A PDF stream object, for `pdf(objects=…)`."""
    return f"<< /Length {len(content.encode())} >>\nstream\n{content}\nendstream".encode()


def _stream(text: str, packed: bool) -> bytes:
    lines = "".join(f"({line.translate({40: '[', 41: ']', 92: '/'})}) Tj T*\n" for line in text.split("\n"))
    content = f"BT /F1 12 Tf 14 TL 72 720 Td\n{lines}ET".encode("cp1252")
    if packed:
        content = zlib.compress(content)
    kind = "/Filter /FlateDecode " if packed else ""
    return f"<< {kind}/Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"


def _file(objects: Sequence[bytes], trailer: str) -> bytes:
    out = bytearray(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)


def ole(streams: Mapping[str, bytes]) -> bytes:
    """An OLE compound file (MS-CFB, version 3) with these streams, each padded to the size of a large one."""
    sector, end, free = 512, 0xFFFFFFFE, 0xFFFFFFFF
    fat: list[int] = []
    body = bytearray()
    entries = [_entry("Root Entry", 5, end, 0, child=1)]
    for index, (name, content) in enumerate(streams.items(), 1):
        padded = content.ljust(max(4096, -(-len(content) // sector) * sector), b"\0")
        start, count = len(fat), len(padded) // sector
        fat += [*range(start + 1, start + count), end]
        body += padded
        entries.append(_entry(name, 2, start, len(padded), right=index + 1 if index < len(streams) else free))
    while len(entries) % 4:
        entries.append(bytes(128))
    directory = len(fat)
    fat += [*range(directory + 1, directory + len(entries) // 4), end]
    body += b"".join(entries)
    tables = 1
    while len(fat) + tables > tables * 128:
        tables += 1
    places = list(range(len(fat), len(fat) + tables))
    fat += [0xFFFFFFFD] * tables
    fat += [free] * (tables * 128 - len(fat))
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<IIIIIIIII", 0, tables, directory, 0, 4096, end, 0, end, 0)
    head += struct.pack("<109I", *places, *([free] * (109 - tables)))
    return head + bytes(body) + struct.pack(f"<{len(fat)}I", *fat)


def _entry(name: str, kind: int, start: int, size: int, *, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF) -> bytes:
    wide = name.encode("utf-16-le")
    return (
        wide.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(wide) + 2, kind, 1, 0xFFFFFFFF, right, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
    )


def xls(rows: Sequence[Sequence[str]], sheet: str = "Sheet1") -> bytes:
    """An old Excel file (BIFF8) with texts."""

    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    cells = b"".join(
        record(0x0204, struct.pack("<HHHHB", r, c, 0, len(text), 1) + text.encode("utf-16-le"))
        for r, row in enumerate(rows)
        for c, text in enumerate(row)
    )
    bof, eof = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0x0600)), record(0x000A, b"")
    name = sheet.encode("latin-1")
    size = len(bof) + 4 + 8 + len(name) + len(eof)
    listed = record(0x0085, struct.pack("<IBBBB", size, 0, 0, len(name), 0) + name)
    part = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0x0600)) + cells + eof
    return ole({"Workbook": bof + listed + eof + part})
