"""What three parsers of others see of one mail before and after: the same tree, the same content beside the texts.

what:       compares the trees that `tests/parsers/tree.py` reads
takes→gives: two octet strings, one parser → what differs
knows not:  the parsers, why a text was edited
fails by:   nothing: a parser that refuses a mail sees no tree
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench.corpus.reading import MARKUP
from tests.parsers.tree import Node, NoTree

TEXTS = ("text/plain", *MARKUP, "text/enriched")
CALENDAR = "text/calendar"  # loses the attendees that it names
Parser = Callable[[bytes], Node]


class Place(NamedTuple):
    """One part; digest "" where there are parts inside."""

    depth: int
    type: str
    digest: str


def difference(parser: Parser, before: bytes, after: bytes, *, texts: int) -> str:
    """What is not as it was, or "". The content of at most `texts` texts may be another, and the whole may stand in a
    multipart/mixed beside a text of ours (a wrapped mail)."""
    old, new = _flat(parser, before), _flat(parser, after)
    if not old or not new:
        return "cannot be read any more" if old else ""
    if _shape(old) != _shape(new):
        new = _unwrapped(old, new)
        if not new:
            return "other parts, or other types"
    changed = [one for one, other in zip(old, new, strict=True) if one.digest != other.digest]
    wrong = [place.type for place in changed if place.type not in (*TEXTS, CALENDAR)]
    if wrong or sum(place.type != CALENDAR for place in changed) > texts:
        return f"other content: {dict(Counter(wrong or [place.type for place in changed]))}"
    return ""


def _flat(parser: Parser, raw: bytes) -> list[Place]:
    """All parts, depth first; [] when the parser does not read it."""
    try:
        return list(_walk(parser(raw), 0))
    except NoTree:
        return []


def _walk(node: Node, depth: int) -> Iterator[Place]:
    yield Place(depth, node.type, node.digest)
    for child in node.children:
        yield from _walk(child, depth + 1)


def _shape(places: list[Place]) -> list[tuple[int, str]]:
    return [(place.depth, place.type) for place in places]


def _unwrapped(old: list[Place], new: list[Place]) -> list[Place]:
    """What stands in `new` of `old` when all else is a wrapper and texts; [] when it is not so."""
    inner = [place._replace(depth=place.depth - 1) for place in new[1:]]
    for at in range(len(inner) - len(old) + 1):
        rest = inner[:at] + inner[at + len(old) :]
        ours = all(place.type in (*TEXTS, "multipart/alternative") for place in rest)
        if ours and new[0].type == "multipart/mixed" and _shape(inner[at : at + len(old)]) == _shape(old):
            return inner[at : at + len(old)]
    return []
