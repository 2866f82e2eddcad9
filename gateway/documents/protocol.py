"""What the readers of attachments give, and how much they may read.

what:       `Text`, `Bounds` and the `Meter` that counts against them, `Unreadable`, how a place is named
takes→gives: nothing; every reader takes bytes and a `Meter` and gives an iterator of `Text`
knows not:  formats, what is personal
fails by:   `Unreadable`; `TooMuch` (one of them) ends the whole item, not only a member of it
standard:   R-050; S-11, S-53
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateway.config.inspector import Inspector

PASSWORD = "a password is needed"
ENCRYPTED = "encrypted, or signed as a whole"
DAMAGED = "damaged"
UNKNOWN = "an unknown format"


class Unreadable(ValueError):
    """Nobody here can look into this, or not into all of it; `why` is for people and holds nothing of the content."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class TooMuch(Unreadable):
    """A bound was reached."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much of one mail is read. Octets are those that come out of unpacking and decoding, counted as they come."""

    octets: int = 64 * 2**20
    ratio: int = 250
    """Most octets out of one octet in; counts from 4 MiB on, below which even blank sheets may pack better."""
    depth: int = 2
    """Archives within archives: 1 reads archives, 2 also those in them."""
    members: int = 2_000
    texts: int = 500_000
    """Rows, pages and pieces."""

    @classmethod
    def of(cls, settings: Inspector) -> Bounds:
        """As `inspector:` in the settings says."""
        return cls(settings.unpacked, settings.ratio, settings.depth, settings.files, settings.rows)


_RATIO_FROM = 4 * 2**20


@dataclass(slots=True)
class Meter:
    """Counts what was read of one mail; one for all its items."""

    bounds: Bounds
    octets: int = 0
    members: int = 0
    texts: int = 0

    def read(self, octets: int) -> None:
        """Raises `TooMuch`."""
        self.octets += octets
        if self.octets > self.bounds.octets:
            raise TooMuch(f"more than {self.bounds.octets // 2**20} MiB when unpacked")

    def unpacked(self, out: int, packed: int) -> None:
        """`out` octets so far came out of a member of `packed` octets. Raises `TooMuch`."""
        if out > _RATIO_FROM and out > self.bounds.ratio * max(packed, 1):
            raise TooMuch(f"unpacks to more than {self.bounds.ratio} times its size")

    def member(self) -> None:
        """Raises `TooMuch`."""
        self.members += 1
        if self.members > self.bounds.members:
            raise TooMuch(f"more than {self.bounds.members} files inside")

    def text(self) -> None:
        """Raises `TooMuch`."""
        self.texts += 1
        if self.texts > self.bounds.texts:
            raise TooMuch(f"more than {self.bounds.texts} rows or pages")


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text and where it stands, in words for people: "sheet 1, row 4", "page 2", "" (all of it).

    `cells`: a row of a table, from its first column on; `text` is then the same cells with tabs between them.
    `line`: the number of the first line where lines can be counted, else 0. `where` never holds a value.
    """

    where: str
    text: str = field(repr=False)
    cells: tuple[str, ...] = field(default=(), repr=False)
    line: int = 0

    def place(self, at: int) -> str:
        """Where the character at offset `at` of `text` stands: "sheet 1, row 4, column C", "line 12"."""
        if self.cells:
            return joined(self.where, f"column {column(self.text.count(TAB, 0, at))}")
        if self.line:
            return joined(self.where, f"line {self.line + self.text.count(chr(10), 0, at)}")
        return self.where or "the text"


TAB = "\t"
Inside = Callable[[str, str, bytes], Iterator[Text]]
"""Reads a file within a file: its place, name and content → its texts, their `where` beginning with that place."""


def row(where: str, cells: list[str]) -> Text:
    """A `Text` of one row; white space in a cell becomes a space, so that the tabs count columns. Blank ends go."""
    while cells and not cells[-1]:
        cells.pop()
    clean = tuple(" ".join(cell.split()) for cell in cells)
    return Text(where, TAB.join(clean), clean)


def column(index: int) -> str:
    """Column 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index > 0:
        index, digit = divmod(index - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def joined(*places: str) -> str:
    """Places from the outside in."""
    return ", ".join(place for place in places if place)


_ENDING = re.compile(r"\.([A-Za-z0-9]{1,5})\Z")


def numbered(noun: str, number: int, name: str = "") -> str:
    """A place by its number, from 1 on: "file 3 (pdf)", "sheet 2". Files and sheets are named after people too, and
    places stand in the audit (I-7)."""
    ending = _ENDING.search(name)
    return f"{noun} {number} ({ending[1].lower()})" if ending else f"{noun} {number}"


_LONGEST_NAME = 40
_ADDRESS_LIKE = re.compile(r"[^\s,;<>()]{0,64}(?:@|%40)[^\s,;<>()]{0,255}", re.IGNORECASE)
_NUMBER_LIKE = re.compile(r"\+?\d(?:[ .()/-]{0,2}\d){6,}")


def label(name: str) -> str:
    """A name that a program chose for a part of an office file, fit for a place: one line, short, without address or
    number in it."""
    plain = unicodedata.normalize("NFKC", name[:400])
    plain = "".join(c if c.isprintable() else " " for c in plain)
    plain = _NUMBER_LIKE.sub("…", _ADDRESS_LIKE.sub("…", plain))
    plain = " ".join(plain.split())
    return plain if len(plain) <= _LONGEST_NAME else plain[: _LONGEST_NAME - 1] + "…"
