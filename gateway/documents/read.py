"""A file as texts: finds the format, gives it to its reader.

what:       `texts`, `readable`
takes→gives: `Item` → iterator of `Text`
knows not:  what is personal, why anyone asks
fails by:   `Unreadable`, after the texts that could be read: a file half read is both
standard:   S-11, S-53; R-050
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gateway.documents import archive, delimited, magic, markup, plain, wordprocessing
from gateway.documents.magic import Format
from gateway.documents.protocol import ENCRYPTED, Bounds, Meter, Text, TooMuch, Unreadable, joined
from gateway.inspection import Item

_NOTHING = frozenset({Format.EMPTY, Format.PICTURE, Format.SIGNATURE})
_SIMPLE: dict[Format, Callable[[bytes, Meter, str], Iterator[Text]]] = {
    Format.RTF: plain.rich,
    Format.HTML: markup.html,
    Format.XML: markup.xml,
    Format.JSON: plain.json_texts,
    Format.CARD: plain.cards,
    Format.DELIMITED: delimited.texts,
    Format.PLAIN: plain.texts,
}
_WORKBOOK = re.compile(r"xl/workbook\d*\.(?:xml|bin)", re.IGNORECASE)
_ODF = b"application/vnd.oasis.opendocument."


def readable(item: Item) -> bool:
    """Whether there is anything to look into: not in pictures, sound, film, fonts, signatures, and nothing at all."""
    return magic.of(item.name, item.media_type, item.content) not in _NOTHING


def texts(item: Item, bounds: Bounds, meter: Meter | None = None) -> Iterator[Text]:
    """All text of `item`. One `meter` for all items of a mail bounds the mail; without, `bounds` are the item's own.

    Raises `Unreadable`, also after some texts: the rest of the item could then not be looked into.
    """
    yield from _File(item.name, item.media_type, item.content, meter or Meter(bounds), 0).texts()


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    media_type: str
    content: bytes
    meter: Meter
    depth: int

    def texts(self) -> Iterator[Text]:
        found = magic.of(self.name, self.media_type, self.content)
        if found in _NOTHING:
            return
        if found is Format.ENCRYPTED:
            raise Unreadable(ENCRYPTED)
        if found is Format.UNKNOWN:
            raise Unreadable(magic.foreign(self.content))
        simple = _SIMPLE.get(found)
        try:
            yield from simple(self.content, self.meter, "") if simple else self._deep(found)
        except MemoryError:
            raise TooMuch("needs more memory than it may have") from None

    def _deep(self, found: Format) -> Iterator[Text]:
        # Two readers are native code: a worker that only asks `readable` never loads them.
        from gateway.documents import pdf, spreadsheet

        if found is Format.PDF:
            return pdf.texts(self.content, self.meter, self._inside)
        if found is Format.OLE:
            return spreadsheet.compound(self.content, self.meter)
        if found is Format.ZIP:
            return self._zip()
        self._not_too_deep()
        if found is Format.TAR:
            return archive.tarred(self.content, self.meter, self._inside)
        if found is Format.MAIL:
            return archive.mail(self.content, self.meter, self._inside)
        return archive.squeezed(self.content, self.name, self.meter, self._within_squeezed)

    def _zip(self) -> Iterator[Text]:
        from gateway.documents import spreadsheet

        file = archive.Zip(self.content, self.meter)
        names = {entry.filename for entry in file.entries}
        if len(names) < len(file.entries):
            return self._members(file)  # programs differ in which of two files of one name they take: all are read
        if any(map(_WORKBOOK.fullmatch, names)):
            return spreadsheet.workbook(file, self._inside)
        declared = file.find("mimetype") or b""
        if declared.startswith(_ODF + b"spreadsheet"):
            return spreadsheet.open_document(file, self._inside)
        if declared.startswith(_ODF) or "[Content_Types].xml" in names:
            return wordprocessing.texts(file, self._inside)
        return self._members(file)

    def _members(self, file: archive.Zip) -> Iterator[Text]:
        self._not_too_deep()
        return archive.zipped(file, self._inside)

    def _not_too_deep(self) -> None:
        if self.depth >= self.meter.bounds.depth:
            raise Unreadable("archives within archives")

    def _inside(self, where: str, name: str, content: bytes) -> Iterator[Text]:
        """A file in this one. One level below the deepest archive there may still be a document, not one in that."""
        if self.depth > self.meter.bounds.depth:
            raise Unreadable("files within files within files")
        yield from _placed(_File(name, "", content, self.meter, self.depth + 1), where)

    def _within_squeezed(self, where: str, name: str, content: bytes) -> Iterator[Text]:
        # A .tar.gz is one archive to people, and a .csv.gz a table.
        deeper = 0 if magic.of(name, "", content) is Format.TAR else 1
        yield from _placed(_File(name, "", content, self.meter, self.depth + deeper), where)


def _placed(file: _File, where: str) -> Iterator[Text]:
    for text in file.texts():
        yield replace(text, where=joined(where, text.where))
