"""The current state of one pseudonym, and its compact stored form.

what:       `State`, `pack`/`unpack`, `facts`
takes→gives: `State` ↔ text; the rows of one person → `Facts`
knows not:  events, SQL, files, keys
fails by:   `Unreadable` when unpacking what is not a state, or one of a newer version
standard:   I-10; DESIGN §4 People
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gateway.facts import Block, BlockKind, Consent, Facts, Purchase, Retained, Scope, ScopeKind, Subscription
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
        return any(b.kind is BlockKind.ERASURE for b in self.blocks)


EMPTY = State()


def facts(exact: State | None, wide: State | None, pending: Iterable[Block] = ()) -> Facts:
    """What a decision reads: all of the exact row, the blocks of the wide row, and blocks not yet in the registry."""
    own, known = exact or EMPTY, exact is not None or wide is not None
    blocks = (*own.blocks, *(wide.blocks if wide else ()), *pending)
    return Facts(
        blocks=blocks,
        consents=own.consents,
        enrolments=own.enrolments,
        contracts=own.contracts,
        purchases=own.purchases,
        subscriptions=own.subscriptions,
        requests=frozenset(r.scope.id for r in own.requests),
        publications=own.publications,
        minor=own.minor,
        guardian_consent=own.guardian,
        language=own.language,
        contacts=frozenset((c.client, c.contact) for c in own.contacts),
        origins=own.origins,
        announced=own.announced,
        third_parties=own.third_parties,
        retained=own.retained,
        known=known or bool(blocks),
    )


def pack(state: State) -> str:
    """JSON with one-letter keys and nothing empty: about 35 octets for one consent."""
    stored: dict[str, object] = {
        "b": [[BLOCK_NUMBERS[b.kind], *_pair(b.scope), b.at, b.event] for b in state.blocks],
        "c": [[*_pair(c.scope), c.at, c.event] for c in state.consents],
        "r": [[r.scope.id, r.at, r.event] for r in state.requests],
        "e": sorted(state.enrolments),
        "k": sorted(state.contracts),
        "p": [[p.category, int(p.declined), p.at] for p in state.purchases],
        "s": [[s.category, s.end, 1] if s.free else [s.category, s.end] for s in state.subscriptions],
        "u": sorted(state.publications),
        "m": int(state.minor),
        "g": int(state.guardian),
        "l": state.language,
        "x": [[c.client, c.contact, c.event] for c in state.contacts],
        "o": sorted(state.origins),
        "a": sorted(state.announced),
        "t": sorted(state.third_parties),
        "h": [[r.id, r.reason, r.until] for r in state.retained],
        "q": [[*_pair(r.scope), r.at, r.event] for r in state.returns],
    }
    return json.dumps({k: v for k, v in stored.items() if v}, separators=(",", ":"))


_KEYS = frozenset("bcrekpsumglxoathq")


@lru_cache(maxsize=4096)  # intake and delivery decide about the same people shortly after each other
def unpack(stored: str) -> State:
    """Inverse of `pack`. Raises `Unreadable`, also on a key it does not know: a block is never dropped unseen."""
    try:
        return _unpacked(json.loads(stored))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"a stored state cannot be read: {type(error).__name__}") from None


def _unpacked(held: dict[str, Any]) -> State:
    if not _KEYS.issuperset(held):
        raise ValueError(f"keys {sorted(set(held) - _KEYS)}")
    return State(
        blocks=tuple(Block(BLOCK_KINDS[k], Scope(ScopeKind(s), i), at, n) for k, s, i, at, n in held.get("b", ())),
        consents=_consents(held.get("c", ())),
        requests=tuple(Consent(Scope(ScopeKind.TOPIC, i), at, n) for i, at, n in held.get("r", ())),
        enrolments=frozenset(held.get("e", ())),
        contracts=frozenset(held.get("k", ())),
        purchases=tuple(Purchase(c, bool(d), at) for c, d, at in held.get("p", ())),
        subscriptions=tuple(Subscription(c, end, bool(free)) for c, end, *free in held.get("s", ())),
        publications=frozenset(held.get("u", ())),
        minor=bool(held.get("m")),
        guardian=bool(held.get("g")),
        language=held.get("l", ""),
        contacts=tuple(Contact(client, contact, n) for client, contact, n in held.get("x", ())),
        origins=frozenset(held.get("o", ())),
        announced=frozenset(held.get("a", ())),
        third_parties=frozenset((reference, party) for reference, party in held.get("t", ())),
        retained=tuple(Retained(i, reason, until) for i, reason, until in held.get("h", ())),
        returns=_consents(held.get("q", ())),
    )


def _consents(stored: Iterable[tuple[int, int, int, int]]) -> tuple[Consent, ...]:
    return tuple(Consent(Scope(ScopeKind(s), i), at, n) for s, i, at, n in stored)


def _pair(scope: Scope) -> tuple[int, int]:
    return int(scope.kind), scope.id
