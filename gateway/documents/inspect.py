"""The texts of items, and what in them is personal: kinds, places and marks.

what:       `inspect`, run in the inspector's process, or in one's own where nothing hostile is read
takes→gives: `Item` values, bounds → `Inspection`
knows not:  mails, settings, what follows from a finding
fails by:   nothing: what cannot be read is an `Unread`, with what was found before it
standard:   S-11, S-53; I-1; R-050

A finding is marked under a key that is made from the content itself, so that equal values of one mail can be counted
and the same value in another mail has another mark.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.address import Address
from gateway.config.sensitive import pattern
from gateway.documents import lines
from gateway.documents.kinds import mail_address
from gateway.documents.protocol import Bounds, Meter, Text, Unreadable
from gateway.documents.read import texts
from gateway.documents.tables import Sight, Table
from gateway.inspection import MOST, Finding, Inspection, Item, Kind, Unread, mark

_PLACES_KEPT = 8


@dataclass(slots=True)
class _Seen:
    """What was found in one item so far."""

    part: str
    sights: dict[tuple[Kind, str, bool], Sight] = field(default_factory=dict)
    words: re.Pattern[str] | None = None
    worded: bool = False
    seen: int = 0
    crowded: bool = False

    def take(self, found: Iterable[Text]) -> None:
        """All texts of the item, until there is more than anybody asks for."""
        table = Table()
        try:
            for text in found:
                self.look_for_words(text.text)
                if not self.crowded:
                    self._add(table.take(text) if text.cells else lines.sights(text))
                    self.crowded = max(self.seen, table.kept) >= MOST
                if self.crowded and (self.worded or self.words is None):
                    return
        finally:
            self._add(table.end())

    def _add(self, found: Iterator[Sight]) -> None:
        for sight in found:
            self.seen += 1
            self.sights.setdefault((sight.kind, sight.value, sight.listed), sight)

    def look_for_words(self, text: str) -> None:
        """Whether one of them stands in it."""
        if not self.worded and self.words is not None:
            self.worded = self.words.search(text) is not None

    def addresses(self) -> Iterator[tuple[Address, str]]:
        """Each address, with a place."""
        for sight in self.sights.values():
            if sight.kind is Kind.EMAIL:
                yield mail_address(sight.value), self.place(sight.where)

    def place(self, where: str) -> str:
        return f"part {self.part}, {where}" if where else f"part {self.part}"


def inspect(
    items: Sequence[Item],
    bounds: Bounds,
    *,
    words: Sequence[str] = (),
    key: bytes = b"",
    meter: Meter | None = None,
) -> Inspection:
    """Look into all items. Each distinct value is one finding per item, at the first place where it stands.

    `words` are written as `sensitive.words` of the settings; a file name counts like the text. A mail whose items come
    one at a time has one `key` and one `meter` for all of them.
    """
    sought = pattern(tuple(words)) if words else None
    key = key or _key(items)
    meter = meter or Meter(bounds)
    findings: list[Finding] = []
    unread: list[Unread] = []
    crowded: list[str] = []
    worded: list[str] = []
    addresses: dict[Address, tuple[str, ...]] = {}
    for item in items:
        seen = _Seen(item.part, words=sought)
        seen.look_for_words(item.name)
        try:
            seen.take(texts(item, bounds, meter))
        except Unreadable as error:
            unread.append(Unread(item.part, error.why))
        findings += [Finding(s.kind, seen.place(s.where), mark(key, s.kind, s.value), s.listed) for s in _once(seen)]
        for address, place in seen.addresses():
            addresses[address] = (*addresses.get(address, ()), place)[:_PLACES_KEPT]
        if seen.crowded:
            crowded.append(item.part)
        if seen.worded:
            worded.append(item.part)
    return Inspection(findings, addresses, unread, key, crowded, worded)


def _once(seen: _Seen) -> Iterator[Sight]:
    """Each value once: in a list, where it stands in one anywhere."""
    return (s for key, s in seen.sights.items() if s.listed or (*key[:2], True) not in seen.sights)


def _key(items: Sequence[Item]) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for item in items:
        digest.update(len(item.content).to_bytes(8, "big"))
        digest.update(item.content)
    return digest.digest()
