"""Event and state rows in SQLite, inside one transaction of the caller.

what:       appends a batch of events with the states that follow, and reads rows back
takes→gives: events → their numbers; a person → the history
knows not:  journals as files, locks, identity, addresses, what an event does to a state
fails by:   `sqlite3.Error`; `InvalidEvent`
standard:   DESIGN §4 People; I-10
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import astuple

from gateway.pseudonym import Person
from gateway.registry.folding import fold, records_of, stored_event, touched
from gateway.registry.protocol import Event, EventRow, StateRow
from gateway.registry.record import Record

_CHUNK = 500
_EVENT = "number, person, at, kind, scope_kind, scope_id, actor, channel, wording, proof, detail"
_INSERT = f"INSERT INTO events ({_EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT = (
    "INSERT INTO state (pseudonym, person, layer, data) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (pseudonym) DO UPDATE SET data = excluded.data"
)


def append(connection: sqlite3.Connection, events: Sequence[Event], layer: int) -> list[int]:
    """Store `events` in this order, under pseudonyms of `layer`. Gives their numbers."""
    folded = fold(events, _load(connection, touched(events)), last_number(connection), layer)
    connection.executemany(_INSERT, [astuple(row) for row in folded.events])
    connection.executemany(_UPSERT, [astuple(row) for row in folded.states])
    return folded.numbers


def blocks(connection: sqlite3.Connection) -> Iterator[Record]:
    """Every block in force, as journal records of the row's own layer."""
    for pseudonym, layer, data in connection.execute(
        """SELECT pseudonym, layer, data FROM state WHERE data LIKE '%"b":%'"""
    ):
        yield from records_of(pseudonym, data, layer)


def last_number(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(number), 0) FROM events").fetchone()[0])


def person_number(connection: sqlite3.Connection, pseudonym: bytes) -> int | None:
    row = connection.execute("SELECT person FROM state WHERE pseudonym = ?", (pseudonym,)).fetchone()
    return None if row is None else int(row[0])


def history(connection: sqlite3.Connection, person: Person) -> list[tuple[int, Event]]:
    """All events of both rows of one person, oldest first, with their numbers."""
    found = connection.execute(
        f"SELECT {_EVENT} FROM events "
        "WHERE person IN (SELECT person FROM state WHERE pseudonym IN (?, ?)) ORDER BY number",
        (person.exact, person.wide),
    )
    return [(row[0], stored_event(person, EventRow(*row))) for row in found]


def _load(connection: sqlite3.Connection, pseudonyms: set[bytes]) -> dict[bytes, StateRow]:
    rows: dict[bytes, StateRow] = {}
    wanted = list(pseudonyms)
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        query = f"SELECT pseudonym, person, layer, data FROM state WHERE pseudonym IN ({marks})"
        rows.update((row[0], StateRow(*row)) for row in connection.execute(query, chunk))
    return rows
