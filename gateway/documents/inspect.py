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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.address import Address
from gateway.documents import lines, mails
from gateway.documents.protocol import Bounds, Meter, Text, Unreadable
from gateway.documents.read import texts
from gateway.documents.tables import MOST, Sight, Table
from gateway.inspection import Finding, Inspection, Item, Unread, mark

_PLACES_KEPT = 8


@dataclass(slots=True)
class _Seen:
    """What was found in one item so far."""

    part: str
    sights: dict[tuple[object, str, bool], Sight] = field(default_factory=dict)
    addresses: dict[bytes, tuple[Address, dict[str, None]]] = field(default_factory=dict)

    def take(self, found: Iterable[Text]) -> None:
        """All texts of the item, until there is more of everything than anybody asks for."""
        table = Table()
        try:
            for text in found:
                self._add(table.take(text) if text.cells else lines.sights(text))
                self._addresses(text)
                if len(self.sights) >= MOST or len(self.addresses) >= MOST:
                    return
        finally:
            self._add(table.end())

    def _add(self, found: Iterator[Sight]) -> None:
        for sight in found:
            self.sights.setdefault((sight.kind, sight.value, sight.listed), sight)

    def _addresses(self, text: Text) -> None:
        for address, at in mails.addresses(text.text):
            _, places = self.addresses.setdefault(address.exact(), (address, {}))
            if len(places) < _PLACES_KEPT:
                places[self.place(text.place(at))] = None

    def place(self, where: str) -> str:
        return f"part {self.part}, {where}" if where else f"part {self.part}"


def inspect(items: Sequence[Item], bounds: Bounds, *, key: bytes = b"", meter: Meter | None = None) -> Inspection:
    """Look into all items. Each distinct value is one finding per item, at the first place where it stands.

    A mail whose items come one at a time has one `key` and one `meter` for all of them.
    """
    key = key or _key(items)
    meter = meter or Meter(bounds)
    findings: list[Finding] = []
    unread: list[Unread] = []
    addresses: dict[Address, tuple[str, ...]] = {}
    for item in items:
        seen = _Seen(item.part)
        try:
            seen.take(texts(item, bounds, meter))
        except Unreadable as error:
            unread.append(Unread(item.part, error.why))
        findings += [Finding(s.kind, seen.place(s.where), mark(key, s.kind, s.value), s.listed) for s in _once(seen)]
        for address, places in seen.addresses.values():
            addresses[address] = (*addresses.get(address, ()), *places)[:_PLACES_KEPT]
    return Inspection(findings, addresses, unread, key)


def _once(seen: _Seen) -> Iterator[Sight]:
    """Each value once: in a list, where it stands in one anywhere."""
    return (s for key, s in seen.sights.items() if s.listed or (*key[:2], True) not in seen.sights)


def _key(items: Sequence[Item]) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for item in items:
        digest.update(len(item.content).to_bytes(8, "big"))
        digest.update(item.content)
    return digest.digest()
