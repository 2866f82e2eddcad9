"""What one event does to the state of one person: blocks, consents, what lifts what, pending returns.

what:       `apply` and the rules it follows
takes→gives: (state of the exact row, state of the wide row, event, its number) → both states after it
knows not:  SQL, files, keys, how a state is stored
fails by:   nothing; the event was checked
standard:   I-10; S-03, S-18, S-22, S-45, S-49; GDPR 17, 18
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.facts import Block, BlockKind, Consent, Scope, ScopeKind
from gateway.registry.events import (
    BLOCKS,
    EXACT_ONLY,
    LIFTED_BY,
    REFUSALS,
    contains,
    grants,
    lifts,
    may_reach,
    quarter,
    scope_of,
)
from gateway.registry.named import FACTS
from gateway.registry.protocol import Event, EventKind
from gateway.registry.state import EMPTY, State

# A tombstone takes no facts, but these: blocks count for ever, and what the law keeps may turn up later.
_BEYOND_ERASURE = frozenset(BLOCKS) | {EventKind.LIFTED, EventKind.RESTRICTION_LIFTED, EventKind.RETAINED}


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
    """Whether the event is kept at all: nothing dated comes back to an erased person, whoever brings it."""
    return not exact.erased or event.kind in _BEYOND_ERASURE


def block_goes_wide(event: Event) -> bool:
    """Whether the block of this event is kept under the wide pseudonym."""
    return event.person.block_wide and BLOCKS[event.kind] not in EXACT_ONLY


def _block(exact: State, wide: State, event: Event, number: int) -> tuple[State, State]:
    block = Block(BLOCKS[event.kind], scope_of(event), event.at, number)
    if block.kind is BlockKind.ERASURE:
        kept = tuple(r for r in exact.retained if r.until > event.at)
        return State(blocks=(replace(block, at=quarter(event.at)),), retained=kept), wide
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
        # An import, an unconfirmed form or an attested list gives nothing to somebody who said no; an operator may ask.
        return _returned(exact, (*exact.blocks, *wide.blocks), Consent(scope, event.at, number)), wide
    given = Consent(scope, event.at, number)
    exact = _without(exact, scope)
    if event.kind is EventKind.REQUEST:
        return replace(exact, requests=(*exact.requests, given)), wide
    if exact is EMPTY:  # somebody new: an import has a million of them, and `replace` costs twice as much
        return State(consents=(given,)), wide
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
    if any(r.scope == scope for r in state.returns):
        state = replace(state, returns=tuple(r for r in state.returns if r.scope != scope))
    if scope.kind is ScopeKind.TOPIC and any(r.scope == scope for r in state.requests):
        state = replace(state, requests=tuple(r for r in state.requests if r.scope != scope))
    if any(c.scope == scope for c in state.consents):
        state = replace(state, consents=tuple(c for c in state.consents if c.scope != scope))
    return state
