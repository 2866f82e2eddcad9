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
from gateway.registry.events import ACTORS, BLOCKS, KIND_OF
from gateway.registry.protocol import Event, EventKind, EventRow, Evidence, StateRow
from gateway.registry.record import Actor, Record
from gateway.registry.state import EMPTY, State, apply, block_goes_wide, pack, unpack

_ACTOR_WORDS = {actor: word for word, actor in ACTORS.items()}


@dataclass(frozen=True, slots=True)
class Folded:
    """What one batch changes. `numbers` are those of the events, in the order given."""

    numbers: list[int]
    events: list[EventRow]
    states: list[StateRow]


@dataclass(slots=True)
class _Row:
    """One state row while a batch is being folded."""

    person: int
    state: State
    changed: bool = False


def touched(events: Iterable[Event]) -> set[bytes]:
    """The pseudonyms whose rows `fold` needs."""
    return {p for e in events for p in (e.person.exact, e.person.wide)}


def fold(events: Sequence[Event], rows: Mapping[bytes, StateRow], last: int, layer: int) -> Folded:
    """Apply `events` in this order, behind event number `last`, under pseudonyms of `layer`."""
    held = {p: _Row(row.person, unpack(row.data)) for p, row in rows.items()}
    stored = [event_row(number, _fold(held, event, number), event) for number, event in enumerate(events, last + 1)]
    states = [StateRow(p, row.person, layer, pack(row.state)) for p, row in held.items() if row.changed]
    return Folded([row.number for row in stored], stored, states)


def events_of(records: Iterable[Record], pseudonyms: Pseudonyms) -> list[Event]:
    """Journal records as events, about people known in the record's layer and those above it."""
    return [_event(r, pseudonyms) for r in records]


def record_of(event: Event, layer: int) -> Record:
    """The journal's record of an event that blocks."""
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


def _fold(rows: dict[bytes, _Row], event: Event, number: int) -> int:
    """Apply one event to the rows at hand; gives the number of the person it is filed under."""
    person = event.person
    exact = rows.get(person.exact)
    wide = rows.get(person.wide) if person.wide != person.exact else None
    states = apply(exact.state if exact else EMPTY, wide.state if wide else EMPTY, event, number)
    to_wide = event.kind in BLOCKS and block_goes_wide(event)
    home = person.wide if to_wide else person.exact
    for pseudonym, row, state in ((person.exact, exact, states[0]), (person.wide, wide, states[1])):
        if row is not None:
            row.changed = row.changed or row.state is not state
            row.state = state
        elif state is not EMPTY or (pseudonym == home and pseudonym not in rows):
            rows[pseudonym] = _Row(number, state, changed=True)
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
