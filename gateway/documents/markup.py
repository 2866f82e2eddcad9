"""Markup of all kinds as text: HTML, XML, and the XML of office files. By pattern, never by a parser that expands.

what:       `html`, `xml` (any), `office` (paragraphs joined over their runs, tables as rows)
takes→gives: octets or text → `Text`s
knows not:  containers; what an element means beyond "ends a line", "is a cell", "is a row"
fails by:   `TooMuch`
standard:   XML 1.0 (entities are shown as declared, never expanded); WHATWG HTML 13.2.5; ECMA-376 17.3, 21.1; ODF 1.3
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gateway.documents import plain
from gateway.documents.protocol import Meter, Text, joined, row
from gateway.message.encodings import codec
from gateway.message.html import INLINE, unescape

_ROW, _END_ROW, _END_CELL = "\x1d", "\x1e", "\x1f"
_OURS = {0x1D: " ", 0x1E: " ", 0x1F: " "}
_TAG = re.compile(r"<[/!?A-Za-z_][^<>]*>")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_DECLARED = re.compile(rb"^\s*<\?xml[^<>]{0,200}?encoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_META = re.compile(rb"<meta\b[^<>]{0,300}?charset\s*=\s*[\"']?\s*([A-Za-z0-9._-]{1,40})", re.IGNORECASE)

_XML_BREAK = re.compile(
    r"</(?:[\w.-]+:)?(?:p|h|txbxContent|text|comment|author|footnote|endnote|si|annotation|creator|date)\s*>"
    r"|<(?:[\w.-]+:)?(?:br|cr|line-break|tab|s|noBreakHyphen|list-item)\b[^<>]*>"
)
_XML_ROW = re.compile(r"<(?:[\w.-]+:)?(?:tr|table-row|Row)(?=[\s/>])[^<>]*>")
_XML_END_ROW = re.compile(r"</(?:[\w.-]+:)?(?:tr|table-row|Row)\s*>")
_XML_END_CELL = re.compile(r"</(?:[\w.-]+:)?(?:tc|table-cell|Cell)\s*>")
_DELETED = re.compile(r"<(/?)(?:[\w.-]+:)?(del|ins|moveFrom|moveTo)(?=[\s/>])[^<>]*>")
_HTML_GLUE = re.compile(rf"</?(?:{'|'.join(sorted(INLINE))})(?=[\s/>])[^<>]*>|<!--", re.IGNORECASE)
_HTML_ROW = re.compile(r"<tr(?=[\s/>])[^<>]*>", re.IGNORECASE)
_HTML_END_ROW = re.compile(r"</(?:tr|table)\s*>", re.IGNORECASE)
_HTML_CELL = re.compile(r"<t[dh](?=[\s/>])[^<>]*>", re.IGNORECASE)
_HTML_BREAK = re.compile(
    r"<(?:/?(?:p|div|h[1-6]|li|ul|ol|dl|dt|dd|table|section|article|header|footer|blockquote|pre|form)|br|hr)"
    r"(?=[\s/>])[^<>]*>",
    re.IGNORECASE,
)

_VALUE = re.compile(r"=\s*(?:\"([^\"<]*)\"|'([^'<]*)')")
_NAMED = re.compile(r"[\w:.-]+\Z")
_LONGEST_NAME, _LOOK_BACK = 80, 400
_SIGNS = re.compile(r"@|%40|&#|(?:mailto|tel|callto|sms|sip)(?::|%3a)", re.IGNORECASE)
_PERSONAL = frozenset(
    name
    for names in (
        "author initials userid displayname descr title alt alias tooltip caption label comment contact providerid",
        "summary placeholder prompt error string-value date-value v",
    )
    for name in names.split()
)


def decode(content: bytes) -> str:
    """As text, by mark, then by what the document declares, then by content."""
    head = content[:2048]
    found = _DECLARED.match(head) or _META.search(head)
    name = codec(found[1].decode("ascii")) if found else ""
    if not name or name.startswith(("utf", "ascii")) or b"\0" in head:
        return plain.decode(content)
    return content.decode(name, "replace").replace("\r\n", "\n").replace("\r", "\n")


def html(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """What is shown and what is not: comments, scripts, link targets. Table rows with cells."""
    meter.read(len(content))
    text = decode(content).translate(_OURS)
    attributes = _attributes(text)
    text = _HTML_GLUE.sub("", text)
    text = _HTML_ROW.sub(_ROW, text)
    text = _HTML_END_ROW.sub(_END_ROW, text)
    text = _HTML_CELL.sub(_END_CELL, text)
    text = _TAG.sub(" ", _HTML_BREAK.sub("\n", text))
    yield from _tables(unescape(text), meter, where, first_cell=1)
    yield from _told(attributes, meter, where)


def xml(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """Any XML: what stands between tags, each on a line of its own, and the attributes that name people."""
    meter.read(len(content))
    text = decode(content).translate(_OURS)
    attributes = _attributes(text)
    yield from _tables(unescape(_TAG.sub(_kept, _cells(text, "\n"))), meter, where)
    yield from _told(attributes, meter, where)


def office(content: bytes, meter: Meter, where: str = "") -> Iterator[Text]:
    """A part of an office file, its words joined over runs: as it reads now, and as before tracked changes."""
    meter.read(len(content))
    text = decode(content).translate(_OURS)
    attributes = _attributes(text)
    now, before = _versions(text)
    yield from _tables(_flat(now), meter, where)
    if before is not None:
        yield from plain.pieces(_flat(before), meter, joined(where, "before tracked changes"), lines=False)
    yield from _told(attributes, meter, where)


def _flat(text: str) -> str:
    return unescape(_TAG.sub(_kept_glued, _cells(text, "")))


def _cells(text: str, otherwise: str) -> str:
    text = _CDATA.sub(otherwise, text)
    text = _XML_ROW.sub(_ROW, text)
    text = _XML_END_ROW.sub(_END_ROW, text)
    text = _XML_END_CELL.sub(_END_CELL, text)
    return _XML_BREAK.sub("\n", text)


def _kept(match: re.Match[str]) -> str:
    return _said(match[0]) or "\n"


def _kept_glued(match: re.Match[str]) -> str:
    return _said(match[0])


def _said(tag: str) -> str:
    # Declarations and comments are no tags: what they say can be read by anybody.
    return f"\n{tag[2:-1]}\n" if tag[1] in "!?" and not tag.startswith("<?xml") else ""


def _versions(text: str) -> tuple[str, str | None]:
    """With the changes taken, and without (None where there are none). One pass; elements left open end at the end."""
    now: list[str] = []
    before: list[str] = []
    depth = {"gone": 0, "new": 0}
    position = 0
    changed = False
    for match in _DELETED.finditer(text):
        _share(text[position : match.start()], depth, now, before)
        position = match.end()
        if match[0].endswith("/>"):
            continue
        changed = True
        kind = "gone" if match[2] in ("del", "moveFrom") else "new"
        depth[kind] = max(0, depth[kind] + (-1 if match[1] else 1))
    _share(text[position:], depth, now, before)
    return "".join(now), "".join(before) if changed else None


def _share(piece: str, depth: dict[str, int], now: list[str], before: list[str]) -> None:
    if not depth["gone"]:
        now.append(piece)
    if not depth["new"]:
        before.append(piece)


def _tables(text: str, meter: Meter, where: str, *, first_cell: int = 0) -> Iterator[Text]:
    """Cut at the marks of rows: rows as cells, the rest as text. `first_cell` 1: a mark begins a cell, 0: ends it."""
    loose: list[str] = []
    number = 0
    for piece in re.split(f"([{_ROW}{_END_ROW}])", text) if _ROW in text else [text]:
        if piece in (_ROW, _END_ROW):
            continue
        cells = piece.split(_END_CELL)
        if len(cells) == 1:
            loose.append(piece)
            continue
        number += 1
        if first_cell:
            loose.append(cells[0])
            cells = cells[1:]
        else:
            loose.append(cells.pop())
        meter.text()
        yield row(joined(where, f"table row {number}"), cells)
    yield from plain.pieces(_thin("\n".join(loose)), meter, where, lines=False)


def _thin(text: str) -> str:
    return "\n".join(line for line in map(str.strip, text.split("\n")) if line)


def _attributes(text: str) -> list[str]:
    """Values of attributes that name people or can be written to, once each."""
    found: dict[str, None] = {}
    for match in _VALUE.finditer(text):
        value = match[1] or match[2] or ""
        before = text[max(0, match.start() - _LOOK_BACK) : match.start()].rstrip()
        name = _NAMED.search(before, max(0, len(before) - _LONGEST_NAME))
        if value and name and (_SIGNS.search(value) or name[0].rpartition(":")[2].lower() in _PERSONAL):
            found[value] = None
    return list(found)


def _told(attributes: list[str], meter: Meter, where: str) -> Iterator[Text]:
    if attributes:
        text = unescape("\n".join(attributes)).replace("%40", "@")
        yield from plain.pieces(text, meter, joined(where, "behind the text"), lines=False)


def words(text: str) -> str:
    """The text of a piece of office XML, on one line."""
    return " ".join(_flat(text).split())
