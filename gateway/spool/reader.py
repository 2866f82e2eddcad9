"""Reading one shard: listing without unsealing, and unsealing.

what:       queries on a read-only connection; `Entry` and `Opened` values
takes→gives: a connection (and slots, keys to unseal) → entries, due times, opened content
knows not:  claims, writing, threads
fails by:   `sqlite3.Error`, `SealBroken`, `SlotBroken`, `EntryGone`
standard:   DESIGN §4 Spool; L-03
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.spool.keyslots import KeySlots
from gateway.spool.protocol import Entry, EntryGone, State
from gateway.spool.rows import seal_from
from gateway.spool.sealing import MessageSeal, SealBroken, ServiceKeys

_ENTRY = (
    "SELECT r.id, m.id, m.reference, m.organisation, m.client, m.stream, m.received, m.facts, r.person_exact,"
    " r.person_wide, r.state, r.provider, r.variant, r.attempts, r.due, r.until, r.reason"
    " FROM rows r JOIN messages m ON m.n = r.message"
)
DUE_SQL = "SELECT id FROM rows WHERE state = 'queued' AND due <= ? ORDER BY due, id LIMIT ?"
NEXT_SQL = "SELECT id, due FROM rows WHERE state = 'queued' ORDER BY due, id LIMIT ?"
_BY_ID_SQL = _ENTRY + " WHERE r.id IN (%s) ORDER BY r.due, r.id"
_OLDEST_SQL = (
    "SELECT received FROM messages m WHERE EXISTS"
    " (SELECT 1 FROM rows WHERE message = m.n AND state = 'queued') ORDER BY m.n LIMIT 1"
)
_DEPTH_SQL = (
    "SELECT m.organisation, m.stream, r.state, count(*) FROM rows r JOIN messages m ON m.n = r.message GROUP BY 1, 2, 3"
)
_OPEN_SQL = (
    "SELECT r.number, r.sealed, m.n, m.slot, m.sealed FROM rows r JOIN messages m ON m.n = r.message"
    " WHERE r.id = ? AND m.id = ?"
)
_IN_MAX = 500
DAMAGED = "clear columns are damaged"


@dataclass(frozen=True, slots=True)
class Content:
    """Unsealed parts that all rows of a message share, with the seal that opens its rows."""

    seal: MessageSeal
    values: Mapping[str, object]
    body: bytes


def due(connection: sqlite3.Connection, now: float, limit: int) -> list[int]:
    """Ids of queued rows due at `now`, oldest first."""
    return [row for (row,) in connection.execute(DUE_SQL, (now, limit)).fetchall()]


def earliest(connection: sqlite3.Connection, limit: int) -> list[tuple[int, float]]:
    """Ids and due times of the first `limit` queued rows."""
    return connection.execute(NEXT_SQL, (limit,)).fetchall()


def by_ids(connection: sqlite3.Connection, rows: Sequence[int]) -> list[Entry]:
    """Entries of these rows, by due time."""
    found: list[Entry] = []
    for start in range(0, len(rows), _IN_MAX):
        some = rows[start : start + _IN_MAX]
        found += map(_entry, connection.execute(_BY_ID_SQL % ",".join("?" * len(some)), some).fetchall())
    return found


def entries(
    connection: sqlite3.Connection,
    *,
    state: State | None = None,
    message: str | None = None,
    organisation: str | None = None,
    row: int | None = None,
    until: float | None = None,
    limit: int = 1000,
) -> list[Entry]:
    """Rows that match everything given, oldest first; `until`: its end has passed by then."""
    wanted: list[tuple[str, object]] = [
        (sql, value)
        for sql, value in (
            ("r.state = ?", state and state.value),
            ("m.id = ?", message),
            ("m.organisation = ?", organisation),
            ("r.id = ?", row),
            ("r.until > 0 AND r.until <= ?", until),
        )
        if value is not None
    ]
    where = " WHERE " + " AND ".join(sql for sql, _ in wanted) if wanted else ""
    sql = f"{_ENTRY}{where} ORDER BY r.id LIMIT ?"
    return list(map(_entry, connection.execute(sql, (*(value for _, value in wanted), limit)).fetchall()))


def counts(connection: sqlite3.Connection) -> dict[tuple[str, str, str], int]:
    """Rows by (organisation, stream, state)."""
    return {(o, s, state): number for o, s, state, number in connection.execute(_DEPTH_SQL).fetchall()}


def oldest_received(connection: sqlite3.Connection) -> float | None:
    """When the oldest message with a queued row came in."""
    found = connection.execute(_OLDEST_SQL).fetchone()
    return float(found[0]) if found else None


def content(connection: sqlite3.Connection, slots: KeySlots, keys: ServiceKeys, entry: Entry) -> Content:
    """Unseal what the rows of one message share. Raises `EntryGone`, `SealBroken`, `SlotBroken`."""
    _, _, n, slot, sealed = _sealed(connection, entry)
    found = connection.execute("SELECT sealed FROM bodies WHERE message = ?", (n,)).fetchone()
    if found is None:
        raise SealBroken("body: is not there")
    seal = seal_from(slots.read(slot), entry.message, keys)
    return Content(seal, seal.open_values(sealed), seal.open_body(found[0]))


def row_values(connection: sqlite3.Connection, seal: MessageSeal, entry: Entry) -> Mapping[str, object]:
    """Unseal one row with its message's seal. Raises `EntryGone`, `SealBroken`."""
    number, sealed, *_ = _sealed(connection, entry)
    if sealed is None:
        raise EntryGone(f"row {entry.row} is final")
    return seal.open_row(number, sealed)


def only_row(connection: sqlite3.Connection, slots: KeySlots, keys: ServiceKeys, entry: Entry) -> Mapping[str, object]:
    """Unseal one row and not the body. Raises `EntryGone`, `SealBroken`, `SlotBroken`."""
    slot = _sealed(connection, entry)[3]
    return row_values(connection, seal_from(slots.read(slot), entry.message, keys), entry)


def _sealed(connection: sqlite3.Connection, entry: Entry) -> tuple[int, bytes | None, int, int, bytes]:
    found: tuple[int, bytes | None, int, int, bytes] | None = connection.execute(
        _OPEN_SQL, (entry.row, entry.message)
    ).fetchone()
    if found is None:
        raise EntryGone(f"row {entry.row} of message {entry.message} is no longer here")
    return found


def _entry(values: tuple[Any, ...]) -> Entry:
    """The entry; where its clear columns cannot be read it says so, as a quarantined one."""
    *before, facts, exact, wide, state, provider, variant, attempts, due_at, until, reason = values
    try:
        known, place = json.loads(facts), State(state)
    except (ValueError, TypeError):
        known, place, reason = {}, State.QUARANTINED, DAMAGED
    return Entry(*before, known, exact, wide, place, provider, variant, attempts, due_at, until, reason)
