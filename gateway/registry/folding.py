"""Events folded into state rows, apart from where the rows are kept.

what:       numbers a batch of events, finds each one's person, applies it to the state rows it touches
takes→gives: events and the rows they touch → `Folded`: event rows to add, state rows to write
knows not:  SQL, Redis, journals, identity, addresses
fails by:   `InvalidEvent`
standard:   DESIGN §4 People; I-10
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import events as rules
from gateway.registry import postings
from gateway.registry.applying import apply, block_goes_wide, takes
from gateway.registry.events import ACTORS, BLOCKS, KIND_OF
from gateway.registry.postings import Posting
from gateway.registry.protocol import Event, EventKind, EventRow, Evidence, StateRow
from gateway.registry.record import Actor, Record
from gateway.registry.state import EMPTY, State, pack, unpack

_ACTOR_WORDS = {actor: word for word, actor in ACTORS.items()}


@dataclass(frozen=True, slots=True)
class Folded:
    """What one batch changes: a backend does it all in one commit, in the order of the fields.

    `numbers` are those of the events, in the order given; 0 for one that an erased person does not take. `erased`: for
    each person number, the number of the tombstone before which every event goes; `acts` about that person lose it.
    `last` is the highest number there ever was from now on: numbers are never used again.
    """

    numbers: list[int]
    events: list[EventRow]
    erased: dict[int, int]
    states: list[StateRow]
    lost: set[Posting]
    gained: set[Posting]
    last: int


@dataclass(slots=True)
class Row:
    """One state row while it is being changed. `before` is what is stored now, None for a new row."""

    person: int
    state: State
    before: tuple[int, State] | None = None

    @property
    def changed(self) -> bool:
        return self.before is None or self.before != (self.person, self.state)


def touched(events: Iterable[Event]) -> set[bytes]:
    """The pseudonyms whose rows `fold` needs."""
    return {p for e in events for p in (e.person.exact, e.person.wide)}


def fold(events: Sequence[Event], rows: Mapping[bytes, StateRow], last: int, layer: int) -> Folded:
    """Apply `events` in this order, behind event number `last`, under pseudonyms of `layer`."""
    held = held_of(rows)
    numbers, stored = list[int](), list[EventRow]()
    for event in events:
        row = fold_one(held, event, last + 1)
        if row is not None:
            last = row.number
            stored.append(row)
        numbers.append(0 if row is None else row.number)
    return folded(held, numbers, stored, last, layer)


def held_of(rows: Mapping[bytes, StateRow]) -> dict[bytes, Row]:
    """Stored rows, ready to be changed."""
    found = ((p, row.person, unpack(row.data)) for p, row in rows.items())
    return {p: Row(person, state, (person, state)) for p, person, state in found}


def folded(held: Mapping[bytes, Row], numbers: list[int], stored: list[EventRow], last: int, layer: int) -> Folded:
    """What to store, once everything was applied to the rows at hand."""
    changed = {p: row for p, row in held.items() if row.changed}
    lost, gained = postings.moved(
        [row.before for row in changed.values() if row.before is not None],
        [(row.person, row.state) for row in changed.values()],
    )
    return Folded(
        numbers=numbers,
        events=stored,
        erased={row.person: row.number for row in stored if row.kind == EventKind.ERASURE.value},
        states=[StateRow(p, row.person, layer, pack(row.state)) for p, row in changed.items()],
        lost=lost,
        gained=gained,
        last=last,
    )


def events_of(records: Iterable[Record], pseudonyms: Pseudonyms) -> list[Event]:
    """Journal records as events, about people known in the record's layer and those above it."""
    return [_event(r, pseudonyms) for r in records]


def record_of(event: Event, layer: int) -> Record:
    """The journal's record of an event that blocks."""
    event = rules.undated(event)
    pseudonym = event.person.wide if block_goes_wide(event) else event.person.exact
    message = event.detail.get("message")
    return Record(
        kind=BLOCKS[event.kind],
        scope=rules.scope_of(event),
        at=event.at,
        pseudonym=pseudonym,
        layer=layer,
        actor=rules.actor_of(event.evidence),
        message=message if isinstance(message, int) else 0,
    )


def records_of(pseudonym: bytes, data: str, layer: int) -> list[Record]:
    """Every block of one state row, as journal records."""
    return [Record(b.kind, b.scope, b.at, pseudonym, layer, Actor.SYSTEM) for b in unpack(data).blocks]


def event_row(number: int, person: int, event: Event) -> EventRow:
    """One event as it is stored."""
    event = rules.undated(event)
    scope, evidence = event.scope, event.evidence
    return EventRow(
        number=number,
        person=person,
        at=event.at,
        kind=event.kind.value,
        scope_kind=None if scope is None else int(scope.kind),
        scope_id=None if scope is None else scope.id,
        actor=evidence.actor,
        channel=evidence.channel,
        wording=evidence.wording,
        proof=evidence.proof,
        detail=json.dumps(dict(event.detail), separators=(",", ":"), sort_keys=True) if event.detail else None,
    )


def stored_event(person: Person, row: EventRow) -> Event:
    """Inverse of `event_row`, for a person who is known."""
    scope = None
    if row.scope_kind is not None and row.scope_id is not None:
        scope = Scope(ScopeKind(row.scope_kind), row.scope_id)
    return Event(
        kind=EventKind(row.kind),
        person=person,
        at=row.at,
        evidence=Evidence(row.actor, row.channel, row.wording, row.proof),
        scope=scope,
        detail=json.loads(row.detail) if row.detail else {},
    )


def fold_one(rows: dict[bytes, Row], event: Event, number: int) -> EventRow | None:
    """Apply one event to the rows at hand; gives it as stored, None when an erased person does not take it."""
    person = event.person
    if person.exact in rows and not takes(rows[person.exact].state, event):
        return None
    return event_row(number, _apply(rows, event, number), event)


def _apply(rows: dict[bytes, Row], event: Event, number: int) -> int:
    """Apply one event to the rows at hand; gives the number of the person it is filed under."""
    person = event.person
    exact = rows.get(person.exact)
    wide = rows.get(person.wide) if person.wide != person.exact else None
    states = apply(exact.state if exact else EMPTY, wide.state if wide else EMPTY, event, number)
    to_wide = event.kind in BLOCKS and block_goes_wide(event)
    home = person.wide if to_wide else person.exact
    for pseudonym, row, state in ((person.exact, exact, states[0]), (person.wide, wide, states[1])):
        if row is not None:
            row.state = state
        elif (state is not EMPTY and state != EMPTY) or (pseudonym == home and pseudonym not in rows):
            rows[pseudonym] = Row(number, state)
    return rows[home].person


def _event(record: Record, pseudonyms: Pseudonyms) -> Event:
    # A record holds one pseudonym, whichever blocks; as a person it has no other.
    return Event(
        kind=KIND_OF[record.kind],
        person=record.person(pseudonyms),
        at=int(record.at),
        evidence=Evidence(actor=_ACTOR_WORDS[record.actor], channel="journal"),
        scope=record.scope,
        detail={"message": record.message} if record.message else {},
    )
