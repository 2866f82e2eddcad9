"""The current state of one pseudonym, folded from its events, and its compact stored form.

what:       `State`, `apply` (one event), `pack`/`unpack`, `facts`
takes→gives: (state of the exact row, state of the wide row, event, its number) → both states after it
knows not:  SQL, files, keys
fails by:   `Unreadable` when unpacking what is not a state, or one of a newer version
standard:   I-10; S-03, S-18, S-22, S-45, S-49; GDPR 17, 18
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from gateway.facts import Block, BlockKind, Consent, Facts, Purchase, Retained, Scope, ScopeKind, Subscription
from gateway.registry.events import (
    BLOCKS,
    EXACT_ONLY,
    LIFTED_BY,
    REFUSALS,
    contains,
    grants,
    lifts,
    may_reach,
    scope_of,
)
from gateway.registry.protocol import Event, EventKind
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


def apply(exact: State, wide: State, event: Event, number: int) -> tuple[State, State]:
    """Both rows of one person after `event`, which is number `number` in the registry's own order.

    `exact` and `wide` are the rows under those pseudonyms. Only blocks are ever kept under wide.
    """
    if event.kind in BLOCKS:
        return _block(exact, wide, event, number)
    if event.kind in (EventKind.LIFTED, EventKind.RESTRICTION_LIFTED):
        return _lift(exact, wide, event) if lifts(event.evidence) else (exact, wide)
    if not takes(exact, event):
        return exact, wide
    if event.kind in (EventKind.CONSENT, EventKind.REQUEST):
        return _consent(exact, wide, event, number)
    return FACTS[event.kind](exact, event, number), wide


def takes(exact: State, event: Event) -> bool:
    """Whether this row can be told of the event: a tombstone takes no facts, whoever brings them (S-29 excepted)."""
    return not exact.erased or event.kind in _BEYOND_ERASURE or event.kind in BLOCKS


def block_goes_wide(event: Event) -> bool:
    """Whether the block of this event is kept under the wide pseudonym."""
    return event.person.block_wide and BLOCKS[event.kind] not in EXACT_ONLY


def _block(exact: State, wide: State, event: Event, number: int) -> tuple[State, State]:
    block = Block(BLOCKS[event.kind], scope_of(event), event.at, number)
    if block.kind is BlockKind.ERASURE:
        return State(blocks=(block,), retained=exact.retained), wide
    if block.kind in REFUSALS:
        exact = replace(
            exact,
            consents=tuple(c for c in exact.consents if not contains(block.scope, c.scope)),
            requests=tuple(r for r in exact.requests if not contains(block.scope, r.scope)),
            returns=tuple(r for r in exact.returns if not contains(block.scope, r.scope)),
        )
    if block_goes_wide(event):
        return exact, _with_block(wide, block)
    return _with_block(exact, block), wide


def _with_block(state: State, block: Block) -> State:
    others = tuple(b for b in state.blocks if (b.kind, b.scope) != (block.kind, block.scope))
    return replace(state, blocks=(*others, block))


def _lift(exact: State, wide: State, event: Event) -> tuple[State, State]:
    fallen = [b for b in (*exact.blocks, *wide.blocks) if _falls(b, event)]
    exact, wide = (replace(s, blocks=tuple(b for b in s.blocks if b not in fallen)) for s in (exact, wide))
    # What a refusal stopped does not come back by itself: consents from before it stay gone.
    refused = [b for b in fallen if b.kind in REFUSALS]
    standing = (*exact.blocks, *wide.blocks)
    return (
        replace(
            exact,
            consents=_since(exact.consents, refused),
            requests=_since(exact.requests, refused),
            returns=_waiting(exact.returns, scope_of(event), standing),
        ),
        wide,
    )


def _waiting(returns: tuple[Consent, ...], lifted: Scope, standing: tuple[Block, ...]) -> tuple[Consent, ...]:
    """Pending returns that a lift of this scope leaves: neither named by it, nor free of blocks after it."""
    return tuple(r for r in returns if not contains(lifted, r.scope) and _reached(r.scope, standing))


def _reached(scope: Scope, blocks: Iterable[Block]) -> bool:
    return any(may_reach(b.scope, scope) for b in blocks)


def _falls(block: Block, event: Event) -> bool:
    return event.kind in LIFTED_BY[block.kind] and contains(scope_of(event), block.scope)


def _since(consents: tuple[Consent, ...], refused: Iterable[Block]) -> tuple[Consent, ...]:
    return tuple(c for c in consents if all(c.event > b.event or not may_reach(b.scope, c.scope) for b in refused))


def _consent(exact: State, wide: State, event: Event, number: int) -> tuple[State, State]:
    if event.detail.get("active") is False:
        return _without(exact, scope_of(event)), wide
    if not grants(event.evidence):
        return exact, wide
    scope = scope_of(event)
    if lifts(event.evidence):
        exact, wide = _lift(exact, wide, event)
    elif _reached(scope, (*exact.blocks, *wide.blocks)):
        # An import or an unconfirmed form gives nothing to somebody who said no; an operator may ask them.
        return _returned(exact, (*exact.blocks, *wide.blocks), Consent(scope, event.at, number)), wide
    given = Consent(scope, event.at, number)
    exact = _without(exact, scope)
    if event.kind is EventKind.REQUEST:
        return replace(exact, requests=(*exact.requests, given)), wide
    return replace(exact, consents=(*exact.consents, given)), wide


def _returned(state: State, blocks: tuple[Block, ...], given: Consent) -> State:
    """With this pending return: one per scope, and none for a consent that is older than a block in its way."""
    if any(given.at < b.at for b in blocks if may_reach(b.scope, given.scope)):
        return state  # what an old list says about the time before the refusal is no return
    same = [r for r in state.returns if r.scope == given.scope]
    if any(r.at >= given.at for r in same):
        return state
    return replace(state, returns=(*(r for r in state.returns if r not in same), given))


def _without(state: State, scope: Scope) -> State:
    state = replace(state, returns=tuple(r for r in state.returns if r.scope != scope)) if state.returns else state
    if scope.kind is ScopeKind.TOPIC:
        state = replace(state, requests=tuple(r for r in state.requests if r.scope != scope))
    return replace(state, consents=tuple(c for c in state.consents if c.scope != scope))


def _toggled(values: frozenset[str], event: Event, name: str) -> frozenset[str]:
    value = frozenset({str(event.detail[name])})
    return values - value if event.detail.get("active") is False else values | value


def _enrolment(state: State, event: Event, _: int) -> State:
    return _told_of(replace(state, enrolments=_toggled(state.enrolments, event, "reference")), event)


def _contract(state: State, event: Event, _: int) -> State:
    return _told_of(replace(state, contracts=_toggled(state.contracts, event, "reference")), event)


def _told_of(state: State, event: Event) -> State:
    """The third party of an order, for as long as its enrolment or contract stands (S-13)."""
    reference, party = str(event.detail["reference"]), event.detail.get("third_party")
    parties = state.third_parties | {(reference, str(party))} if party else state.third_parties
    if reference not in state.enrolments | state.contracts:
        parties = frozenset(p for p in parties if p[0] != reference)
    return state if parties == state.third_parties else replace(state, third_parties=parties)


def _publication(state: State, event: Event, _: int) -> State:
    if event.detail.get("active") is not False and not grants(event.evidence):
        return state
    return replace(state, publications=_toggled(state.publications, event, "id"))


def _purchase(state: State, event: Event, _: int) -> State:
    # The latest sale per category and answer is all a decision needs; the events keep the others.
    sale = Purchase(_number(event, "category"), bool(event.detail.get("declined")), event.at)
    return replace(state, purchases=latest_sales((*state.purchases, sale)))


def latest_sales(sales: Iterable[Purchase]) -> tuple[Purchase, ...]:
    """The latest sale per category and answer, in the order they came."""
    latest: dict[tuple[int, bool], Purchase] = {}
    for sale in sales:
        before = latest.pop((sale.category, sale.declined), sale)
        latest[sale.category, sale.declined] = max(before, sale, key=lambda p: p.at)
    return tuple(latest.values())


def _subscription(state: State, event: Event, _: int) -> State:
    end = event.detail.get("end")
    new = Subscription(_number(event, "category"), None if end is None else int(end), event.detail.get("free") is True)
    others = tuple(s for s in state.subscriptions if s.category != new.category)
    return replace(state, subscriptions=(*others, new))


def _minor(state: State, event: Event, _: int) -> State:
    guardian = event.detail.get("guardian") is True and grants(event.evidence)
    return replace(state, minor=event.detail["minor"] is True, guardian=guardian)


def _language(state: State, event: Event, _: int) -> State:
    return replace(state, language=str(event.detail["language"]))


def _contact(state: State, event: Event, number: int) -> State:
    new = Contact(str(event.detail["client"]), str(event.detail["contact"]), number)
    others = tuple(c for c in state.contacts if (c.client, c.contact) != (new.client, new.contact))
    return replace(state, contacts=others if event.detail.get("active") is False else (*others, new))


def _origin(state: State, event: Event, _: int) -> State:
    return replace(state, origins=_toggled(state.origins, event, "origin"))


def _announced(state: State, event: Event, _: int) -> State:
    return replace(state, announced=_toggled(state.announced, event, "reference"))


def _retained(state: State, event: Event, _: int) -> State:
    new = Retained(str(event.detail["id"]), str(event.detail["reason"]), _number(event, "until"))
    return replace(state, retained=(*(r for r in state.retained if r.id != new.id), new))


def _event_only(state: State, _: Event, __: int) -> State:
    return state


def _number(event: Event, name: str) -> int:
    return int(event.detail[name] or 0)


FACTS: Mapping[EventKind, Callable[[State, Event, int], State]] = {
    EventKind.ENROLMENT: _enrolment,
    EventKind.CONTRACT: _contract,
    EventKind.PURCHASE: _purchase,
    EventKind.SUBSCRIPTION: _subscription,
    EventKind.PUBLICATION: _publication,
    EventKind.MINOR: _minor,
    EventKind.LANGUAGE: _language,
    EventKind.CONTACT: _contact,
    EventKind.ORIGIN: _origin,
    EventKind.ANNOUNCED: _announced,
    EventKind.RETAINED: _retained,
    EventKind.SHARED: _event_only,
    EventKind.RECEIPT: _event_only,
    EventKind.RECTIFIED: _event_only,
}
_BEYOND_ERASURE = frozenset({EventKind.LIFTED, EventKind.RESTRICTION_LIFTED, EventKind.RETAINED})


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
