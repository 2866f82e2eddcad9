"""The current state of one pseudonym, folded from its events, and its compact stored form.

what:       `State`, `apply` (one event), `pack`/`unpack`, `facts`
takes→gives: (state of the exact row, state of the wide row, event, its number) → both states after it
knows not:  SQL, files, keys
fails by:   `ValueError` when unpacking what is not a state
standard:   I-10; S-03, S-18, S-22, S-45, S-49; GDPR 17, 18
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from gateway.facts import Block, BlockKind, Consent, Facts, Purchase, Scope, ScopeKind, Subscription
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


@dataclass(frozen=True, slots=True)
class State:
    """What one row holds. `requests` are topics asked for, kept as consents so that a lift can date them."""

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
    if exact.erased:
        return exact, wide  # a tombstone takes no facts, whoever brings them
    if event.kind in (EventKind.CONSENT, EventKind.REQUEST):
        return _consent(exact, wide, event, number)
    return _FACTS[event.kind](exact, event), wide


def block_goes_wide(event: Event) -> bool:
    """Whether the block of this event is kept under the wide pseudonym."""
    return event.person.block_wide and BLOCKS[event.kind] not in EXACT_ONLY


def _block(exact: State, wide: State, event: Event, number: int) -> tuple[State, State]:
    block = Block(BLOCKS[event.kind], scope_of(event), event.at, number)
    if block.kind is BlockKind.ERASURE:
        return State(blocks=(block,)), wide
    if block.kind in REFUSALS:
        exact = replace(
            exact,
            consents=tuple(c for c in exact.consents if not contains(block.scope, c.scope)),
            requests=tuple(r for r in exact.requests if not contains(block.scope, r.scope)),
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
    return (
        replace(exact, consents=_since(exact.consents, refused), requests=_since(exact.requests, refused)),
        wide,
    )


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
    elif any(may_reach(b.scope, scope) for b in (*exact.blocks, *wide.blocks)):
        return exact, wide  # an import or an unconfirmed form gives nothing to somebody who said no
    given = Consent(scope, event.at, number)
    exact = _without(exact, scope)
    if event.kind is EventKind.REQUEST:
        return replace(exact, requests=(*exact.requests, given)), wide
    return replace(exact, consents=(*exact.consents, given)), wide


def _without(state: State, scope: Scope) -> State:
    if scope.kind is ScopeKind.TOPIC:
        state = replace(state, requests=tuple(r for r in state.requests if r.scope != scope))
    return replace(state, consents=tuple(c for c in state.consents if c.scope != scope))


def _toggled(values: frozenset[str], event: Event, name: str) -> frozenset[str]:
    value = frozenset({str(event.detail[name])})
    return values - value if event.detail.get("active") is False else values | value


def _enrolment(state: State, event: Event) -> State:
    return replace(state, enrolments=_toggled(state.enrolments, event, "reference"))


def _contract(state: State, event: Event) -> State:
    return replace(state, contracts=_toggled(state.contracts, event, "reference"))


def _publication(state: State, event: Event) -> State:
    if event.detail.get("active") is not False and not grants(event.evidence):
        return state
    return replace(state, publications=_toggled(state.publications, event, "id"))


def _purchase(state: State, event: Event) -> State:
    # The latest sale per category and answer is all a decision needs; the events keep the others.
    sale = Purchase(_number(event, "category"), bool(event.detail.get("declined")), event.at)
    same = [p for p in state.purchases if (p.category, p.declined) == (sale.category, sale.declined)]
    latest = max([sale, *same], key=lambda p: p.at)
    return replace(state, purchases=(*(p for p in state.purchases if p not in same), latest))


def _subscription(state: State, event: Event) -> State:
    end = event.detail.get("end")
    new = Subscription(_number(event, "category"), None if end is None else int(end))
    others = tuple(s for s in state.subscriptions if s.category != new.category)
    return replace(state, subscriptions=(*others, new))


def _minor(state: State, event: Event) -> State:
    guardian = event.detail.get("guardian") is True and grants(event.evidence)
    return replace(state, minor=event.detail["minor"] is True, guardian=guardian)


def _language(state: State, event: Event) -> State:
    return replace(state, language=str(event.detail["language"]))


def _number(event: Event, name: str) -> int:
    return int(event.detail[name] or 0)


_FACTS: Mapping[EventKind, Callable[[State, Event], State]] = {
    EventKind.ENROLMENT: _enrolment,
    EventKind.CONTRACT: _contract,
    EventKind.PURCHASE: _purchase,
    EventKind.SUBSCRIPTION: _subscription,
    EventKind.PUBLICATION: _publication,
    EventKind.MINOR: _minor,
    EventKind.LANGUAGE: _language,
}


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
        "s": [[s.category, s.end] for s in state.subscriptions],
        "u": sorted(state.publications),
        "m": int(state.minor),
        "g": int(state.guardian),
        "l": state.language,
    }
    return json.dumps({k: v for k, v in stored.items() if v}, separators=(",", ":"))


@lru_cache(maxsize=4096)  # intake and delivery decide about the same people shortly after each other
def unpack(stored: str) -> State:
    """Inverse of `pack`."""
    held = json.loads(stored)
    return State(
        blocks=tuple(Block(BLOCK_KINDS[k], Scope(ScopeKind(s), i), at, n) for k, s, i, at, n in held.get("b", ())),
        consents=tuple(Consent(Scope(ScopeKind(s), i), at, n) for s, i, at, n in held.get("c", ())),
        requests=tuple(Consent(Scope(ScopeKind.TOPIC, i), at, n) for i, at, n in held.get("r", ())),
        enrolments=frozenset(held.get("e", ())),
        contracts=frozenset(held.get("k", ())),
        purchases=tuple(Purchase(c, bool(d), at) for c, d, at in held.get("p", ())),
        subscriptions=tuple(Subscription(c, end) for c, end in held.get("s", ())),
        publications=frozenset(held.get("u", ())),
        minor=bool(held.get("m")),
        guardian=bool(held.get("g")),
        language=held.get("l", ""),
    )


def _pair(scope: Scope) -> tuple[int, int]:
    return int(scope.kind), scope.id
