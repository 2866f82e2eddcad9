"""Whole registries moved row by row, in SQLite: what `registry copy` reads and writes.

what:       rows in order, and rows taken as they are
takes→gives: a cursor → rows; rows → stored, with their indexes
knows not:  where the rows come from, journals
fails by:   `sqlite3.Error`; `Unreadable`; `InvalidEvent` for rows of another pseudonym layer
standard:   DESIGN §4 Redis
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from gateway.registry import store
from gateway.registry.events import InvalidEvent
from gateway.registry.postings import Posting, postings
from gateway.registry.protocol import EventRow, StateRow
from gateway.registry.state import unpack

_STATES = "SELECT pseudonym, person, layer, data FROM state WHERE pseudonym > ? ORDER BY pseudonym LIMIT ?"
_EVENTS = f"SELECT {store.EVENT} FROM events WHERE number > ? ORDER BY number LIMIT ?"


def state_rows(connection: sqlite3.Connection, after: bytes, limit: int) -> list[StateRow]:
    return [StateRow(*row) for row in connection.execute(_STATES, (after, limit))]


def event_rows(connection: sqlite3.Connection, after: int, limit: int) -> list[EventRow]:
    return [EventRow(*row) for row in connection.execute(_EVENTS, (after, limit))]


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether nobody was ever recorded here."""
    return store.last_number(connection) == 0


def take(connection: sqlite3.Connection, states: Sequence[StateRow], events: Sequence[EventRow], layer: int) -> None:
    """Store rows as they are; the numbers they use are never given again."""
    if any(row.layer != layer for row in states):
        raise InvalidEvent(f"layer: these rows are not all of pseudonym layer {layer}; finish the key rotation first")
    lines: set[Posting] = {line for row in states for line in postings(row.person, unpack(row.data))}
    store.add_events(connection, events)
    store.put_states(connection, states)
    store.put_postings(connection, (), lines)
    highest = max((store.last_number(connection), *(r.person for r in states), *(r.number for r in events)))
    connection.execute("UPDATE numbering SET last = ?", (highest,))
