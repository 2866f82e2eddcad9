"""Office files made of XML in a ZIP: DOCX, PPTX, ODT, ODP, and every part of XLSX and ODS that is no cell.

what:       `texts` (a whole file), `rest` (the parts that another reader leaves), `sealed`
takes→gives: an opened `Zip`, a reader for files embedded in it → `Text`s
knows not:  cells of spreadsheets
fails by:   `Unreadable` at the end, naming what could not be read; `TooMuch`
standard:   ECMA-376 (OPC, WordprocessingML, PresentationML, DrawingML), ODF 1.3; S-11
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from gateway.documents import magic, markup
from gateway.documents.archive import Zip
from gateway.documents.magic import Format
from gateway.documents.protocol import PASSWORD, Inside, Meter, Text, TooMuch, Unreadable, label

_RUNS = re.compile(
    r"(?:word|ppt|visio)/(?!_rels|theme|.*\.rels$)|xl/(?:comments|drawings/(?!_rels)|sharedStrings)"
    r"|(?:[^/]*/)*(?:content|styles)\.xml$"
)
_PROPERTIES = ("docProps/", "docMetadata/", "meta.xml")
_PLACES = {"document": "body", "content": "body", "presentation": "body", "meta": "properties"}
_NUMBERED = re.compile(r"(slide|notesSlide|header|footer|comments?)(\d+)$")
_SAID = {"slide": "slide", "notesSlide": "notes of slide", "header": "header", "footer": "footer"}
_XML_ENDINGS = (".xml", ".rels", ".vml", ".xhtml", ".rdf")


def texts(found: Zip, inside: Inside) -> Iterator[Text]:
    """All of the file: body, headers, footers, notes, comments, tracked changes, properties, links, embedded files."""
    sealed(found)
    yield from rest(found, inside, ())


def sealed(found: Zip) -> None:
    """Raises `Unreadable` for an OpenDocument file with a password."""
    manifest = found.find("META-INF/manifest.xml") or b""
    if b"encryption-data" in manifest:
        raise Unreadable(PASSWORD)


def rest(found: Zip, inside: Inside, without: Container[str]) -> Iterator[Text]:
    """Every part but those in `without`. What is no XML goes to its own reader, or is searched for addresses."""
    troubles: list[str] = []
    for name, content in found.members():
        if name in without or name == "mimetype":
            continue
        found.meter.member()
        try:
            yield from _part(name, content(), found.meter, inside)
        except TooMuch:
            raise
        except Unreadable as error:
            troubles.append(f"{label(name.rpartition('/')[2])}: {error.why}")
    if troubles:
        raise Unreadable("; ".join(troubles[:3]))


def _part(name: str, content: bytes, meter: Meter, inside: Inside) -> Iterator[Text]:
    if name.lower().endswith(_XML_ENDINGS) or name == "[Content_Types].xml":
        reader = markup.office if _RUNS.match(name) else markup.xml
        yield from reader(content, meter, place(name))
        return
    kind = magic.of(name, "", content)
    if kind in (Format.PICTURE, Format.EMPTY, Format.SIGNATURE):
        return
    embedded = "embed" in name.lower() or name.startswith("Object ")
    if kind is Format.UNKNOWN or (kind is Format.OLE and not embedded):
        yield from strings(content, meter, place(name))  # printer settings, macros, controls: nobody's list
        if embedded:
            raise Unreadable(magic.foreign(content))
        return
    own = name.rpartition("/")[2]
    yield from inside(f"file {label(own)}", own, content)


def place(name: str) -> str:
    """A part of the file in words: "body", "slide 3", "comments", "properties", "links"."""
    if name.endswith(".rels"):
        return "links"
    if name.startswith(_PROPERTIES):
        return "properties"
    stem = name.rpartition("/")[2].rpartition(".")[0]
    numbered = _NUMBERED.match(stem)
    if numbered:
        return f"{_SAID.get(numbered[1], 'comments')} {numbered[2]}"
    return _PLACES.get(stem, label(stem))


_SIGN = re.compile(rb"[!-~]\0?(@)(?=\0?[A-Za-z0-9])")
_BEFORE = re.compile(rb"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}\Z")
_AFTER = re.compile(rb"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")


def strings(content: bytes, meter: Meter, where: str) -> Iterator[Text]:
    """What looks like an address in a binary file, as ASCII or UTF-16: numbers in it would be chance."""
    meter.read(len(content))
    found = [
        text
        for at in (match.start(1) for match in _SIGN.finditer(content))
        for text in (
            _around(content[max(0, at - 64) : at], content[at + 1 : at + 256]),
            # Every second octet: right whether the file keeps its words at even or odd places.
            _around(content[max(at % 2, at - 128) : at : 2], content[at + 2 : at + 512 : 2]),
        )
        if text
    ]
    if found:
        meter.text()
        yield Text(where, "\n".join(dict.fromkeys(found)))


def _around(before: bytes, after: bytes) -> str:
    domain = _AFTER.match(after)
    local = _BEFORE.search(before) if domain else None
    return f"{local[0].decode()}@{domain[0].decode()}" if domain and local else ""
