"""Where the parts of a multipart begin and end.

what:       delimiter lines of one boundary in one body → spans of the body parts, and what is wrong with them
takes→gives: octets, boundary, span, bounds → `Split`
knows not:  headers, nested parts, what follows from a fault
fails by:   `TooMany`
standard:   RFC 2046 5.1.1; R-049, R-050. What other readers do was measured on tests/parsers/evasions.py
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

UNCLOSED = "no closing boundary"
AFTER = "a boundary after the closing boundary"


class TooMany(ValueError):
    """More parts, or lines that look like a boundary, than mail has; `offset` is where."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Split:
    """Spans of the parts. `wrong` is "" when nothing is; `unclosed` says that the last part ends only because the body
    does, `lookalikes` that a line begins with the boundary and is none: one reader in four takes it for one.
    """

    spans: tuple[tuple[int, int], ...]
    wrong: str = ""
    unclosed: bool = False
    lookalikes: bool = False


def split(raw: bytes, boundary: bytes, start: int, end: int, *, most: int) -> Split:
    """The parts of the multipart whose body is `raw[start:end]`; more than `most` raise `TooMany`.

    Without a closing boundary the last part ends where the body ends. The CRLF that ends the message is then taken for
    the one before the delimiter that is missing, as the standard library takes it: it is no part's content.
    """
    spans: list[tuple[int, int]] = []
    opened, closed = -1, -1
    lines = _Lines(raw, boundary, start, end, impostors=10 * most + 1000)
    for at, following, closing in lines:
        if closed >= 0:
            if closing and not raw[closed:at].strip():
                closed = following  # the closing line a second time hides nothing
                continue
            return Split(tuple(spans), AFTER)
        if opened >= 0:
            spans.append((opened, max(opened, at)))
        opened, closed = following, (following if closing else -1)
        if len(spans) > most:
            raise TooMany("parts", at)
    unclosed = opened >= 0 and closed < 0
    if unclosed:
        spans.append((opened, max(opened, end - 2) if ends_message(raw, end) else end))
    if not spans:
        return Split((), "no body part between boundaries" if closed >= 0 else "no boundary line")
    return Split(tuple(spans), "", unclosed, lines.lookalikes)


def ends_message(raw: bytes, end: int) -> bool:
    """Whether `end` is that of the message, behind a line end."""
    return end == len(raw) and raw.endswith(b"\r\n")


def stands_alone(raw: bytes, boundary: bytes, end: int) -> bool:
    """Whether no line behind the multipart begins with its boundary, for readers whom the outer one does not stop."""
    return raw.find(b"\r\n--" + boundary, end) < 0


def closing(raw: bytes, boundary: str, end: int) -> bytes:
    """The closing delimiter that is missing at `end` of a multipart, with the line ends it needs there."""
    line = b"--" + boundary.encode("ascii", "replace") + b"--"
    return line + b"\r\n" if ends_message(raw, end) else b"\r\n" + line


class _Lines:
    """Each delimiter line: offset of its leading CRLF, offset after it, whether it closes."""

    def __init__(self, raw: bytes, boundary: bytes, start: int, end: int, *, impostors: int) -> None:
        self._raw = raw
        self._needle = b"\r\n--" + boundary
        self._start = start
        self._end = end
        self._impostors = impostors
        self.lookalikes = False

    def __iter__(self) -> Iterator[tuple[int, int, bool]]:
        raw, needle, end = self._raw, self._needle, self._end
        size, position = len(needle), self._start - 2  # the blank line's own CRLF can open the first delimiter
        while (at := raw.find(needle, max(position, 0), end)) >= 0:
            line_end = raw.find(b"\r\n", at + size, end)
            line_end = end if line_end < 0 else line_end
            tail = raw[at + size : line_end].rstrip(b" \t")
            position = line_end
            if tail in (b"", b"--"):
                yield at, min(line_end + 2, end), tail == b"--"
                continue
            self.lookalikes = True
            self._impostors -= 1
            if self._impostors < 0:
                raise TooMany("lines that look like a boundary", at)
