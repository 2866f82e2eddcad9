"""A file as texts: finds the format, gives it to its reader.

what:       `texts`, `readable`
takes→gives: `Item` → iterator of `Text`
knows not:  what is personal, why anyone asks
fails by:   `Unreadable`, after the texts that could be read: a file half read is both
standard:   S-11, S-53; R-050
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gateway.documents import delimited, magic, markup, plain
from gateway.documents.magic import Format
from gateway.documents.protocol import PASSWORD, UNKNOWN, Bounds, Meter, Text, Unreadable
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
            raise Unreadable(PASSWORD)
        reader = _SIMPLE.get(found)
        if reader is None:
            raise Unreadable(UNKNOWN)
        yield from reader(self.content, self.meter, "")
