"""Rectification: everything known under one address follows to another, and the old one stays blocked.

what:       what both addresses' rows become, the events of it, and the blocks for the journal
takes→gives: the stored rows of two people → `Moved`
knows not:  SQL, Redis, journals as files, why an address changed
fails by:   `InvalidEvent` where one of the two was erased, or both are one
standard:   GDPR 16; L-04; I-10: no block is lost, and no consent is given that a block of either side takes away
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.facts import Block, BlockKind, Consent, Scope, ScopeKind, Subscription
from gateway.pseudonym import Person
from gateway.registry.applying import block_goes_wide
from gateway.registry.events import KIND_OF, REFUSALS, InvalidEvent, may_reach
from gateway.registry.folding import Folded, Row, fold_one, folded, held_of
from gateway.registry.named import latest_sales
from gateway.registry.protocol import Event, EventKind, EventRow, Evidence, StateRow
from gateway.registry.state import EMPTY, State

_FOLLOWED = Evidence("system", channel="rectification")


@dataclass(frozen=True, slots=True)
class Moved:
    """What to store. `number` is that of the rectification; `refiled`: (old, new) person number of events and acts that
    change hands, before `folded` is stored; `blocks` go to the journal first."""

    number: int
    folded: Folded
    refiled: tuple[int, int] | None
    blocks: list[Event]


def move(
    rows: Mapping[bytes, StateRow], old: Person, new: Person, at: int, evidence: Evidence, last: int, layer: int
) -> Moved:
    """`rows` are those of all four pseudonyms, `last` the highest event number there ever was."""
    held = held_of(rows)
    own, target = held.get(old.exact), held.get(new.exact)
    _refuse(old, new, own, target)
    row, refiled = _joined_row(held, old, new)
    copies = [*_copies(held, old, new), *_endings(held, old, new, row.state, at)]
    if own is None and target is None:
        row.person = last + len(copies) + 1
    held[new.exact] = row
    stay = Event(EventKind.MANUAL, _exact_only(old), at, evidence, Scope(ScopeKind.EVERYTHING))
    moving = Event(EventKind.RECTIFIED, new, at, evidence)
    if own is not None:
        left = State(blocks=own.state.blocks)
        held[old.exact] = Row(last + len(copies) + 2, left, own.before)
    stored: list[EventRow] = []
    for event in (*copies, moving, stay):
        kept = fold_one(held, event, last + len(stored) + 1)
        stored += [] if kept is None else [kept]  # neither was erased, so every event is taken
    numbers = [row.number for row in stored]
    what = folded(held, numbers, stored, numbers[-1], layer)
    return Moved(numbers[-2], what, refiled, _for_journal(held, new, stay))


def _refuse(old: Person, new: Person, own: Row | None, target: Row | None) -> None:
    if old.exact == new.exact:
        raise InvalidEvent("address: the old and the new one are the same")
    for row, which in ((own, "old"), (target, "new")):
        if row is not None and row.state.erased:
            raise InvalidEvent(f"address: the {which} one was erased; there is nothing to correct under a tombstone")


def _joined_row(held: Mapping[bytes, Row], old: Person, new: Person) -> tuple[Row, tuple[int, int] | None]:
    """The new address's row: it keeps its own person number if it has one, else it takes over that of the old one."""
    own, target = held.get(old.exact), held.get(new.exact)
    state = merged(_state(held, old.exact), _state(held, new.exact), _blocks(held, old), _blocks(held, new))
    if target is not None:
        return Row(target.person, state, target.before), None if own is None else (own.person, target.person)
    return Row(0 if own is None else own.person, state), None


def _copies(held: Mapping[bytes, Row], old: Person, new: Person) -> list[Event]:
    """Blocks that do not simply follow with the old address's own row, as events of the new one.

    Those of a wide row on either side; the old wide row keeps its own, they are of all its spellings. And where both
    addresses were known, all: their events lie among each other from now on, and each block has to be later than what
    it takes.
    """
    shared = () if old.wide in (new.wide, old.exact) else _state(held, old.wide).blocks
    own, theirs = _state(held, old.exact).blocks, _state(held, new.exact).blocks
    if not (old.exact in held and new.exact in held):
        own, theirs = tuple(b for b in own if block_goes_wide(_copy(b, new))), ()
    return [_copy(b, new) for b in sorted((*shared, *theirs, *own), key=lambda b: b.event)]


def _endings(held: Mapping[bytes, Row], old: Person, new: Person, joined: State, at: int) -> list[Event]:
    """The consents that did not survive, as events, so that the history says so."""
    before = {c.scope for p in (old, new) for c in _given_by(_state(held, p.exact))}
    gone = sorted(before - {c.scope for c in _given_by(joined)})
    return [Event(EventKind.CONSENT, new, at, _FOLLOWED, scope, {"active": False}) for scope in gone]


def _given_by(state: State) -> tuple[Consent, ...]:
    return (*state.consents, *state.requests)


def _copy(block: Block, person: Person) -> Event:
    return Event(KIND_OF[block.kind], person, block.at, _FOLLOWED, block.scope)


def _for_journal(held: Mapping[bytes, Row], new: Person, stay: Event) -> list[Event]:
    """Every block the new address has now, and the one that keeps the old address blocked."""
    found = [_copy(b, _exact_only(new)) for b in _state(held, new.exact).blocks]
    if new.wide != new.exact and new.block_wide:
        found += [_copy(b, _wide_only(new)) for b in _state(held, new.wide).blocks]
    return [*found, stay]


def _exact_only(person: Person) -> Person:
    """The person without look-alikes, in every layer at hand."""
    earlier = tuple((exact, exact) for exact, _ in person.earlier)
    return Person(person.exact, person.exact, layer=person.layer, earlier=earlier)


def _wide_only(person: Person) -> Person:
    """All look-alikes at once, as a journal record knows them."""
    earlier = tuple((wide, wide) for _, wide in person.earlier)
    return Person(person.wide, person.wide, layer=person.layer, earlier=earlier)


def _state(held: Mapping[bytes, Row], pseudonym: bytes) -> State:
    return held[pseudonym].state if pseudonym in held else EMPTY


def _blocks(held: Mapping[bytes, Row], person: Person) -> tuple[Block, ...]:
    wide = () if person.wide == person.exact else _state(held, person.wide).blocks
    return (*_state(held, person.exact).blocks, *wide)


def merged(old: State, new: State, old_blocks: Iterable[Block], new_blocks: Iterable[Block]) -> State:
    """Both states in one. `old_blocks` and `new_blocks` are all that count against either, wide ones too."""
    theirs, ours = _refusals(old_blocks), _refusals(new_blocks)
    return State(
        blocks=_latest_blocks((*old.blocks, *new.blocks)),
        consents=_latest((*_given(old.consents, ours), *_given(new.consents, theirs))),
        requests=_latest((*_given(old.requests, ours), *_given(new.requests, theirs))),
        enrolments=old.enrolments | new.enrolments,
        contracts=old.contracts | new.contracts,
        purchases=latest_sales((*old.purchases, *new.purchases)),
        subscriptions=_longest((*old.subscriptions, *new.subscriptions)),
        publications=old.publications | new.publications,
        minor=old.minor or new.minor,
        # A guardian who agreed for one of two minors agreed for no more than that one.
        guardian=all(s.guardian for s in (old, new) if s.minor) and (old.guardian or new.guardian),
        language=new.language or old.language,
        contacts=tuple({(c.client, c.contact): c for c in (*old.contacts, *new.contacts)}.values()),
        origins=old.origins | new.origins,
        announced=old.announced | new.announced,
        third_parties=old.third_parties | new.third_parties,
        retained=tuple({r.id: r for r in sorted((*old.retained, *new.retained), key=lambda r: r.until)}.values()),
        returns=_latest((*old.returns, *new.returns)),
    )


def _refusals(blocks: Iterable[Block]) -> list[Block]:
    return [b for b in blocks if b.kind in REFUSALS]


def _given(consents: Iterable[Consent], against: Iterable[Block]) -> list[Consent]:
    """Those that no refusal of the other side may reach, whichever came first."""
    refused = list(against)
    return [c for c in consents if not any(may_reach(b.scope, c.scope) for b in refused)]


def _latest(consents: Iterable[Consent]) -> tuple[Consent, ...]:
    by_scope: dict[Scope, Consent] = {c.scope: c for c in sorted(consents, key=lambda c: c.event)}
    return tuple(sorted(by_scope.values(), key=lambda c: c.event))


def _latest_blocks(blocks: Iterable[Block]) -> tuple[Block, ...]:
    by_reach: dict[tuple[BlockKind, Scope], Block] = {
        (b.kind, b.scope): b for b in sorted(blocks, key=lambda b: b.event)
    }
    return tuple(sorted(by_reach.values(), key=lambda b: b.event))


def _longest(subscriptions: Iterable[Subscription]) -> tuple[Subscription, ...]:
    """One per category: the running one, else the one that ended last."""
    chosen: dict[int, Subscription] = {}
    for new in subscriptions:
        before = chosen.get(new.category)
        if before is None or (before.end is not None and (new.end is None or new.end > before.end)):
            chosen[new.category] = new
    return tuple(chosen.values())
