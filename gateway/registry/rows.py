"""Rows of a CSV file as other programs write them, with line numbers and in bounded memory.

what:       encodings, line ends, delimiters, quotes; a broken row costs that row and never the ones behind it
takes→gives: binary stream → header and `Row` values, one at a time
knows not:  what the columns mean
fails by:   `ImportRefused` for a file without a usable header; a wrong row is a `Row` that says what is wrong with it
standard:   RFC 4180
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, NamedTuple

Encoding = Literal["utf-8", "latin-1", "windows-1252", "utf-16"]
Delimiter = Literal[",", ";", "\t", "|"]

# By which Python reads them, and what becomes of octets that are not in the encoding.
_CODECS: dict[str, tuple[str, str]] = {
    "utf-8": ("utf-8-sig", "surrogateescape"),
    "latin-1": ("latin-1", "strict"),
    "windows-1252": ("cp1252", "surrogateescape"),
    "utf-16": ("utf-16", "replace"),
}
_DELIMITERS: tuple[Delimiter, ...] = (",", ";", "\t", "|")
_BLOCK = 256 * 1024
LINE_LIMIT = 64 * 1024  # characters of one line
_CUT = "?"  # stands for a line that was let go
_RECORD_LINES = 200  # lines that one quoted row may take
_SWALLOWED = "a quoted cell holds whole rows, expected quotes in pairs"
_RECORD_SIZE = 2 * LINE_LIMIT
_FOREIGN = re.compile("[\ud800-\udfff]")
_REPLACED = re.compile("\ufffd")
_SEPARATOR = re.compile(r'"?sep=(.)"?\s*')  # a first line that spreadsheets write for themselves


class ImportRefused(ValueError):
    """The file cannot be read at all; the text begins with the line."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is written. An empty value is found out: UTF-8 unless there is a UTF-16 mark; the delimiter of the
    header."""

    encoding: Encoding | Literal[""] = ""
    delimiter: Delimiter | Literal[""] = ""


class Row(NamedTuple):
    """One row that is not empty. `what` is empty when `cells` are as many as the header's, else `column` says where."""

    number: int
    cells: list[str]
    column: str = ""
    what: str = ""


class Table:
    """A file whose header is read. Iterate once."""

    def __init__(self, lines: _Lines, header: list[str], delimiter: str, foreign: re.Pattern[str]) -> None:
        self.header = header
        self._lines = lines
        self._delimiter = delimiter
        self._foreign = foreign

    @property
    def octets(self) -> int:
        """How much of the file was read."""
        return self._lines.octets

    def __iter__(self) -> Iterator[Row]:
        lines, width = self._lines, len(self.header)
        records = csv.reader(lines, delimiter=self._delimiter, strict=True)
        while True:
            number = lines.begin()
            try:
                cells = next(records)
            except StopIteration:
                return
            except (csv.Error, _Endless) as error:
                lines.rewind()
                yield Row(number, [], "", lines.too_long(number) or f"not readable as CSV: {error}")
                continue
            wrong = lines.too_long(number)
            text = "".join(cells)
            if not wrong and (not text or text.isspace()):
                continue
            if not wrong and (len(cells) != width or self._swallows(cells)):
                wrong = f"{len(cells)} columns, expected {width}" if len(cells) != width else _SWALLOWED
                lines.rewind()  # a quote that was not closed may have taken good rows with it
            if wrong:
                yield Row(number, cells, "", wrong)
                continue
            yield Row(number, cells) if _plain(text) else self._read(number, cells)

    def _swallows(self, cells: list[str]) -> bool:
        """Whether a cell holds lines that look like rows: between two stray quotes, rows would be lost unseen."""
        if len(cells) == 1 or not any("\n" in cell for cell in cells):
            return False
        inner = (line for cell in cells for line in cell.split("\n")[1:-1])
        return any(line.count(self._delimiter) == len(cells) - 1 for line in inner)

    def _read(self, number: int, cells: list[str]) -> Row:
        for name, cell in zip(self.header, cells, strict=True):
            if "\0" in cell:
                return Row(number, cells, name, "holds a NUL, expected text")
            if self._foreign.search(cell):
                return Row(number, cells, name, "not in the file's encoding, expected UTF-8 or the encoding named")
        return Row(number, cells)


def open_table(stream: BinaryIO, dialect: Dialect, wanted: Collection[str]) -> Table:
    """Read the header. `wanted`: names in lower case by which the delimiter is known. Raises `ImportRefused`."""
    first = stream.read(_BLOCK)
    encoding = _encoding(first, dialect)
    codec, errors = _CODECS[encoding]
    lines = _Lines(stream, first, codec, errors)
    _skip_empty(lines)
    separator = _separator(lines)
    _skip_empty(lines)
    delimiter = dialect.delimiter or separator or _delimiter(lines, wanted)
    number = lines.begin()
    try:
        header = next(csv.reader(lines, delimiter=delimiter, strict=True))
    except (csv.Error, _Endless, StopIteration) as error:
        raise ImportRefused(f"line {number}: the header cannot be read as CSV: {error}") from None
    if lines.too_long(number):
        raise ImportRefused(f"line {number}: longer than {LINE_LIMIT} characters, expected a header")
    foreign = _REPLACED if encoding == "utf-16" else _FOREIGN
    return Table(lines, [name.strip() for name in header], delimiter, foreign)


def _encoding(first: bytes, dialect: Dialect) -> Encoding:
    marked = first[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    if marked and dialect.encoding not in ("", "utf-16"):
        raise ImportRefused(f"line 1: the file is UTF-16, expected {dialect.encoding} as named")
    return dialect.encoding or ("utf-16" if marked else "utf-8")


def _skip_empty(lines: _Lines) -> None:
    while not (line := lines.peek()) or line.isspace():
        if line is None:
            raise ImportRefused("line 1: the file is empty, expected a header")
        next(lines)


def _separator(lines: _Lines) -> str:
    line = lines.peek()
    found = _SEPARATOR.fullmatch(line) if line is not None else None
    if found is None or found[1] not in _DELIMITERS:
        return ""
    next(lines)
    return found[1]


def _delimiter(lines: _Lines, wanted: Collection[str]) -> str:
    line = lines.peek() or ""

    def score(delimiter: str) -> tuple[int, int]:
        names = [name.strip().strip('"').strip().lower() for name in line.split(delimiter)]
        return sum(name in wanted for name in names), len(names)

    return max(_DELIMITERS, key=score)


def _plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


class _Endless(Exception):
    """One row takes more lines or characters than any real one."""


class _Lines:
    """Lines of a stream, each with its end as a line feed; those of the row at hand can be read again."""

    def __init__(self, stream: BinaryIO, first: bytes, codec: str, errors: str) -> None:
        self.octets = 0
        self._stream = stream
        self._block = first
        # CR, CR LF and LF all end a line, also inside quotes.
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(codec)(errors), translate=True)
        self._held: list[str] = []
        self._next = 0
        self._before = 0  # lines that are no longer held
        self._rest = ""
        self._cut = False  # the line being read is already too long
        self._long: set[int] = set()
        self._ended = False
        self._begin = 0
        self._size = 0

    def begin(self) -> int:
        """The row at hand begins here; gives its line number, from 1."""
        self._begin, self._size = self._next, 0
        return self._before + self._next + 1

    def rewind(self) -> None:
        """Go on at the second line of the row at hand."""
        self._next = min(self._next, self._begin + 1)

    def too_long(self, number: int) -> str:
        """What is wrong when a line from `number` up to here was over the limit."""
        if not self._long:
            return ""
        here = self._before + max(self._next, self._begin + 1)
        found = {line for line in self._long if number <= line <= here}
        self._long -= found
        return f"a line of more than {LINE_LIMIT} characters, expected a shorter one" if found else ""

    def peek(self) -> str | None:
        """The next line, or None at the end."""
        while self._next == len(self._held):
            if not self._fill():
                return None
        return self._held[self._next]

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._next == len(self._held) and self.peek() is None:
            raise StopIteration
        line = self._held[self._next]
        self._next += 1
        self._size += len(line)
        if self._next - self._begin > _RECORD_LINES or self._size > _RECORD_SIZE:
            raise _Endless("a quote that is never closed")
        return line

    def _fill(self) -> bool:
        """Hold the lines of one more block, and let go of those before the row at hand. False at the end."""
        if self._ended:
            return False
        block = self._block or self._stream.read(_BLOCK)
        self._block = b""
        self.octets += len(block)
        self._ended = not block
        *whole, self._rest = (self._rest + self._decode(block)).split("\n")
        if self._ended and (self._rest or self._cut):
            whole, self._rest = [*whole, self._rest], ""
        self._forget()
        self._take(whole)
        return True

    def _decode(self, block: bytes) -> str:
        try:
            return self._decoder.decode(block, final=not block)
        except UnicodeError:
            raise ImportRefused("line 1: no UTF-16, expected a byte order mark first") from None

    def _forget(self) -> None:
        del self._held[: self._begin]
        self._before += self._begin
        self._next -= self._begin
        self._begin = 0

    def _take(self, whole: list[str]) -> None:
        if self._cut and whole:  # the end of a line whose beginning was let go
            whole[0], self._cut = _CUT, False
            self._long.add(self._before + len(self._held) + 1)
        if whole and max(map(len, whole)) > LINE_LIMIT:
            start = self._before + len(self._held) + 1
            self._long.update(start + n for n, line in enumerate(whole) if len(line) > LINE_LIMIT)
            whole = [_CUT if len(line) > LINE_LIMIT else line for line in whole]
        if len(self._rest) > LINE_LIMIT:
            self._rest, self._cut = "", True
        self._held += [line + "\n" for line in whole]
