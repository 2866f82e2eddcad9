"""The first elements of a BER or DER structure, from as much of it as is there.

what:       identifier and span of elements, of definite and indefinite length, inside a span
takes→gives: octets (a prefix is enough) → `Element`s
knows not:  what they mean; CMS is `cms.py`
fails by:   `Unreadable`
standard:   X.690 8.1 (8.1.3.6: indefinite length). Whole structures would be copied once per level by a library; here
            only spans are made, and an attachment of 20 MB is never walked to its end
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 32
_MOST_STEPS = 100_000
_END = b"\0\0"


class Unreadable(ValueError):
    """Not BER, or nested or counted beyond any real message."""


@dataclass(frozen=True, slots=True)
class Element:
    """`tag` is the identifier octet (class, constructed bit, number), the content stands at `start:end`.

    `whole` is False where the octets end before the element does.
    """

    tag: int
    start: int
    end: int
    whole: bool = True


class Reader:
    """Reads one byte string; the steps of all reading are counted, so that hostile nesting costs no more than size."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._steps = _MOST_STEPS

    def root(self) -> Element:
        """The one element that the octets are."""
        found = next(self.children(Element(0x30, 0, len(self.data))), None)
        if found is None:
            raise Unreadable("nothing there")
        return found

    def children(self, parent: Element) -> Iterator[Element]:
        """Elements directly inside, in order. The last may not be whole."""
        position = parent.start
        while position < parent.end:
            if self.data.startswith(_END, position):
                return
            element, position = self._element(position, parent.end, 0)
            yield element

    def _element(self, at: int, limit: int, depth: int) -> tuple[Element, int]:
        """The element at `at`, and where the next one begins."""
        self._steps -= 1
        if self._steps < 0 or depth > DEEPEST:
            raise Unreadable("too much to walk")
        if at + 2 > limit:
            return Element(self.data[at], at, limit, False), limit
        tag, first = self.data[at], self.data[at + 1]
        if tag & 0x1F == 0x1F:
            raise Unreadable("a tag of more than one octet")
        if first == 0x80:
            return self._indefinite(tag, at + 2, limit, depth)
        start, size = at + 2, first
        if first > 0x80:
            start += first - 0x80
            size = int.from_bytes(self.data[at + 2 : start])
        end = start + size
        return Element(tag, min(start, limit), min(end, limit), end <= limit), end

    def _indefinite(self, tag: int, start: int, limit: int, depth: int) -> tuple[Element, int]:
        if not tag & 0x20:
            raise Unreadable("indefinite length of a primitive element")
        position = start
        while position < limit and not self.data.startswith(_END, position):
            _, position = self._element(position, limit, depth + 1)
        whole = position + 2 <= limit
        return Element(tag, start, min(position, limit), whole), position + 2


def octets(reader: Reader, element: Element, depth: int = 0) -> bytes:
    """Content of an OCTET STRING, its pieces joined (X.690 8.7.3)."""
    if not element.tag & 0x20:
        return reader.data[element.start : element.end]
    if depth > DEEPEST:
        raise Unreadable("too much to walk")
    return b"".join([octets(reader, piece, depth + 1) for piece in reader.children(element)])
