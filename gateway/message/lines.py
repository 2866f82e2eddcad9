"""Where a message has lines over 998 octets.

what:       the places of long lines, by part
takes→gives: `Message` → list of `LongLine`
knows not:  what happens because of it
fails by:   nothing
standard:   RFC 5322 2.1.1, RFC 5321 4.5.3.1.6
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.message.encodings import first_long_line
from gateway.message.parse import Message, Part


@dataclass(frozen=True, slots=True)
class LongLine:
    """The first line over 998 octets in one place.

    `part` is the path of the part; `where` is "header" or "body" of it, or "between" for text of a multipart
    outside its parts; `offset` counts in the message.
    """

    part: str
    where: str
    offset: int


def long_lines(message: Message) -> list[LongLine]:
    """Where lines over 998 octets are, one entry per header, body or gap. Linear."""
    raw = message.raw
    if first_long_line(raw, 0, len(raw)) < 0:
        return []
    found: list[LongLine] = []
    for part in message.walk():
        for where, start, end in areas(part):
            at = first_long_line(raw, start, end)
            if at >= 0:
                found.append(LongLine(part.path, where, at))
    return found


def areas(part: Part) -> list[tuple[str, int, int]]:
    """("header" | "body" | "between", start, end) of what belongs to `part` itself and not to a part inside it."""
    areas = [("header", *part.header)]
    if not part.children:
        return [*areas, ("body", *part.body)]
    position = part.body[0]
    for child in part.children:
        areas.append(("between", position, child.header[0]))
        position = child.body[1] + 2 if child.body[1] < part.body[1] else child.body[1]
    return [*areas, ("between", position, part.body[1])]
