"""The current state of one pseudonym, and its compact stored form.

what:       `State`, `pack`/`unpack`, `facts`
takes→gives: `State` ↔ text; the rows of one person → `Facts`
knows not:  events, SQL, files, keys
fails by:   `Unreadable` when unpacking what is not a state, or one of a newer version
standard:   I-10; DESIGN §4 People
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gateway.facts import (
    NOBODY,
    Block,
    BlockKind,
    Consent,
    Facts,
    Purchase,
    Retained,
    Scope,
    ScopeKind,
    Subscription,
)
from gateway.registry.record import BLOCK_KINDS, BLOCK_NUMBERS


class Unreadable(ValueError):
    """The stored text is no state that this program knows. A block could be in what it does not know."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A client's own opaque id of this person, and the event that told it: the latest person to get an id has it."""

    client: str
    contact: str
    event: int


@dataclass(frozen=True, slots=True)
class State:
    """What one row holds. `requests` are topics asked for, kept as consents so that a lift can date them.

    `third_parties`: (reference, third party) of enrolments and contracts. `returns`: consents that gave nothing because
    a block stood, waiting for an operator.
    """

    blocks: tuple[Block, ...] = ()
    consents: tuple[Consent, ...] = ()
    requests: tuple[Consent, ...] = ()
    enrolments: frozenset[str] = frozenset()
    contracts: frozenset[str] = frozenset()
    purchases: tuple[Purchase, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    publications: frozenset[str] = frozenset()
    minor: bool = False
    guardian: bool = False
    language: str = ""
    contacts: tuple[Contact, ...] = ()
    origins: frozenset[str] = frozenset()
    announced: frozenset[str] = frozenset()
    third_parties: frozenset[tuple[str, str]] = frozenset()
    retained: tuple[Retained, ...] = ()
    returns: tuple[Consent, ...] = ()

    @property
    def erased(self) -> bool:
        return bool(self.blocks) and any(b.kind is BlockKind.ERASURE for b in self.blocks)


EMPTY = State()


def facts(exact: State | None, wide: State | None, pending: Iterable[Block] = ()) -> Facts:
    """What a decision reads: all of the exact row, the blocks of the wide row, and blocks not yet in the registry."""
    own, held = exact or EMPTY, exact is not None or wide is not None
    blocks = (*own.blocks, *(wide.blocks if wide else ()), *pending)
    return Facts(
        blocks=blocks,
        consents=own.consents,
        enrolments=own.enrolments,
        contracts=own.contracts,
        purchases=own.purchases,
        subscriptions=own.subscriptions,
        requests=frozenset([r.scope.id for r in own.requests]) if own.requests else _NOBODY,
        publications=own.publications,
        minor=own.minor,
        guardian_consent=own.guardian,
        language=own.language,
        contacts=frozenset([(c.client, c.contact) for c in own.contacts]) if own.contacts else _NOBODY,
        origins=own.origins,
        announced=own.announced,
        third_parties=own.third_parties,
        retained=own.retained,
        known=held or bool(blocks),
    )


def joined(own: Facts | None, wide: Facts | None, pending: Sequence[Block]) -> Facts:
    """As `facts`, from what is `known` of either row."""
    if wide is None and not pending:
        return own or NOBODY
    blocks = (*(own.blocks if own else ()), *(wide.blocks if wide else ()), *pending)
    return replace(own or NOBODY, blocks=blocks, known=True)


_NOBODY: frozenset[Any] = frozenset()


_PACKED: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
    ("b", "blocks", lambda found: [[BLOCK_NUMBERS[b.kind], *_pair(b.scope), b.at, b.event] for b in found]),
    ("c", "consents", lambda found: [[*_pair(c.scope), c.at, c.event] for c in found]),
    ("r", "requests", lambda found: [[r.scope.id, r.at, r.event] for r in found]),
    ("e", "enrolments", sorted),
    ("k", "contracts", sorted),
    ("p", "purchases", lambda found: [[p.category, int(p.declined), p.at] for p in found]),
    ("s", "subscriptions", lambda found: [[s.category, s.end, 1] if s.free else [s.category, s.end] for s in found]),
    ("u", "publications", sorted),
    ("m", "minor", int),
    ("g", "guardian", int),
    ("l", "language", str),
    ("x", "contacts", lambda found: [[c.client, c.contact, c.event] for c in found]),
    ("o", "origins", sorted),
    ("a", "announced", sorted),
    ("t", "third_parties", sorted),
    ("h", "retained", lambda found: [[r.id, r.reason, r.until] for r in found]),
    ("q", "returns", lambda found: [[*_pair(r.scope), r.at, r.event] for r in found]),
)
_encode = json.JSONEncoder(separators=(",", ":")).encode  # made once: `dumps` makes one per call


def pack(state: State) -> str:
    """JSON with one-letter keys and nothing empty: about 35 octets for one consent."""
    return _encode({key: form(found) for key, name, form in _PACKED if (found := getattr(state, name))})


_decode = json.JSONDecoder().raw_decode  # without the search for white space around it


@lru_cache(maxsize=4096)  # intake and delivery decide about the same people shortly after each other
def unpack(stored: str) -> State:
    """Inverse of `pack`. Raises `Unreadable`, also on a key it does not know: a block is never dropped unseen."""
    return State(**_held(stored))


def known(stored: str) -> Facts:
    """`facts` of one stored row, without a state between: most of what a look-up costs is here. Raises `Unreadable`."""
    held = _held(stored)
    held.pop("returns", None)
    if "guardian" in held:
        held["guardian_consent"] = held.pop("guardian")
    if "requests" in held:
        held["requests"] = frozenset([r.scope.id for r in held["requests"]])
    if "contacts" in held:
        held["contacts"] = frozenset([(c.client, c.contact) for c in held["contacts"]])
    return Facts(known=True, **held)


def _held(stored: str) -> dict[str, Any]:
    """The fields of a state that are not empty, by name."""
    try:
        held, end = _decode(stored)
        if end != len(stored):
            raise ValueError("something follows")
        return {_FIELDS[key]: _READERS[key](value) for key, value in held.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"a stored state cannot be read: {type(error).__name__}") from None


@lru_cache(maxsize=1024)
def _scope(kind: int, number: int) -> Scope:
    return Scope(ScopeKind(kind), number)


def _consents(stored: Iterable[tuple[int, int, int, int]]) -> tuple[Consent, ...]:
    return tuple([Consent(_scope(s, i), at, n) for s, i, at, n in stored])


def _pairs(stored: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset((reference, party) for reference, party in stored)


_FIELDS: Mapping[str, str] = {
    "b": "blocks",
    "c": "consents",
    "r": "requests",
    "e": "enrolments",
    "k": "contracts",
    "p": "purchases",
    "s": "subscriptions",
    "u": "publications",
    "m": "minor",
    "g": "guardian",
    "l": "language",
    "x": "contacts",
    "o": "origins",
    "a": "announced",
    "t": "third_parties",
    "h": "retained",
    "q": "returns",
}
_READERS: Mapping[str, Callable[[Any], object]] = {
    "b": lambda held: tuple([Block(BLOCK_KINDS[k], _scope(s, i), at, n) for k, s, i, at, n in held]),
    "c": _consents,
    "r": lambda held: tuple(Consent(_scope(ScopeKind.TOPIC, i), at, n) for i, at, n in held),
    "e": frozenset,
    "k": frozenset,
    "p": lambda held: tuple(Purchase(c, bool(d), at) for c, d, at in held),
    "s": lambda held: tuple(Subscription(c, end, bool(free)) for c, end, *free in held),
    "u": frozenset,
    "m": bool,
    "g": bool,
    "l": str,
    "x": lambda held: tuple(Contact(client, contact, n) for client, contact, n in held),
    "o": frozenset,
    "a": frozenset,
    "t": _pairs,
    "h": lambda held: tuple(Retained(i, reason, until) for i, reason, until in held),
    "q": _consents,
}


def _pair(scope: Scope) -> tuple[int, int]:
    return int(scope.kind), scope.id
