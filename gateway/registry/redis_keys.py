"""Names of all keys of one organisation in Redis, and the forms of what they hold.

what:       key names, the bucket of a pseudonym, packed rows
takes→gives: organisation → keys, all in one slot of a Cluster; rows ↔ octets
knows not:  connections, what a row means
fails by:   `Unreadable` on a value that is not ours
standard:   DESIGN §4 Redis; I-12; Redis Cluster specification, hash tags

State rows lie in 2^18 buckets by the first bits of the pseudonym, so that ten million people make hashes of about forty
rows, which Redis keeps as compact lists. Events lie in hashes of 64 by number; what belongs to a person's number too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gateway.pseudonym import SIZE
from gateway.registry.protocol import Act, EventRow, StateRow
from gateway.registry.state import Unreadable

BUCKETS = 1 << 18
ROW = 64  # events, or people by number, per hash
_CUT = SIZE - 2  # octets of a pseudonym that name its field: the bucket's name says the others
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_NAMES = [a + b + c for a in _ALPHABET for b in _ALPHABET for c in _ALPHABET]
_EMPTY = (None, "")
_ALWAYS = 4  # values of an event that are there even when empty
_NONE: list[Any] = [None] * 6


@dataclass(frozen=True, slots=True)
class Keys:
    """`tag` is the hash tag with the colon behind it (`Reach.tag`): the prefix of all that is this organisation's."""

    tag: str

    @property
    def identity(self) -> str:
        """Hash: which registry this is, its layer, its last event number, its number of rows."""
        return self.tag + "id"

    @property
    def nodes(self) -> str:
        """Hash by block journal: how far it is taken in, and whose reign it has vetted."""
        return self.tag + "nodes"

    @property
    def map(self) -> str:
        """Bitmap of the buckets that hold rows: a bucket that is gone does not look like people who are not there."""
        return self.tag + "map"

    @property
    def turn(self) -> str:
        """String: who alone may write for a moment."""
        return self.tag + "turn"

    @property
    def publications(self) -> str:
        """Hash: publication consent → how many people gave it."""
        return self.tag + "u"

    @property
    def returns(self) -> str:
        """Sorted set: "event/person" of every pending return, by event."""
        return self.tag + "r"

    @property
    def acts(self) -> str:
        """Hash by number: what operators did; `n` is the last number."""
        return self.tag + "a"

    @property
    def acts_about(self) -> str:
        """Hash by person: numbers of the acts about them."""
        return self.tag + "aa"

    def bucket(self, pseudonym: bytes) -> str:
        """Hash: rest of the pseudonym → state row."""
        return f"{self.tag}s:{_NAMES[bucket_of(pseudonym)]}"

    def buckets(self, pseudonyms: Iterable[bytes]) -> list[str]:
        """As `bucket`, for many."""
        prefix = self.tag + "s:"
        return [prefix + _NAMES[p[0] << 10 | p[1] << 2 | p[2] >> 6] for p in pseudonyms]

    def bucket_number(self, number: int) -> str:
        return f"{self.tag}s:{_NAMES[number]}"

    def events(self, number: int) -> str:
        """Hash by number: the event."""
        return f"{self.tag}e:{number // ROW}"

    def names(self, person: int) -> str:
        """Hash by person: the pseudonyms whose rows have that number."""
        return f"{self.tag}p:{person // ROW}"

    def numbers(self, person: int) -> str:
        """Hash by person: numbers of their events, beside the one that is the person's own."""
        return f"{self.tag}h:{person // ROW}"

    def contacts(self, key: str) -> str:
        """Hash by client and contact id: "event/person" of everybody who has it."""
        return f"{self.tag}c:{_NAMES[bucket_of(hashlib.sha256(key.encode()).digest())]}"

    def kinds(self, kind: str) -> str:
        """Sorted set: hashes of events with any of this kind, by the oldest time in them."""
        return f"{self.tag}k:{kind}"


def bucket_of(pseudonym: bytes) -> int:
    """The first 18 bits."""
    return pseudonym[0] << 10 | pseudonym[1] << 2 | pseudonym[2] >> 6


def field_of(pseudonym: bytes) -> bytes:
    return pseudonym[SIZE - _CUT :]


def pseudonym_of(bucket: int, field: bytes) -> bytes:
    """Inverse of `bucket_of` and `field_of`."""
    return bytes((bucket >> 10, bucket >> 2 & 255)) + field


def pack_state(row: StateRow) -> str:
    return f"{row.person}:{row.layer}:{row.data}"


def unpack_state(pseudonym: bytes, value: bytes) -> StateRow:
    person, _, rest = value.decode().partition(":")
    layer, _, data = rest.partition(":")
    try:
        return StateRow(pseudonym, int(person), int(layer), data)
    except ValueError:
        raise Unreadable("a state row in Redis cannot be read") from None


def data_of(value: bytes) -> str:
    """The state within a packed row: all that a look-up needs."""
    return value[value.index(b"{") :].decode()


def pack_event(row: EventRow) -> str:
    """JSON without its number, and without what is empty at the end."""
    values = [row.person, row.at, row.kind, row.actor, row.scope_kind, row.scope_id]
    values += [row.channel, row.wording, row.proof, row.detail]
    while values[-1] in _EMPTY and len(values) > _ALWAYS:
        values.pop()
    return json.dumps(values, separators=(",", ":"), ensure_ascii=False)


def unpack_event(number: int, value: bytes) -> EventRow:
    try:
        person, at, kind, actor, *rest = json.loads(value)
        scope_kind, scope_id, channel, wording, proof, detail = [*rest, *_NONE][:6]
    except ValueError:
        raise Unreadable("an event in Redis cannot be read") from None
    return EventRow(
        number=number,
        person=person,
        at=at,
        kind=kind,
        scope_kind=scope_kind,
        scope_id=scope_id,
        actor=actor,
        channel=channel or "",
        wording=wording or "",
        proof=proof or "",
        detail=detail,
    )


def pack_act(act: Act) -> str:
    """Without the person: who it was about is in `Keys.acts_about` alone."""
    return json.dumps([act.at, act.operator, act.reason, act.what], separators=(",", ":"), ensure_ascii=False)


def unpack_act(value: bytes) -> Act:
    at, operator, reason, what = json.loads(value)
    return Act(at, operator, reason, what)


def pack_numbers(numbers: list[int]) -> str:
    return ",".join(map(str, numbers))


def unpack_numbers(value: bytes | None) -> list[int]:
    return [int(n) for n in value.split(b",") if n] if value else []


def split_names(value: bytes | None) -> list[bytes]:
    """The pseudonyms in a value of `Keys.names`."""
    held = value or b""
    return [held[start : start + SIZE] for start in range(0, len(held), SIZE)]
