"""Event and state rows in SQLite, inside one transaction of the caller.

what:       stores what a fold changed, and reads rows back
takes→gives: events → their numbers; a person → the history; rows as they are stored
knows not:  journals as files, locks, identity, addresses, what an event does to a state
fails by:   `sqlite3.Error`; `InvalidEvent`
standard:   DESIGN §4 People; I-10
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter

from gateway.pseudonym import Person
from gateway.registry.folding import Folded, fold, records_of, stored_event, touched
from gateway.registry.postings import Posting
from gateway.registry.protocol import Act, Event, EventRow, StateRow
from gateway.registry.record import Record

_CHUNK = 500
EVENT = "number, person, at, kind, scope_kind, scope_id, actor, channel, wording, proof, detail"
_INSERT = f"INSERT INTO events ({EVENT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_UPSERT = (
    "INSERT INTO state (pseudonym, person, layer, data) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (pseudonym) DO UPDATE SET person = excluded.person, data = excluded.data"
)
_LINE = "name = ? AND key = ? AND event = ? AND person = ?"
_of_event = attrgetter(*EVENT.split(", "))
_of_state = attrgetter("pseudonym", "person", "layer", "data")


def append(connection: sqlite3.Connection, events: Sequence[Event], layer: int) -> Folded:
    """Store `events` in this order, under pseudonyms of `layer`. Gives what that changed."""
    folded = fold(events, load(connection, touched(events)), last_number(connection), layer)
    keep(connection, folded)
    return folded


def keep(connection: sqlite3.Connection, folded: Folded) -> None:
    """Store what a fold changed."""
    add_events(connection, folded.events)
    if folded.erased:
        forget(connection, folded.erased)
    put_states(connection, folded.states)
    put_postings(connection, folded.lost, folded.gained)
    connection.execute("UPDATE numbering SET last = ?", (folded.last,))


def add_events(connection: sqlite3.Connection, rows: Iterable[EventRow]) -> None:
    connection.executemany(_INSERT, map(_of_event, rows))


def put_states(connection: sqlite3.Connection, rows: Iterable[StateRow]) -> None:
    # In the order of the table, so that neighbours are written together.
    connection.executemany(_UPSERT, sorted(map(_of_state, rows)))


def put_postings(connection: sqlite3.Connection, lost: Iterable[Posting], gained: Iterable[Posting]) -> None:
    connection.executemany(f"DELETE FROM postings WHERE {_LINE}", lost)
    connection.executemany("INSERT OR REPLACE INTO postings (name, key, event, person) VALUES (?, ?, ?, ?)", gained)


def forget(connection: sqlite3.Connection, erased: dict[int, int]) -> None:
    """Delete every event of each person number before the number of their tombstone; their acts lose them."""
    with opened(connection):
        connection.executemany("DELETE FROM events WHERE person = ? AND number < ?", erased.items())
        connection.executemany("UPDATE acts SET person = NULL WHERE person = ?", [(p,) for p in erased])
    connection.execute("INSERT INTO scrub DEFAULT VALUES")


@contextmanager
def opened(connection: sqlite3.Connection) -> Iterator[None]:
    """Events may go, and events and acts change hands, until this ends: within one transaction of the caller."""
    connection.execute("INSERT INTO opened (one) VALUES (1)")
    yield
    connection.execute("DELETE FROM opened")


def blocks(connection: sqlite3.Connection) -> Iterator[Record]:
    """Every block in force, as journal records of the row's own layer."""
    for pseudonym, layer, data in connection.execute(
        """SELECT pseudonym, layer, data FROM state WHERE data LIKE '%"b":%'"""
    ):
        yield from records_of(pseudonym, data, layer)


def last_number(connection: sqlite3.Connection) -> int:
    """The highest number an event ever had here."""
    return int(connection.execute("SELECT last FROM numbering").fetchone()[0])


def person_number(connection: sqlite3.Connection, pseudonym: bytes) -> int | None:
    row = connection.execute("SELECT person FROM state WHERE pseudonym = ?", (pseudonym,)).fetchone()
    return None if row is None else int(row[0])


def count_of(connection: sqlite3.Connection, pseudonym: bytes) -> int:
    """How many events are filed under the row of this pseudonym."""
    query = "SELECT COUNT(*) FROM events WHERE person = (SELECT person FROM state WHERE pseudonym = ?)"
    return int(connection.execute(query, (pseudonym,)).fetchone()[0])


def refile(connection: sqlite3.Connection, old: int, new: int) -> None:
    """Events and acts of person number `old` are those of `new` from now on."""
    with opened(connection):
        for table in ("events", "acts"):
            connection.execute(f"UPDATE {table} SET person = ? WHERE person = ?", (new, old))


def history(connection: sqlite3.Connection, person: Person) -> list[tuple[int, Event]]:
    """All events of both rows of one person, oldest first, with their numbers."""
    found = connection.execute(
        f"SELECT {EVENT} FROM events "
        "WHERE person IN (SELECT person FROM state WHERE pseudonym IN (?, ?)) ORDER BY number",
        (person.exact, person.wide),
    )
    return [(row[0], stored_event(person, EventRow(*row))) for row in found]


def acts(connection: sqlite3.Connection, pseudonym: bytes) -> list[Act]:
    """What operators did about one person, oldest first."""
    found = connection.execute(
        "SELECT at, operator, reason, what FROM acts"
        " WHERE person = (SELECT person FROM state WHERE pseudonym = ?) ORDER BY number",
        (pseudonym,),
    )
    return [Act(*row) for row in found]


def load(connection: sqlite3.Connection, pseudonyms: Iterable[bytes]) -> dict[bytes, StateRow]:
    """The state rows under these pseudonyms, as far as there are any."""
    rows: dict[bytes, StateRow] = {}
    wanted = list(pseudonyms)
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        marks = ",".join("?" * len(chunk))
        query = f"SELECT pseudonym, person, layer, data FROM state WHERE pseudonym IN ({marks})"
        rows.update((row[0], StateRow(*row)) for row in connection.execute(query, chunk))
    return rows
