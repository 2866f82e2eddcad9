"""Writing events and the states that follow from them, inside one transaction of the caller.

what:       numbers events, folds them into state rows, both in batches
takes→gives: events, or records of a journal → event numbers
knows not:  journals as files, locks, identity, addresses
fails by:   `sqlite3.Error`; `InvalidEvent`
standard:   DESIGN §4 People; I-10
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from gateway.facts import Scope, ScopeKind
from gateway.pseudonym import Person, Pseudonyms
from gateway.registry import events as rules
from gateway.registry.events import ACTORS, BLOCKS, KIND_OF
from gateway.registry.protocol import Event, EventKind, Evidence
from gateway.registry.record import Actor, Record
from gateway.registry.state import EMPTY, State, apply, block_goes_wide, pack, unpack

_CHUNK = 500
_ACTOR_WORDS = {actor: word for word, actor in ACTORS.items()}
_INSERT = (
    "INSERT INTO events (number, person, at, kind, scope_kind, scope_id, actor, channel, wording, proof, detail) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_UPSERT = (
    "INSERT INTO state (pseudonym, person, layer, data) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (pseudonym) DO UPDATE SET data = excluded.data"
)
_EventRow = tuple[int, int, int, str, int | None, int | None, str, str, str, str, str | None]


@dataclass(slots=True)
class _Row:
    """One state row while a batch is being folded."""

    person: int
    state: State
    changed: bool = False


def append(connection: sqlite3.Connection, events: Sequence[Event], layer: int) -> list[int]:
    """Store `events` in this order, under pseudonyms of `layer`. Gives their numbers."""
    rows = _load(connection, {p for e in events for p in (e.person.exact, e.person.wide)})
    number = last_number(connection)
    numbers: list[int] = []
    stored: list[_EventRow] = []
    for event in events:
        number += 1
        numbers.append(number)
        stored.append(_event_row(number, _fold(rows, event, number), event))
    connection.executemany(_INSERT, stored)
    connection.executemany(_UPSERT, [(p, row.person, layer, pack(row.state)) for p, row in rows.items() if row.changed])
    return numbers


def events_of(records: Iterable[Record], pseudonyms: Pseudonyms) -> list[Event]:
    """Journal records as events; older layers are lifted."""
    return [_event(r, r.newest(pseudonyms)) for r in records]


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


def blocks(connection: sqlite3.Connection, layer: int) -> Iterator[Record]:
    """Every block in force, as journal records."""
    for pseudonym, data in connection.execute("""SELECT pseudonym, data FROM state WHERE data LIKE '%"b":%'"""):
        for block in unpack(data).blocks:
            yield Record(block.kind, block.scope, block.at, pseudonym, layer, Actor.SYSTEM)


def last_number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM events").fetchone()[0])


def person_number(connection: sqlite3.Connection, pseudonym: bytes) -> int | None:
    row = connection.execute("SELECT person FROM state WHERE pseudonym = ?", (pseudonym,)).fetchone()
    return None if row is None else int(row[0])


def history(connection: sqlite3.Connection, person: Person) -> list[tuple[int, Event]]:
    """All events of both rows of one person, oldest first, with their numbers."""
    found = connection.execute(
        "SELECT number, kind, at, scope_kind, scope_id, actor, channel, wording, proof, detail FROM events "
        "WHERE person IN (SELECT person FROM state WHERE pseudonym IN (?, ?)) ORDER BY number",
        (person.exact, person.wide),
    )
    return [(row[0], _stored_event(person, row[1:])) for row in found]


def _load(connection: sqlite3.Connection, pseudonyms: set[bytes]) -> dict[bytes, _Row]:
    rows: dict[bytes, _Row] = {}
    wanted = list(pseudonyms)
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        query = f"SELECT pseudonym, person, data FROM state WHERE pseudonym IN ({marks})"
        rows.update((p, _Row(person, unpack(data))) for p, person, data in connection.execute(query, chunk))
    return rows


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


def _event_row(number: int, person: int, event: Event) -> _EventRow:
    scope = event.scope
    evidence = event.evidence
    return (
        number,
        person,
        event.at,
        event.kind.value,
        None if scope is None else int(scope.kind),
        None if scope is None else scope.id,
        evidence.actor,
        evidence.channel,
        evidence.wording,
        evidence.proof,
        json.dumps(dict(event.detail), separators=(",", ":"), sort_keys=True) if event.detail else None,
    )


def _stored_event(person: Person, row: tuple[object, ...]) -> Event:
    kind, at, scope_kind, scope_id, actor, channel, wording, proof, detail = row
    return Event(
        kind=EventKind(str(kind)),
        person=person,
        at=int(str(at)),
        evidence=Evidence(str(actor), str(channel), str(wording), str(proof)),
        scope=None if scope_kind is None else Scope(ScopeKind(int(str(scope_kind))), int(str(scope_id))),
        detail=json.loads(str(detail)) if detail else {},
    )


def _event(record: Record, pseudonym: bytes) -> Event:
    # A record holds one pseudonym, whichever blocks; as a person it has no other.
    return Event(
        kind=KIND_OF[record.kind],
        person=Person(pseudonym, pseudonym),
        at=int(record.at),
        evidence=Evidence(actor=_ACTOR_WORDS[record.actor], channel="journal"),
        scope=record.scope,
        detail={"message": record.message} if record.message else {},
    )
