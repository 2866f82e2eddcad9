"""Running text: which of its values stand in a list of people, line by line.

what:       lists without a table: a line of headings, or lines close together that each hold another value of one kind
takes→gives: `Text` without cells → `Sight` values with `listed`
knows not:  documents, what follows
fails by:   nothing
standard:   S-11, S-53. Linear

A signature is no list: its telephone, mobile and fax stand behind labels of their own. Nor is the quoted header of an
earlier mail: addresses there are the leak check's.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from gateway.documents.heads import NONE, head_line, kind_of, place
from gateway.documents.kinds import STATED, Found, find
from gateway.documents.protocol import Text
from gateway.documents.tables import Sight
from gateway.inspection import MOST, Kind

_GAP = 6  # lines from one value to the next: name, street, place, telephone and a blank one between
_REPEATS = 3
_JOINED = ("behind the text", "header")
_ENVELOPE = re.compile(r"[>\s]*\*?(?:van|aan|cc|bcc|from|to|verzonden|sent|reply-to|von|an|de|à)\*?\s*:", re.IGNORECASE)
_WORTH = re.compile(r"@|\d\D{0,3}\d\D{0,3}\d\D{0,3}\d")
_LETTERS = re.compile(r"[^\W\d_]+")
_LABEL, _FAR = 28, 80  # characters


@dataclass(frozen=True, slots=True)
class _Hit:
    found: Found
    line: int
    label: str


def sights(text: Text) -> Iterator[Sight]:
    """Everything personal in one text, and whether it stands in a list."""
    if not _WORTH.search(text.text):
        return
    starts = _starts(text.text)
    heading, kinds = _heading(text.text)
    stated = _stated(text.text, starts[heading], kinds)
    hits = list(_hits(text.text, starts, chain(find(text.text), stated)))
    # Links, and the header of a mail inside, are joined by the reader: that they follow each other says nothing.
    listed = _in_runs(hits, text.text, starts) if not text.where.endswith(_JOINED) else set()
    for hit in hits:
        below = bool(kinds) and hit.line > heading
        yield Sight(hit.found.kind, hit.found.value, text.place(hit.found.at), below or id(hit) in listed)


def _stated(text: str, start: int, kinds: Iterable[Kind]) -> Iterator[Found]:
    """What the heading that begins at `start` says the text below it holds."""
    below = text[start:] if kinds else ""
    for kind in kinds:
        if (detect := STATED.get(kind)) is not None:
            yield from (Found(kind, value, start + at) for value, at in islice(detect(below), MOST))


def _starts(text: str) -> list[int]:
    starts = [0]
    at = text.find("\n")
    while at >= 0:
        starts.append(at + 1)
        at = text.find("\n", at + 1)
    return starts


def _hits(text: str, starts: Sequence[int], found: Iterable[Found]) -> Iterator[_Hit]:
    """A value that a line says again says nothing new."""
    said: set[tuple[Kind, str, int]] = set()
    for each in found:
        line = bisect_right(starts, each.at) - 1
        if (key := (each.kind, each.value, line)) not in said:
            said.add(key)
            yield _hit(text, starts, each, line)


def _hit(text: str, starts: Sequence[int], found: Found, line: int) -> _Hit:
    # A label is short: what stands far from the beginning of its line has none, and is not looked for.
    start = starts[line]
    before = text[start : found.at].strip(" \t:.-|>*•()") if found.at - start <= _FAR else None
    labelled = before is not None and len(before) <= _LABEL and (len(before) <= 2 or kind_of(before) is not None)
    return _Hit(found, line, "".join(_LETTERS.findall(before)).casefold() if before and labelled else "")


def _heading(text: str) -> tuple[int, frozenset[Kind]]:
    """Number and kinds of the first line of headings."""
    for number, line in enumerate(text.split("\n")):
        if kinds := head_line(line):
            return number, kinds
    return 0, NONE


def _in_runs(hits: Iterable[_Hit], text: str, starts: Sequence[int]) -> set[int]:
    groups: dict[tuple[Kind, str], list[_Hit]] = {}
    for hit in hits:
        groups.setdefault((hit.found.kind, hit.label), []).append(hit)
    listed: set[int] = set()
    several = [group for group in groups.values() if len({hit.found.value for hit in group}) >= _REPEATS]
    exempt = {line for line in {hit.line for group in several for hit in group} if _exempt(text, starts, line)}
    for group in several:
        for run in _runs([h for h in group if h.line not in exempt]):
            if len({h.found.value for h in run}) >= _REPEATS and len({h.line for h in run}) >= _REPEATS:
                listed |= {id(h) for h in run}
    return listed


def _exempt(text: str, starts: Sequence[int], line: int) -> bool:
    end = starts[line + 1] if line + 1 < len(starts) else len(text)
    whole = text[starts[line] : min(end, starts[line] + 400)]
    return _ENVELOPE.match(whole) is not None or place(whole)


def _runs(group: Sequence[_Hit]) -> Iterator[list[_Hit]]:
    run: list[_Hit] = []
    for hit in sorted(group, key=lambda h: h.line):
        if run and hit.line - run[-1].line > _GAP:
            yield run
            run = []
        run.append(hit)
    if run:
        yield run
